"""What `tools state bootstrap` does: once, in another checkout, and with a table later."""

import shutil
import signal
from pathlib import Path
from typing import Any

import click
import pytest

from tests.trees import write_stack
from tests.unit.engine.fake_terraform import Answer, planned
from tests.unit.remote_state.conftest import BUCKET, Team
from tools.errors import UserError
from tools.hcl import reading
from tools.remote_state.bootstrap import create_bucket
from tools.remote_state.settings import BackendRequest, root_settings
from tools.runs.session import Session

ROOT = "bootstrap"
STATES = "aws_s3_bucket.states"


@pytest.fixture
def root(team: Team) -> Path:
    """The root module that makes the bucket; Terraform plans and applies it as it is told."""
    return write_stack(team.root, ROOT, "")


def create(team: Team, bucket: str = BUCKET, **options: Any) -> None:
    session = team.open()
    create_bucket(session, root_settings(BackendRequest(bucket=bucket, **options), session.target))


def will_create(team: Team) -> None:
    name = f"{team.root.name}/{ROOT}"
    team.terraform.will(f"plan {name}", Answer([planned(STATES, "create")]))
    made = Answer(types=["aws_s3_bucket"], meanwhile=team.make_bucket)
    team.terraform.will(f"apply plan of {name}", made)


def applies(team: Team) -> list[str]:
    return [call for call in team.terraform.calls if call.startswith("apply")]


def test_a_second_run_and_another_checkout_change_nothing(
    team: Team, root: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    will_create(team)
    create(team)
    assert "created\n" in capsys.readouterr().err
    assert team.remote(ROOT)
    assert team.local(ROOT) is None
    backend, values = (root / "backend.tf").read_text(), (root / "terraform.tfvars").read_text()
    create(team)
    assert "nothing to do" in capsys.readouterr().err
    # Nobody has committed what the first wrote: the state in the bucket is the root module's.
    for name in ("backend.tf", "terraform.tfvars"):
        (root / name).unlink()
    create(team)
    assert "nothing to do" in capsys.readouterr().err
    assert (root / "backend.tf").read_text() == backend
    assert (root / "terraform.tfvars").read_text() == values
    assert len(applies(team)) == 1


def test_a_table_that_is_added_later_locks_the_root_too(team: Team, root: Path) -> None:
    """Its checksum of a state of the past would make Terraform refuse today's."""
    will_create(team)
    create(team)
    checksum = {"LockID": {"S": f"{BUCKET}/{team.key(ROOT)}-md5"}}

    def make_table() -> None:
        team.make_table()
        team.client("dynamodb").put_item(TableName="terraform-locks", Item=checksum)

    name = f"{team.root.name}/{ROOT}"
    change = planned("aws_dynamodb_table.locks[0]", "create")
    team.terraform.will(f"plan {name}", Answer([change]))
    types = ["aws_s3_bucket", "aws_dynamodb_table"]
    team.terraform.will(f"apply plan of {name}", Answer(types=types, meanwhile=make_table))
    create(team, locking="both")
    block = reading.read_backend(root / "backend.tf")
    assert block
    assert block[1]["dynamodb_table"] == "terraform-locks"
    assert reading.read_tfvars(root / "terraform.tfvars") == {"bucket": BUCKET, "lock_table": True}
    assert "Item" not in team.client("dynamodb").get_item(TableName="terraform-locks", Key=checksum)


def test_a_change_of_the_root_is_asked_about_while_ctrl_c_still_ends_the_command(
    team: Team, root: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A run counts signals, and draws over what it did not print."""
    will_create(team)
    create(team)
    change = planned("aws_s3_bucket_versioning.states", "update")
    team.terraform.will(f"plan {team.root.name}/{ROOT}", Answer([change]))
    handler = signal.getsignal(signal.SIGINT)
    questions = []

    def confirm(session: Session, question: str) -> None:
        questions.append(question)
        assert signal.getsignal(signal.SIGINT) is handler
        raise click.Abort

    monkeypatch.setattr(Session, "confirm", confirm)
    with pytest.raises(click.Abort):
        create(team)
    assert questions == ["Apply these changes?"]
    assert len(applies(team)) == 1


@pytest.mark.parametrize("action", ["delete", "replace"])
def test_what_would_lose_states_is_not_applied(team: Team, root: Path, action: str) -> None:
    will_create(team)
    create(team)
    team.terraform.will(f"plan {team.root.name}/{ROOT}", Answer([planned(STATES, action)]))
    verb = {"delete": "destroy"}.get(action, action)
    with pytest.raises(UserError, match=rf"^bootstrap would {verb} aws_s3_bucket\.states, and the"):
        create(team)
    assert len(applies(team)) == 1


def test_the_prefix_of_the_first_run_stays_the_roots(team: Team, root: Path) -> None:
    will_create(team)
    create(team, prefix="team/x")
    create(team)
    block = reading.read_backend(root / "backend.tf")
    assert block
    assert block[1]["key"] == "team/x/bootstrap/terraform.tfstate"
    with pytest.raises(UserError, match=r"the state of bootstrap is below team/x, and stays there"):
        create(team, prefix="team/y")


def test_a_bucket_that_something_else_has_made_is_refused(team: Team, root: Path) -> None:
    team.make_bucket()
    with pytest.raises(UserError, match="exists, and bootstrap has not created it"):
        create(team)
    assert not (root / "terraform.tfvars").exists()
    assert team.terraform.calls == []


def test_a_repository_has_one_bucket(team: Team, root: Path) -> None:
    (root / "terraform.tfvars").write_text('bucket = "another-bucket"\n')
    with pytest.raises(UserError, match=f"names the bucket another-bucket, not {BUCKET}"):
        create(team)
    assert team.terraform.calls == []


def test_a_repository_without_the_root_module_is_told_so(team: Team, root: Path) -> None:
    shutil.rmtree(root)
    with pytest.raises(UserError, match="bootstrap is missing: it is the root module that creates"):
        create(team)
