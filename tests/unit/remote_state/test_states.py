"""States that are listed, unlocked, brought back and brought to today's addresses."""

import json
import shutil
import signal
import subprocess
from typing import Any

import click
import pytest

from tests.unit.engine.fake_terraform import Answer
from tests.unit.remote_state.conftest import BUCKET, REGION, Team, later
from tools.errors import UserError
from tools.layout.stack import Stack
from tools.remote_state import listing, readdress, versions
from tools.remote_state.unlock import unlock_state
from tools.state.file import State
from tools.system import processes
from tools.system.signals import Interruption
from tools.terraform.diagnostics import NotAwaitedError

ELSEWHERE = 'terraform {\n  backend "http" {}\n}\n'
INTERRUPTED = Answer(meanwhile=lambda: signal.raise_signal(signal.SIGINT))


def test_a_state_whose_place_is_not_known_is_listed_and_not_unlocked(team: Team) -> None:
    stack = team.write("notebooks/a", text=ELSEWHERE)
    session = team.open()
    (row,) = listing.read_rows(session.records, [stack])
    assert (row.stack, row.place, row.serial) == ("notebooks/a", "", None)
    assert row.problem == "its files do not say where its state is"
    with pytest.raises(UserError, match="notebooks/a: its files do not say where"):
        unlock_state(session, stack)


def test_a_state_that_only_its_own_program_reads_is_not_replaced(team: Team) -> None:
    team.make_bucket()
    stack = team.deployed("notebooks/a")
    team.enable()
    [version] = versions.read_rows(team.open().records, stack, 9)
    encrypted = b'{"serial":1,"lineage":"x","meta":{"key":"x"},"encrypted_data":"x"}'
    team.put("notebooks/a", encrypted)
    with pytest.raises(UserError, match="is an encrypted state, which only OpenTofu with its key"):
        versions.restore(team.open(), stack, version.version)
    assert team.remote("notebooks/a") == encrypted


def test_no_lock_is_removed_while_a_terraform_of_a_killed_run_works(
    team: Team, leftover: "subprocess.Popen[bytes]", monkeypatch: pytest.MonkeyPatch
) -> None:
    """Ctrl-C ends the wait for it, and is no answer to whether it has ended."""
    team.make_bucket()
    backend = f'bucket = "{BUCKET}"\n    key = "a"\n    region = "{REGION}"'
    stack = team.write(
        "notebooks/a", text=f'terraform {{\n  backend "s3" {{\n    {backend}\n  }}\n}}\n'
    )
    lock = {"Bucket": BUCKET, "Key": "a.tflock"}
    team.client("s3").put_object(**lock, Body=b'{"ID": "4f-9a", "Who": "bob@desk"}')
    note = team.root / "logs/earlier/notebooks.a.apply.pid"
    note.parent.mkdir(parents=True)
    processes.write_note(leftover.pid, note)
    monkeypatch.setattr(Interruption, "sleep", lambda *_: signal.raise_signal(signal.SIGINT))
    with pytest.raises(NotAwaitedError) as end:
        unlock_state(team.open(), stack)
    assert end.value.exit_code == 130
    assert team.client("s3").head_object(**lock)
    assert not any(call.startswith("force-unlock") for call in team.terraform.calls)


def state(serial: int, outputs: dict[str, str], **attributes: dict[str, Any]) -> State:
    """A state with a resource of each name in `attributes`."""
    resources = [
        {
            "mode": "managed",
            "type": "aws_iam_role",
            "name": name,
            "instances": [{"attributes": values}],
        }
        for name, values in attributes.items()
    ]
    values = {name: {"value": value} for name, value in outputs.items()}
    document = {"lineage": "l", "serial": serial, "outputs": values, "resources": resources}
    return State.parse(json.dumps(document).encode(), "x")


def test_what_a_restore_changes_is_told_by_names_and_never_by_values(
    capsys: pytest.CaptureFixture[str],
) -> None:
    same = {"name": "same"}
    now = state(7, {"o": "secret-1"}, a=same, b={"name": "b", "path": "secret-2"}, c=same)
    old = state(3, {"o": "secret-3"}, a=same, b={"name": "b", "path": "secret-4", "tags": {}}, d={})
    versions.show_difference(now, old)
    assert capsys.readouterr().err.splitlines() == [
        "serial 7 now, 3 in that version:",
        "  + aws_iam_role.d",
        "  - aws_iam_role.c",
        "  ~ aws_iam_role.b (path, tags)",
        "  ~ output o",
    ]


