"""The module's examples, as they are planned: each makes what its first line says."""

import re
import subprocess
from typing import Any

import pytest
import tftest

from tests.trees import REPOSITORY

from .harness import Tree

EXAMPLES = "modules/sagemaker-notebook/examples"
ROLE = "arn:aws:iam::123456789012:role/acme-ml-notebook"
BASE: dict[str, Any] = {
    "subnet_id": "subnet-0a1b2c3d4e5f67890",
    "security_group_ids": ["sg-0a1b2c3d4e5f67890"],
}
VALUES: dict[str, dict[str, Any]] = {
    "minimal": {"role_arn": ROLE},
    "scheduled": {"role_arn": ROLE},
    "git-source": {"role_arn": ROLE},
    "isolated": {
        "bucket_arns": ["arn:aws:s3:::acme-ml-datasets"],
        "permissions_boundary_arn": "arn:aws:iam::123456789012:policy/acme-ml-boundary",
        "policy_arns": {"logs": "arn:aws:iam::123456789012:policy/acme-ml-notebook-logs"},
        "project": "acme-ml",
    },
}


@pytest.fixture(scope="module")
def plan(planning: Tree) -> tftest.TerraformPlanOutput:
    take_from_git(planning)
    calls = {
        name: {**BASE, **values, "source": f"{EXAMPLES}/{name}"} for name, values in VALUES.items()
    }
    return planning.plan(planning.write_calls("examples", calls))


def take_from_git(tree: Tree) -> None:
    """Puts a repository on this machine in the place of the example's address."""
    origin = tree.root / "calls/origin"
    identity = ("-c", "user.name=t", "-c", "user.email=t@example.com")
    commands = (("init", "-q"), ("add", "-A"), (*identity, "commit", "-q", "-m", "m"))
    (origin / "modules").mkdir(parents=True)
    subprocess.run(["cp", "-r", tree.root / "modules", origin], check=True)
    for command in (*commands, ("rev-parse", "HEAD")):
        done = subprocess.run(
            ["git", *command], cwd=origin, check=True, capture_output=True, text=True
        )
    example = tree.root / EXAMPLES / "git-source/main.tf"
    text = example.read_text()
    places = ((r"https://[^\"]*\.git", f"file://{origin}"), ("[0-9a-f]{40}", done.stdout.strip()))
    for pattern, place in places:
        text, count = re.subn(pattern, place, text)
        assert count == 1, pattern
    example.write_text(text)


def planned(plan: tftest.TerraformPlanOutput, example: str) -> dict[str, dict[str, Any]]:
    """What an example would make, by its address in the module."""
    prefix = f"module.{example}.module.notebook."
    return {
        change["address"].removeprefix(prefix): change["change"]["after"]
        for change in plan._raw["resource_changes"]
        if change["address"].startswith(prefix)
    }


def test_each_folder_is_planned() -> None:
    folders = {path.name for path in (REPOSITORY / EXAMPLES).iterdir() if path.is_dir()}
    assert folders == VALUES.keys()


@pytest.mark.parametrize("example", ["minimal", "git-source"])
def test_the_least(plan: tftest.TerraformPlanOutput, example: str) -> None:
    made = planned(plan, example)
    notebook = made["aws_sagemaker_notebook_instance.this"]
    assert (notebook["name"], notebook["role_arn"]) == ("example", ROLE)
    assert [kind for kind in made if "iam" in kind or "scheduler" in kind] == []


def test_a_schedule(plan: tftest.TerraformPlanOutput) -> None:
    made = planned(plan, "scheduled")
    schedules = {
        name: (values["schedule_expression"], values["schedule_expression_timezone"])
        for name, values in made.items()
        if name.startswith("aws_scheduler_schedule.")
    }
    assert sorted(schedules.values()) == [
        ("cron(0 19 * * ? *)", "Europe/Berlin"),
        ("cron(0 8 ? * MON-FRI *)", "Europe/Berlin"),
    ]


def test_a_role_of_its_own(plan: tftest.TerraformPlanOutput) -> None:
    made = planned(plan, "isolated")
    role = next(values for kind, values in made.items() if kind.startswith("aws_iam_role."))
    assert role["name"] == "acme-ml-notebook-example"
    assert role["permissions_boundary"] == VALUES["isolated"]["permissions_boundary_arn"]
