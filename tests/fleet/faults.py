"""An HTTP server in front of the emulator that passes requests on, but for the faults it is told.

The emulator itself neither throttles nor lets a session expire, and no instance of it fails.
"""

import http.client
import json
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from threading import Lock, Thread
from typing import Any
from urllib.parse import urlsplit

Refusal = Callable[[str, int], str | None]
"""Given an operation and how often it was asked before: the name of AWS's error, or None."""

Rewrite = Callable[[str, dict[str, Any]], dict[str, Any]]
"""Given an operation and the emulator's answer: the answer that the client gets."""


@dataclass
class Faults:
    """`asked` are the operations that arrived, in their order, those that were refused too."""

    endpoint: str
    refuse: Refusal = lambda operation, before: None
    rewrite: Rewrite = lambda operation, answer: answer
    asked: list[str] = field(default_factory=list)
    port: int = 0
    lock: Lock = field(default_factory=Lock)

    def note(self, operation: str) -> int:
        with self.lock:
            before = self.asked.count(operation)
            self.asked.append(operation)
            return before


@contextmanager
def in_front_of(endpoint: str) -> Iterator[Faults]:
    """The server, on a port of 127.0.0.1, until the block ends."""
    faults = Faults(endpoint)

    class Handler(BaseHTTPRequestHandler):
        protocol_version = "HTTP/1.1"

        def do_POST(self) -> None:
            body = self.rfile.read(int(self.headers.get("Content-Length", 0)))
            operation = self.headers.get("X-Amz-Target", "").rpartition(".")[2]
            refusal = faults.refuse(operation, faults.note(operation))
            if refusal and operation:
                text = json.dumps({"__type": refusal, "message": f"{refusal} of a test"})
                self.answer(400, "application/x-amz-json-1.1", text.encode())
            elif refusal:  # the older protocol, which STS speaks
                error = f"<Code>{refusal}</Code><Message>{refusal} of a test</Message>"
                text = f"<ErrorResponse><Error>{error}</Error></ErrorResponse>"
                self.answer(400, "text/xml", text.encode())
            else:
                self.pass_on(operation, body)

        def pass_on(self, operation: str, body: bytes) -> None:
            connection = http.client.HTTPConnection(urlsplit(faults.endpoint).netloc)
            connection.request("POST", self.path, body, dict(self.headers))
            response = connection.getresponse()
            content = response.read()
            kind = response.headers.get("Content-Type", "")
            if response.status == 200 and "x-amz-json" in kind:
                content = json.dumps(
                    faults.rewrite(operation, json.loads(content or b"{}"))
                ).encode()
            self.answer(response.status, kind, content)
            connection.close()

        def answer(self, status: int, kind: str, content: bytes) -> None:
            self.send_response(status)
            self.send_header("Content-Type", kind)
            self.send_header("Content-Length", str(len(content)))
            self.end_headers()
            self.wfile.write(content)

        def log_message(self, *_: object) -> None:
            pass

    with ThreadingHTTPServer(("127.0.0.1", 0), Handler) as server:
        server.daemon_threads = True
        faults.port = server.server_address[1]
        thread = Thread(target=server.serve_forever, kwargs={"poll_interval": 0.05})
        thread.start()
        try:
            yield faults
        finally:
            server.shutdown()
            thread.join()
