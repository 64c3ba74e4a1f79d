"""The part of GitHub's and GitLab's APIs that comments and issues need, on a port of this machine.

A stand-in: neither is here. It refuses what they refuse: a request without the token.
"""

import json
import re
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any


@dataclass
class Api:
    url: str = ""
    comments: list[dict[str, Any]] = field(default_factory=list)
    issues: list[dict[str, Any]] = field(default_factory=list)

    def answer(self, method: str, path: str, body: dict[str, Any]) -> Any:
        page = int((re.search(r"[?&]page=(\d+)", path) or [0, "1"])[1])
        if path == "/user":
            return {"id": 1}
        items = self.comments if "/comments" in path or "/notes" in path else self.issues
        if method == "GET":
            is_open = [item for item in items if item.get("state", "open") == "open"]
            return is_open[(page - 1) * 2 : page * 2]  # small pages, to be turned
        if method == "POST":
            number = len(items) + 1
            items.append(
                {
                    "id": number,
                    "number": number,
                    "iid": number,
                    "html_url": f"https://github.example/{number}",
                    "web_url": f"https://gitlab.example/{number}",
                    "user": {"type": "Bot"},
                    "author": {"id": 1},
                    **body,
                }
            )
            return items[-1]
        item = next(item for item in items if path.endswith(f"/{item['id']}"))
        item.update(body)
        if body.get("state_event") == "close":
            item["state"] = "closed"
        return item


@contextmanager
def serving() -> Iterator[Api]:
    api = Api()

    class Handler(BaseHTTPRequestHandler):
        def _answer(self) -> None:
            length = int(self.headers.get("Content-Length") or 0)
            body = json.loads(self.rfile.read(length) or b"{}")
            sent = (self.headers.get("Authorization"), self.headers.get("PRIVATE-TOKEN"))
            allowed = sent in (("Bearer a-token", None), (None, "a-token"))
            answer = api.answer(self.command, self.path, body) if allowed else {}
            self.send_response(200 if allowed else 401)
            self.end_headers()
            self.wfile.write(json.dumps(answer).encode())

        do_GET = do_POST = do_PATCH = do_PUT = _answer

        def log_message(self, *arguments: Any) -> None:
            pass

    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    # Does not hold up the end of an interrupted pytest.
    thread = threading.Thread(target=server.serve_forever, daemon=True)
    thread.start()
    api.url = f"http://127.0.0.1:{server.server_port}"
    yield api
    server.shutdown()
    thread.join()
    server.server_close()
