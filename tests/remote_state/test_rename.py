"""A notebook renamed: directory, key and record together; its instance keeps its name."""

import json
import signal
from collections.abc import Callable
from typing import Any
from uuid import uuid4

import pytest

from tests.cli.conftest import Checkout
from tests.trees import write_stack
from tools.hcl import reading

from .conftest import NEVER, READER, Team, write

# As much of a notebook as its name needs.
NOTEBOOK = (
    'variable "state_bucket" {\n  default = null\n}\nvariable "project" {}\nvariable "region" {}\n'
    'variable "name" {\n  default = null\n}\n'
    'provider "aws" {\n  region = var.region\n}\n'
    'resource "aws_iam_role" "this" {\n  name_prefix        = "renamed"\n'
    "  assume_role_policy = jsonencode({ Statement = [{\n"
    '    Effect = "Allow", Action = "sts:AssumeRole",\n'
    '    Principal = { Service = "sagemaker.amazonaws.com" }\n  }] })\n}\n'
    'resource "aws_sagemaker_notebook_instance" "this" {\n'
    "  name          = coalesce(var.name, basename(abspath(path.root)))\n"
    '  role_arn      = aws_iam_role.this.arn\n  instance_type = "ml.t3.medium"\n}\n'
)


def test_what_was_never_applied_needs_no_account(checkout: Checkout) -> None:
    """There are no credentials in its environment."""
    (checkout.root / "common.auto.tfvars").write_text('project = "p"\nregion = "us-east-1"\n')
    done = checkout.tools("rename-notebook", "notebook-dev", "other", "--yes")
    assert done.returncode == 0, done.stderr
    assert (checkout.root / "notebooks/other/main.tf").is_file()
    assert not (checkout.root / "notebooks/notebook-dev").exists()


def add(team: Team, name: str, text: str) -> None:
    """A notebook of the local cloud's working copy alone, applied."""
    write(Team(team.work, team.env, team.bucket, team.client), f"notebooks/{name}", text)
    team.ok("deploy", name)


@pytest.mark.parametrize(
    "in_bucket",
    [
        pytest.param(False, id="on this machine"),
        pytest.param(True, id="in a bucket", marks=pytest.mark.nightly),
    ],
)
def test_the_instance_stays(
    team_with_kept_provider: Team, client: Callable[..., Any], in_bucket: bool
) -> None:
    team = team_with_kept_provider
    old, new = f"old-{uuid4().hex[:8]}", f"new-{uuid4().hex[:8]}"
    add(team, old, NOTEBOOK)
    if in_bucket:
        team.enable()
        team.ok("deploy", old)
    said = team.ok("rename-notebook", old, new)
    assert f"AWS cannot rename an instance: it is still called {old}" in said
    assert not (team.work / "notebooks" / old).exists()
    values = reading.read_tfvars(team.work / "notebooks" / new / "terraform.tfvars")
    assert values == {"name": old}
    planned = team.ok("plan", new, "--refresh", "--detailed-exitcode")
    assert "1 of 1 stacks: no changes" in planned
    listed = json.loads(team.tools("list", "--local", "--json").stdout)
    by_name = {row["stack"]: row["status"] for row in listed}
    assert f"notebooks/{old}" not in by_name
    # Its record went with it: the next run knows what the last one applied.
    assert by_name[f"notebooks/{new}"] == "changed since"
    if in_bucket:
        assert [key for key in team.stored() if old in key] == []
        assert team.key(f"notebooks/{new}") in team.stored()
    names = {
        found["NotebookInstanceName"]
        for found in client("sagemaker").list_notebook_instances(NameContains="-")[
            "NotebookInstances"
        ]
    }
    assert old in names
    assert new not in names
    said = team.ok("rename-notebook", new, old)
    assert team.ok("plan", old, "--refresh", "--detailed-exitcode")
    team.ok("destroy", old)


@pytest.mark.nightly
def test_another_name_for_the_instance_is_said_to_replace_it(team_with_kept_provider: Team) -> None:
    team = team_with_kept_provider
    old, new = f"old-{uuid4().hex[:8]}", f"new-{uuid4().hex[:8]}"
    add(team, old, NOTEBOOK)
    said = team.ok("rename-notebook", old, new, "--rename-instance")
    assert f"the next apply replaces {old} by {new}, and its volume is lost" in said
    planned = json.loads(team.tools("plan", "--local", "--json", new).stdout)
    assert [change["action"] for change in planned[0]["changes"]] == ["replace"]
    team.ok("destroy", new)


