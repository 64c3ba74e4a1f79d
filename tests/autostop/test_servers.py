"""What jupyter_server calls idle, old and new, and what auto-stop makes of it.

Each server runs in the environment that `make setup` makes of requirements/jupyter-*.txt, with real
kernels. Servers before 2.15 call a kernel idle in the middle of a cell, once it has answered a
control message: https://github.com/jupyter-server/jupyter_server/pull/1429.
"""

import json
import re
from collections.abc import Callable, Iterator, Sequence
from contextlib import ExitStack, contextmanager
from pathlib import Path
from typing import Any

import pytest
import websocket
from jupyter_client.blocking.client import BlockingKernelClient

from tests.trees import REPOSITORY

from .jupyter import PATIENCE, Jupyter, running_jupyter, until
from .service import AGED, AGES, AutoStop, watching

POLLS = 8
"""At ten polls a second longer than the 0.5 s after which most notebooks here are idle."""
OLD = ("1.24", "2.14")
NEWEST = "newest"
SERVERS = (*OLD, NEWEST)

UNANSWERED = "(it does not answer)"


def on_servers(*in_every_run: str, of: Sequence[str] = SERVERS) -> pytest.MarkDecorator:
    """Runs a test on each server; all but `in_every_run` are left to the nightly run."""
    return pytest.mark.parametrize(
        "version",
        [
            pytest.param(version, marks=[] if version in in_every_run else pytest.mark.nightly)
            for version in of
        ],
    )


@pytest.fixture(scope="module")
def servers(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Callable[[str], Jupyter]]:
    """The running server of a version, started at its first use."""
    running: dict[str, Jupyter] = {}
    with ExitStack() as stack:

        def server(version: str) -> Jupyter:
            if version not in running:
                python = REPOSITORY / f".venv-jupyter-{version}/bin/python"
                assert python.exists(), "run make setup"
                folder = tmp_path_factory.mktemp("jupyter")
                running[version] = stack.enter_context(running_jupyter(folder, python=python))
            return running[version]

        yield server


@pytest.fixture
def jupyter(version: str, servers: Callable[[str], Jupyter]) -> Iterator[Jupyter]:
    server = servers(version)
    server.clear()
    yield server
    server.clear()


class Cell:
    """A cell that does nothing but `body`, over and over, until it is told to end."""

    def __init__(self, folder: Path, body: str = "time.sleep(0.05)") -> None:
        self.begun, self.end = folder / "begun", folder / "end"
        self.code = (
            "import os, time\n"
            f"open({str(self.begun)!r}, 'w').close()\n"
            f"while not os.path.exists({str(self.end)!r}): {body}"
        )

    def run(self, client: BlockingKernelClient) -> None:
        client.execute(self.code)
        until(self.begun.exists)


def control(client: BlockingKernelClient, command: str, **arguments: Any) -> Any:
    """What the kernel's debugger answers on the control channel, which a busy kernel serves."""
    content = {"type": "request", "seq": 1, "command": command, "arguments": arguments}
    client.control_channel.send(client.session.msg("debug_request", content))
    return client.get_control_msg(timeout=PATIENCE)["content"]


def is_held(autostop: AutoStop, words: str, times: int = POLLS) -> None:
    """Waits for `times` lines with `words` from here on, and until then it does not stop."""
    here = len(autostop.lines)
    last = autostop.wait_for(words, times=times, after=here)
    assert not [line for line in autostop.lines[here:last] if "cannot stop" in line]


@contextmanager
def asking(folder: Path, jupyter: Jupyter, *options: str, idle: float = 0.5) -> Iterator[AutoStop]:
    with watching(folder, jupyter.url, "--answer-seconds=0.3", *options, idle=idle) as autostop:
        yield autostop


@on_servers(*OLD, NEWEST)
def test_silent_cell_is_never_stopped(version: str, jupyter: Jupyter, tmp_path: Path) -> None:
    """As a tab leaves it: opened, with debugInfo asked for, and closed."""
    cell = Cell(tmp_path)
    kernel = jupyter.open_notebook("silent.ipynb")
    with jupyter.client(kernel) as client:
        with jupyter.socket(f"api/kernels/{kernel}/channels"):
            cell.run(client)
            control(client, "debugInfo")
        called = "idle" if version in OLD else "busy"
        until(lambda: jupyter.state(kernel) == called)
        with asking(tmp_path, jupyter) as autostop:
            # The new server knows it; of the old ones' kernel, every due stop finds it out.
            words = f" {UNANSWERED}" if version in OLD else ""
            is_held(autostop, f"busy: silent.ipynb{words}", times=3)
            cell.end.touch()
            autostop.wait_for("cannot stop")


