"""Ctrl-C in a real terminal: what its user sees, and what is left."""

import re
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from threading import Thread

import ptyprocess
import pyte
import pytest

from tests.children import interruptible
from tests.cli.conftest import TOOLS
from tests.faults.fleet import SECONDS, STACK, Barrier, Fleet, Gate, await_
from tools.system.processes import noted_pid

ROWS, COLUMNS = 40, 120


@dataclass
class Terminal:
    """A terminal in which one command runs, as its user sees it."""

    process: ptyprocess.PtyProcess
    screen: pyte.HistoryScreen = field(
        default_factory=lambda: pyte.HistoryScreen(COLUMNS, ROWS, history=1000)
    )

    def __post_init__(self) -> None:
        self._stream = pyte.ByteStream(self.screen)
        self._reader = Thread(target=self._read, daemon=True)
        self._reader.start()

    def _read(self) -> None:
        try:
            while True:
                self._stream.feed(self.process.read())
        except EOFError:
            pass

    @property
    def lines(self) -> list[str]:
        """What is on the screen, without what is empty below."""
        return "\n".join(line.rstrip() for line in self.screen.display).rstrip().split("\n")

    def shows(self, pattern: str) -> bool:
        return re.search(pattern, "\n".join(self.lines), re.MULTILINE) is not None

    def await_shown(self, pattern: str) -> None:
        await_(lambda: self.shows(pattern), f"{pattern!r} on the screen:\n{self.lines}")

    def ctrl_c(self) -> None:
        """The key: the terminal turns it into a signal to all that runs in its foreground."""
        self.process.sendintr()

    def ended(self) -> int:
        """The exit code."""
        self._reader.join(SECONDS)
        assert not self._reader.is_alive(), self.lines
        return int(self.process.wait())

    @property
    def summary(self) -> list[str]:
        """The last lines, from the empty one on."""
        lines = self.lines
        return lines[len(lines) - lines[::-1].index("") :]


@contextmanager
def typed(fleet: Fleet, *arguments: str) -> Iterator[Terminal]:
    """A terminal in which `tools` was called."""
    env = {**fleet.env, "TERM": "xterm-256color"}
    with interruptible():
        process = ptyprocess.PtyProcess.spawn(
            [str(TOOLS), *arguments], str(fleet.root), env, dimensions=(ROWS, COLUMNS)
        )
    try:
        yield Terminal(process)
    finally:
        process.close(force=True)


def check_sane(terminal: Terminal) -> None:
    """Nothing of the live table is left, its cursor is back, and nothing is over anything else."""
    assert not terminal.screen.cursor.hidden
    assert terminal.screen.cursor.x == 0
    assert not terminal.shows(r"\d+ of \d+ stacks")
    assert not terminal.shows("Traceback")
    assert not terminal.shows(r"\^\[|\x1b")


def check_left_in_order(fleet: Fleet) -> None:
    """No lock, and no Terraform that still works."""
    assert not (fleet.work / ".terraform.tfstate.lock.info").exists()
    assert [file for file in fleet.logs.glob("*/*.pid") if noted_pid(file)] == []


@pytest.mark.parametrize("times", [3, pytest.param(1, marks=pytest.mark.nightly)])
def test_ctrl_c_while_resources_are_made(fleet: Fleet, times: int) -> None:
    fleet.write_quick()
    fleet.write_other()
    barrier = Barrier(fleet.root, "r1")
    barrier.set()
    with typed(fleet, "deploy", "--local", "--jobs", "1") as terminal:
        barrier.await_reached()
        # The live table, with what is done of what was planned.
        terminal.await_shown(rf"^{STACK} +{fleet.terraform.program} apply +1 of 3 +\d+ s$")
        terminal.await_shown(r"^0 of 2 stacks$")
        for _ in range(times):
            terminal.ctrl_c()
        assert terminal.ended() == 130
        assert terminal.shows(rf"\[{STACK}\] interrupted: waiting until the state is written")
        assert len(terminal.summary) <= 5
        assert terminal.summary[1:] == [
            f"  interrupted: {STACK} (after 1 of 3 resources)",
            "  not run: notebooks/z",
            "Run the same command again to continue.",
        ]
        check_sane(terminal)
    check_left_in_order(fleet)
    barrier.release()
    assert ("terraform_data", "r0") in fleet.in_state()
    assert fleet.converge() == []
    fleet.check()


@pytest.mark.parametrize(
    ("command", "step", "action"),
    [
        ("deploy", "init", "GET BUCKET"),
        ("plan", "plan", "PUT terraform.tfstate.tflock"),
        pytest.param("deploy", "apply", "PUT terraform.tfstate.tflock", marks=pytest.mark.nightly),
        pytest.param("deploy", "apply", "PUT terraform.tfstate", marks=pytest.mark.nightly),
    ],
)
def test_ctrl_c_while_terraform_waits_for_aws(
    fleet: Fleet, command: str, step: str, action: str
) -> None:
    fleet.write_quick(in_s3=True)
    gate = Gate(fleet.proxy, "before", action.replace("BUCKET", fleet.bucket))
    with typed(fleet, command, "--local") as terminal:
        gate.await_reached()
        terminal.await_shown(rf"^{STACK} +{fleet.terraform.program} {step}")
        terminal.ctrl_c()
        terminal.await_shown("interrupted: waiting until the state is written")
        gate.open()
        assert terminal.ended() == 130
        check_sane(terminal)
    check_left_in_order(fleet)
    assert fleet.converge() == []
    fleet.check()


def test_ctrl_c_before_anything_runs(fleet: Fleet) -> None:
    fleet.write_quick(in_s3=True)
    gate = Gate(fleet.proxy, "before", "GET terraform.tfstate")
    with typed(fleet, "deploy", "--local") as terminal:
        gate.await_reached()
        terminal.ctrl_c()
        gate.open()
        assert terminal.ended() != 0
        check_sane(terminal)
    assert fleet.in_cloud() == set()
    assert fleet.converge() == []
    fleet.check()
