"""A program's output as it comes, its questions, and how it is interrupted."""

import signal
import subprocess
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from unittest.mock import patch

import pytest

from tools.errors import UserError
from tools.system import processes
from tools.system.signals import Interruption, count_signals
from tools.terraform import process
from tools.terraform.masking import mask_of

INTERRUPTED = "interrupted: waiting until the state is written\n"
UNTIL_TOLD = "for n in $(seq 30000); do [ -e told ] && break; sleep 0.01; done"  # or 300 s
# Waits for a SIGINT as Terraform does: once for its end, twice for its end without a state.
WAITING = f"trap 'echo state; exit 1' INT; echo ready; {UNTIL_TOLD}"


def start(folder: Path, script: str, stdin: int = subprocess.DEVNULL) -> "subprocess.Popen[bytes]":
    command = ["/bin/sh", "-c", script]
    return process.start(command, folder, {"PATH": "/usr/bin:/bin"}, folder / "logs/x.log", stdin)


def follow(child: "subprocess.Popen[bytes]", folder: Path, **options: object) -> list[str]:
    lines: list[str] = []
    mask = mask_of(folder, {"AWS_SECRET_ACCESS_KEY": "a-secret-of-the-user"})
    on_line = options.pop("on_line", lines.append)
    process.follow(child, folder / "logs/x.log", mask, on_line, **options)  # type: ignore[arg-type]
    return lines


def test_each_line_is_told_and_secrets_do_not_stay_in_the_log(tmp_path: Path) -> None:
    script = "echo one; echo key a-secret-of-the-user >&2; printf 'without an end'"
    lines = follow(start(tmp_path, script), tmp_path)
    assert lines == ["one\n", "key a-secret-of-the-user\n", "without an end"]
    log = (tmp_path / "logs/x.log").read_text()
    assert log == "one\nkey (sensitive value)\nwithout an end"


def test_the_process_is_noted_while_it_runs(tmp_path: Path) -> None:
    child = start(tmp_path, "read line", subprocess.PIPE)
    note = process.pid_file(tmp_path / "logs/x.log")
    assert processes.noted_pid(note) == child.pid
    assert child.stdin is not None
    child.stdin.close()
    follow(child, tmp_path)
    assert not note.exists()


def test_a_question_is_told_once(tmp_path: Path) -> None:
    child = start(tmp_path, "printf '  Enter a value: '; read a; echo got $a", subprocess.PIPE)
    asked: list[str] = []

    def answer() -> None:
        asked.append("?")
        assert child.stdin is not None
        child.stdin.write(b"yes\n")
        child.stdin.close()

    assert follow(child, tmp_path, on_prompt=answer) == ["got yes\n"]
    assert asked == ["?"]


def test_a_text_that_goes_on_is_no_question(tmp_path: Path) -> None:
    # Two writes, and the reader looks in between: an identifier that reads like a question.
    script = "printf 'a\\n  Enter a value: '; until [ -e looked ]; do :; done; echo ']'"
    child = start(tmp_path, script, subprocess.PIPE)
    asked: list[str] = []
    sleep = time.sleep

    def look(seconds: float) -> None:
        if (tmp_path / "logs/x.log").read_text().endswith("Enter a value: "):
            (tmp_path / "looked").touch()
        while (tmp_path / "looked").exists() and "]" not in (tmp_path / "logs/x.log").read_text():
            sleep(seconds)

    with patch("tools.terraform.process.time.sleep", look):
        lines = follow(child, tmp_path, on_prompt=lambda: asked.append("?"))
    assert lines == ["a\n", "  Enter a value: ]\n"]
    assert asked == []


def test_a_line_ends_where_terraform_ends_it(tmp_path: Path) -> None:
    assert follow(start(tmp_path, "printf 'a\\rPlan: \\n'"), tmp_path) == ["a\rPlan: \n"]


def test_an_interruption_is_passed_on_once(tmp_path: Path) -> None:
    interruption = Interruption()
    lines: list[str] = []

    def on_line(line: str) -> None:
        lines.append(line)
        if line in ("ready\n", INTERRUPTED) and interruption.count < 3:
            interruption.note(signal.SIGINT, None)
        if lines.count(INTERRUPTED) == 3:
            (tmp_path / "told").touch()

    # It ends only once every SIGINT that could be passed on has been.
    child = start(tmp_path, WAITING.replace("echo state;", f"echo state; {UNTIL_TOLD};"))
    follow(child, tmp_path, on_line=on_line, interruption=interruption)
    assert lines.count("state\n") == 1  # a second SIGINT would have said it again, or ended it
    assert lines.count(INTERRUPTED) == 3
    assert child.returncode == 1


def test_a_failure_here_leaves_nothing_behind(tmp_path: Path) -> None:
    child = start(tmp_path, WAITING)

    def fail(line: str) -> None:
        raise OSError("the disk is full")

    with pytest.raises(OSError, match="the disk is full"):
        follow(child, tmp_path, on_line=fail)
    assert child.returncode == 1
    assert not process.pid_file(tmp_path / "logs/x.log").exists()


def test_a_process_that_cannot_be_noted_is_ended(tmp_path: Path) -> None:
    pids: list[int] = []

    def refuse(pid: int, path: Path) -> None:
        pids.append(pid)
        raise UserError(f"cannot write {path}: No space left on device")

    with (
        patch.object(processes, "write_note", refuse),
        pytest.raises(UserError, match="No space left on device"),
    ):
        start(tmp_path, "exec sleep 300")
    assert processes.start_time(pids[0]) is None


@contextmanager
def ignored() -> Iterator[None]:
    """SIGINT as a shell's background job has it."""
    before = signal.signal(signal.SIGINT, signal.SIG_IGN)
    try:
        yield
    finally:
        signal.signal(signal.SIGINT, before)


@pytest.mark.parametrize("is_counted", [False, True], ids=["alone", "in a run"])
def test_a_child_can_be_interrupted_where_we_ignore_it(tmp_path: Path, is_counted: bool) -> None:
    with ignored():
        if is_counted:
            with count_signals():
                child = start(tmp_path, "exec sleep 300")
        else:
            child = start(tmp_path, "exec sleep 300")
        assert signal.getsignal(signal.SIGINT) == signal.SIG_IGN
    interruption = Interruption()
    interruption.note(signal.SIGINT, None)
    try:
        follow(child, tmp_path, interruption=interruption)
    finally:
        child.kill()
    assert child.returncode == -signal.SIGINT


def test_a_terminal_s_ctrl_c_does_not_reach_it(tmp_path: Path) -> None:
    child = start(tmp_path, "ps -o sid= -p $$")
    (session,) = follow(child, tmp_path)
    assert int(session) == child.pid
