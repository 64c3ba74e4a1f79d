"""Processes that tests start: how they take signals, and that none outlives the session."""

import os
import signal
import sys
from collections.abc import Iterator, Mapping
from contextlib import contextmanager, suppress

import psutil  # type: ignore[import-untyped]

MARK = "SESSION_OF_TESTS"
"""The environment variable by which the processes of a session are known."""
_SECONDS_TO_END = 10


@contextmanager
def interruptible() -> Iterator[None]:
    """Lets SIGINT interrupt what is started in the block, also if this process ignores it.

    A shell's background job and what nohup runs ignore it, and their children inherit that:
    https://pubs.opengroup.org/onlinepubs/9699919799/utilities/V3_chap02.html#tag_18_11
    """
    before = signal.signal(signal.SIGINT, signal.default_int_handler)
    try:
        yield
    finally:
        signal.signal(signal.SIGINT, before)


def mark(session: str) -> None:
    """Marks what this process starts as a part of `session`."""
    os.environ[MARK] = session


def marked(env: Mapping[str, str]) -> dict[str, str]:
    """`env` with the mark of this session, for a child that gets an environment of its own."""
    return {**env, MARK: os.environ[MARK]}


def end_all(session: str) -> None:
    """Ends the processes of `session` that are left: an interrupted worker ends none of its own."""
    left = [process for process in psutil.process_iter() if _is_of(process, session)]
    for process in left:
        with suppress(psutil.NoSuchProcess):
            print(f"ending {process.pid}: {' '.join(process.cmdline())[:120]}", file=sys.stderr)
            process.terminate()
    for process in psutil.wait_procs(left, _SECONDS_TO_END)[1]:
        with suppress(psutil.NoSuchProcess):
            process.kill()


def _is_of(process: psutil.Process, session: str) -> bool:
    with suppress(psutil.Error):
        # What this process itself has in its environment came after its start.
        return process.pid != os.getpid() and process.environ().get(MARK) == session
    return False
