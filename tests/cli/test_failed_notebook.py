"""A deployment of a notebook that has Failed: the real provider's errors, and what mends them."""

import json
import shlex
from collections.abc import Callable
from typing import Any
from uuid import uuid4

import pytest

from tests.cli.conftest import Checkout
from tests.roles import TRUST
from tests.trees import write_stack

ROOT = """
variable "name" {{
  default = "{name}"
}}
variable "instance_type" {{
  default = "{type}"
}}
provider "aws" {{
  region = "us-east-1"
}}
resource "aws_sagemaker_notebook_instance" "this" {{
  name          = var.name
  instance_type = var.instance_type
  role_arn      = "{role}"
  tags          = {{ "emulator:start" = "capacity ml.t3.medium" }}
}}
"""


@pytest.mark.usefixtures("kept_provider")
def test_what_deploy_says_of_a_failed_notebook_mends_it_with_its_volume(
    small: Checkout, client: Callable[..., Any]
) -> None:
    name, sagemaker = f"nb-{uuid4().hex[:8]}", client("sagemaker")
    role = client("iam").create_role(RoleName=name, AssumeRolePolicyDocument=json.dumps(TRUST))

    def write(instance_type: str) -> None:
        text = ROOT.format(name=name, type=instance_type, role=role["Role"]["Arn"])
        write_stack(small.root, f"notebooks/{name}", text)

    write("ml.t3.medium")
    made = small.tools("deploy", "--local")
    assert made.returncode == 1
    assert "Insufficient notebook instance capacity" in made.stderr
    assert f"tools start --local {name} --instance-type TYPE" in made.stderr
    created = sagemaker.describe_notebook_instance(NotebookInstanceName=name)["CreationTime"]

    # Terraform has marked it, and would replace it; the message says how that ends.
    said = next(line for line in made.stderr.splitlines() if " untaint " in line)
    untaint = shlex.split(said[said.index("-chdir=") :])[:3]
    assert small.run(small.program, *untaint).returncode == 0

    # A change of the type is what the provider cannot make.
    write("ml.m5.xlarge")
    changed = small.tools("deploy", "--local")
    assert changed.returncode == 1
    assert "Status (Failed) not in ([InService])" in changed.stderr
    assert f"then: tools deploy --local --refresh notebooks/{name}" in changed.stderr
    command = ("start", "--local", name, "--instance-type", "ml.m5.xlarge")
    started = small.tools(*command)
    assert started.returncode == 0, started.stderr

    done = small.tools("deploy", "--local", "--refresh", f"notebooks/{name}")
    assert done.returncode == 0, done.stderr
    after = sagemaker.describe_notebook_instance(NotebookInstanceName=name)
    assert after["CreationTime"] == created
    assert (after["NotebookInstanceStatus"], after["InstanceType"]) == ("InService", "ml.m5.xlarge")
