"""An account in which much has been made by hand, also what no stack can take."""

import base64
import json
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any

from tests.roles import TRUST


@dataclass
class Rich:
    """What was made, by what it is for the scan: names and ids."""

    name: str
    vpc: str
    default_group: str
    shared_group: str
    refused: dict[str, str] = field(default_factory=dict)  # name to a part of the reason


def build(name: str, client: Callable[..., Any]) -> Rich:
    """Makes everything by boto3; `client` is that of one account and region."""
    ec2 = client("ec2")
    vpc, subnet = _network(ec2, "10.40")
    other_vpc, other_subnet = _network(ec2, "10.41")
    of_vpc = [{"Name": "vpc-id", "Values": [vpc]}]
    default = ec2.describe_security_groups(Filters=of_vpc)["SecurityGroups"][0]["GroupId"]
    shared, second, far = (
        ec2.create_security_group(GroupName=f"{name}-{what}", Description="By hand", VpcId=of)
        for what, of in (("shared", vpc), ("second", vpc), ("far", other_vpc))
    )
    made = Rich(name, vpc, default, shared["GroupId"])
    made.refused[default] = "is the VPC's default group"
    _endpoints(made, ec2, subnet, second["GroupId"])
    _buckets(made, client("s3"))
    roles = [
        client("iam").create_role(
            RoleName=f"{name}-{what}", AssumeRolePolicyDocument=json.dumps(TRUST)
        )["Role"]["Arn"]
        for what in ("a", "b")
    ]
    made.refused[f"{name}-b"] = "which holds one resource; instead of that: tools import role"
    made.refused[far["GroupId"]] = f"it is in {other_vpc}, but most of these notebooks are in {vpc}"
    sagemaker = client("sagemaker")
    inside = {"SubnetId": subnet, "RoleArn": roles[0]}
    _notebook(sagemaker, f"{name}-one", **inside, SecurityGroupIds=[default])
    _notebook(sagemaker, f"{name}-two", **inside, SecurityGroupIds=[default])
    _notebook(sagemaker, f"{name}-three", **inside, SecurityGroupIds=[made.shared_group])
    _notebook(
        sagemaker,
        f"{name}-far",
        SubnetId=other_subnet,
        RoleArn=roles[1],
        SecurityGroupIds=[far["GroupId"]],
    )
    # The repository has a directory of that name, by which Terraform would replace it.
    _notebook(sagemaker, "notebook-dev", **inside, SecurityGroupIds=[made.shared_group])
    made.refused["notebook-dev"] = "direct_internet_access is false, and it has true"
    _notebooks_to_refuse(made, sagemaker, inside)
    return made


def _network(ec2: Any, block: str) -> tuple[str, str]:
    vpc = str(ec2.create_vpc(CidrBlock=f"{block}.0.0/16")["Vpc"]["VpcId"])
    for setting in ("EnableDnsSupport", "EnableDnsHostnames"):
        ec2.modify_vpc_attribute(VpcId=vpc, **{setting: {"Value": True}})
    subnet = ec2.create_subnet(VpcId=vpc, CidrBlock=f"{block}.0.0/24")["Subnet"]["SubnetId"]
    return vpc, str(subnet)


def _endpoints(made: Rich, ec2: Any, subnet: str, second: str) -> None:
    """The one group is the notebooks', too; of two for one service, one has no private names."""

    def interface(service: str, group: str, private: bool) -> str:
        answer = ec2.create_vpc_endpoint(
            VpcId=made.vpc,
            VpcEndpointType="Interface",
            ServiceName=f"com.amazonaws.{ec2.meta.region_name}.{service}",
            SubnetIds=[subnet],
            SecurityGroupIds=[group],
            PrivateDnsEnabled=private,
        )
        return str(answer["VpcEndpoint"]["VpcEndpointId"])

    interface("logs", made.shared_group, True)
    interface("ecr.api", made.shared_group, False)
    first, twin = sorted((interface("sts", second, True), interface("sts", second, False)))
    del first
    made.refused[twin] = 'aws_vpc_endpoint.interface["sts"]'
    gateway = {"VpcEndpointType": "Gateway", "VpcId": made.vpc}
    region = ec2.meta.region_name
    ec2.create_vpc_endpoint(ServiceName=f"com.amazonaws.{region}.s3", **gateway)
    tables = ec2.create_vpc_endpoint(ServiceName=f"com.amazonaws.{region}.dynamodb", **gateway)
    made.refused[tables["VpcEndpoint"]["VpcEndpointId"]] = "type Gateway for com.amazonaws."


def _buckets(made: Rich, s3: Any) -> None:
    names = {what: f"{made.name}-{what}" for what in ("datasets", "more.datasets", "logs", "tf")}
    region = s3.meta.region_name
    for name in names.values():
        s3.create_bucket(Bucket=name, CreateBucketConfiguration={"LocationConstraint": region})
    to = {"LoggingEnabled": {"TargetBucket": names["logs"], "TargetPrefix": "a/"}}
    s3.put_bucket_logging(Bucket=names["datasets"], BucketLoggingStatus=to)
    s3.put_object(Bucket=names["tf"], Key="a/terraform.tfstate", Body=b"{}")
    made.refused[names["logs"]] = "receives access logs"
    made.refused[names["tf"]] = "holds Terraform states"


def _notebook(sagemaker: Any, name: str, **more: Any) -> None:
    sagemaker.create_notebook_instance(
        NotebookInstanceName=name, InstanceType="ml.t3.medium", **more
    )


def _notebooks_to_refuse(made: Rich, sagemaker: Any, inside: dict[str, str]) -> None:
    name, group = made.name, {"SecurityGroupIds": [made.shared_group]}
    sagemaker.create_notebook_instance_lifecycle_config(
        NotebookInstanceLifecycleConfigName=f"{name}-binary",
        OnStart=[{"Content": base64.b64encode(b"\xff\xfe").decode()}],
    )
    refused: dict[str, tuple[dict[str, Any], str]] = {
        "in-no-vpc": ({"RoleArn": inside["RoleArn"]}, "in no VPC"),
        "binary": ({**inside, **group, "LifecycleConfigName": f"{name}-binary"}, "not text"),
        "tagged": (
            {**inside, **group, "Tags": [{"Key": f"k{n}", "Value": "v"} for n in range(48)]},
            "at most 43 tags",
        ),
        "password": (
            {**inside, **group, "DefaultCodeRepository": "https://me:secret@example.org/r.git"},
            "holds no user or password",
        ),
    }
    for what, (arguments, reason) in refused.items():
        _notebook(sagemaker, f"{name}-{what}", **arguments)
        made.refused[f"{name}-{what}"] = reason
