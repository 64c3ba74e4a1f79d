"""A deployment's life, with all that the roots offer and the emulator knows, for its requests."""

import json
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any

from tests.terraform.chain import stacks
from tests.terraform.harness import Chain, Tree

Values = Mapping[str, Any]

SUFFIX = "eu"  # name_suffix of shared-infra/iam
BOOTSTRAP = "bootstrap"
ISOLATED = "notebooks/notebook-prod"
SHARED_ROLE = "notebooks/notebook-dev"
OPEN = json.dumps(
    {"Statement": [{"Effect": "Allow", "Principal": "*", "Action": "*", "Resource": "*"}]}
)


@dataclass(frozen=True)
class Network:
    """What the network's administrators have made: a VPC with a private subnet."""

    vpc: str
    subnet: str


def make_network(tree: Tree, client: Callable[..., Any]) -> Network:
    """A VPC for endpoints with private DNS, and with an internet gateway for a NAT gateway."""
    ec2 = client("ec2", account=tree.account)
    vpc = ec2.create_vpc(CidrBlock="10.3.0.0/16")["Vpc"]["VpcId"]
    ec2.modify_vpc_attribute(VpcId=vpc, EnableDnsHostnames={"Value": True})
    subnet = ec2.create_subnet(VpcId=vpc, CidrBlock="10.3.1.0/24")["Subnet"]["SubnetId"]
    gateway = ec2.create_internet_gateway()["InternetGateway"]["InternetGatewayId"]
    ec2.attach_internet_gateway(InternetGatewayId=gateway, VpcId=vpc)
    return Network(vpc, subnet)


def first(tree: Tree, network: Network) -> dict[str, dict[str, Any]]:
    """The values of the first deployment, by root."""
    return {
        "shared-infra/s3": {
            "access_log_bucket": states_bucket(tree),
            "create_kms_key": True,
            "log_groups": ["/aws/sagemaker/NotebookInstances"],
        },
        "shared-infra/iam": {"name_suffix": SUFFIX, "reserve_users": True},
        "shared-infra/security-groups": {
            "allow_internet_egress": True,
            "egress_cidrs": ["10.20.0.0/16"],
            "vpc_id": network.vpc,
        },
        "shared-infra/vpc-endpoints": {
            "nat_subnet": "10.3.255.0/28",
            "subnet_ids": [network.subnet],
        },
        SHARED_ROLE: {"schedule_stop": "19:00"},
        ISOLATED: {
            "isolated": True,
            "schedule_start": "08:00",
            "schedule_stop": "19:00",
            "use_shared_kms_key": True,
        },
    }


def second(tree: Tree) -> dict[str, dict[str, Any]]:
    """What the second deployment changes of the first: all that changes in place."""
    boundary = (
        f"arn:aws:iam::{tree.account}:policy/{tree.project}-{SUFFIX}-isolated-notebook-boundary"
    )
    return {
        "shared-infra/s3": {
            "access_log_bucket": None,
            "log_retention_days": 400,
            "noncurrent_version_expiration_days": 45,
        },
        "shared-infra/iam": {
            "bind_trust_to_account": True,
            "kms_key_arns": [f"arn:aws:kms:us-east-1:{tree.account}:key/other"],
            "permissions_boundary_arn": boundary,
            "reserve_users": False,
        },
        "shared-infra/security-groups": {
            "allow_internet_egress": False,
            "egress_cidrs": [],
            "endpoints_for_notebooks_only": True,
        },
        "shared-infra/vpc-endpoints": {"endpoint_policies": {"s3": OPEN, "ec2": OPEN}},
        SHARED_ROLE: {"schedule_stop": None, "idle_stop_minutes": 0, "owner": "somebody"},
        ISOLATED: {
            "idle_stop_minutes": 30,
            "instance_type": "ml.m5.xlarge",
            "schedule_stop": "20:00",
            "tags": {"Team": "growth"},
            "volume_size": 120,
        },
    }


def third(tree: Tree) -> dict[str, dict[str, Any]]:
    """What the third takes away again, so that it is asked for the other way round."""
    return {"shared-infra/iam": {"permissions_boundary_arn": None}, ISOLATED: {"tags": {}}}


def states_bucket(tree: Tree) -> str:
    return f"{tree.project}-states"


def live(tree: Tree, network: Network) -> None:
    """Deploys everything with its states in S3, changes it twice, and destroys it.

    The bucket of the states stays: nothing here destroys it.
    """
    _write(tree, {BOOTSTRAP: {"bucket": states_bucket(tree)}})
    tree.apply(BOOTSTRAP)
    _keep_states(tree)
    values = first(tree, network)
    with Chain(tree) as chain:
        for change in ({}, second(tree), third(tree)):
            changed = {stack: values[stack] | change.get(stack, {}) for stack in values}
            asked = [name for name in stacks(tree.root) if not change or name in change]
            _write(tree, changed)
            for stack in asked:
                chain.apply(stack)
            values = changed
        assert chain.changes() == {}
    tree.apply(BOOTSTRAP)


def _write(tree: Tree, values: Mapping[str, Values]) -> None:
    for root, chosen in values.items():
        (tree.root / root / "chosen.auto.tfvars.json").write_text(json.dumps(chosen))


def _keep_states(tree: Tree) -> None:
    bucket = states_bucket(tree)
    tree.set_common(project=tree.project, region="us-east-1", state_bucket=bucket)
    for stack in stacks(tree.root):
        (tree.root / stack / "backend.tf").write_text(
            'terraform {\n  backend "s3" {\n'
            f'    bucket       = "{bucket}"\n'
            f'    key          = "ml-infra/{stack}/terraform.tfstate"\n'
            '    region       = "us-east-1"\n'
            "    use_lockfile = true\n  }\n}\n"
        )
