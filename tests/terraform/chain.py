"""What has to be true of the roots, however they were applied."""

import json
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import Any

import pytest
from botocore.exceptions import ClientError

from tools.layout.repository import Repository

from .harness import Tree, statements

AwsClient = Callable[[str], Any]


def clients(tree: Tree, client: Callable[..., Any]) -> AwsClient:
    """`client(service)` for the tree's own account."""
    return lambda service: client(service, account=tree.account)


def stacks(root: Path) -> list[str]:
    """Every stack of the repository in `root`, upstream first."""
    return [stack.name for stack in Repository(root).stacks()]


def check_deployed(outputs: Mapping[str, Mapping[str, Any]], aws: AwsClient) -> None:
    """`outputs` are those of every stack, by the stack's name without its folder."""
    check_role(outputs["iam"], [*outputs["s3"]["bucket_arns"].values()], aws("iam"))
    check_network(outputs["security-groups"], outputs["vpc-endpoints"], aws("ec2"))
    for name in outputs.keys() - {"iam", "s3", "security-groups", "vpc-endpoints"}:
        check_notebook(name, outputs, aws("sagemaker"))


def check_role(role: Mapping[str, Any], buckets: Sequence[str], iam: Any) -> None:
    name = role["role_name"]
    attached = iam.list_attached_role_policies(RoleName=name)["AttachedPolicies"]
    assert {p["PolicyArn"] for p in attached} == {*role["policy_arns"].values()}

    s3 = iam.get_policy_version(PolicyArn=role["policy_arns"]["s3"], VersionId="v1")
    reached = statements(json.dumps(s3["PolicyVersion"]["Document"]))
    assert reached["ListSharedBuckets"]["Resource"] == sorted(buckets)

    assert iam.list_role_policies(RoleName=name)["PolicyNames"] == ["pass-itself"]
    own = iam.get_role_policy(RoleName=name, PolicyName="pass-itself")
    assert statements(json.dumps(own["PolicyDocument"])) == {
        "PassItselfToSageMaker": {
            "Sid": "PassItselfToSageMaker",
            "Effect": "Allow",
            "Action": ["iam:PassRole"],
            "Resource": [role["role_arn"]],
            "Condition": {"StringEquals": {"iam:PassedToService": "sagemaker.amazonaws.com"}},
        }
    }


def check_network(groups: Mapping[str, Any], endpoints: Mapping[str, Any], ec2: Any) -> None:
    found = ec2.describe_vpc_endpoints(VpcEndpointIds=[*endpoints["endpoint_ids"].values()])
    by_type: dict[str, list[Any]] = {"Gateway": [], "Interface": []}
    for endpoint in found["VpcEndpoints"]:
        assert endpoint["VpcId"] == groups["vpc_id"]
        by_type[endpoint["VpcEndpointType"]].append(endpoint)
    assert [e["RouteTableIds"] for e in by_type["Gateway"]] == [endpoints["route_table_ids"]]
    assert len(by_type["Interface"]) == 3
    for endpoint in by_type["Interface"]:
        assert endpoint["SubnetIds"] == endpoints["subnet_ids"]
        assert [g["GroupId"] for g in endpoint["Groups"]] == [groups["endpoint_security_group_id"]]


def check_notebook(name: str, outputs: Mapping[str, Any], sagemaker: Any) -> None:
    found = sagemaker.describe_notebook_instance(NotebookInstanceName=name)
    assert found["NotebookInstanceStatus"] == "InService"
    assert found["RoleArn"] == outputs["iam"]["role_arn"]
    assert found["SubnetId"] == outputs["vpc-endpoints"]["subnet_ids"][0]
    assert found["SecurityGroups"] == [outputs["security-groups"]["notebook_security_group_id"]]
    assert outputs[name]["notebook_url"] == f"https://{found['Url']}"
    assert outputs[name]["bucket_names"] == outputs["s3"]["bucket_names"]


def check_encryption(outputs: Mapping[str, Any], aws: AwsClient) -> None:
    (key,) = outputs["s3"]["kms_key_arns"]
    assert aws("kms").get_key_rotation_status(KeyId=key)["KeyRotationEnabled"] is True
    (group,) = aws("logs").describe_log_groups(logGroupNamePrefix="/aws/sagemaker/")["logGroups"]
    assert (group["kmsKeyId"], group["retentionInDays"]) == (key, 365)
    sagemaker = aws("sagemaker")
    keys = {
        name: sagemaker.describe_notebook_instance(NotebookInstanceName=name).get("KmsKeyId")
        for name in ("notebook-dev", "notebook-prod")
    }
    assert keys == {"notebook-dev": None, "notebook-prod": key}
    usable = outputs["iam"]["policy_arns"]["kms"]
    version = aws("iam").get_policy_version(PolicyArn=usable, VersionId="v1")["PolicyVersion"]
    assert statements(json.dumps(version["Document"]))["UseKeys"]["Resource"] == [key]


def check_nothing_left(project: str, aws: AwsClient, other_buckets: Sequence[str] = ()) -> None:
    buckets = [found["Name"] for found in aws("s3").list_buckets()["Buckets"]]
    assert [name for name in buckets if name.startswith(f"{project}-")] == [*other_buckets]
    with pytest.raises(ClientError, match="NoSuchEntity"):
        aws("iam").get_role(RoleName=f"{project}-notebook")
    assert aws("iam").list_policies(Scope="Local")["Policies"] == []
    assert aws("sagemaker").list_notebook_instances()["NotebookInstances"] == []
    groups = aws("ec2").describe_security_groups()["SecurityGroups"]
    assert {group["GroupName"] for group in groups} == {"default"}
    # Deleted endpoints stay visible for a while.
    endpoints = aws("ec2").describe_vpc_endpoints()["VpcEndpoints"]
    assert {endpoint["State"] for endpoint in endpoints} == {"deleted"}
