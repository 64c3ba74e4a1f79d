"""What exists is found by what Terraform would create, and nothing else is."""

import json
from collections.abc import Callable, Mapping
from typing import Any

import pytest

from tools.aws import lookup
from tools.aws.client import Cloud
from tools.localcloud.client import REGION
from tools.localcloud.process import Running

NAME = "lookup-of-a-test"
ROLE = f"arn:aws:iam::000000000000:role/{NAME}"
STATEMENT = {"Effect": "Allow", "Action": "s3:ListAllMyBuckets", "Resource": "*"}
POLICY = json.dumps({"Version": "2012-10-17", "Statement": [STATEMENT]})
TRUST = json.dumps(
    {
        "Version": "2012-10-17",
        "Statement": [
            {
                "Effect": "Allow",
                "Action": "sts:AssumeRole",
                "Principal": {"Service": "sagemaker.amazonaws.com"},
            }
        ],
    }
)
SCHEDULE = {
    "ScheduleExpression": "rate(1 day)",
    "FlexibleTimeWindow": {"Mode": "OFF"},
    "Target": {"Arn": "arn:aws:sqs:us-east-1:000000000000:none", "RoleArn": ROLE},
}
LIFECYCLE = "aws_sagemaker_notebook_instance_lifecycle_configuration"


@pytest.fixture
def cloud(local_cloud: Running) -> Cloud:
    return Cloud(REGION, local_cloud.endpoint)


@pytest.mark.parametrize(
    ("resource_type", "service", "operation", "arguments", "values", "identifier"),
    [
        ("aws_cloudwatch_log_group", "logs", "create_log_group", {"logGroupName": NAME}, {}, NAME),
        (
            "aws_iam_policy",
            "iam",
            "create_policy",
            {"PolicyName": NAME, "Path": "/team/", "PolicyDocument": POLICY},
            {"path": "/team/"},
            f"arn:aws:iam::000000000000:policy/team/{NAME}",
        ),
        (
            "aws_iam_role",
            "iam",
            "create_role",
            {"RoleName": NAME, "AssumeRolePolicyDocument": TRUST},
            {},
            NAME,
        ),
        ("aws_s3_bucket", "s3", "create_bucket", {"Bucket": NAME}, {"bucket": NAME}, NAME),
        (
            LIFECYCLE,
            "sagemaker",
            "create_notebook_instance_lifecycle_config",
            {"NotebookInstanceLifecycleConfigName": NAME},
            {},
            NAME,
        ),
        (
            "aws_scheduler_schedule",
            "scheduler",
            "create_schedule",
            {"Name": NAME, **SCHEDULE},
            {"group_name": None},
            f"default/{NAME}",
        ),
        (
            "aws_scheduler_schedule_group",
            "scheduler",
            "create_schedule_group",
            {"Name": NAME},
            {},
            NAME,
        ),
    ],
)
def test_what_has_a_name_is_found_by_it(
    cloud: Cloud,
    client: Callable[..., Any],
    resource_type: str,
    service: str,
    operation: str,
    arguments: Mapping[str, Any],
    values: Mapping[str, Any],
    identifier: str,
) -> None:
    planned = {"name": NAME, **values}
    assert lookup.identifier(cloud, resource_type, planned) is None
    getattr(client(service), operation)(**arguments)
    assert lookup.identifier(cloud, resource_type, planned) == identifier


def test_an_alias_and_a_notebook_that_do_not_exist_are_none(cloud: Cloud) -> None:
    for resource_type in ("aws_kms_alias", "aws_sagemaker_notebook_instance"):
        name = "alias/absent" if resource_type == "aws_kms_alias" else "absent"
        assert lookup.identifier(cloud, resource_type, {"name": name}) is None


def test_what_has_no_name_is_found_by_what_it_connects(
    cloud: Cloud, client: Callable[..., Any]
) -> None:
    ec2 = client("ec2")
    vpc = ec2.create_vpc(CidrBlock="10.9.0.0/16")["Vpc"]["VpcId"]
    group = {"name": NAME, "vpc_id": vpc}
    service = f"com.amazonaws.{REGION}.s3"
    endpoint = {"service_name": service, "vpc_id": vpc}
    assert lookup.identifier(cloud, "aws_security_group", group) is None
    assert lookup.identifier(cloud, "aws_vpc_endpoint", endpoint) is None

    made = ec2.create_security_group(GroupName=NAME, Description=NAME, VpcId=vpc)["GroupId"]
    answer = ec2.create_vpc_endpoint(VpcId=vpc, ServiceName=service, VpcEndpointType="Gateway")
    assert lookup.identifier(cloud, "aws_security_group", group) == made
    assert (
        lookup.identifier(cloud, "aws_vpc_endpoint", endpoint)
        == (answer["VpcEndpoint"]["VpcEndpointId"])
    )

    https = {"IpProtocol": "tcp", "FromPort": 443, "ToPort": 443}
    allowed = ec2.authorize_security_group_ingress(
        GroupId=made, IpPermissions=[{**https, "IpRanges": [{"CidrIp": "10.0.0.0/8"}]}]
    )["SecurityGroupRules"][0]["SecurityGroupRuleId"]
    rule = {
        "security_group_id": made,
        "ip_protocol": "tcp",
        "from_port": 443,
        "to_port": 443,
        "cidr_ipv4": "10.0.0.0/8",
    }
    ingress, egress = "aws_vpc_security_group_ingress_rule", "aws_vpc_security_group_egress_rule"
    assert lookup.identifier(cloud, ingress, rule) == allowed
    assert lookup.identifier(cloud, egress, rule) is None
    assert lookup.identifier(cloud, ingress, {**rule, "cidr_ipv4": "10.0.0.0/9"}) is None
    assert lookup.identifier(cloud, ingress, {**rule, "security_group_id": None}) is None


def test_a_type_that_nothing_tells_apart_is_none(cloud: Cloud) -> None:
    assert lookup.identifier(cloud, "aws_kms_key", {}) is None
