"""Notebooks and endpoints that have one security group in common, which the stacks have two of."""

import json
import secrets
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from tests.cli.conftest import Checkout
from tests.migration.legacy import checkout_in
from tests.roles import TRUST
from tools.localcloud.process import Running
from tools.terraform.binary import Terraform

AWS = Callable[..., Any]


@pytest.fixture
def checkout(tmp_path: Path, kept_terraform: Terraform, local_cloud: Running) -> Checkout:
    project = f"p{secrets.token_hex(4)}"
    return checkout_in(tmp_path / "repository", kept_terraform, local_cloud, project)


def build(name: str, client: AWS) -> list[dict[str, Any]]:
    """A notebook, an endpoint and their group, as an old state has them: type and attributes."""
    ec2, sagemaker = client("ec2"), client("sagemaker")
    vpc = ec2.create_vpc(CidrBlock="10.40.0.0/16")["Vpc"]["VpcId"]
    subnet = ec2.create_subnet(VpcId=vpc, CidrBlock="10.40.0.0/24")["Subnet"]["SubnetId"]
    group = ec2.create_security_group(GroupName=name, Description="d", VpcId=vpc)["GroupId"]
    link = ec2.create_vpc_endpoint(
        VpcId=vpc,
        VpcEndpointType="Interface",
        ServiceName="com.amazonaws.us-east-1.logs",
        SubnetIds=[subnet],
        SecurityGroupIds=[group],
    )["VpcEndpoint"]["VpcEndpointId"]
    trust = json.dumps(TRUST)
    role = client("iam").create_role(RoleName=name, AssumeRolePolicyDocument=trust)["Role"]["Arn"]
    instance = {"InstanceType": "ml.t3.medium", "RoleArn": role, "SubnetId": subnet}
    sagemaker.create_notebook_instance(
        NotebookInstanceName=name, SecurityGroupIds=[group], **instance
    )
    attributes: dict[str, dict[str, Any]] = {
        "aws_security_group": {"id": group, "vpc_id": vpc},
        "aws_vpc_endpoint": {
            "id": link,
            "vpc_id": vpc,
            "service_name": "com.amazonaws.us-east-1.logs",
            "vpc_endpoint_type": "Interface",
            "security_group_ids": [group],
            "subnet_ids": [subnet],
        },
        "aws_sagemaker_notebook_instance": {
            "id": name,
            "name": name,
            "role_arn": role,
            "security_groups": [group],
            "subnet_id": subnet,
        },
    }
    return [{"type": kind, "attributes": found} for kind, found in attributes.items()]


def state(resources: list[dict[str, Any]]) -> str:
    provider = 'provider["registry.terraform.io/hashicorp/aws"]'
    found = [
        {
            "mode": "managed",
            "type": one["type"],
            "name": "this",
            "provider": provider,
            "instances": [{"schema_version": 0, "attributes": one["attributes"]}],
        }
        for one in resources
    ]
    whole = {"version": 4, "terraform_version": "1.0.0", "serial": 1, "lineage": "old"}
    return json.dumps({**whole, "outputs": {}, "resources": found})


@pytest.mark.nightly
def test_what_reads_the_group_that_is_made_next_waits_for_it(
    checkout: Checkout, client: AWS, tmp_path: Path
) -> None:
    name = f"one{secrets.token_hex(4)}"
    old = tmp_path / "old.tfstate"
    resources = build(name, client)
    old.write_text(state(resources))
    script = tmp_path / "state-rm.sh"
    done = checkout.tools("migrate", str(old), "--local", "--script", str(script))
    assert done.returncode == 0, done.stdout + done.stderr
    first = "its plan can be made only after: tools deploy --local shared-infra/security-groups"
    assert first in done.stderr + done.stdout
    assert script.exists()
    link = resources[1]["attributes"]["id"]
    workspace = checkout.root / ".tools/local/workspace"
    held = json.loads((workspace / "shared-infra/vpc-endpoints/terraform.tfstate").read_text())
    assert link in json.dumps(held)
