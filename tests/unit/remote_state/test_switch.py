"""States that are moved into a bucket and back, while somebody else is at work."""

import signal
from collections.abc import Callable

import click
import pytest

from tests.trees import reading
from tests.unit.engine.fake_terraform import Answer, failure
from tests.unit.remote_state.conftest import BUCKET, REGION, Team, later
from tools.errors import UserError
from tools.hcl import reading as hcl_reading
from tools.remote_state.bucket import check_state_bucket
from tools.remote_state.enable import disable_states, enable_states
from tools.remote_state.settings import BackendRequest, stack_settings
from tools.runs.session import Session
from tools.state.backend import Backend
from tools.state.place import BucketPlace

BACKEND_OF_ANOTHER = """\
terraform {
  backend "s3" {
    bucket         = "another-bucket"
    key            = "ml-infra/notebooks/a/terraform.tfstate"
    region         = "us-east-1"
    encrypt        = true
    dynamodb_table = "our-locks"
  }
}
"""


@pytest.fixture
def two(team: Team) -> Team:
    """notebooks/a and notebooks/b are deployed, and the bucket is empty."""
    team.make_bucket()
    for name in ("notebooks/a", "notebooks/b"):
        team.deployed(name)
    return team


def refused(move: Callable[[], None]) -> str:
    with pytest.raises(UserError) as caught:
        move()
    return str(caught.value)


def test_a_state_of_an_earlier_run_that_is_cut_short_is_seen_before_anything_moves(
    two: Team,
) -> None:
    errored = two.root / "notebooks/b/errored.tfstate"
    errored.write_text('{"version": 4')
    assert refused(two.enable) == (
        f"{errored} is cut short, as on a full disk; to go on without: mv {errored} "
        f"{errored}.cut-short"
    )
    assert two.local("notebooks/a")
    assert two.remote("notebooks/a") is None


def test_an_interruption_ends_after_the_state_at_hand_and_a_second_run_goes_on(
    two: Team, capsys: pytest.CaptureFixture[str]
) -> None:
    before = {name: two.local(name) for name in ("notebooks/a", "notebooks/b")}
    two.terraform.will(
        "init notebooks/a", Answer(meanwhile=lambda: signal.raise_signal(signal.SIGINT))
    )
    with pytest.raises(click.exceptions.Exit) as end:
        two.enable()
    assert end.value.exit_code == 130
    assert "interrupted; run the command again to continue\n" in capsys.readouterr().err
    assert two.remote("notebooks/a") == before["notebooks/a"]
    assert two.remote("notebooks/b") is None
    two.enable()
    assert two.remote("notebooks/b") == before["notebooks/b"]


def test_a_stack_that_fails_is_named_and_a_second_run_goes_on(two: Team) -> None:
    before = two.local("notebooks/b")
    two.terraform.will("state pull notebooks/b", failure("Access Denied"))
    assert refused(two.enable) == "notebooks/b: Access Denied; run the command again to continue"
    two.enable()
    assert two.remote("notebooks/b") == before


def test_what_terraform_reads_in_the_new_place_has_to_be_the_same(two: Team) -> None:
    def apply_elsewhere() -> None:
        two.put("notebooks/a", later(two.remote("notebooks/a")))

    two.terraform.will("state pull notebooks/a", Answer(meanwhile=apply_elsewhere))
    error = refused(two.enable)
    assert error.startswith(f"notebooks/a: Terraform reads another state in s3://{BUCKET}/ml-infra")
    assert "its serial differs; run the command again" in error
    assert (two.root / "notebooks/a/terraform.tfstate.unverified").is_file()


@pytest.mark.parametrize(
    ("place", "complaint"), [("source", "was written while it was copied"), ("target", "not hold")]
)
def test_what_is_written_while_a_state_is_copied_is_not_lost(
    two: Team, monkeypatch: pytest.MonkeyPatch, place: str, complaint: str
) -> None:
    """A stand-in for somebody else's apply, in the moment between a write and the look at it."""
    create, state = BucketPlace.create, two.root / "notebooks/a/terraform.tfstate"
    newer = later(two.local("notebooks/a"))

    def create_and_apply(bucket_place: BucketPlace, content: bytes) -> None:
        create(bucket_place, content)
        if place == "source":
            state.write_bytes(newer)
        else:
            two.put("notebooks/a", newer)

    monkeypatch.setattr(BucketPlace, "create", create_and_apply)
    assert complaint in refused(two.enable)
    assert newer in (two.local("notebooks/a"), two.remote("notebooks/a"))
    assert two.local("notebooks/a")
    assert not (two.root / "notebooks/a/backend.tf").exists()


def test_a_state_that_disappears_before_its_turn_is_said(two: Team) -> None:
    two.enable()

    def delete() -> None:
        two.delete("notebooks/b")

    two.terraform.will("init notebooks/a", Answer(meanwhile=delete))
    error = refused(lambda: disable_states(two.open()))
    assert error == (
        f"notebooks/b: s3://{BUCKET}/{two.key('notebooks/b')} disappeared while the states were "
        "moved; run the command again to continue"
    )
    assert (two.root / "notebooks/b/backend.tf").is_file()


