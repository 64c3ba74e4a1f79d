"""`tools upgrade` as a process: one question, all directories or none."""

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any
from uuid import uuid4

import pytest

from tests.trees import REPOSITORY
from tools.scaffold import upgrade

from .conftest import Checkout

EIGHT_FILES = upgrade.read_layouts(REPOSITORY / "templates/notebook")[0]


def make_old(root: Path, name: str, **changed: str) -> dict[str, str]:
    """A notebook of the older layout; returns its files."""
    directory = root / "notebooks" / name
    directory.mkdir(parents=True)
    files = {**EIGHT_FILES, **{f"{file}.tf": text for file, text in changed.items()}}
    for file, text in files.items():
        (directory / file).write_text(text)
    return content(root, name)


def content(root: Path, name: str) -> dict[str, str]:
    return {path.name: path.read_text() for path in (root / "notebooks" / name).iterdir()}


def test_one_that_does_not_fit_keeps_all_from_being_written(small: Checkout) -> None:
    work = small.root / ".tools/local/workspace"
    (small.root / "common.auto.tfvars").write_text('project = "p"\nregion = "us-east-1"\n')
    changed = EIGHT_FILES["main.tf"].replace("var.subnet_id", '"subnet-0a1b2c3d"')
    before = {"a": make_old(work, "a"), "b": make_old(work, "b", main=changed)}
    (work / "notebooks" / "link").symlink_to("a")
    done = small.tools("upgrade", "--local")
    assert done.returncode == 1, done.stdout
    assert "notebooks/b/main.tf, line 13: module.notebook: you changed subnet_id" in done.stderr
    assert "1 of your changes cannot be merged; nothing was written" in done.stderr
    assert {name: content(work, name) for name in before} == before

    looked = small.tools("upgrade", "--local", "a", "--dry-run")
    assert looked.returncode == 0, looked.stderr
    assert "--- notebooks/a/guard.tf\n+++ /dev/null" in looked.stdout
    assert content(work, "a") == before["a"]
    done = small.tools("upgrade", "--local", "a")
    assert done.returncode == 0, done.stderr
    assert "upgraded notebooks/a\n" in done.stderr
    assert "guard.tf" not in content(work, "a")
    assert content(work, "b") == before["b"]


def shared_state(outputs: dict[str, Any]) -> str:
    """A state with outputs alone, as an applied shared stack leaves them for notebooks."""
    return json.dumps(
        {
            "version": 4,
            "terraform_version": "1.0.0",
            "serial": 1,
            "lineage": str(uuid4()),
            "outputs": {
                name: {"value": value, "type": _type(value)} for name, value in outputs.items()
            },
            "resources": [],
        }
    )


def _type(value: Any) -> Any:
    if isinstance(value, dict):
        return ["object", {key: _type(item) for key, item in value.items()}]
    return ["tuple", [_type(item) for item in value]] if isinstance(value, list) else "string"


@pytest.mark.usefixtures("kept_provider")
def test_what_the_older_layout_deployed_goes_on_unchanged(
    attached: Checkout, client: Callable[..., Any]
) -> None:
    """Applied as eight files, then upgraded: Terraform plans nothing, and no tag is lost."""
    name = f"from-before-{uuid4().hex[:8]}"
    (attached.root / "common.auto.tfvars").write_text('project = "p"\nregion = "us-east-1"\n')
    assert attached.tools("plan", "--local", "notebook-dev").returncode == 1  # makes the copy
    work = attached.root / ".tools/local/workspace"
    (subnet, *_) = client("ec2").describe_subnets()["Subnets"]
    for stack, outputs in {
        "iam": {"role_arn": "arn:aws:iam::000000000000:role/p-notebook"},
        "s3": {"bucket_arns": {}, "bucket_names": {"datasets": "p-datasets"}, "kms_key_arns": []},
        "security-groups": {"notebook_security_group_id": "sg-0a1b2c3d"},
        "vpc-endpoints": {"subnet_ids": [subnet["SubnetId"]]},
    }.items():
        (work / "shared-infra" / stack / "terraform.tfstate").write_text(shared_state(outputs))
    mine = '\noutput "mine" {\n  value = var.owner\n}\n'
    make_old(work, name, outputs=EIGHT_FILES["outputs.tf"] + mine)
    directory = work / "notebooks" / name
    (directory / "common.auto.tfvars").symlink_to("../../common.auto.tfvars")
    (directory / "terraform.tfvars").write_text(
        'instance_type = "ml.t3.medium"\nowner = "alice"\npurpose = "Before"\n'
        'environment = "dev"\ntags = { Team = "growth" }\n'
    )

    def seen() -> tuple[Any, Any]:
        sagemaker = client("sagemaker")
        found = sagemaker.describe_notebook_instance(NotebookInstanceName=name)
        del found["ResponseMetadata"]
        return found, sagemaker.list_tags(ResourceArn=found["NotebookInstanceArn"])["Tags"]

    deployed = attached.tools("deploy", "--local", name)
    assert deployed.returncode == 0, deployed.stderr
    before = seen()
    assert {"Key": "Team", "Value": "growth"} in before[1]
    assert attached.tools("upgrade", "--local", name).returncode == 0
    assert not (directory / "guard.tf").exists()
    assert mine in (directory / "outputs.tf").read_text()
    planned = attached.tools("plan", "--local", name, "--refresh", "--detailed-exitcode")
    assert planned.returncode == 0, planned.stdout + planned.stderr
    assert seen() == before
    assert attached.tools("destroy", "--local", name).returncode == 0
