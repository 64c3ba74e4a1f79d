"""A notebook that is renamed, and what is at work or in its way meanwhile."""

import json
import signal
from pathlib import Path

import click
import pytest

from tests.unit.engine.fake_terraform import Answer, failure
from tests.unit.remote_state.conftest import BUCKET, Team, later
from tools.errors import UserError
from tools.hcl import reading
from tools.remote_state.rename import rename


def deploy_instance(team: Team, name: str) -> Path:
    """A notebook whose state has an instance of its name."""
    stack = team.deployed(f"notebooks/{name}")
    path = stack.path / "terraform.tfstate"
    state = json.loads(path.read_text())
    state["resources"][0] = {
        "mode": "managed",
        "type": "aws_sagemaker_notebook_instance",
        "name": "this",
        "instances": [{"attributes": {"name": name}}],
    }
    path.write_text(json.dumps(state))
    return stack.path


def test_an_interruption_before_the_directory_is_renamed_leaves_it(team: Team) -> None:
    old = team.deployed("notebooks/old").path
    (old / "errored.tfstate").write_bytes(later(team.local("notebooks/old")))
    team.terraform.will(
        "init notebooks/old", Answer(meanwhile=lambda: signal.raise_signal(signal.SIGINT))
    )
    with pytest.raises(click.exceptions.Exit) as end:
        rename(team.open(), "old", "new", rename_instance=False)
    assert end.value.exit_code == 130
    assert old.is_dir()
    assert not (team.root / "notebooks/new").exists()


def test_an_interruption_while_the_state_is_moved_is_continued_by_the_same_command(
    team: Team, capsys: pytest.CaptureFixture[str]
) -> None:
    team.make_bucket()
    team.deployed("notebooks/old")
    team.enable()
    interrupted = Answer(
        errors=failure("interrupted").errors,
        meanwhile=lambda: signal.raise_signal(signal.SIGINT),
    )
    team.terraform.will("init notebooks/new", interrupted)
    with pytest.raises(click.exceptions.Exit) as end:
        rename(team.open(), "old", "new", rename_instance=False)
    assert end.value.exit_code == 130
    assert "interrupted; run the command again to continue\n" in capsys.readouterr().err
    rename(team.open(), "old", "new", rename_instance=False)
    assert team.remote("notebooks/old") is None
    assert team.remote("notebooks/new")


def test_a_request_to_stop_a_renaming_that_is_done_then_is_forgotten(
    team: Team, capsys: pytest.CaptureFixture[str]
) -> None:
    team.make_bucket()
    team.deployed("notebooks/old")
    team.enable()
    team.terraform.will(
        "init notebooks/new", Answer(meanwhile=lambda: signal.raise_signal(signal.SIGINT))
    )
    rename(team.open(), "old", "new", rename_instance=False)
    said = capsys.readouterr().err
    assert said.endswith("next: tools plan new, then commit the renaming\n")


@pytest.mark.parametrize("renames_instance", [False, True])
def test_the_instance_keeps_its_name_unless_that_is_asked_for(
    team: Team, capsys: pytest.CaptureFixture[str], renames_instance: bool
) -> None:
    deploy_instance(team, "old")
    rename(team.open(), "old", "new", renames_instance)
    said = capsys.readouterr().err
    values = reading.read_tfvars(team.root / "notebooks/new/terraform.tfvars")
    if renames_instance:
        assert "the next apply replaces old by new, and its volume is lost" in said
        assert values == {"name": "new"}
    else:
        assert "it is still called old (name in terraform.tfvars)" in said
        assert values == {"name": "old"}


def test_the_name_of_another_instance_is_refused(team: Team) -> None:
    """AWS takes a name once in an account and region."""
    deploy_instance(team, "old")
    team.write("notebooks/other")
    (team.root / "notebooks/other/terraform.tfvars").write_text('name = "new"\n')
    with pytest.raises(UserError, match="notebooks/other has an instance called new already"):
        rename(team.open(), "old", "new", rename_instance=True)
    rename(team.open(), "old", "new", rename_instance=False)


def test_a_notebook_without_its_backend_gets_it_first(team: Team) -> None:
    """As one that was made before its directory was pulled from a colleague with a bucket."""
    team.make_bucket()
    team.write("notebooks/a")
    team.enable()
    team.deployed("notebooks/old")
    with pytest.raises(
        UserError, match=r"notebooks/old has no backend\.tf yet: tools state enable"
    ):
        rename(team.open(), "old", "new", rename_instance=False)
    team.enable()
    rename(team.open(), "old", "new", rename_instance=False)
    assert team.remote("notebooks/new")


def test_one_that_was_renamed_by_hand_and_never_applied_gets_its_own_key(team: Team) -> None:
    team.make_bucket()
    old = team.write("notebooks/old").path
    team.enable()
    new = old.rename(team.root / "notebooks/new")
    rename(team.open(), "old", "new", rename_instance=False)
    block = reading.read_backend(new / "backend.tf")
    assert block
    assert block[1]["key"] == team.key("notebooks/new")


def test_an_apply_of_the_old_name_while_its_state_moves_is_not_lost(team: Team) -> None:
    team.make_bucket()
    team.deployed("notebooks/old")
    team.enable()
    newer = later(team.remote("notebooks/old"))

    def apply_elsewhere() -> None:
        team.put("notebooks/old", newer)

    team.terraform.will("state pull notebooks/new", Answer(meanwhile=apply_elsewhere))
    with pytest.raises(UserError) as caught:
        rename(team.open(), "old", "new", rename_instance=False)
    old, new = (f"s3://{BUCKET}/{team.key(f'notebooks/{name}')}" for name in ("old", "new"))
    assert str(caught.value) == (
        f"{old} was written while it was moved to {new}; run the command again"
    )
    assert team.remote("notebooks/old") == newer
    rename(team.open(), "old", "new", rename_instance=False)
    assert team.remote("notebooks/new") == newer
    assert team.remote("notebooks/old") is None
