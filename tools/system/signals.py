"""Ctrl-C and SIGTERM: counted, not raised in the middle of what must end in order."""

import signal
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from functools import partial
from types import FrameType

_POLL_SECONDS = 0.1


class Interruption:
    """How often a run was asked to stop. After the first time nothing new starts."""

    def __init__(self) -> None:
        self.count = 0
        self._first = 0

    def note(self, number: int, frame: FrameType | None) -> None:
        """Counts a signal: the handler that `count_signals` installs."""
        self.count += 1
        self._first = self._first or number

    def forget(self) -> None:
        """Forgets the requests to stop: what they could have stopped is done."""
        self.count = self._first = 0

    def check(self) -> None:
        """Raises SystemExit if the run was asked to stop, as if the signal had ended the process.

        The exit code is 128 and the signal's number, as a shell gives it:
        https://www.gnu.org/software/bash/manual/html_node/Exit-Status.html
        """
        if self.count:
            raise SystemExit(128 + self._first)

    def sleep(self, seconds: float) -> None:
        """Sleeps for `seconds`, or until the run is asked to stop."""
        end = time.monotonic() + seconds
        while time.monotonic() < end and not self.count:
            time.sleep(_POLL_SECONDS)


@contextmanager
def count_signals() -> Iterator[Interruption]:
    """Counts Ctrl-C and SIGTERM within the block, which must run in the main thread."""
    interruption = Interruption()
    numbers = (signal.SIGINT, signal.SIGTERM)
    before = {number: signal.signal(number, interruption.note) for number in numbers}
    try:
        yield interruption
    finally:
        for number, handler in before.items():
            signal.signal(number, handler)


def interruptible_child() -> Callable[[], object] | None:
    """Returns a `preexec_fn` that makes SIGINT end a child, or None if it does so anyway.

    A child inherits that a signal is ignored. Shells start background jobs that way, so that
    Terraform would not hear of an interruption there:
    https://pubs.opengroup.org/onlinepubs/9799919799/utilities/V3_chap02.html#tag_19_11
    A signal with a handler, as in `count_signals`, is reset in the child. So there, where threads
    run, nothing is called between fork and exec, which could deadlock beside threads:
    https://docs.python.org/3/library/subprocess.html#subprocess.Popen
    """
    if signal.getsignal(signal.SIGINT) != signal.SIG_IGN:
        return None
    return partial(signal.signal, signal.SIGINT, signal.SIG_DFL)
