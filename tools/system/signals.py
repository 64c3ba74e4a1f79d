"""Ctrl-C and SIGTERM: counted, not raised in the middle of what must end in order."""

import signal
from collections.abc import Iterator
from contextlib import contextmanager
from types import FrameType


class Interruption:
    """How often a run was asked to stop. After the first time nothing new starts."""

    def __init__(self) -> None:
        self.count = 0
        self._first = 0

    def note(self, number: int, frame: FrameType | None) -> None:
        """Counts a signal: the handler that `counted` installs."""
        self.count += 1
        self._first = self._first or number

    def check(self) -> None:
        """Raises SystemExit if the run was asked to stop, as if the signal had ended the process.

        The exit code is 128 and the signal's number, as a shell gives it:
        https://www.gnu.org/software/bash/manual/html_node/Exit-Status.html
        """
        if self.count:
            raise SystemExit(128 + self._first)


@contextmanager
def counted() -> Iterator[Interruption]:
    """Counts Ctrl-C and SIGTERM within the block, which must run in the main thread."""
    interruption = Interruption()
    numbers = (signal.SIGINT, signal.SIGTERM)
    before = {number: signal.signal(number, interruption.note) for number in numbers}
    try:
        yield interruption
    finally:
        for number, handler in before.items():
            signal.signal(number, handler)
