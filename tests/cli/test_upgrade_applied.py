"""What the layout of eight files deployed, before and after `tools upgrade`.

The judges are plain Terraform's plan, by its exit code, and what the cloud says of the instance.
"""

import json
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any
from uuid import uuid4

import pytest

from tools.localcloud.client import environment
from tools.localcloud.process import Running

from .conftest import Checkout
from .test_upgrade import EIGHT_FILES, make_old

VALUES = """\
instance_type  = "ml.t3.medium"
owner          = "alice"
purpose        = "Made before (2026)"
environment    = "dev"
schedule_start = "08:00"
tags           = { Team = "growth" }
"""
# What the owner had changed: in which file, what the template has, and what became of it.
CHANGED = (
    ("variables", "  default     = 60\n", "  default     = 90\n"),
    (
        "outputs",
        'output "purpose" {',
        'output "mine" {\n  value = var.owner\n}\n\noutput "purpose" {',
    ),
    ("main", "= var.tags\n", '= merge(var.tags, { CostCenter = "42" })\n'),
)


@dataclass(frozen=True)
class Root:
    """A notebook's directory, and Terraform as a person runs it there."""

    checkout: Checkout
    directory: Path
    env: dict[str, str]
    client: Callable[..., Any]

    def terraform(self, *arguments: str) -> str:
        """What it said; whatever ends it with another code than 0 fails the test."""
        where = str(self.directory.relative_to(self.checkout.root))
        options = ("-input=false", "-no-color")
        done = self.checkout.run(self.checkout.program, *arguments, *options, cwd=where, **self.env)
        assert done.returncode == 0, done.stdout + done.stderr
        return done.stdout

    def plan(self) -> None:
        """A plan, which has to find nothing to change."""
        self.terraform("plan", "-detailed-exitcode")

    def outputs(self) -> dict[str, Any]:
        state = json.loads((self.directory / "terraform.tfstate").read_text())
        return {name: output["value"] for name, output in state["outputs"].items()}

    def in_aws(self) -> tuple[Any, dict[str, str]]:
        """All that AWS says of the instance, its ARN and its times included, and its tags."""
        sagemaker = self.client("sagemaker")
        found = sagemaker.describe_notebook_instance(NotebookInstanceName=self.directory.name)
        del found["ResponseMetadata"]
        tags = sagemaker.list_tags(ResourceArn=found["NotebookInstanceArn"])["Tags"]
        return found, {tag["Key"]: tag["Value"] for tag in tags}


@pytest.fixture
def root(
    attached: Checkout, kept_provider: None, local_cloud: Running, client: Callable[..., Any]
) -> Root:
    """A directory as `tools new-notebook` made it then, which its owner changed since."""
    name = f"from-before-{uuid4().hex[:8]}"
    (attached.root / "common.auto.tfvars").write_text('project = "before"\nregion = "us-east-1"\n')
    looked = attached.tools("upgrade", "--local", "--dry-run")  # makes the working copy
    assert looked.returncode == 0, looked.stderr
    work = attached.root / ".tools/local/workspace"
    write_shared_states(work / "shared-infra", name, client)
    changed = {file: EIGHT_FILES[f"{file}.tf"] for file, _, _ in CHANGED}
    for file, template, text in CHANGED:
        assert template in changed[file]
        changed[file] = changed[file].replace(template, text, 1)
    make_old(work, name, **changed)
    directory = work / "notebooks" / name
    (directory / "common.auto.tfvars").symlink_to("../../common.auto.tfvars")
    (directory / "terraform.tfvars").write_text(VALUES)
    return Root(attached, directory, environment(local_cloud.endpoint), client)


def write_shared_states(shared: Path, name: str, client: Callable[..., Any]) -> None:
    """States with what that layout's shared stacks put out, which is less than today's do."""
    iam, ec2 = client("iam"), client("ec2")
    trust = document("sts:AssumeRole", Principal={"Service": "sagemaker.amazonaws.com"})
    role = iam.create_role(RoleName=f"of-{name}", AssumeRolePolicyDocument=trust)["Role"]
    allowed = document("*", Resource="*")
    policy = iam.create_policy(PolicyName=f"of-{name}", PolicyDocument=allowed)["Policy"]["Arn"]
    isolation = {
        "bind_trust_to_account": True,
        "permissions_boundary_arn": policy,
        "policy_arns": {"logs": policy},
    }
    (subnet, *_) = ec2.describe_subnets()["Subnets"]
    in_vpc = [{"Name": "vpc-id", "Values": [subnet["VpcId"]]}]
    (group, *_) = ec2.describe_security_groups(Filters=in_vpc)["SecurityGroups"]
    for stack, outputs in {
        "iam": {"role_arn": role["Arn"], "isolation": isolation},
        "s3": {
            "bucket_arns": {"datasets": "arn:aws:s3:::before-datasets"},
            "bucket_names": {"datasets": "before-datasets"},
            "kms_key_arns": [],
        },
        "security-groups": {"notebook_security_group_id": group["GroupId"]},
        "vpc-endpoints": {"subnet_ids": [subnet["SubnetId"]]},
    }.items():
        (shared / stack / "terraform.tfstate").write_text(state(outputs))


def document(action: str, **more: Any) -> str:
    statement = {"Effect": "Allow", "Action": action, **more}
    return json.dumps({"Version": "2012-10-17", "Statement": [statement]})


def state(outputs: Mapping[str, Any]) -> str:
    typed = {name: {"value": value, "type": type_of(value)} for name, value in outputs.items()}
    head = {"version": 4, "terraform_version": "1.0.0", "serial": 1, "lineage": str(uuid4())}
    return json.dumps({**head, "outputs": typed, "resources": []})


def type_of(value: Any) -> Any:
    """The type of an output's value, as a state has it."""
    if isinstance(value, dict):
        return ["object", {key: type_of(item) for key, item in value.items()}]
    if isinstance(value, list):
        return ["tuple", [type_of(item) for item in value]]
    return "bool" if isinstance(value, bool) else "string"


@pytest.mark.nightly
@pytest.mark.parametrize("values", ["", "isolated = true\n"], ids=["the shared role", "isolated"])
def test_nothing_changes_in_aws(root: Root, values: str) -> None:
    name = root.directory.name
    with (root.directory / "terraform.tfvars").open("a") as file:
        file.write(values)
    root.terraform("init")
    root.terraform("apply", "-auto-approve")
    before, outputs = root.in_aws(), root.outputs()
    assert outputs["mine"] == "alice"
    assert before[1] == {
        **{"CostCenter": "42", "Team": "growth", "Environment": "dev", "Owner": "alice"},
        **{"Project": "before", "ManagedBy": "terraform", "Stack": f"notebooks/{name}"},
        **({"Notebook": name} if values else {}),
        "Purpose": "Made before  2026 ",  # AWS allows no brackets in a tag
    }
    # It goes on as it is, by today's module.
    root.plan()

    done = root.checkout.tools("upgrade", "--local", "--yes", name)
    assert done.returncode == 0, done.stderr
    assert {path.name for path in root.directory.glob("*.tf")} == {
        *("main.tf", "outputs.tf", "variables.tf", "versions.tf")
    }
    root.terraform("init")  # there is a new module
    # Today's templates have one output more, which is all that there is to apply.
    assert "Resources: 0 added, 0 changed, 0 destroyed." in root.terraform("apply", "-auto-approve")
    root.plan()
    assert root.in_aws() == before
    now = root.outputs()
    assert now.pop("lifecycle_script_room")
    assert now == outputs
    root.terraform("destroy", "-auto-approve")
