"""A lock that another holds, and one that a killed Terraform has left."""

import json
import os
import re
import shutil
import signal
import subprocess
from dataclasses import replace
from typing import Any
from uuid import uuid4

import pytest

from tests.faults.fleet import SECONDS, await_
from tests.trees import write_stack
from tools.localcloud.client import environment

from .conftest import READER, UPSTREAM, Team

STACK = "notebooks/slow"


def hold(team: Team, endpoint: str) -> "subprocess.Popen[bytes]":
    """A plain `terraform apply` of `STACK` that waits, with the lock, until it is killed."""
    waiting = team.root / "waiting"
    waiting.unlink(missing_ok=True)
    command = f"touch {waiting}; sleep {SECONDS}"
    write_stack(
        team.root,
        STACK,
        'resource "terraform_data" "slow" {\n  provisioner "local-exec" {\n'
        f'    command = "{command}"\n  }}\n}}\n',
    )
    team.ok("state", "list")  # brings the working copy up to date
    env = {**team.env, **environment(endpoint)}
    folder = team.work / STACK
    done = subprocess.run([team.program, "init"], cwd=folder, env=env, capture_output=True)
    assert done.returncode == 0, done.stderr
    process = subprocess.Popen(
        [team.program, "apply", "-auto-approve"],
        cwd=folder,
        env=env,
        stdout=subprocess.DEVNULL,
        start_new_session=True,
    )
    await_(waiting.exists, "Terraform to hold the lock")
    return process


def kill(process: "subprocess.Popen[bytes]") -> None:
    """Terraform and what it has started: its group is its own."""
    os.killpg(process.pid, signal.SIGKILL)
    process.wait()


def listed(team: Team) -> dict[str, Any]:
    rows = json.loads(team.tools("state", "list", "--local", "--json", STACK).stdout)
    return dict(rows[0])


def walk_through(team: Team, endpoint: str) -> None:
    """The lock in the bucket or its table, from its taking to its removal."""
    process = hold(team, endpoint)
    try:
        lock = listed(team)["lock"]
        assert lock["operation"] == "OperationTypeApply"
        assert "@" in lock["who"]
        shown = team.tools("state", "list", "--local", STACK).stdout
        assert f"locked by {lock['who']} since {lock['created']}" in shown
        for command in ("deploy", "plan"):
            done = team.tools(command, "--local", STACK)
            assert done.returncode == 1
            assert re.search(r"another \w+ works on it", done.stdout + done.stderr)
    finally:
        kill(process)
    assert listed(team)["lock"] == lock  # nobody took it away
    said = team.ok("state", "unlock", STACK)
    assert f"locked by {lock['who']} since {lock['created']}" in said
    assert lock["id"] in said
    assert listed(team)["lock"] is None
    assert "is not locked" in team.refused("state", "unlock", STACK)


def test_a_lock_that_was_cut_short(team: Team) -> None:
    team.enable()
    key = f"{team.key(READER)}.tflock"
    team.client("s3").put_object(Bucket=team.bucket, Key=key, Body=b"")
    assert "locked by ? since ?" in team.ok("state", "unlock", READER)
    team.no_changes()


def test_a_lock_file_in_the_bucket(team: Team) -> None:
    team.enable()
    walk_through(team, team.client("s3").meta.endpoint_url)
    write_stack(team.root, STACK, 'output "x" {\n  value = 1\n}\n')
    team.ok("deploy", STACK)
    assert team.remote(STACK)


@pytest.mark.nightly
def test_a_lock_on_an_orphan_s_state(team: Team) -> None:
    team.enable()
    shutil.rmtree(team.root / READER)
    note = {"ID": str(uuid4()), "Who": "bea@desk", "Created": "2026-01-02T03:04:05Z"}
    key = f"{team.key(READER)}.tflock"
    team.client("s3").put_object(Bucket=team.bucket, Key=key, Body=json.dumps(note))
    error = team.refused("destroy", "--orphan")
    assert f"name the orphans to destroy: tools destroy --local --orphan {READER}" in error
    done = team.tools("destroy", "--local", "--orphan", READER)
    assert done.returncode == 1
    assert "(bea@desk, since 2026-01-02 03:04:05 UTC)" in done.stderr
    assert f"tools state unlock --local {READER}" in done.stderr
    assert "locked by bea@desk" in team.ok("state", "unlock", READER)
    team.ok("destroy", "--orphan", READER)
    assert json.loads(team.remote(READER) or b"")["resources"] == []


def test_a_lock_that_is_left_while_the_states_are_moved(team: Team) -> None:
    killed = team.killed_at(12, "state", "enable", "--bucket", team.bucket)
    assert killed.returncode == -signal.SIGKILL, killed.stderr
    note = {"ID": "?", "Who": "bea@desk", "Created": "2026-01-02T03:04:05Z"}
    key = f"{team.key(UPSTREAM)}.tflock"
    team.client("s3").put_object(Bucket=team.bucket, Key=key, Body=json.dumps(note))
    error = team.refused("state", "enable")
    assert f"tools state unlock --local {UPSTREAM}" in error
    team.ok("state", "unlock", UPSTREAM)
    team.enable()
    team.no_changes()


def test_a_lock_on_this_machine(team: Team) -> None:
    process = hold(team, team.client("s3").meta.endpoint_url)
    try:
        lock = listed(team)["lock"]
        assert lock["is_held"] is True
        assert "still runs on this machine" in team.refused("state", "unlock", STACK)
        # Its state is not moved away under it.
        error = team.refused("state", "enable", "--bucket", team.bucket)
        assert f"{STACK} is locked by {lock['who']}" in error
        assert not list(team.work.glob("*/*/backend.tf"))
    finally:
        kill(process)
    # The lock went with its process; the note has stayed.
    assert listed(team)["lock"] == {**lock, "is_held": False}
    assert "left locked by" in team.tools("state", "list", "--local", STACK).stdout
    team.ok("state", "unlock", STACK)
    assert listed(team)["lock"] is None
    team.enable()
    team.no_changes()


def test_nobody_is_there_to_be_asked(team: Team) -> None:
    """The local cloud is never worth a question: what AWS would be asked, by its function."""
    from tools.context import Context
    from tools.errors import UserError
    from tools.runs.options import Options
    from tools.runs.session import Session

    local = Session.open_to_read(Context(team.root, team.env), local=True)
    session = replace(local, target=replace(local.target, endpoint=None))
    with pytest.raises(UserError, match="pass --yes to confirm"):
        session.confirm("Unlock?")
    replace(session, options=Options(yes=True)).confirm("Unlock?")