def test_buckets_whose_state_is_in_a_place_of_its_own_are_moved_by_hand(
    team: Team, capsys: pytest.CaptureFixture[str]
) -> None:
    stack = team.write("shared-infra/s3", text=ELSEWHERE)
    assert readdress.find_moves(team.open().records, [stack]) == {}
    said = capsys.readouterr().err
    assert said.startswith("shared-infra/s3: its files do not say where its state is")
    assert said.endswith("; docs/upgrading.md moves it by hand\n")


def test_an_interrupted_restore_writes_nothing(team: Team) -> None:
    team.make_bucket()
    team.deployed("notebooks/a")
    team.enable()
    stack = Stack(team.root, "notebooks/a")
    version = team.client("s3").head_object(Bucket=BUCKET, Key=team.key(stack.name))["VersionId"]
    team.put(stack.name, later(team.remote(stack.name)))
    now = team.remote(stack.name)
    shutil.rmtree(stack.path / ".terraform")  # or no init is needed
    team.terraform.will(f"init {stack.name}", INTERRUPTED)
    with pytest.raises(click.exceptions.Exit) as end:
        versions.restore(team.open(), stack, version)
    assert end.value.exit_code == 130
    assert team.remote(stack.name) == now


def test_an_interrupted_unlock_leaves_the_lock(team: Team) -> None:
    team.make_bucket()
    team.deployed("notebooks/a")
    team.enable()
    lock = {"Bucket": BUCKET, "Key": f"{team.key('notebooks/a')}.tflock"}
    team.client("s3").put_object(**lock, Body=b'{"ID": "4f-9a", "Who": "bob@desk"}')
    shutil.rmtree(team.root / "notebooks/a/.terraform")  # or no init is needed
    team.terraform.will("init notebooks/a", INTERRUPTED)
    with pytest.raises(click.exceptions.Exit) as end:
        unlock_state(team.open(), Stack(team.root, "notebooks/a"))
    assert end.value.exit_code == 130
    assert not any(call.startswith("force-unlock") for call in team.terraform.calls)


def test_a_request_to_stop_what_is_done_then_is_forgotten(
    team: Team, capsys: pytest.CaptureFixture[str]
) -> None:
    """The same command again would have nothing to do, and fail."""
    team.make_bucket()
    team.deployed("notebooks/a")
    team.enable()
    stack = Stack(team.root, "notebooks/a")
    key = team.key(stack.name)
    version = team.client("s3").head_object(Bucket=BUCKET, Key=key)["VersionId"]
    team.put(stack.name, later(team.remote(stack.name)))
    team.terraform.will(f"state push {stack.name}", INTERRUPTED)
    versions.restore(team.open(), stack, version)
    lock = b'{"ID": "4f-9a", "Who": "bob@desk"}'
    team.client("s3").put_object(Bucket=BUCKET, Key=f"{key}.tflock", Body=lock)
    team.terraform.will(f"force-unlock 4f-9a {stack.name}", INTERRUPTED)
    unlock_state(team.open(), stack)
    said = capsys.readouterr().err
    assert "restored as serial 3; " in said
    assert said.endswith("unlocked\n")


def test_an_interruption_ends_after_the_address_at_hand(team: Team) -> None:
    stack = team.deployed("shared-infra/s3")
    shared = 'aws_s3_bucket.shared["{}"]'.format
    moves = {shared("datasets"): "aws_s3_bucket.datasets", shared("models"): "aws_s3_bucket.models"}
    first, second = (f"state mv {one} {other} in shared-infra/s3" for one, other in moves.items())
    team.terraform.will(first, INTERRUPTED)
    with pytest.raises(click.exceptions.Exit) as end:
        readdress.move_addresses(team.open(), {stack: moves})
    assert end.value.exit_code == 130
    assert first in team.terraform.calls
    assert second not in team.terraform.calls


def test_a_restored_state_has_each_number_as_it_was(team: Team) -> None:
    team.make_bucket()
    stack = team.deployed("notebooks/a")
    team.enable()
    document = json.loads(team.remote("notebooks/a") or b"")
    document["outputs"] = {"n": {"value": 0.5, "type": "number"}}
    exact = json.dumps(document, indent=2).encode().replace(b"0.5", b"0.1234567890123456789012")
    team.put("notebooks/a", exact)
    [version, *_] = versions.read_rows(team.open().records, stack, 9)
    team.put("notebooks/a", later(exact))
    versions.restore(team.open(), stack, version.version)
    serial = document["serial"]
    restored = exact.replace(b'"serial": %d' % serial, b'"serial": %d' % (serial + 2))
    assert team.remote("notebooks/a") == restored
