"""Answers that a real Jupyter cannot be made to give, from a stand-in, and the machine's own signs.

The answers are those of public reports: /api/terminals as an object or with 501, terminals without
last_activity, /api/sessions with 404 or 500.
"""

import json
import os
import re
import subprocess
import time
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from threading import Thread
from typing import Any

import pytest

from tests.conftest import free_port

from .service import AGED, AGES, watching

POLLS = 8
"""More than ten a second are in the half second that is logged as `idle 0` without activity."""
NOBODY = 54_321
"""A user that this machine does not know, so that nothing else runs as it."""

BUSY = {"id": "k", "execution_state": "busy", "last_activity": "2026-01-01T00:00:00Z"}
AGELESS = [{"name": "1"}]

SOON = {0: ("--timeout-seconds=0.2",)}
"""By status: only what never answers is given up so soon, which a busy machine's answer is not."""

only_root = pytest.mark.skipif(os.geteuid() != 0, reason="only root runs as another user")


@contextmanager
def answering(answers: Mapping[str, tuple[int, Any]]) -> Iterator[str]:
    """The URL of a server with these answers under /api: status and JSON; [] to what is not there.

    A status of 0 is no answer for as long as the server lives.
    """

    class Handler(BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            what = self.path.removeprefix("/api/").partition("?")[0]
            status, body = answers.get(what, (200, []))
            if not status:
                time.sleep(1)
                return
            self.send_response(status)
            self.end_headers()
            self.wfile.write(json.dumps(body).encode())

        def log_message(self, *_: object) -> None:
            pass

    with ThreadingHTTPServer(("127.0.0.1", 0), Handler) as server:
        thread = Thread(target=server.serve_forever, args=(0.05,))
        thread.start()
        try:
            yield f"http://127.0.0.1:{server.server_address[1]}"
        finally:
            server.shutdown()
            thread.join()


@pytest.mark.parametrize("status", [404, 500, 0])
def test_busy_kernel_is_busy_without_the_sessions_that_name_it(tmp_path: Path, status: int) -> None:
    answers = {"kernels": (200, [BUSY]), "sessions": (status, {"message": "no"})}
    with (
        answering(answers) as url,
        watching(tmp_path, url, *SOON.get(status, ()), idle=AGES) as autostop,
    ):
        autostop.wait_for(f"idle 0 of {AGES} s: 1 kernels, 0 terminals, busy: k", times=POLLS)


TERMINALS = [
    pytest.param((500, {}), "500", id="500"),
    pytest.param((501, {}), "501", id="501"),
    pytest.param((200, {"message": "no"}), "no list", id="an-object"),
    pytest.param((0, None), "no answer", id="no-answer"),
    pytest.param((200, AGELESS), "terminal 1 has no last_activity", id="ageless"),
]


@pytest.mark.parametrize(("answer", "said"), TERMINALS)
def test_terminals_of_which_nothing_can_be_known_keep_the_notebook(
    tmp_path: Path, answer: tuple[int, Any], said: str
) -> None:
    options = ("--user=nobody-has-this-name", *SOON.get(answer[0], ()))
    with (
        answering({"terminals": answer}) as url,
        watching(tmp_path, url, *options, idle=AGES) as autostop,
    ):
        counted = re.compile(f"idle 0 of .*{said}.*which counts as activity")
        autostop.wait_for(counted, times=POLLS)


@only_root
@pytest.mark.parametrize(("answer", "said"), TERMINALS)
def test_terminals_that_jupyter_does_not_date_are_dated_by_their_own_times(
    tmp_path: Path, answer: tuple[int, Any], said: str
) -> None:
    ours, theirs = os.openpty()
    path = os.ttyname(theirs)
    os.chown(path, NOBODY, -1)
    os.utime(path, (0, 0))
    options = (f"--user={NOBODY}", *SOON.get(answer[0], ()))
    of_idle_terminals = re.compile(f"{AGED.pattern}.*{said}.*their own times count")
    with (
        answering({"terminals": answer}) as url,
        watching(tmp_path, url, *options, idle=AGES) as autostop,
    ):
        aged = autostop.wait_for(of_idle_terminals)
        os.write(theirs, b"working\n")
        shown = autostop.wait_for("running on, idle 0 of", after=aged)
        autostop.wait_for(of_idle_terminals, after=shown)
    os.close(ours)
    os.close(theirs)


@contextmanager
def running(command: str) -> Iterator[int]:
    """A process of NOBODY's that runs a command of the shell."""
    process = subprocess.Popen(["/bin/sh", "-c", command], user=NOBODY, group=NOBODY, cwd="/")
    try:
        yield process.pid
    finally:
        process.kill()
        process.wait()


@only_root
@pytest.mark.parametrize(
    "command",
    [
        pytest.param("while :; do :; done", id="computes"),
        pytest.param(
            "while :; do head -c 2000000 /dev/zero; sleep 0.2; done >/dev/null", id="moves"
        ),
    ],
)
@pytest.mark.parametrize("jupyter_answers", [True, False])
def test_process_at_work_keeps_the_notebook_if_it_is_weighed(
    tmp_path: Path, command: str, jupyter_answers: bool
) -> None:
    """A training script in tmux, a transfer: whether or not Jupyter is there."""
    options = (f"--user={NOBODY}", "--poll-seconds=0.3")
    with answering({}) as answers:
        url = answers if jupyter_answers else f"http://127.0.0.1:{free_port()}"
        with watching(tmp_path, url, *options, "--processes", idle=AGES) as autostop:
            aged = autostop.wait_for(AGED)
            # Not in every poll: a busy machine may leave it less of a core than counts as work.
            with running(command) as pid:
                at_work = re.compile(rf"running on, idle 0 of .* at work: sh \(pid {pid}, ")
                autostop.wait_for(at_work, times=2, after=aged)
        with running(command), watching(tmp_path, url, *options, idle=1) as autostop:
            autostop.wait_for("cannot stop")


@only_root
def test_process_that_waits_is_no_work(tmp_path: Path) -> None:
    options = (f"--user={NOBODY}", "--poll-seconds=0.3", "--processes")
    with (
        answering({}) as url,
        running("exec sleep 600"),
        watching(tmp_path, url, *options, idle=1) as autostop,
    ):
        due = autostop.wait_for("cannot stop")
        assert "at work" not in "".join(autostop.lines[: due + 1])


def test_silence_that_stops_a_notebook_is_named_as_the_reason(tmp_path: Path) -> None:
    with watching(tmp_path, f"https://127.0.0.1:{free_port()}") as autostop:
        due = autostop.wait_for("cannot stop")
        assert "Jupyter does not answer" in autostop.lines[due]
        assert "for so long that it counts as idle" in autostop.lines[due]
