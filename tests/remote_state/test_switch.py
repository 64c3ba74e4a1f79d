"""States into a bucket and back: nothing is lost, whatever happens on the way."""

import json
import shutil
import signal
from collections.abc import Callable
from pathlib import Path
from typing import Any
from uuid import uuid4

import pytest

from tests.faults.proxy import Call, Refusal
from tests.trees import write_stack
from tools.aws import s3
from tools.errors import UserError
from tools.remote_state import transfer
from tools.state.place import BucketPlace, LocalPlace

from .conftest import (
    NEVER,
    READER,
    RESOURCE,
    UPSTREAM,
    VARIABLES,
    Team,
    copy_by_hand,
    make_bucket,
    write,
    write_upstream,
)

STACKS = (UPSTREAM, READER)


def test_the_states_move_as_they_are_and_nothing_is_to_be_changed(team: Team) -> None:
    before = {stack: team.local(stack) for stack in STACKS}
    said = team.enable()
    assert {stack: team.remote(stack) for stack in STACKS} == before
    assert [team.local(stack) for stack in STACKS] == [None, None]
    assert f"moved to s3://{team.bucket}/{team.key(READER)} (serial " in said
    assert (team.work / NEVER / "backend.tf").is_file()
    assert team.remote(NEVER) is None
    team.no_changes()
    assert team.enable().endswith("nothing to do\n")

    # Across stacks: the reader finds what the other has in the bucket.
    write_upstream(team, "two")
    team.deploy()
    assert team.output(READER) == "two"
    assert team.remote(NEVER)

    team.ok("state", "disable")
    assert "backend.tf" not in {file.name for file in team.work.glob("*/*/*")}
    team.no_changes()
    write_upstream(team, "three")
    team.deploy()
    assert json.loads(team.local(READER) or b"")["outputs"]["read"]["value"] == "three"

    # What the bucket still holds of before is an older copy of the same states.
    team.enable()
    team.no_changes()
    assert team.output(READER) == "three"


def test_a_state_that_another_terraform_wrote_moves_too(team: Team) -> None:
    """From 1.12 on a state says of each instance what 1.11 leaves out when it is asked for it."""
    path = team.work / READER / "terraform.tfstate"
    state = json.loads(path.read_text())
    for resource in state["resources"]:
        for instance in resource["instances"]:
            instance["identity_schema_version"] = 0
    path.write_text(json.dumps(state))
    team.enable()
    assert json.loads(team.remote(READER) or b"") == state
    team.no_changes()
    team.ok("state", "disable")
    assert json.loads(team.local(READER) or b"") == state


def test_what_differs_between_two_states_is_told(team: Team) -> None:
    text = team.local(READER) or b""
    state = json.loads(text)
    assert transfer.difference(text, text) is None
    assert transfer.difference(text, None) == "nothing is there"
    for part, said in ("lineage", "its lineage differs"), ("serial", "its serial differs"):
        changed = json.dumps({**state, part: "other"}).encode()
        assert transfer.difference(text, changed) == said
    state["resources"][0]["instances"][0]["attributes"]["id"] = "other"
    assert transfer.difference(text, json.dumps(state).encode()) == "its resources differ"


def test_what_comes_to_a_key_after_the_question_stays(team: Team) -> None:
    text = team.local(READER) or b""
    other = json.dumps({**json.loads(text), "lineage": str(uuid4())}).encode()
    endpoint = team.client("s3").meta.endpoint_url
    there = BucketPlace(team.bucket, team.key(READER), "us-east-1", s3.in_regions_of(endpoint))
    here = LocalPlace(team.work / "terraform.tfstate")
    for place in (there, here):
        place.write(other, "")
        with pytest.raises(UserError, match="holds the state of something else"):
            transfer._copy(text, place)
        assert place.read() == other


def test_a_plan_of_a_state_that_has_moved_since_is_not_applied(team: Team, tmp_path: Path) -> None:
    """Terraform would write to where the state was."""
    team.enable()
    write(team, READER, VARIABLES + RESOURCE + 'output "more" {\n  value = 1\n}\n')
    team.ok("plan", "--plan-dir", str(tmp_path / "plans"), READER)
    team.ok("state", "disable")
    before = team.remote(READER), team.local(READER)
    error = team.refused("deploy", "--plan-dir", str(tmp_path / "plans"))
    assert f"is of its state in s3://{team.bucket}/{team.key(READER)}, which is in" in error
    assert (team.remote(READER), team.local(READER)) == before


