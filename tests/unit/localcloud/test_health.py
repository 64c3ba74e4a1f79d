"""Whose answers are taken for the emulator's: what another program says on its port is refused."""

import subprocess
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, HTTPServer

import pytest

from tools.errors import UserError
from tools.localcloud import health


@contextmanager
def answering(status: int) -> Iterator[int]:
    """The port of a server that answers every request with `status`, whatever its Host."""

    class Handler(BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            self.send_response(status)
            self.end_headers()

        def log_message(self, format: str, *args: object) -> None:
            pass

    with HTTPServer(("127.0.0.1", 0), Handler) as server:
        thread = threading.Thread(target=server.serve_forever, args=(0.01,))
        thread.start()
        try:
            yield server.server_port
        finally:
            server.shutdown()
            thread.join()


def test_a_page_in_a_browser_has_to_be_refused_as_forbidden() -> None:
    """LocalStack answers 403 for a foreign Host; any other answer is one that a page could use."""
    with answering(403) as port:
        health.require_pages_refused(port)
    for status in (200, 500):
        with answering(status) as port, pytest.raises(UserError, match="answers pages in a brows"):
            health.require_pages_refused(port)


@pytest.mark.parametrize("program", ["sleep 60", "true"], ids=["not listening", "ended"])
def test_a_port_that_another_program_answers_on_is_not_the_emulators(program: str) -> None:
    """The emulator's process does not have it, since it is not so far or the port made it end."""
    with answering(200) as port, subprocess.Popen(program.split()) as emulator:
        try:
            if program == "true":
                emulator.wait()
            with pytest.raises(UserError, match=f"another program took port {port} while Local"):
                health.require_loopback_only(emulator.pid, port)
        finally:
            emulator.kill()
