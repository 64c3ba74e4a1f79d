"""What keeps a notebook running and what does not, with a real Jupyter and its kernels.

Nothing here can stop an instance: `cannot stop` in the log is where it would have been stopped.
"""

import json
import os
import re
import time
import urllib.error
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import UTC, datetime, timedelta
from pathlib import Path
from socket import create_server
from threading import Thread

import pytest

from tests.conftest import free_port
from tools.aws.logs import Event
from tools.fleet import idle

from .jupyter import PATIENCE, Jupyter, running_jupyter, until
from .service import AGED, AGES, idle_of, watching

POLLS_BEYOND_IDLE = 12
"""At ten polls a second longer than the 0.5 s after which most notebooks here are idle."""


def work_until(done: Path) -> str:
    """Code that keeps a kernel busy until `done` is there."""
    return f"import os, time\nwhile not os.path.exists({str(done)!r}): time.sleep(0.05)"


def test_idle_kernel_is_stopped_after_the_idle_time(jupyter: Jupyter, tmp_path: Path) -> None:
    with jupyter.client(jupyter.start_kernel()), watching(tmp_path, jupyter.url) as autostop:
        due = autostop.wait_for("cannot stop")
        assert "1 kernels, 0 terminals" in autostop.lines[due]
        assert all(line.startswith("running on, idle ") for line in autostop.lines[:due])
        assert due > 0  # the first poll saw a kernel that it did not know


def test_busy_kernel_keeps_the_notebook_running_until_it_is_done(
    jupyter: Jupyter, tmp_path: Path
) -> None:
    done = tmp_path / "done"
    kernel = jupyter.open_notebook("Überblick.ipynb")
    with jupyter.client(kernel) as client:
        client.execute(work_until(done))
        until(lambda: jupyter.state(kernel) == "busy")
        with watching(tmp_path, jupyter.url) as autostop:
            last = autostop.wait_for("busy: Überblick.ipynb", times=POLLS_BEYOND_IDLE)
            assert not [line for line in autostop.lines[:last] if "cannot stop" in line]
            done.touch()
            autostop.wait_for("cannot stop")


def test_kernel_that_works_between_polls_counts_from_its_last_activity(
    jupyter: Jupyter, tmp_path: Path
) -> None:
    with (
        jupyter.client(jupyter.start_kernel()) as client,
        watching(tmp_path, jupyter.url, idle=AGES) as autostop,
    ):
        seen = 0
        for _ in range(3):
            seen = autostop.wait_for(AGED, after=seen)
            client.execute_interactive("1", timeout=PATIENCE)
            seen = autostop.wait_for("running on, idle 0 of", after=seen)


def test_active_terminal_keeps_the_notebook_running_and_an_idle_one_does_not(
    jupyter: Jupyter, tmp_path: Path
) -> None:
    begun, done = tmp_path / "begun", tmp_path / "done"
    terminal = jupyter.api("POST", "terminals")["name"]
    with jupyter.socket(f"terminals/websocket/{terminal}") as keyboard:
        work = f"touch {begun}; until [ -e {done} ]; do sleep 0.2; done; echo done"
        keyboard.send(json.dumps(["stdin", f"{work}\r"]))
        until(begun.exists)
        with watching(tmp_path, jupyter.url, idle=AGES) as autostop:
            idle_terminal = autostop.wait_for(AGED)
            assert "0 kernels, 1 terminals" in autostop.lines[idle_terminal]
            done.touch()
            autostop.wait_for("idle 0 of", after=idle_terminal)
        with watching(tmp_path, jupyter.url) as autostop:
            due = autostop.wait_for("cannot stop")
            assert "0 kernels, 1 terminals" in autostop.lines[due]


def test_kernel_stuck_in_starting_ages_like_any_other(jupyter: Jupyter, tmp_path: Path) -> None:
    kernel = jupyter.start_kernel("stuck")
    with watching(tmp_path, jupyter.url) as autostop:
        due = autostop.wait_for("cannot stop")
        assert "1 kernels" in autostop.lines[due]
        assert jupyter.state(kernel) == "starting"


def test_notebook_that_nobody_opened_is_stopped(jupyter: Jupyter, tmp_path: Path) -> None:
    with watching(tmp_path, jupyter.url) as autostop:
        due = autostop.wait_for("cannot stop")
        assert "0 kernels, 0 terminals" in autostop.lines[due]


def test_without_kernels_the_last_activity_known_counts(jupyter: Jupyter, tmp_path: Path) -> None:
    done = tmp_path / "done"
    kernel = jupyter.start_kernel()
    with jupyter.client(kernel) as client, watching(tmp_path, jupyter.url, idle=AGES) as autostop:
        client.execute(work_until(done))
        autostop.wait_for("busy", times=2)
        done.touch()
        jupyter.api("DELETE", f"kernels/{kernel}")
        first = autostop.wait_for("0 kernels")
        assert autostop.lines[first].startswith("running on, ")
        autostop.wait_for(AGED, after=first)


