"""Processes and what they use: the only user of psutil, which is loaded when it is needed."""

import json
from pathlib import Path

from tools.system import files


def start_time(pid: int) -> float | None:
    """When the process started, in seconds after the system; None if it does not run.

    With its number that identifies it, since numbers are used again. A zombie does not run. (The
    time of day would not do: a corrected clock changes it.)
    """
    import psutil  # type: ignore[import-untyped]

    try:
        process = psutil.Process(pid)
        is_over = process.status() == psutil.STATUS_ZOMBIE
        return None if is_over else round(process.create_time() - psutil.boot_time(), 2)
    except psutil.NoSuchProcess:
        return None


def write_note(pid: int, path: Path, **details: int) -> None:
    """Writes to the file `path` which process this is, with `details` of it."""
    files.write(path, json.dumps({"pid": pid, "started": start_time(pid), **details}))


def read_note(path: Path) -> dict[str, int] | None:
    """What `write_note` wrote, without the start; None if the process does not run any more."""
    try:
        details = dict(json.loads(path.read_text()))
        since = details.pop("started")
        is_running = since is not None and start_time(int(details["pid"])) == since
    except (OSError, ValueError, KeyError, TypeError):
        return None
    return details if is_running else None


def noted_pid(path: Path) -> int | None:
    """The number of the process that the file `path` notes, or None if it does not run."""
    details = read_note(path)
    return details["pid"] if details else None


def free_memory() -> int:
    """The memory that new processes can have, in bytes."""
    import psutil

    return int(psutil.virtual_memory().available)


def listening_addresses(pid: int) -> set[tuple[str, int]]:
    """The addresses and TCP ports that the process listens on; none if it has ended."""
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
