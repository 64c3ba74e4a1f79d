"""The only user of psutil, which comes with LocalStack: loaded when a process is looked at."""


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