@pytest.mark.nightly
def test_cut_short_at_any_step_it_goes_on(team: Team) -> None:
    add(team, "old", 'resource "terraform_data" "this" {\n  input = "x"\n}\n')
    team.enable()
    team.ok("deploy", "old")
    before = team.remote("notebooks/old")
    assert before
    reset = team.snapshot()
    for step in range(1, 30):
        killed = team.killed_at(step, "rename-notebook", "old", "new")
        if killed.returncode == 0:
            break
        assert killed.returncode == -signal.SIGKILL, killed.stderr
        assert before in (team.remote("notebooks/old"), team.remote("notebooks/new")), step
        team.ok("rename-notebook", "old", "new")
        assert team.remote("notebooks/new") == before, step
        assert [key for key in team.stored() if "/old/" in key] == []
        assert not (team.work / "notebooks/old").exists()
        reset()
    assert step > 7, killed.stdout + killed.stderr


def test_a_renaming_by_hand_on_this_machine_keeps_the_instance(
    team_with_kept_provider: Team,
) -> None:
    team = team_with_kept_provider
    old, new = f"old-{uuid4().hex[:8]}", f"new-{uuid4().hex[:8]}"
    add(team, old, NOTEBOOK)
    (team.work / "notebooks" / old).rename(team.work / "notebooks" / new)
    team.ok("rename-notebook", old, new)
    values = reading.read_tfvars(team.work / "notebooks" / new / "terraform.tfvars")
    assert values == {"name": old}
    team.ok("plan", new, "--refresh", "--detailed-exitcode")
    team.ok("destroy", new)


def test_a_backend_file_that_says_more_is_kept(team: Team) -> None:
    add(team, "old", 'resource "terraform_data" "this" {\n  input = "x"\n}\n')
    team.enable()
    team.ok("deploy", "old")
    file = team.work / "notebooks/old/backend.tf"
    text = file.read_text().replace("encrypt ", 'acl = "private"\n    encrypt ')
    file.write_text(text)
    team.ok("rename-notebook", "old", "new")
    kept = (team.work / "notebooks/new/backend.tf").read_text()
    assert kept == text.replace("notebooks/old/", "notebooks/new/")
    assert team.remote("notebooks/new")


def test_a_renaming_by_hand_is_finished(team: Team) -> None:
    add(team, "old", 'resource "terraform_data" "this" {\n  input = "x"\n}\n')
    team.enable()
    team.ok("deploy", "old")
    before = team.remote("notebooks/old")
    (team.work / "notebooks/old").rename(team.work / "notebooks/new")
    team.ok("rename-notebook", "old", "new")
    assert team.remote("notebooks/new") == before
    team.ok("plan", "new", "--refresh", "--detailed-exitcode")


def test_a_renaming_by_hand_is_finished_in_whichever_file_the_backend_is(team: Team) -> None:
    """As a user has it, who puts the block into versions.tf."""
    add(team, "old", 'resource "terraform_data" "this" {\n  input = "x"\n}\n')
    team.enable()
    team.ok("deploy", "old")
    before = team.remote("notebooks/old")
    old, new = team.work / "notebooks/old", team.work / "notebooks/new"
    text = f"terraform {{}}\n{(old / 'backend.tf').read_text()}"
    (old / "versions.tf").write_text(text)
    (old / "backend.tf").unlink()
    old.rename(new)
    said = team.refused("plan", "new")
    assert "versions.tf names the state of notebooks/old, which has no directory" in said
    assert "if it was renamed: tools rename-notebook old new --local" in said
    team.ok("rename-notebook", "old", "new")
    assert (new / "versions.tf").read_text() == text.replace("/old/", "/new/")
    assert not (new / "backend.tf").exists()
    assert team.remote("notebooks/new") == before
    assert team.remote("notebooks/old") is None
    team.ok("plan", "new", "--refresh", "--detailed-exitcode")