@on_servers(NEWEST)
def test_printing_cell_is_never_stopped(jupyter: Jupyter, tmp_path: Path) -> None:
    cell = Cell(tmp_path, body="print('.'); time.sleep(0.1)")
    kernel = jupyter.open_notebook("printing.ipynb")
    with jupyter.client(kernel) as client:
        cell.run(client)
        control(client, "debugInfo")
        with asking(tmp_path, jupyter) as autostop:
            is_held(autostop, "running on")
            cell.end.touch()
            autostop.wait_for("cannot stop")


@on_servers(NEWEST)
def test_cell_that_waits_for_input_is_never_stopped(
    version: str, jupyter: Jupyter, tmp_path: Path
) -> None:
    kernel = jupyter.open_notebook("input.ipynb")
    with jupyter.client(kernel) as client:
        client.execute("input('Name? ')", allow_stdin=True)
        client.get_stdin_msg(timeout=PATIENCE)
        control(client, "debugInfo")
        with asking(tmp_path, jupyter) as autostop:
            is_held(autostop, "busy: input.ipynb", times=3)
            client.input("Ada")
            autostop.wait_for("cannot stop")


@on_servers(NEWEST)
def test_debugger_that_stands_still_is_never_stopped(jupyter: Jupyter, tmp_path: Path) -> None:
    kernel = jupyter.open_notebook("debugged.ipynb")
    code = "one = 1\ntwo = 2"
    with jupyter.client(kernel) as client:
        control(client, "initialize", clientID="test", adapterID="", pathFormat="path")
        control(client, "attach")
        path = control(client, "dumpCell", code=code)["body"]["sourcePath"]
        source = {"path": path}
        control(client, "setBreakpoints", source=source, breakpoints=[{"line": 2}])
        control(client, "configurationDone")
        client.execute(code)
        stopped = None
        while stopped is None:
            message = client.get_iopub_msg(timeout=PATIENCE)
            if message["msg_type"] == "debug_event" and message["content"]["event"] == "stopped":
                stopped = message["content"]["body"]["threadId"]
        control(client, "debugInfo")
        with asking(tmp_path, jupyter) as autostop:
            is_held(autostop, "busy: debugged.ipynb", times=3)
            control(client, "continue", threadId=stopped)
            autostop.wait_for("cannot stop")


@on_servers(NEWEST)
def test_kernel_that_is_restarted_ends_what_it_did(
    version: str, jupyter: Jupyter, tmp_path: Path
) -> None:
    """A question may be under way to the kernel that was there before."""
    cell = Cell(tmp_path)
    kernel = jupyter.open_notebook("restarted.ipynb")
    with jupyter.client(kernel) as client:
        cell.run(client)
        control(client, "debugInfo")
        with asking(tmp_path, jupyter, idle=AGES) as autostop:
            is_held(autostop, "busy: restarted.ipynb", times=2)
            jupyter.api("POST", f"kernels/{kernel}/restart")
            here = len(autostop.lines)
            autostop.wait_for(re.compile(rf"{AGED.pattern}{AGES} s: (?!.*busy)"), after=here)


@on_servers(NEWEST)
def test_open_tabs_of_an_idle_notebook_do_not_keep_it(jupyter: Jupyter, tmp_path: Path) -> None:
    kernel = jupyter.open_notebook("tabs.ipynb")
    channels = f"api/kernels/{kernel}/channels"
    with (
        jupyter.client(kernel),
        jupyter.socket(f"{channels}?session_id=one"),
        jupyter.socket(f"{channels}?session_id=two"),
        asking(tmp_path, jupyter) as autostop,
    ):
        autostop.wait_for("cannot stop")
        assert jupyter.api("GET", f"kernels/{kernel}")["connections"] == 2


@on_servers("2.14", NEWEST)
def test_tab_that_connects_again_and_again_keeps_a_notebook_of_an_old_server(
    version: str, jupyter: Jupyter, tmp_path: Path
) -> None:
    """As one does every two seconds whose connection is cut by a proxy: the old servers take each
    connection for activity, the newest does not. A cell that runs is held by both."""
    cell = Cell(tmp_path)
    kernel = jupyter.open_notebook("again.ipynb")
    tab = f"api/kernels/{kernel}/channels?session_id=again"

    def connects_again(autostop: AutoStop, until_said: str = "idle") -> None:
        here = len(autostop.lines)
        with jupyter.socket(tab):
            autostop.wait_for(until_said, after=here)

    with jupyter.client(kernel) as client:
        with jupyter.socket(tab):  # an old server's first waits for a kernel that is free
            pass
        cell.run(client)
        with asking(tmp_path, jupyter) as autostop:
            for _ in range(2 * POLLS):
                connects_again(autostop)
            assert "cannot stop" not in "".join(autostop.lines)
            cell.end.touch()
            here = len(autostop.lines)
            while version == NEWEST and "cannot stop" not in "".join(autostop.lines[here:]):
                connects_again(autostop)
        if version in OLD:
            with asking(tmp_path, jupyter, idle=AGES) as autostop:
                for _ in range(2):
                    autostop.wait_for(AGED, after=len(autostop.lines))
                    connects_again(autostop, "running on, idle 0 of")


