"""What is evaluated: shared-infra and two notebooks, applied and planned, and their policies."""

import json
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any

from tests.terraform.harness import Chain, Tree, resources
from tools.layout.repository import Repository
from tools.scaffold import notebook, render

Policy = dict[str, Any]

REGION = "us-east-1"
ENDPOINT = "vpce-0a1b2c3d4e5f67890"
DEPLOYER = "deployer"
SUBNET = "subnet-0a1b2c3d4e5f67890"
GUARDRAIL = {"instance_types": ["ml.t3.*"], "subnet_ids": [SUBNET]}


@dataclass(frozen=True)
class Rendered:
    """Policies by name, such as `boundary` or `isolated/own-prefixes`, in account and project."""

    account: str
    project: str
    key: str
    policies: Mapping[str, Policy]
    changes: Mapping[str, Mapping[str, str]]


def rendered(tree: Tree, client: Callable[..., Any]) -> Rendered:
    """Applies shared-infra/iam and the isolated notebook `alice`, plans the other roots."""
    key = f"arn:aws:kms:{REGION}:{tree.account}:key/1234abcd-12ab-34cd-56ef-1234567890ab"
    names = {purpose: f"{tree.project}-{purpose}" for purpose in ("datasets", "models")}
    arns = {purpose: f"arn:aws:s3:::{name}" for purpose, name in names.items()}
    ec2 = client("ec2", account=tree.account)
    subnet = ec2.describe_subnets()["Subnets"][0]
    groups = ec2.describe_security_groups()["SecurityGroups"]
    group = next(g["GroupId"] for g in groups if g["VpcId"] == subnet["VpcId"])
    tree.write_state(
        "shared-infra/s3", {"bucket_arns": arns, "bucket_names": names, "kms_key_arns": [key]}
    )
    tree.write_state(
        "shared-infra/security-groups",
        {
            "endpoint_security_group_id": group,
            "notebook_security_group_id": group,
            "vpc_id": subnet["VpcId"],
        },
    )
    tree.write_state("shared-infra/vpc-endpoints", {"subnet_ids": [subnet["SubnetId"]]})
    chosen: dict[str, Any] = {
        "guardrail": {**GUARDRAIL, "volume_kms_key_arns": [key]},
        "reserve_users": True,
    }
    excepted = [f"arn:aws:iam::{tree.account}:role/{DEPLOYER}"]
    chosen["guardrail_except_principal_arns"] = excepted
    (tree.root / "shared-infra/iam/test.auto.tfvars.json").write_text(json.dumps(chosen))
    scaffold_isolated(tree, "alice")
    # Nothing is destroyed: the emulator, in which the tree has an account, ends with the session.
    chain = Chain(tree)
    chain.apply("shared-infra/iam")
    chain.apply("notebooks/alice")
    iam, alice = (tree.state(stack) for stack in chain.applied)
    return Rendered(
        tree.account,
        tree.project,
        key,
        {**_identity(iam, alice), **_planned(tree, names)},
        chain.changes(),
    )


def scaffold_isolated(tree: Tree, name: str) -> None:
    templates = tree.root / "templates/notebook"
    values = {
        "instance_type": "ml.t3.medium",
        "owner": name,
        "purpose": "isolated",
        "environment": "dev",
        "isolated": True,
    }
    made = notebook.make(name, values, render.variables(templates))
    render.write([made], Repository(tree.root), templates)


def _identity(iam: Mapping[str, Any], alice: Mapping[str, Any]) -> dict[str, Policy]:
    """The policies of the applied roles, and what the roots' outputs say for people."""
    managed = {
        values["arn"]: (address.split('"')[1], json.loads(values["policy"]))
        for address, values in iam["resources"].items()
        if address.startswith("aws_iam_policy.notebook")
    }
    found = {f"shared/{concern}": policy for concern, policy in managed.values()}
    inline = iam["resources"]["aws_iam_role_policy.pass_itself"]
    found["shared/pass-itself"] = json.loads(inline["policy"])
    for whose, address, root in (
        ("shared", "aws_iam_role.notebook", iam),
        ("isolated", "module.notebook.aws_iam_role.isolated[0]", alice),
    ):
        found[f"trust/{whose}"] = json.loads(root["resources"][address]["assume_role_policy"])
    found["boundary"] = json.loads(iam["resources"]["aws_iam_policy.isolation[0]"]["policy"])
    found["guardrail"] = json.loads(iam["outputs"]["guardrail_policy"])
    found["open"] = json.loads(alice["outputs"]["open_policy"])
    for address, values in alice["resources"].items():
        if address.startswith("module.notebook.aws_iam_role_policy_attachment."):
            concern, policy = managed[values["policy_arn"]]
            found[f"isolated/{concern}"] = policy
        if address.startswith("module.notebook.aws_iam_role_policy.own"):
            found["isolated/own-prefixes"] = json.loads(values["policy"])
    return found


def _planned(tree: Tree, names: Mapping[str, str]) -> dict[str, Policy]:
    """Policies of buckets, key and endpoints, known before anything is made."""
    common = {"project": tree.project, "region": REGION}
    strict = {
        "create_kms_key": True,
        "only_through_vpc_endpoints": {
            "endpoint_ids": [ENDPOINT],
            "except_principal_arns": [f"arn:aws:iam::{tree.account}:role/{DEPLOYER}"],
        },
    }
    calls = {
        "buckets": {**common, "source": "shared-infra/s3"},
        "strict": {**common, "source": "shared-infra/s3", **strict},
        "endpoints": {
            **common,
            "source": "shared-infra/vpc-endpoints",
            "interface_services": ["sagemaker.api", "sts"],
        },
    }
    plan = tree.plan(tree.write_calls("policies", calls))
    bucket = 'aws_s3_bucket_policy.tls_only["datasets"]'
    endpoints = resources(plan, "endpoints")
    texts = {
        "bucket": resources(plan, "buckets")[bucket]["policy"],
        "strict-bucket": resources(plan, "strict")[bucket]["policy"],
        "key": resources(plan, "strict")["aws_kms_key.shared[0]"]["policy"],
        "s3-endpoint": endpoints["aws_vpc_endpoint.s3[0]"]["policy"],
        "interface-endpoint": endpoints['aws_vpc_endpoint.interface["sagemaker.api"]']["policy"],
        "sts-endpoint": endpoints['aws_vpc_endpoint.interface["sts"]']["policy"],
    }
    return {name: json.loads(text) for name, text in texts.items()}