def test_a_move_that_was_not_verified_is_seen(team: Team) -> None:
    """The last stack's: all of them have their backend.tf."""
    shutil.rmtree(team.root / NEVER)
    (team.work / UPSTREAM / "terraform.tfstate").unlink()
    (team.work / UPSTREAM / "terraform.tfstate.record.json").unlink()
    aside = team.work / READER / "terraform.tfstate.unverified"
    for step in range(1, 30):
        team.killed_at(step, "state", "enable", "--bucket", team.bucket)
        if aside.exists() and not list(team.work.glob("*/*/terraform.tfstate")):
            break
    assert aside.exists()
    error = team.refused("deploy")
    assert f"{READER}: the move of its state into the bucket was cut short" in error
    assert "go on: tools state enable --local" in error
    # By plain Terraform somebody went on in the bucket.
    later = json.loads(team.remote(READER) or b"")
    text = json.dumps({**later, "serial": later["serial"] + 1}).encode()
    team.client("s3").put_object(Bucket=team.bucket, Key=team.key(READER), Body=text)
    assert "keeps its state, which changed after it was moved" in team.ok("state", "enable")
    assert team.remote(READER) == text
    assert not aside.exists()
    team.ok("deploy")


def test_a_backend_file_that_says_more_stays(team: Team) -> None:
    team.enable()
    file = team.work / READER / "backend.tf"
    text = file.read_text().replace("encrypt ", 'acl = "private"\n    encrypt ')
    file.write_text(text)
    assert team.enable().endswith("nothing to do\n")
    assert file.read_text() == text
    file.write_text(text.replace('    acl = "private"\n', "    # ours\n"))
    assert f"gets its {file.name}" in team.enable()


def test_a_new_notebook_comes_with_the_backend(team: Team) -> None:
    team.enable("--prefix", "team/x")
    made = team.ok("new-notebook", "later")
    assert "notebooks/later" in made
    text = (team.work / "notebooks/later/backend.tf").read_text()
    assert '"team/x/notebooks/later/terraform.tfstate"' in text
    assert "use_lockfile = true" in text
    # So does one that the repository gets, in the local cloud's copy of it.
    write_stack(team.root, "notebooks/other", "")
    team.ok("state", "list")
    assert "team/x/notebooks/other" in (team.work / "notebooks/other/backend.tf").read_text()


def test_the_prefix_is_a_setting(team: Team) -> None:
    team.enable("--prefix", "a/b")
    assert set(team.stored()) >= {f"a/b/{stack}/terraform.tfstate" for stack in STACKS}
    write_upstream(team, "two")
    team.deploy()
    found = json.loads(team.object(f"a/b/{READER}/terraform.tfstate") or b"")
    assert found["outputs"]["read"]["value"] == "two"


def test_the_list_says_where_each_state_lies(team: Team) -> None:
    before = json.loads(team.tools("state", "list", "--local", "--json").stdout)
    team.enable()
    rows = json.loads(team.tools("state", "list", "--local", "--json").stdout)
    by_name = {row["stack"]: row for row in rows}
    assert by_name[READER]["place"] == f"s3://{team.bucket}/{team.key(READER)}"
    assert by_name[NEVER]["serial"] is None
    for row in before:
        same = {key: by_name[row["stack"]][key] for key in ("serial", "resources", "size", "lock")}
        assert same == {key: row[key] for key in same}
    assert by_name[READER]["size"] == len(team.remote(READER) or b"")


@pytest.mark.parametrize("command", ["enable", "disable"])
@pytest.mark.nightly
def test_cut_short_at_any_step_it_goes_on(team: Team, command: str) -> None:
    """One state is on its way; a second stack has none."""
    (team.work / READER / "terraform.tfstate").unlink()
    (team.work / READER / "terraform.tfstate.record.json").unlink()
    before = team.local(UPSTREAM)
    assert before
    if command == "disable":
        team.enable()
    reset = team.snapshot()
    options = ("--bucket", team.bucket) if command == "enable" else ()
    for step in range(1, 30):
        killed = team.killed_at(step, "state", command, *options)
        if killed.returncode == 0:
            break
        assert killed.returncode == -signal.SIGKILL, killed.stderr
        assert before in (team.local(UPSTREAM), team.remote(UPSTREAM)), step
        team.ok("state", command, *options)
        here, there = team.local(UPSTREAM), team.remote(UPSTREAM)
        assert (here, there)[command == "enable"] == before, step
        assert command == "disable" or here is None, step
        assert not list(team.work.glob("*/*/*.unverified")), step
        reset()
    # Each step was passed: the last run was cut short nowhere.
    assert step > 7, killed.stdout + killed.stderr


def test_what_is_half_way_is_refused_by_the_others(team: Team) -> None:
    killed = team.killed_at(6, "state", "enable", "--bucket", team.bucket)
    assert killed.returncode == -signal.SIGKILL, killed.stderr
    for command in ("deploy", "plan", "destroy", "drift"):
        assert "tools state enable" in team.refused(command)
    team.ok("state", "enable")  # which bucket it was is known
    team.no_changes()