@pytest.mark.parametrize(
    ("versions", "state"),
    [
        pytest.param("", "terraform.tfstate", id="in its place"),
        pytest.param(
            'terraform {\n  backend "local" {\n    path = "../old.tfstate"\n  }\n}\n',
            "../old.tfstate",
            id="where a block says",
        ),
    ],
)
def test_a_renaming_by_hand_is_known_by_the_tags_of_the_state(
    team: Team, versions: str, state: str
) -> None:
    """As the guard knows it: an imported instance has another name than its directory."""
    new = write_stack(team.work, "notebooks/new", "")
    (new / "versions.tf").write_text(versions)
    attributes = {"name": "theirs", "tags_all": {"Stack": "notebooks/old"}}
    resource = {
        "mode": "managed",
        "type": "aws_sagemaker_notebook_instance",
        "name": "this",
        "provider": 'provider["registry.terraform.io/hashicorp/aws"]',
        "instances": [{"schema_version": 0, "attributes": attributes}],
    }
    whole = {"version": 4, "serial": 1, "lineage": "l", "outputs": {}, "resources": [resource]}
    (new / state).write_text(json.dumps(whole))
    assert "the state of notebooks/new is not of it" in team.refused(
        "rename-notebook", "another", "new"
    )
    team.ok("rename-notebook", "old", "new")
    assert reading.read_tfvars(new / "terraform.tfvars") == {"name": "theirs"}
    assert '"Stack": "notebooks/new"' in (new / state).read_text()


def test_copies_that_the_bucket_keeps_are_no_orphans(team: Team) -> None:
    """To destroy one would be to destroy what the renamed notebook has."""
    add(team, "old", 'resource "terraform_data" "this" {\n  input = "x"\n}\n')
    team.enable()
    team.ok("state", "disable")
    team.ok("rename-notebook", "old", "new")
    team.enable()
    assert team.remote("notebooks/old")
    assert "orphan" not in team.tools("list", "--local").stdout
    assert "no orphans" in team.ok("destroy", "--orphan")
    team.ok("deploy", "new")


def test_states_in_places_of_their_own_are_refused(team: Team) -> None:
    add(team, "old", 'resource "terraform_data" "this" {\n  input = "x"\n}\n')
    team.enable()
    old = team.work / "notebooks/old"
    text = (old / "backend.tf").read_text()
    (old / "backend.tf").write_text(text.replace("ml-infra/notebooks/old/", "teams/mine/"))
    assert "which is a key of its own" in team.refused("rename-notebook", "old", "new")
    (old / "backend.tf").rename(old / "versions.tf")
    assert "set its instance's name in terraform.tfvars (name) and the new key" in team.refused(
        "rename-notebook", "old", "new"
    )
    (old / "versions.tf").rename(old / "backend.tf")
    (old / ".terraform/environment").write_text("other")
    assert "do not say where its state is" in team.refused("rename-notebook", "old", "new")
    assert old.is_dir()


def test_what_is_refused(team: Team) -> None:
    add(team, "old", 'output "x" {\n  value = 1\n}\n')
    write_stack(
        team.work,
        "notebooks/reads",
        'data "terraform_remote_state" "old" {\n  backend = "local"\n'
        '  config  = { path = "${path.module}/../old/terraform.tfstate" }\n}\n',
    )
    before = sorted(path.name for path in (team.work / "notebooks").iterdir())
    for old, new, reason in [
        ("none", "new", "there is no notebooks/none"),
        ("old", "old", "notebooks/old exists already"),
        ("old", "READS", "notebooks/reads exists already"),
        ("old", "a_b", "is not a name for a notebook"),
        ("old", "../x", "is not a name for a notebook"),
        ("../old", "x", "is not a notebook's name"),
        ("gone", "old", "there is no notebooks/gone"),
        ("old", "new", "notebooks/reads reads the state of notebooks/old"),
        (READER.split("/")[1], "new", "is the repository's: rename it there, without --local"),
    ]:
        assert reason in team.refused("rename-notebook", old, new)
        assert sorted(path.name for path in (team.work / "notebooks").iterdir()) == before
    (team.work / "notebooks/reads/main.tf").write_text("")
    team.enable()
    text = team.remote(READER)
    team.client("s3").put_object(Bucket=team.bucket, Key=team.key("notebooks/new"), Body=text)
    assert "holds the state of something else" in team.refused("rename-notebook", "old", "new")
    assert team.remote("notebooks/new") == text
    assert NEVER.split("/")[1] in before
