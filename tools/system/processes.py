"""Processes by their identity: the only user of psutil, loaded when a process is looked at."""

import json
from pathlib import Path

from tools.system import files


def started(pid: int) -> float | None:
    """When the process started, in seconds since the system did; with the number, its identity.

    None where there is no such process, or where it has ended and its parent does not know yet.
    (The time of day would not do: a corrected clock changes it.)
    """
    import psutil  # type: ignore[import-untyped]

    try:
        process = psutil.Process(pid)
        is_over = process.status() == psutil.STATUS_ZOMBIE
        return None if is_over else round(process.create_time() - psutil.boot_time(), 2)
    except psutil.NoSuchProcess:
        return None


def note(pid: int, path: Path, **details: int) -> None:
    """Writes to the file `path` which process this is, with `details` of it."""
    files.write(path, json.dumps({"pid": pid, "started": started(pid), **details}))


def read_note(path: Path) -> dict[str, int] | None:
    """What `note` has written, without the start; None if the process does not run any more."""
    try:
        details = dict(json.loads(path.read_text()))
        since = details.pop("started")
        is_running = since is not None and started(int(details["pid"])) == since
    except (OSError, ValueError, KeyError, TypeError):
        return None
    return details if is_running else None


def noted(path: Path) -> int | None:
    """The number of the process that `path` notes, if it still runs."""
    details = read_note(path)
    return details["pid"] if details else None


def free_memory() -> int:
    """Bytes that new processes can have."""
    import psutil

    return int(psutil.virtual_memory().available)


def listening(pid: int) -> set[tuple[str, int]]:
    """The addresses and TCP ports that the process listens on; none where it has ended."""
    import psutil

    try:
        connections = psutil.Process(pid).net_connections("tcp")
    except psutil.NoSuchProcess:
        return set()
    return {
        (connection.laddr.ip, connection.laddr.port)
        for connection in connections
        if connection.status == psutil.CONN_LISTEN
    }