def test_a_key_that_holds_another_state_is_refused(team: Team) -> None:
    other = json.loads(team.local(READER) or b"")
    text = json.dumps({**other, "lineage": str(uuid4())}).encode()
    team.client("s3").put_object(Bucket=team.bucket, Key=team.key(READER), Body=text)
    error = team.refused("state", "enable", "--bucket", team.bucket)
    assert f"s3://{team.bucket}/{team.key(READER)} holds the state of something else" in error
    assert team.stored() == [team.key(READER)]
    assert team.remote(READER) == text
    assert not list(team.work.glob("*/*/backend.tf"))
    assert "state_bucket" not in (team.work / "common.auto.tfvars").read_text()


def test_a_key_that_holds_a_state_is_refused_to_a_stack_without_one(team: Team) -> None:
    text = team.local(READER) or b""
    team.client("s3").put_object(Bucket=team.bucket, Key=team.key(NEVER), Body=text)
    error = team.refused("state", "enable", "--bucket", team.bucket)
    assert "holds a state already" in error
    assert team.stored() == [team.key(NEVER)]


def test_a_state_that_went_on_elsewhere_is_refused(team: Team) -> None:
    newer = json.loads(team.local(READER) or b"")
    text = json.dumps({**newer, "serial": newer["serial"] + 1}).encode()
    team.client("s3").put_object(Bucket=team.bucket, Key=team.key(READER), Body=text)
    error = team.refused("state", "enable", "--bucket", team.bucket)
    assert "holds the same state with other changes" in error
    assert team.remote(READER) == text


def test_a_copy_of_a_state_is_refused_before_anything_is_moved(team: Team) -> None:
    copy_by_hand(team, READER, "notebooks/copy")
    error = team.refused("state", "enable", "--bucket", team.bucket)
    assert "hold the same state: one is a copy" in error
    assert team.stored() == []
    (team.work / "notebooks/copy/terraform.tfstate").unlink()
    team.enable()
    # What the last init left in the copy leads to the original's state.
    copy_by_hand(team, READER, "notebooks/other")
    (team.work / "notebooks/other/backend.tf").unlink()
    for command in ("enable", "disable"):
        error = team.refused("state", command)
        assert f"notebooks/other/.terraform is a copy of {READER}'s" in error
    shutil.rmtree(team.work / "notebooks/other/.terraform")
    team.enable()
    assert team.remote("notebooks/other") is None


def test_a_bucket_set_by_hand_is_refused(team: Team) -> None:
    team.enable()
    common = team.work / "common.auto.tfvars"
    common.write_text(common.read_text().replace(team.bucket, "another-bucket"))
    assert "as common.auto.tfvars says: correct state_bucket" in team.refused("plan")


def test_buckets_that_are_not_fit(team: Team, client: Callable[..., Any]) -> None:
    plain, far = (f"{kind}-{uuid4().hex[:8]}" for kind in ("plain", "far"))
    make_bucket(client, plain, versioned=False)
    client("s3", region="eu-west-1").create_bucket(
        Bucket=far, CreateBucketConfiguration={"LocationConstraint": "eu-west-1"}
    )
    for name, reason in {
        f"missing-{uuid4().hex}": "create it: tools state bootstrap --local --bucket missing-",
        far: "is in eu-west-1, but the stacks read each other's states in us-east-1",
        plain: "is not versioned",
        "No_Bucket": "a bucket's name has 3 to 63",
    }.items():
        error = team.refused("state", "enable", "--bucket", name)
        assert reason in error
        assert not list(team.work.glob("*/*/backend.tf"))
    team.ok("state", "enable", "--bucket", plain, "--allow-unversioned")
    team.no_changes()


def test_a_bucket_of_another_account(team: Team) -> None:
    # As S3 answers where the owner is not the one that was expected: a HEAD has no more to say.
    with team.refusing(Call("s3", f"HEAD {team.bucket}"), Refusal(403, "AccessDenied")):
        error = team.refused("state", "enable", "--bucket", team.bucket)
    assert "is another account's, or these credentials may not use it" in error
    assert not list(team.work.glob("*/*/backend.tf"))


def test_a_bucket_that_may_not_be_written(team: Team) -> None:
    with team.refusing(Call("s3", "PUT .write-check"), Refusal(403, "AccessDenied")):
        error = team.refused("state", "enable", "--bucket", team.bucket)
    assert "AccessDenied" in error
    assert not list(team.work.glob("*/*/backend.tf"))
    assert team.stored() == []


def test_other_backends_are_left_alone(team: Team) -> None:
    text = 'terraform {\n  backend "local" {\n    path = "elsewhere.tfstate"\n  }\n}\n'
    write_stack(team.root, NEVER, text)
    error = team.refused("state", "enable", "--bucket", team.bucket)
    assert f"{NEVER}/main.tf has a backend block (local) of your own" in error
    assert team.stored() == []


def test_no_bucket_and_no_states_there(team: Team) -> None:
    assert "no bucket is set; name one with --bucket" in team.refused("state", "enable")
    assert "nothing to do" in team.ok("state", "disable")
    assert "a prefix of the states' keys" not in team.enable()
    assert "is not a prefix of the states' keys" in team.refused(
        "state", "enable", "--prefix", "/x"
    )
