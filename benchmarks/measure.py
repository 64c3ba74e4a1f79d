"""Time and memory of processes, by turns."""

import os
import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TypeVar

ROOT = Path(__file__).resolve().parents[1]
TOOLS = Path(sys.executable).with_name("tools")

_Measured = TypeVar("_Measured")


@dataclass(frozen=True)
class Figure:
    """One line of a benchmark's table; `met` is None where there is no aim."""

    what: str
    measured: str
    aim: str = ""
    met: bool | None = None


@dataclass(frozen=True)
class Cost:
    """What a process took: seconds on the clock and of processors, and its peak memory in bytes."""

    seconds: float
    cpu: float
    memory: int


def process(
    command: Sequence[str | Path], cwd: Path = ROOT, env: Mapping[str, str] | None = None
) -> Cost:
    """Runs `command`, which has to succeed; in `environment()`, or in `env`."""
    started = time.perf_counter()
    with tempfile.TemporaryFile() as complaints:
        running = subprocess.Popen(
            command,
            cwd=cwd,
            env=env or environment(),
            stdout=subprocess.DEVNULL,
            stderr=complaints,
        )
        _, status, usage = os.wait4(running.pid, 0)
        seconds = time.perf_counter() - started
        running.returncode = os.waitstatus_to_exitcode(status)
        if running.returncode:
            complaints.seek(0)
            raise RuntimeError(f"{command} failed: {complaints.read().decode()}")
    unit = 1 if sys.platform == "darwin" else 1024
    return Cost(seconds, usage.ru_utime + usage.ru_stime, usage.ru_maxrss * unit)


def environment() -> dict[str, str]:
    """This process's environment without what makes Python or click work otherwise than usual."""
    odd = ("PYTHONDONTWRITEBYTECODE", "PYTHONUNBUFFERED", "COLUMNS")
    return {name: value for name, value in os.environ.items() if name not in odd}


def by_turns(
    tasks: Mapping[str, Callable[[], _Measured]], repetitions: int
) -> dict[str, list[_Measured]]:
    """What each task returns each time, after one round that does not count."""
    found: dict[str, list[_Measured]] = {name: [] for name in tasks}
    for number in range(repetitions + 1):
        for name, task in tasks.items():
            result = task()
            if number:
                found[name].append(result)
    return found


def seconds(costs: Sequence[Cost]) -> float:
    return statistics.median(cost.seconds for cost in costs)


def cpu(costs: Sequence[Cost]) -> float:
    return statistics.median(cost.cpu for cost in costs)


def memory(costs: Sequence[Cost]) -> float:
    return statistics.median(cost.memory for cost in costs)