@on_servers("2.14", NEWEST)
def test_question_leaves_the_output_that_is_kept_for_a_closed_tab(
    version: str, jupyter: Jupyter, tmp_path: Path
) -> None:
    with closed_tab(jupyter, tmp_path) as (tab, cell):
        if version == NEWEST:  # which asks no kernel that runs a cell
            cell.end.touch()
        with asking(tmp_path, jupyter) as autostop:
            autostop.wait_for(UNANSWERED if version in OLD else "cannot stop", times=2)
        with jupyter.socket(tab) as again:
            assert "kept" in printed(again)


@on_servers()
def test_question_over_a_websocket_would_lose_that_output(jupyter: Jupyter, tmp_path: Path) -> None:
    """Why the question does not take that way: any other connection discards what is kept."""
    with closed_tab(jupyter, tmp_path) as (tab, cell):
        with jupyter.socket(f"{tab}-other"):
            pass
        with jupyter.socket(tab) as again:
            cell.end.touch()
            assert "kept" not in printed(again, until_idle=True)


@contextmanager
def closed_tab(jupyter: Jupyter, folder: Path) -> Iterator[tuple[str, Cell]]:
    """The address of a tab that was closed, and what runs there since, silently: it has printed
    `kept` after the tab was gone."""
    kernel = jupyter.open_notebook("closed.ipynb")
    tab = f"api/kernels/{kernel}/channels?session_id=closed"
    gone, cell = folder / "gone", Cell(folder)
    with jupyter.client(kernel) as client:
        with jupyter.socket(tab):
            client.execute(
                "import os, time\n"
                f"while not os.path.exists({str(gone)!r}): time.sleep(0.05)\n"
                f"print('kept', flush=True)\n{cell.code}"
            )
        until(lambda: jupyter.api("GET", f"kernels/{kernel}")["connections"] == 0)
        gone.touch()
        until(cell.begun.exists)
        control(client, "debugInfo")
        yield tab, cell


def printed(tab: websocket.WebSocket, until_idle: bool = False) -> str:
    """What a kernel's cells have printed to a tab, up to a first line, or until it is idle."""
    text = ""
    while True:
        message = json.loads(tab.recv())
        text += message["content"].get("text", "") if message["msg_type"] == "stream" else ""
        idle = message["content"].get("execution_state") == "idle"
        parent = message["parent_header"].get("msg_type")
        if text and not until_idle:
            return text
        if until_idle and idle and parent == "execute_request":
            return text


@on_servers("2.14", of=OLD)
def test_one_question_is_under_way_however_often_it_is_due(
    jupyter: Jupyter, tmp_path: Path
) -> None:
    """The newest server knows that a kernel runs a cell, so that none is asked then."""
    cell = Cell(tmp_path)
    with jupyter.client(jupyter.open_notebook("asked.ipynb")) as client:
        cell.run(client)
        control(client, "debugInfo")
        with asking(tmp_path, jupyter) as autostop:
            autostop.wait_for(UNANSWERED, times=4)
        cell.end.touch()
        questions, barrier = set(), client.kernel_info()
        while barrier:
            parent = client.get_iopub_msg(timeout=PATIENCE)["parent_header"]
            if parent.get("username") == "autostop":
                questions.add(parent["msg_id"])
            if parent.get("msg_id") == barrier:
                break
        assert len(questions) == 1


@on_servers("2.14")
def test_question_is_no_activity(jupyter: Jupyter, tmp_path: Path) -> None:
    """A refused stop is tried again at the next look, though an old server dates the answer.

    An answer that a busy machine's Jupyter dates late is activity. So it is waited for three such
    looks in a row, which would never be if every answer were.
    """
    patient = (f"--answer-seconds={PATIENCE}", f"--timeout-seconds={PATIENCE}")
    with (
        jupyter.client(jupyter.start_kernel()),
        asking(tmp_path, jupyter, *patient, idle=1) as autostop,
    ):
        until(lambda: "+++" in "".join("-+"["cannot stop" in line] for line in autostop.lines))


@on_servers(NEWEST)
def test_kernel_that_cannot_be_asked_is_busy(jupyter: Jupyter, tmp_path: Path) -> None:
    kernel = jupyter.open_notebook("lost.ipynb")
    file = jupyter.folder / "runtime" / f"kernel-{kernel}.json"
    with jupyter.client(kernel):
        text = file.read_text()
        file.unlink()
        with asking(tmp_path, jupyter) as autostop:
            is_held(autostop, "busy: lost.ipynb (it cannot be asked: FileNotFoundError", times=3)
            file.write_text(text)
            autostop.wait_for("cannot stop")