def test_open_connection_alone_does_not_keep_the_notebook_running(
    jupyter: Jupyter, tmp_path: Path
) -> None:
    kernel = jupyter.start_kernel()
    with (
        jupyter.client(kernel),
        jupyter.socket(f"api/kernels/{kernel}/channels"),
        watching(tmp_path, jupyter.url) as autostop,
    ):
        autostop.wait_for("cannot stop")
        assert jupyter.api("GET", f"kernels/{kernel}")["connections"] == 1


def test_asking_is_not_activity(jupyter: Jupyter, tmp_path: Path) -> None:
    before = jupyter.api("GET", "status")["last_activity"]
    with watching(tmp_path, jupyter.url) as autostop:
        autostop.wait_for("0 kernels", times=3)
    assert jupyter.api("GET", "status")["last_activity"] == before


def test_keep_alive_file_keeps_the_notebook_running_until_its_age(
    jupyter: Jupyter, tmp_path: Path
) -> None:
    keep_alive = tmp_path / ".keep-alive"
    keep_alive.touch()
    with watching(tmp_path, jupyter.url, "--keep-alive-seconds=3600") as autostop:
        last = autostop.wait_for(f"kept alive by {keep_alive}", times=3)
        assert not [line for line in autostop.lines[:last] if "cannot stop" in line]
        os.utime(keep_alive, (time.time(), time.time() - 3601))
        autostop.wait_for("cannot stop")


def test_tools_reads_every_decision_that_the_service_logs(jupyter: Jupyter, tmp_path: Path) -> None:
    """`tools stop --idle` knows of idleness from these lines in CloudWatch alone."""
    keep_alive = tmp_path / ".keep-alive"
    keep_alive.touch()
    with watching(tmp_path, jupyter.url) as autostop:
        autostop.wait_for("kept alive")
        keep_alive.unlink()
        autostop.wait_for("cannot stop")
        lines = autostop.log.read_text().splitlines()
    now = datetime.now(UTC)
    read = [
        idle.parse_decision(Event(str(n), now, "n", "jupyter.log", line))
        for n, line in enumerate(lines)
    ]
    decided = [decision.action for decision in read if decision]
    assert len(decided) == len(lines)
    assert list(dict.fromkeys(decided)) == ["running on", "kept alive", "cannot stop"]


@pytest.mark.parametrize("zone", ["ODD-14", "ODD+12"])
def test_time_zone_of_the_instance_plays_no_part(
    jupyter: Jupyter, tmp_path: Path, zone: str
) -> None:
    """Jupyter's times are UTC; a local clock 14 h ahead or 12 h behind makes nothing idle or
    busy, and the log's times are UTC too."""
    environment = {"PATH": "", "TZ": zone}
    with (
        jupyter.client(jupyter.start_kernel()),
        watching(tmp_path, jupyter.url, env=environment) as autostop,
    ):
        assert autostop.wait_for("cannot stop") > 0
        assert autostop.lines[0].startswith("running on, idle 0 of ")
    stamp = autostop.log.read_text().split()[0]
    off = datetime.fromisoformat(stamp) - datetime.now(UTC)
    assert abs(off) < timedelta(hours=1)


def test_jupyter_that_is_not_there_is_waited_for_and_then_given_up(tmp_path: Path) -> None:
    with watching(tmp_path, f"https://127.0.0.1:{free_port()}") as autostop:
        due = autostop.wait_for("cannot stop")
        assert all(
            re.match(r"running on, idle .*: Jupyter does not answer \(.*refused", line)
            for line in autostop.lines[:due]
        )
        assert due > 0


def test_one_failed_poll_never_stops(tmp_path: Path) -> None:
    with watching(tmp_path, f"https://127.0.0.1:{free_port()}", idle=0.001) as autostop:
        assert autostop.wait_for("cannot stop") == 2


def test_jupyter_that_hangs_counts_from_its_last_answer(jupyter: Jupyter, tmp_path: Path) -> None:
    """Less is idle in the third silent poll than in the last that was answered.

    That takes three polls that are quicker than the notebook is idle by then. So it hangs again,
    each time after a longer while, however slow a busy machine's polls are.
    """
    with watching(tmp_path, jupyter.url, "--timeout-seconds=0.3", idle=AGES) as autostop:
        silent = 0
        for _ in range(10):
            autostop.wait_for("0 kernels", after=silent)
            with jupyter.hanging():
                here = len(autostop.lines)
                silent = autostop.wait_for("does not answer", times=3, after=here)
            before = [line for line in autostop.lines[:silent] if "0 kernels" in line][-1]
            if idle_of(autostop.lines[silent]) < idle_of(before):
                break
        else:
            pytest.fail(f"the silence counts from the last activity: {autostop.lines}")
        answered = autostop.wait_for("0 kernels", after=silent)
        assert idle_of(autostop.lines[answered]) >= idle_of(before), "it was idle all the time"


