"""Asks a kernel whether it is free: what runs a cell, waits for input or stands in a debugger does
not answer on its shell channel.

The question goes to the kernel's own socket (ZMTP 3.0, https://rfc.zeromq.org/spec/23/), by the
connection file that its command line names. Jupyter's websocket would be the other way: but a
connection to it discards the output that Jupyter keeps for a closed tab
(jupyter_server, services/kernels/kernelmanager.py, get_buffer).
"""

import contextlib
import hashlib
import hmac
import json
import os
import re
import socket
import struct
import uuid
from typing import Any, Dict, List, Optional, Tuple

from jupyter import deadline

MORE, LONG, COMMAND = 1, 2, 4  # flags of a frame
GREETING = b"\xff" + bytes(8) + b"\x7f\x03\x00" + b"NULL".ljust(20, b"\x00") + bytes(32)
READY = b"\x05READY\x0bSocket-Type\x00\x00\x00\x06DEALER\x08Identity\x00\x00\x00\x00"


class NotThere(Exception):
    """No process listens where the kernel should."""

    pass  # for what is installed, which has no docstrings


class Question:
    """One kernel_info_request. Raises NotThere, and what sockets and JSON raise."""

    def __init__(self, kernel: str, seconds: float) -> None:
        self.kernel = kernel
        connection = connection_of(kernel)
        self.socket = connected(connection, seconds)
        self.received = b""
        self.socket.sendall(GREETING)
        self._take(64)
        self._send(READY, COMMAND)
        while not self._frame()[0] & COMMAND:
            pass
        parts = request(connection)
        for part in parts:
            self._send(part, MORE if part is not parts[-1] else 0)

    def answered(self, seconds: float) -> bool:
        """Whether the answer is there within `seconds`; can be called again."""
        self.socket.settimeout(seconds)
        try:
            while b"kernel_info_reply" not in self._frame()[1]:
                pass
        except socket.timeout:
            return False
        return True

    def _send(self, body: bytes, flags: int) -> None:
        size = struct.pack(">BQ", flags | LONG, len(body))
        self.socket.sendall((bytes([flags, len(body)]) if len(body) < 256 else size) + body)

    def _frame(self) -> Tuple[int, bytes]:
        """A whole frame: flags and body. What came of it before a timeout is kept."""
        self._fill(2)
        flags, head = self.received[0], 9 if self.received[0] & LONG else 2
        self._fill(head)
        size = int.from_bytes(self.received[1:head], "big")
        self._fill(head + size)
        return flags, self._take(head + size)[head:]

    def _fill(self, size: int) -> None:
        while len(self.received) < size:
            more = self.socket.recv(65536)
            if not more:
                raise NotThere("it closed the connection")
            self.received += more

    def _take(self, size: int) -> bytes:
        self._fill(size)
        taken, self.received = self.received[:size], self.received[size:]
        return taken


def connection_of(kernel: str) -> Dict[str, Any]:
    """The connection file of a kernel, which is on its command line in any language."""
    named = re.compile(rb"[^\0'\"= ]*kernel-" + re.escape(kernel.encode()) + rb"\.json")
    for process in filter(str.isdigit, os.listdir("/proc")):
        try:
            with open("/proc/{}/cmdline".format(process), "rb") as file:
                path = named.search(file.read())
        except OSError:  # it has ended meanwhile
            continue
        if path:
            with open(path.group()) as file:
                connection: Dict[str, Any] = json.load(file)
            return connection
    raise NotThere("no process has its connection file")


def connected(connection: Dict[str, Any], seconds: float) -> socket.socket:
    ip, port = connection["ip"], connection["shell_port"]
    ipc = connection.get("transport") == "ipc"
    made = socket.socket(socket.AF_UNIX if ipc else socket.AF_INET)
    made.settimeout(seconds)
    try:
        made.connect("{}-{}".format(ip, port) if ipc else (ip, port))
    except ConnectionRefusedError as error:
        raise NotThere("its port is closed") from error
    return made


def request(connection: Dict[str, Any]) -> List[bytes]:
    """https://jupyter-client.readthedocs.io/en/stable/messaging.html#the-wire-protocol"""
    header = {
        "msg_id": uuid.uuid4().hex,
        "session": uuid.uuid4().hex,
        "username": "autostop",
        "date": "1970-01-01T00:00:00Z",
        "msg_type": "kernel_info_request",
        "version": "5.3",
    }
    parts = [json.dumps(part).encode() for part in (header, {}, {}, {})]
    scheme = connection.get("signature_scheme", "hmac-sha256").rpartition("-")[2]
    key = connection.get("key", "").encode()
    signature = hmac.new(key, b"".join(parts), getattr(hashlib, scheme)).hexdigest() if key else ""
    return [b"<IDS|MSG>", signature.encode(), *parts]


class Questions:
    """Asks the kernels in turn, with one question under way at most."""

    def __init__(self) -> None:
        self.open: Optional[Question] = None

    def work(self, kernels: Dict[str, str], seconds: float) -> Optional[Tuple[str, str]]:
        """The first of `kernels`, id to state, that is not free, and why; None if all are.

        A question without an answer stays with its kernel: the next time is about the same one.
        One that never came beyond `starting`, and listens nowhere, has no work to lose.
        """
        pending = self.open.kernel if self.open else ""
        if pending not in kernels:
            self._close()
        for kernel, state in sorted(kernels.items(), key=lambda item: item[0] != pending):
            try:
                with deadline(3 * seconds):
                    free = self._free(kernel, seconds)
            except Exception as error:
                self._close()
                if not (isinstance(error, NotThere) and state == "starting"):
                    return kernel, "it cannot be asked: {!r}".format(error)
            else:
                if not free:
                    return kernel, "it does not answer"
        return None

    def _free(self, kernel: str, seconds: float) -> bool:
        if self.open:
            with contextlib.suppress(NotThere, OSError):  # of a kernel that has been restarted
                if not self.open.answered(seconds):
                    return False
            self._close()
        self.open = Question(kernel, seconds)
        if not self.open.answered(seconds):
            return False
        self._close()
        return True

    def _close(self) -> None:
        if self.open:
            self.open.socket.close()
        self.open = None
