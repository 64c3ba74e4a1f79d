"""Processes by their identity: the only user of psutil, loaded when a process is looked at."""

import json
from pathlib import Path


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


def note(pid: int, path: Path) -> None:
    """Writes to `path` which process this is, for `noted`."""
    path.write_text(json.dumps({"pid": pid, "started": started(pid)}))


def noted(path: Path) -> int | None:
    """The number of the process that `path` notes, if it still runs."""
    try:
        found = json.loads(path.read_text())
        pid, since = int(found["pid"]), found["started"]
    except (OSError, ValueError, KeyError, TypeError):
        return None
    return pid if since is not None and started(pid) == since else None


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
