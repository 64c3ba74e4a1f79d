"""A state that cannot be written: what was made is not lost."""

import re
import shlex
import shutil
import subprocess
from pathlib import Path

import pytest

from tests.cli.conftest import TOOLS
from tests.faults.fleet import STACK, Fleet
from tests.faults.proxy import Call, Refusal
from tools.engine.preparation import require_disk_space
from tools.errors import UserError


def limited(fleet: Fleet, blocks: int) -> dict[str, str]:
    """A Terraform that cannot write more than so many blocks of 512 bytes to any file.

    A full disk cuts a file short at some length; this does it without a disk of its own, which
    takes rights that not every machine gives.
    """
    wrapper = fleet.root / f"limited-{fleet.terraform.program}"
    wrapper.write_text(
        f'#!/bin/sh\nPATH={fleet.env["PATH"]}\n[ "$1" != apply ] || ulimit -f {blocks}\n'
        f'exec {shlex.quote(str(fleet.terraform.binary))} "$@"\n'
    )
    wrapper.chmod(0o755)
    return {"TOOLS_TERRAFORM": str(wrapper)}


def do_as_told(fleet: Fleet, message: str, command: str) -> None:
    """Runs what a message says to type, the group of the pattern `command`."""
    typed = re.search(command, message)
    assert typed, message
    assert fleet.run("bash", "-c", typed[1]).returncode == 0


def test_a_disk_that_cuts_the_state_short(fleet: Fleet) -> None:
    fleet.write_quick(resources=1)
    assert fleet.tools("deploy", "--local").returncode == 0
    before = fleet.state()
    fleet.write_quick(resources=12)
    full = fleet.tools("deploy", "--local", **limited(fleet, 8))
    assert full.returncode == 1
    state, errored = fleet.work / "terraform.tfstate", fleet.work / "errored.tfstate"
    assert f"{errored} is cut short too: make room, and run this again" in full.stderr
    assert state.stat().st_size == errored.stat().st_size == 8 * 512

    # Each run says what to do next.
    told = fleet.tools("deploy", "--local")
    do_as_told(fleet, told.stderr, r"go back to the one before it: (mv .+ && cp .+)")
    assert fleet.state() == before
    told = fleet.tools("deploy", "--local")
    do_as_told(fleet, told.stderr, r"to go on without: (mv [^;]+);")
    assert not errored.exists()
    assert Path(f"{errored}.cut-short").stat().st_size == 8 * 512
    assert fleet.converge() == []
    fleet.check()


@pytest.mark.nightly
def test_a_state_that_was_never_written_whole(fleet: Fleet) -> None:
    fleet.write_quick(resources=12)
    assert fleet.tools("deploy", "--local", **limited(fleet, 8)).returncode == 1
    state, errored = fleet.work / "terraform.tfstate", fleet.work / "errored.tfstate"
    told = fleet.tools("deploy", "--local")
    do_as_told(fleet, told.stderr, r"there is none before it; to go on without: (mv .+)")
    assert not state.exists()
    errored.unlink()
    assert fleet.converge() == []
    fleet.check()


def test_what_terraform_saved_replaces_a_state_that_is_cut_short(fleet: Fleet) -> None:
    fleet.write_quick(resources=2)
    assert fleet.tools("deploy", "--local").returncode == 0
    # As a full disk leaves it that holds the state alone: Terraform saves it in the stack's folder.
    state = fleet.work / "terraform.tfstate"
    shutil.copy(state, fleet.work / "errored.tfstate")
    state.write_bytes(state.read_bytes()[:700])
    done = fleet.tools("deploy", "--local")
    assert done.returncode == 0, done.stderr
    assert "an earlier run could not write its state; writing it now" in done.stderr
    fleet.check()


@pytest.mark.parametrize("command", ["destroy", pytest.param("deploy", marks=pytest.mark.nightly)])
def test_a_bucket_that_takes_no_state(fleet: Fleet, command: str) -> None:
    fleet.write_quick(in_s3=True)

    def refuse(call: Call) -> Refusal | None:
        # What MinIO says when its disk is full.
        is_state = call == Call("s3", "PUT terraform.tfstate")
        return Refusal(507, "XMinioStorageFull") if is_state else None

    fleet.proxy.before = refuse
    full = fleet.tools("deploy", "--local")
    assert full.returncode == 1
    assert f"the state is kept in {fleet.work / 'errored.tfstate'}" in full.stderr
    assert fleet.state() == {}
    fleet.proxy.before = lambda call: None
    done = fleet.tools(command, "--local")
    assert done.returncode == 0, done.stderr
    assert f"[{STACK}] errored.tfstate: an earlier run could not write its state" in done.stderr
    if command == "destroy":
        assert fleet.in_cloud() == fleet.in_state() == set()
    else:
        assert {name for _, name in fleet.in_cloud()} == {"r0", "r1", "r2"}
        fleet.check()


def test_an_answer_that_does_not_fit(fleet: Fleet) -> None:
    fleet.write_quick()
    with Path("/dev/full").open("w") as full:
        done = subprocess.run(
            [TOOLS, "list", "--local", "--json"],
            cwd=fleet.root,
            env=fleet.env,
            stdout=full,
            stderr=subprocess.PIPE,
            text=True,
        )
    assert done.returncode == 1
    assert done.stderr == "error: the disk is full; free some space, and run the command again\n"


def test_too_little_room_is_said_before_anything_is_made(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    # A stand-in: to fill a disk takes one that may be filled.
    usage = shutil.disk_usage(tmp_path)
    monkeypatch.setattr(shutil, "disk_usage", lambda path: usage._replace(free=2_500_000))
    with pytest.raises(UserError, match=r"only 2\.5 MB are free in .*; make room first"):
        require_disk_space(tmp_path)
