"""Ports of 127.0.0.1: which are free, and the one to take."""

import socket
import time

from tools.errors import UserError

HOST = "127.0.0.1"
PREFERRED_PORT = 4566  # LocalStack's own

_SECONDS_BETWEEN_PROBES = 0.1
_SECONDS_TO_LET_GO = 5.0
_SECONDS_TO_FREE_A_PORT = 2.0  # a killed process holds it for a moment longer


def choose_port() -> int:
    """LocalStack's own port, or any free one if that is taken."""
    if _is_free(PREFERRED_PORT):
        return PREFERRED_PORT
    with socket.socket() as probe:
        probe.bind((HOST, 0))
        return int(probe.getsockname()[1])


def _is_free(port: int) -> bool:
    with socket.socket() as probe:
        # Otherwise connections that were just closed would hold the port (TIME_WAIT):
        # https://man7.org/linux/man-pages/man7/socket.7.html
        probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            probe.bind((HOST, port))
        except (OSError, OverflowError):
            return False
    return True


def await_free(port: int, seconds: float = _SECONDS_TO_LET_GO) -> bool:
    """Waits until `port` is free, at most some seconds. Returns whether it is."""
    deadline = time.monotonic() + seconds
    while not (is_free := _is_free(port)) and time.monotonic() < deadline:
        time.sleep(_SECONDS_BETWEEN_PROBES)
    return is_free


def require_free(port: int) -> None:
    """Raises UserError if `port` is taken and stays so."""
    if not await_free(port, _SECONDS_TO_FREE_A_PORT):
        raise UserError(
            f"port {port} on {HOST} is taken or not allowed; name another: tools local up --port N"
        )
