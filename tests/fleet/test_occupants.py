"""What else is in the VPC of the endpoints, as AWS tells it."""

from collections.abc import Callable
from typing import Any

import pytest

from tools.aws.client import Cloud
from tools.fleet import occupants
from tools.localcloud.client import REGION
from tools.localcloud.process import Running

AWS = Callable[..., Any]
VALUES = {"interface_services": ["ec2", "sagemaker.api"], "create_s3_gateway": True}


@pytest.fixture
def cloud(local_cloud: Running) -> Cloud:
    return Cloud(REGION, local_cloud.endpoint)


@pytest.fixture
def vpc(client: AWS) -> str:
    return str(client("ec2").create_vpc(CidrBlock="10.9.0.0/16")["Vpc"]["VpcId"])


def make_endpoint(client: AWS, vpc: str, service: str, kind: str, **arguments: Any) -> str:
    made = client("ec2").create_vpc_endpoint(
        VpcId=vpc,
        ServiceName=f"com.amazonaws.{REGION}.{service}",
        VpcEndpointType=kind,
        **arguments,
    )
    return str(made["VpcEndpoint"]["VpcEndpointId"])


def test_an_empty_vpc_has_nothing_to_say(cloud: Cloud, vpc: str) -> None:
    assert occupants.describe(cloud, vpc, "acme", VALUES) == [
        f"network interfaces in {vpc}, by AWS's kinds: none"
    ]


def test_interfaces_are_counted_and_what_changes_for_them_is_said(
    cloud: Cloud, client: AWS, vpc: str
) -> None:
    ec2 = client("ec2")
    subnet = ec2.create_subnet(VpcId=vpc, CidrBlock="10.9.0.0/24")["Subnet"]["SubnetId"]
    for _ in range(2):
        ec2.create_network_interface(SubnetId=subnet)
    counted, change = occupants.describe(cloud, vpc, "acme", VALUES)
    assert counted.endswith("by AWS's kinds: 2 interface")
    assert change.startswith("all of them reach ec2, sagemaker.api through the stack's endpoints")
    without_private_dns = {**VALUES, "private_dns_enabled": False}
    assert occupants.describe(cloud, vpc, "acme", without_private_dns) == [counted]


def test_endpoints_that_aws_would_refuse_a_second_of_are_named(
    cloud: Cloud, client: AWS, vpc: str
) -> None:
    private = {"PrivateDnsEnabled": True}
    clash = make_endpoint(client, vpc, "ec2", "Interface", **private)
    make_endpoint(client, vpc, "sagemaker.api", "Interface", PrivateDnsEnabled=False)
    make_endpoint(client, vpc, "sts", "Interface", **private)
    gateway = make_endpoint(client, vpc, "s3", "Gateway")
    tags = {"Project": "acme", "Stack": occupants.ENDPOINTS}
    pairs = [{"Key": key, "Value": value} for key, value in tags.items()]
    own = [{"ResourceType": "vpc-endpoint", "Tags": pairs}]
    make_endpoint(client, vpc, "ec2", "Interface", TagSpecifications=own, **private)
    said = occupants.describe(cloud, vpc, "acme", VALUES)
    named = {line.split()[0]: line for line in said if line.startswith("vpce-")}
    assert named.keys() == {clash, gateway}
    assert "remove ec2 from interface_services, or import it: tools import endpoint" in named[clash]
    assert "set create_s3_gateway = false" in named[gateway]


def test_what_aws_does_not_tell_is_unknown(cloud: Cloud) -> None:
    (said,) = occupants.describe(cloud, "vpc-00000000", "acme", VALUES)
    assert said.startswith("what else is in the VPC vpc-00000000 cannot be told: ")