def test_a_copy_that_nobody_verified_moves_again_if_the_bucket_has_lost_it(two: Team) -> None:
    """As after a kill before the check, and a colleague who deleted the object."""
    before = two.local("notebooks/a")
    two.terraform.will("state pull notebooks/a", failure("killed"))
    refused(two.enable)
    two.delete("notebooks/a")
    two.enable()
    assert two.remote("notebooks/a") == before


def in_bucket(bucket: str = "var.state_bucket", prefix: str = "ml-infra") -> str:
    """Reads shared-infra/s3 as modules/common does, but for what is given."""
    return (
        'variable "state_bucket" {\n  type    = string\n  default = null\n}\n'
        'variable "state_prefix" {\n  type    = string\n  default = "ml-infra"\n}\n'
        'data "terraform_remote_state" "s3" {\n'
        '  backend = var.state_bucket == null ? "local" : "s3"\n'
        "  config = {\n"
        '    local = { path = "${path.module}/../../shared-infra/s3/terraform.tfstate" }\n'
        f"    s3    = {{ bucket = {bucket}\n"
        f'      key    = "{prefix}/shared-infra/s3/terraform.tfstate"\n'
        f'      region = "{REGION}" }}\n'
        '  }[var.state_bucket == null ? "local" : "s3"]\n}\n'
    )


FOLLOWING = in_bucket(prefix="${var.state_prefix}")
# Of another repository, which keeps its states below another prefix of the same bucket.
FOREIGN = (
    'data "terraform_remote_state" "theirs" {\n  backend = "s3"\n'
    f'  config = {{ bucket = "{BUCKET}", region = "{REGION}"\n'
    '    key = "theirs/shared-infra/s3/terraform.tfstate" }\n}\n'
)


def write_reader(team: Team, text: str) -> None:
    """notebooks/a, which is configured by `text`, and shared-infra/s3, which has a state."""
    team.make_bucket()
    team.deployed("shared-infra/s3")
    team.write("notebooks/a", text=text)
    (team.root / "notebooks/a/common.auto.tfvars").symlink_to("../../common.auto.tfvars")


@pytest.mark.parametrize(
    ("text", "prefix", "place"),
    [
        (reading("shared-infra/s3"), "ml-infra", "{root}/shared-infra/s3/terraform.tfstate"),
        (in_bucket(), "team/x", f"s3://{BUCKET}/ml-infra/shared-infra/s3/terraform.tfstate"),
        (
            in_bucket(bucket='"elsewhere"'),
            "ml-infra",
            "s3://elsewhere/ml-infra/shared-infra/s3/terraform.tfstate",
        ),
    ],
    ids=["a path", "a prefix", "a bucket"],
)
def test_a_read_that_would_not_follow_its_state_is_refused(
    team: Team, text: str, prefix: str, place: str
) -> None:
    write_reader(team, text)
    before = (team.root / "common.auto.tfvars").read_text()
    key = f"{prefix}/shared-infra/s3/terraform.tfstate"
    assert refused(lambda: team.enable(prefix=prefix)) == (
        f"notebooks/a would read the state of shared-infra/s3 at {place.format(root=team.root)}, "
        f"but it will be s3://{BUCKET}/{key}; take its place from var.state_bucket and "
        "var.state_prefix, as shared-infra/iam does, and set these in common.auto.tfvars alone"
    )
    assert (team.root / "common.auto.tfvars").read_text() == before
    assert team.local("shared-infra/s3")


def test_a_read_of_the_bucket_alone_is_refused_when_the_states_leave_it(team: Team) -> None:
    """It would go on with a copy that nothing updates."""
    write_reader(team, FOLLOWING)
    team.enable()
    fixed = FOLLOWING.replace("var.state_bucket", f'"{BUCKET}"')
    (team.root / "notebooks/a/main.tf").write_text(fixed)
    assert refused(lambda: disable_states(team.open())).startswith(
        f"notebooks/a would read the state of shared-infra/s3 at s3://{BUCKET}/ml-infra/"
    )
    assert (team.root / "shared-infra/s3/backend.tf").exists()


@pytest.mark.parametrize("prefix", ["ml-infra", "team/x"])
@pytest.mark.parametrize("text", [FOLLOWING, FOREIGN, "# terraform_remote_state, modules/common\n"])
def test_what_follows_and_what_another_repository_keeps_is_no_matter(
    team: Team, text: str, prefix: str, capsys: pytest.CaptureFixture[str]
) -> None:
    write_reader(team, text)
    team.enable(prefix=prefix)
    disable_states(team.open())
    assert team.local("shared-infra/s3")
    assert "warning" not in capsys.readouterr().err


