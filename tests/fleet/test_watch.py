"""`tools status --watch`, as a process: on a terminal, and where a script reads it."""

import contextlib
import json
import os
import pty
import signal
import subprocess
import sys
from pathlib import Path

import pytest

from tests.children import interruptible

from .conftest import PATIENCE, Place, until

TOOLS = Path(sys.executable).with_name("tools")
WATCH = ("status", "--local", "--watch", "--interval", "0.1")


@pytest.fixture
def one(place: Place) -> Place:
    place.declare("n")
    place.create("n")
    return place


@pytest.mark.parametrize("options", [(), ("--json",)])
def test_a_script_reads_a_line_at_a_time_until_it_is_interrupted(
    one: Place, tmp_path: Path, options: tuple[str, ...]
) -> None:
    output = tmp_path / "output"
    with output.open("wb") as file, interruptible():
        process = subprocess.Popen(
            [TOOLS, "--root", one.root, *WATCH, *options], stdout=file, stderr=subprocess.PIPE
        )

    def statuses() -> list[str]:
        whole = output.read_text().rpartition("\n")[0].splitlines()
        if options:
            return [json.loads(line)["notebooks"][0]["status"] for line in whole]
        return [line.split(" notebooks/n ")[1] for line in whole]

    try:
        until(lambda: "InService" in statuses())
        one.stop("n")
        until(lambda: "Stopped" in statuses())
        process.send_signal(signal.SIGINT)
        assert process.wait(PATIENCE) == 0
    finally:
        process.kill()
        _, errors = process.communicate()
    assert errors == b""
    if not options:
        assert len(set(statuses())) == len(statuses()), "a line for each change alone"


def test_a_terminal_shows_one_table_that_changes(one: Place) -> None:
    master, slave = pty.openpty()
    os.set_blocking(master, False)
    shown = b""

    def has_shown(words: bytes) -> bool:
        nonlocal shown
        with contextlib.suppress(BlockingIOError):
            shown += os.read(master, 65536)
        return words in shown

    with interruptible():
        process = subprocess.Popen(
            [TOOLS, "--root", one.root, *WATCH],
            stdin=slave,
            stdout=slave,
            stderr=slave,
            env={**os.environ, "TERM": "xterm", "COLUMNS": "120", "LINES": "40"},
        )
    try:
        until(lambda: has_shown(b"InService"))
        until(lambda: has_shown(b"Ctrl-C ends"))
        one.stop("n")
        until(lambda: has_shown(b"Stopped"))
        process.send_signal(signal.SIGINT)
        until(lambda: has_shown(b"") and process.poll() is not None)
        assert process.returncode == 0
    finally:
        process.kill()
        process.wait(PATIENCE)
        os.close(master)
        os.close(slave)
