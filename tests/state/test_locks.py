"""A lock that another holds, and one that a killed Terraform has left: seen, respected, taken away."""

import json
import os
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any

import boto3
import pytest

from tests.cli.conftest import Checkout, attach
from tests.faults.fleet import SECONDS, await_
from tests.trees import copy_repository, write_stack
from tools.localcloud.process import Running, environment

from .conftest import NEVER, READER, Team, make_bucket, write, write_upstream

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
    done = subprocess.run(["terraform", "init"], cwd=folder, env=env, capture_output=True)
    assert done.returncode == 0, done.stderr
    process = subprocess.Popen(
        ["terraform", "apply", "-auto-approve"],
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
            assert "another Terraform works on it" in done.stdout + done.stderr
    finally:
        kill(process)
    assert listed(team)["lock"] == lock  # nobody took it away
    said = team.ok("state", "unlock", STACK)
    assert f"locked by {lock['who']} since {lock['created']}" in said
    assert lock["id"] in said
    assert listed(team)["lock"] is None
    assert "is not locked" in team.refused("state", "unlock", STACK)


def test_a_lock_file_in_the_bucket(team: Team) -> None:
    team.enable()
    walk_through(team, team.client("s3").meta.endpoint_url)
    write_stack(team.root, STACK, 'output "x" {\n  value = 1\n}\n')
    team.ok("deploy", STACK)
    assert team.remote(STACK)


def test_a_lock_on_this_machine(team: Team) -> None:
    process = hold(team, team.client("s3").meta.endpoint_url)
    try:
        lock = listed(team)["lock"]
        assert lock["is_held"] is True
        assert "is at work on this machine" in team.refused("state", "unlock", STACK)
        # Its state is not moved away under it.
        error = team.refused("state", "enable", "--bucket", team.bucket)
        assert f"{STACK}: " in error
        assert f"is locked by {lock['who']}" in error
    finally:
        kill(process)
    # The lock went with its process; the note has stayed.
    assert listed(team)["lock"] == {**lock, "is_held": False}
    assert "left locked by" in team.tools("state", "list", "--local", STACK).stdout
    team.ok("state", "unlock", STACK)
    assert listed(team)["lock"] is None
    team.ok("state", "enable")
    team.no_changes()


def test_nobody_is_there_to_be_asked(team: Team) -> None:
    """The local cloud is never worth a question: what AWS would be asked, by its function."""
    from tools import runs
    from tools.context import Context
    from tools.errors import UserError

    target = replace(Context(team.root, team.env).target(local=True), endpoint=None)
    with pytest.raises(UserError, match="add --yes to agree beforehand"):
        runs.agree_to("Unlock?", target, agreed=False)
    runs.agree_to("Unlock?", target, agreed=True)


@pytest.fixture(scope="module")
def moto(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Running]:
    """moto's server: S3 and a DynamoDB, which LocalStack would have to download."""
    log = tmp_path_factory.mktemp("moto") / "log"
    command = [sys.executable, "-m", "moto.server", "-H", "127.0.0.1", "-p", "0"]
    with log.open("wb") as output:
        process = subprocess.Popen(command, stdout=output, stderr=subprocess.STDOUT)
    try:
        await_(lambda: "Running on http" in log.read_text(), "moto's server to listen")
        port = int(log.read_text().split("Running on http://127.0.0.1:")[1].split()[0])
        yield Running(process.pid, port)
    finally:
        process.terminate()
        process.wait()


@pytest.fixture
def with_table(moto: Running, small_at: Callable[[Running], Checkout]) -> Team:
    """A team in moto's cloud, with a bucket and the lock table that bootstrap makes."""
    checkout = small_at(moto)
    s3 = boto3.client(
        "s3",
        region_name="us-east-1",
        endpoint_url=moto.endpoint,
        aws_access_key_id="test",
        aws_secret_access_key="test",
    )
    return Team(checkout.root, checkout.env, "team-states", lambda service: s3)