@pytest.mark.parametrize(
    "call",
    [
        'file("{}")',
        'fileexists("{}")',
        'var.state_bucket == null ? jsondecode(file("{}")).outputs : null',
    ],
)
def test_a_function_that_reads_a_state_is_said_and_not_refused(
    team: Team, call: str, capsys: pytest.CaptureFixture[str]
) -> None:
    """It may be called under a condition, which is not followed."""
    expression = call.replace("{}", "../../shared-infra/s3/terraform.tfstate")
    write_reader(team, f"{FOLLOWING}locals {{\n  state = {expression}\n}}\n")
    team.enable()
    said = " ".join(capsys.readouterr().err.split())
    assert f"warning: notebooks/a reads {team.root}/shared-infra/s3/terraform.tfstate by a" in said
    assert f"it will be s3://{BUCKET}/{team.key('shared-infra/s3')}" in said


def test_a_stack_with_values_of_its_own_is_refused(team: Team) -> None:
    """In place of the link to what all stacks share, where state_bucket will be."""
    write_reader(team, FOLLOWING)
    values = team.root / "notebooks/a/common.auto.tfvars"
    values.unlink()
    values.write_text('project = "acme"\n')
    assert refused(team.enable).startswith("notebooks/a would read the state of shared-infra/s3")


def test_a_state_that_stays_where_it_is_may_be_read_there(team: Team) -> None:
    write_reader(team, FOLLOWING)
    team.enable()
    own_path = 'terraform {\n  backend "local" {\n    path = "../../net.tfstate"\n  }\n}\n'
    stack = team.deployed("shared-infra/net", text=own_path)
    (stack.path / "terraform.tfstate").rename(team.root / "net.tfstate")
    reads_it = reading("shared-infra/net").replace("shared-infra/net/terraform", "net")
    (team.root / "notebooks/a/main.tf").write_text(FOLLOWING + reads_it)
    disable_states(team.open())
    assert team.local("shared-infra/s3")


def test_what_a_person_writes_while_it_is_asked_is_kept(
    team: Team, monkeypatch: pytest.MonkeyPatch
) -> None:
    write_reader(team, FOLLOWING)
    common = team.root / "common.auto.tfvars"

    def confirm(session: Session, question: str) -> None:
        common.write_text(f'{common.read_text()}owner = "alice"\n')

    monkeypatch.setattr(Session, "confirm", confirm)
    team.enable()
    assert hcl_reading.read_tfvars(common)["owner"] == "alice"
    assert hcl_reading.read_tfvars(common)["state_bucket"] == BUCKET


def test_a_read_that_nobody_can_follow_is_said(
    team: Team, capsys: pytest.CaptureFixture[str]
) -> None:
    write_reader(team, FOLLOWING.replace('"${var.state_prefix}/', '"${data.aws_region.x.name}/'))
    team.enable()
    assert "see that it finds the states where they go" in " ".join(capsys.readouterr().err.split())


def test_states_go_from_a_bucket_to_another_by_way_of_their_folders(two: Team) -> None:
    two.enable()
    two.make_bucket("another-bucket")

    def move() -> None:
        enable_states(two.open(), BackendRequest(bucket="another-bucket"))

    key = two.key("notebooks/a")
    assert refused(move) == (
        f"notebooks/a keeps its state in s3://{BUCKET}/{key}, not in s3://another-bucket/{key}; "
        "move it back first: tools state disable"
    )
    state = two.remote("notebooks/a")
    disable_states(two.open())
    move()
    assert two.remote("notebooks/a", "another-bucket") == state


@pytest.mark.parametrize(
    ("bucket", "locking", "table"),
    [("another-bucket", "table", "our-locks"), (BUCKET, "file", "terraform-locks")],
)
def test_the_locking_of_a_bucket_is_not_that_of_another(
    team: Team, bucket: str, locking: str, table: str
) -> None:
    team.write("notebooks/a", text=BACKEND_OF_ANOTHER)
    (team.root / "notebooks/a/main.tf").rename(team.root / "notebooks/a/backend.tf")
    with (team.root / "common.auto.tfvars").open("a") as common:
        common.write('state_bucket = "another-bucket"\n')
    settings = stack_settings(BackendRequest(bucket=bucket), team.open().target)
    assert (settings.bucket, settings.locking, settings.table) == (bucket, locking, table)


@pytest.mark.parametrize(
    ("table", "mend"),
    [
        ("terraform-locks", f"create it: tools state bootstrap --bucket {BUCKET} --lock both"),
        ("our-locks", "create it, or name another in every backend.tf"),
    ],
)
def test_a_lock_table_that_is_missing_is_named_with_the_mend(
    team: Team, table: str, mend: str
) -> None:
    team.make_bucket()
    settings = Backend(BUCKET, REGION, "both", table=table)
    target = team.open().target
    missing = refused(lambda: check_state_bucket(settings, target))
    assert missing == f"there is no lock table {table} in {REGION}; {mend}"
    team.make_table(table)
    check_state_bucket(settings, target)