def test_short_silence_of_a_busy_jupyter_stops_nothing(jupyter: Jupyter, tmp_path: Path) -> None:
    done = tmp_path / "done"
    kernel = jupyter.start_kernel()
    with (
        jupyter.client(kernel) as client,
        watching(tmp_path, jupyter.url, "--timeout-seconds=0.3", idle=60) as autostop,
    ):
        client.execute(work_until(done))
        busy = autostop.wait_for("busy")
        with jupyter.hanging():
            silent = autostop.wait_for("does not answer", times=4, after=busy)
        back = autostop.wait_for("busy", after=silent)
        assert autostop.lines[back].startswith("running on, idle 0 of 60 s: 1 kernels")
        done.touch()


@contextmanager
def answering(chunks: list[bytes], pause: float) -> Iterator[str]:
    """The URL of a server that answers anything with `chunks`, `pause` seconds apart."""
    with create_server(("127.0.0.1", 0)) as listener:

        def serve() -> None:
            while True:
                try:
                    connection, _ = listener.accept()
                except OSError:
                    return
                with connection:
                    try:
                        connection.recv(65536)
                        for chunk in chunks:
                            connection.sendall(chunk)
                            time.sleep(pause)
                    except OSError:
                        continue

        thread = Thread(target=serve, daemon=True)
        thread.start()
        yield f"http://127.0.0.1:{listener.getsockname()[1]}"
        listener.shutdown(2)
        thread.join()


OK = b"HTTP/1.0 200 OK\r\n\r\n"


@pytest.mark.parametrize(
    ("chunks", "pause", "error"),
    [
        pytest.param([OK, *[b" "] * 30], 0.1, "no answer in 0.3 s", id="drips-for-ever"),
        pytest.param([OK, b"<html>"], 0, "JSONDecodeError", id="a-web-page"),
        pytest.param([OK, b'{"message": "hello"}'], 0, "TypeError", id="another-shape"),
        pytest.param([b"HTTP/1.0 403 Forbidden\r\n\r\n"], 0, "403", id="wants-a-password"),
        pytest.param([b"\x16\x03\x01"], 0, "BadStatusLine", id="not-http"),
    ],
)
def test_what_is_not_an_answer_of_jupyter_is_silence(
    tmp_path: Path, chunks: list[bytes], pause: float, error: str
) -> None:
    # Only what drips is given up: what is wrong at once may come late on a busy machine.
    options = ("--timeout-seconds=0.3",) if pause else (f"--timeout-seconds={PATIENCE}",)
    with answering(chunks, pause) as url, watching(tmp_path, url, *options) as autostop:
        due = autostop.wait_for("cannot stop")
        assert due >= 2
        assert all("Jupyter does not answer" in line for line in autostop.lines[: due + 1])
        assert error in autostop.lines[due]


def test_jupyter_without_terminals_is_watched_all_the_same(tmp_path: Path) -> None:
    folder = tmp_path / "jupyter"
    folder.mkdir()
    with (
        running_jupyter(folder, "--ServerApp.terminals_enabled=False") as jupyter,
        watching(tmp_path, jupyter.url) as autostop,
    ):
        with pytest.raises(urllib.error.HTTPError, match="404"):
            jupyter.api("GET", "terminals")
        due = autostop.wait_for("cannot stop")
        assert "0 kernels, 0 terminals" in autostop.lines[due]


def test_lines_also_go_to_jupyters_log_which_cloudwatch_keeps(
    jupyter: Jupyter, tmp_path: Path
) -> None:
    log = tmp_path / "jupyter.log"
    log.write_text("Jupyter's own\n")
    jupyter.open_notebook("ночь.ipynb")
    with watching(tmp_path, jupyter.url, f"--log={log}", env={"LC_ALL": "C"}) as autostop:
        autostop.wait_for("1 kernels")
        until(lambda: "autostop: running on" in log.read_text())
    assert log.read_text().startswith("Jupyter's own\n")


def test_log_that_jupyter_has_not_made_yet_is_left_to_it(jupyter: Jupyter, tmp_path: Path) -> None:
    with watching(tmp_path, jupyter.url, f"--log={tmp_path / 'jupyter.log'}") as autostop:
        autostop.wait_for("0 kernels", times=2)
    assert not (tmp_path / "jupyter.log").exists()
