"""Runs scripts/autostop as a process of its own and reads what it logs."""

import re
import subprocess
import sys
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from pathlib import Path

from tests.children import marked

from .jupyter import PATIENCE, until

MODULE = Path(__file__).parents[2] / "modules/sagemaker-notebook"
SCRIPT = MODULE / "scripts/autostop"

WITHOUT_BOTO3 = (sys.executable, "-I", "-S", str(SCRIPT))
"""The script on a Python with the standard library alone, as a system's Python may be."""

WITH_BOTO3 = (sys.executable, "-I", str(SCRIPT))

AGED = re.compile(r"idle [1-9]\d* of ")
"""A line that tells of a second without activity, or of more: a slow poll leaves numbers out."""

AGES = 600
"""An idle time that no test waits for. What is shown as idle grows, and falls after activity alone:
so a test can wait for both, where a shorter idle time would limit what it does in between."""


def idle_of(line: str) -> int:
    """The seconds without activity that a line tells."""
    return int(line.partition("idle ")[2].split()[0])


class AutoStop:
    """A running auto-stop; `lines` are what it has logged so far."""

    def __init__(self, process: "subprocess.Popen[bytes]", log: Path) -> None:
        self.process = process
        self.log = log

    @property
    def lines(self) -> list[str]:
        """Complete lines without their time."""
        text = self.log.read_text(errors="replace").rpartition("\n")[0]
        return [line.partition("autostop: ")[2] or line for line in text.splitlines()]

    def wait_for(self, words: str | re.Pattern[str], times: int = 1, after: int = 0) -> int:
        """Waits for `times` lines with `words` from line `after` on; the index of the last."""
        pattern = re.compile(re.escape(words) if isinstance(words, str) else words)

        def found() -> list[int]:
            lines = enumerate(self.lines)
            return [n for n, line in lines if n >= after and pattern.search(line)]

        def there() -> bool:
            assert self.process.poll() is None, self.lines
            return len(found()) >= times

        try:
            until(there)
        except AssertionError as error:
            raise AssertionError(f"{words!r} {times} times, in {self.lines}") from error
        return found()[times - 1]


@contextmanager
def watching(
    folder: Path,
    url: str,
    *options: str,
    idle: float = 0.5,
    command: Sequence[str] = WITHOUT_BOTO3,
    env: Mapping[str, str] | None = None,
) -> Iterator[AutoStop]:
    """The auto-stop, polling `url` ten times a second; `idle` in seconds.

    By default it has no means to stop anything and logs `cannot stop` where it is due.
    Settings and then `options` follow `command`; the last of a name wins.
    """
    settings = {
        "url": url,
        "idle-seconds": idle,
        "poll-seconds": 0.1,
        "timeout-seconds": PATIENCE,  # a busy machine's Jupyter takes seconds to answer
        "keep-alive": folder / ".keep-alive",
        "log": folder / "no-such.log",
        "metadata": folder / "no-metadata.json",
    }
    words = [f"--{name}={value}" for name, value in settings.items()]
    environment = {"PATH": str(folder / "empty"), "HOME": str(folder)} if env is None else env
    log = folder / "autostop.log"
    with log.open("wb") as output:
        process = subprocess.Popen(
            [*command, *words, *options], env=marked(environment), stdout=output, stderr=output
        )
    try:
        yield AutoStop(process, log)
    finally:
        process.kill()
        process.wait(PATIENCE)
