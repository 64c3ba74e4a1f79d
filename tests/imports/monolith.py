"""What somebody made by hand, before this repository: one of everything, in a VPC of its own."""

import base64
import json
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

REGION = "af-south-1"  # where no other test has anything: a scan shows all of a region
ON_START = b"#!/bin/bash\necho 'the old start'\n"
_TRUST = {
    "Version": "2012-10-17",
    "Statement": [
        {
            "Effect": "Allow",
            "Principal": {"Service": ["sagemaker.amazonaws.com", "lambda.amazonaws.com"]},
            "Action": "sts:AssumeRole",
        }
    ],
}
_HTTPS = {"IpProtocol": "tcp", "FromPort": 443, "ToPort": 443}


@dataclass(frozen=True)
class Monolith:
    """The names and ids of what was made; everything is called after `name`.

    The data bucket has versions, a policy and a lifecycle; the models bucket has nothing. The
    first notebook runs, with a lifecycle configuration; the second has stopped, with tags.
    """

    name: str
    vpc: str
    subnets: tuple[str, str]
    route_table: str
    notebooks_group: str
    endpoints_group: str
    gateway: str
    interface: str

    @property
    def data(self) -> str:
        return f"{self.name}-data"

    @property
    def models(self) -> str:
        return f"{self.name}-models"

    @property
    def role(self) -> str:
        return f"{self.name}-role"

    @property
    def instances(self) -> tuple[str, str]:
        return f"{self.name}-one", f"{self.name}-two"


def build(name: str, client: Callable[..., Any]) -> Monolith:
    """Makes everything, by boto3 alone; `client` is of REGION."""
    ec2 = client("ec2")
    vpc = str(ec2.create_vpc(CidrBlock="10.20.0.0/16")["Vpc"]["VpcId"])
    for setting in ("EnableDnsSupport", "EnableDnsHostnames"):
        ec2.modify_vpc_attribute(VpcId=vpc, **{setting: {"Value": True}})
    subnets = [
        str(
            ec2.create_subnet(
                VpcId=vpc, CidrBlock=f"10.20.{n}.0/24", AvailabilityZone=f"{REGION}{zone}"
            )["Subnet"]["SubnetId"]
        )
        for n, zone in enumerate("ab")
    ]
    of_vpc = [{"Name": "vpc-id", "Values": [vpc]}]
    table = ec2.describe_route_tables(Filters=of_vpc)["RouteTables"][0]["RouteTableId"]
    notebooks, endpoints = (
        ec2.create_security_group(GroupName=f"{name}-{what}", Description="By hand", VpcId=vpc)
        for what in ("instances", "links")
    )
    notebooks_group, endpoints_group = notebooks["GroupId"], endpoints["GroupId"]
    from_notebooks = {**_HTTPS, "UserIdGroupPairs": [{"GroupId": notebooks_group}]}
    from_office = {**_HTTPS, "IpRanges": [{"CidrIp": "192.0.2.0/24"}]}
    ec2.authorize_security_group_ingress(
        GroupId=endpoints_group, IpPermissions=[from_notebooks, from_office]
    )
    gateway = ec2.create_vpc_endpoint(
        VpcId=vpc,
        VpcEndpointType="Gateway",
        ServiceName=f"com.amazonaws.{REGION}.s3",
        RouteTableIds=[table],
    )
    interface = ec2.create_vpc_endpoint(
        VpcId=vpc,
        VpcEndpointType="Interface",
        ServiceName=f"com.amazonaws.{REGION}.logs",
        SubnetIds=subnets,
        SecurityGroupIds=[endpoints_group],
        PrivateDnsEnabled=True,
    )
    made = Monolith(
        name,
        vpc,
        (subnets[0], subnets[1]),
        table,
        notebooks_group,
        endpoints_group,
        gateway["VpcEndpoint"]["VpcEndpointId"],
        interface["VpcEndpoint"]["VpcEndpointId"],
    )
    _buckets(made, client("s3"))
    role = client("iam").create_role(
        RoleName=made.role, Path="/ml/", AssumeRolePolicyDocument=json.dumps(_TRUST)
    )
    _instances(made, role["Role"]["Arn"], client("sagemaker"))
    return made


def _buckets(made: Monolith, s3: Any) -> None:
    for bucket in (made.data, made.models):
        s3.create_bucket(Bucket=bucket, CreateBucketConfiguration={"LocationConstraint": REGION})
    s3.put_bucket_versioning(Bucket=made.data, VersioningConfiguration={"Status": "Enabled"})
    kept = {
        "Version": "2012-10-17",
        "Statement": [
            {
                "Sid": "KeepIt",
                "Effect": "Deny",
                "Principal": "*",
                "Action": "s3:DeleteBucket",
                "Resource": f"arn:aws:s3:::{made.data}",
            }
        ],
    }
    s3.put_bucket_policy(Bucket=made.data, Policy=json.dumps(kept))
    rule = {
        "ID": "old-logs-go",
        "Status": "Enabled",
        "Filter": {"Prefix": "logs/"},
        "Expiration": {"Days": 30},
    }
    s3.put_bucket_lifecycle_configuration(
        Bucket=made.data, LifecycleConfiguration={"Rules": [rule]}
    )
    for content in (b"before", b"after"):
        s3.put_object(Bucket=made.data, Key="raw/train.csv", Body=content)
    s3.put_object(Bucket=made.models, Key="best.joblib", Body=b"\x00\x01")


def _instances(made: Monolith, role: str, sagemaker: Any) -> None:
    sagemaker.create_notebook_instance_lifecycle_config(
        NotebookInstanceLifecycleConfigName=f"{made.name}-setup",
        OnStart=[{"Content": base64.b64encode(ON_START).decode()}],
    )
    common = {"RoleArn": role, "SecurityGroupIds": [made.notebooks_group]}
    first, second = made.instances
    sagemaker.create_notebook_instance(
        NotebookInstanceName=first,
        InstanceType="ml.t3.medium",
        SubnetId=made.subnets[0],
        LifecycleConfigName=f"{made.name}-setup",
        DirectInternetAccess="Disabled",
        RootAccess="Disabled",
        VolumeSizeInGB=7,
        PlatformIdentifier="notebook-al2-v3",
        **common,
    )
    sagemaker.create_notebook_instance(
        NotebookInstanceName=second,
        InstanceType="ml.m5.xlarge",
        SubnetId=made.subnets[1],
        IpAddressType="dualstack",
        PlatformIdentifier="notebook-al2023-v1",
        Tags=[
            {"Key": "owner", "Value": "Platform team"},
            {"Key": "Environment", "Value": "prod"},
            {"Key": "CostCenter", "Value": "42"},
        ],
        **common,
    )
    for name in made.instances:
        in_service = sagemaker.get_waiter("notebook_instance_in_service")
        in_service.wait(NotebookInstanceName=name, WaiterConfig={"Delay": 1})
    sagemaker.stop_notebook_instance(NotebookInstanceName=second)
    stopped = sagemaker.get_waiter("notebook_instance_stopped")
    stopped.wait(NotebookInstanceName=second, WaiterConfig={"Delay": 1})
