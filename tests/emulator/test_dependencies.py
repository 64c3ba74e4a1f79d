"""What a notebook instance uses in EC2 cannot be deleted, in the words of AWS.

The words are those in Terraform's reports from AWS: "DependencyViolation: resource sg-… has a
dependent object" and "The subnet 'subnet-…' has dependencies and cannot be deleted".
"""

from collections.abc import Callable
from typing import Any

import pytest
from botocore.exceptions import ClientError

from .conftest import Account, Network


def refusal(delete: Callable[..., Any], **arguments: str) -> tuple[str, str]:
    with pytest.raises(ClientError) as caught:
        delete(**arguments)
    error = caught.value.response["Error"]
    return error["Code"], error["Message"]


def test_the_network_of_a_notebook_stays_as_long_as_the_notebook(
    account: Account,
    network: Network,
    create: Callable[..., str],
    stopped: Callable[[str], dict[str, Any]],
    in_service: Callable[[str], dict[str, Any]],
    name: str,
) -> None:
    ec2, sagemaker = account.ec2, account.sagemaker
    [vpc] = ec2.describe_subnets(SubnetIds=[network.subnet])["Subnets"]
    group = ec2.create_security_group(GroupName=name, Description="d", VpcId=vpc["VpcId"])
    subnet = ec2.create_subnet(VpcId=vpc["VpcId"], CidrBlock="10.1.9.0/24")["Subnet"]["SubnetId"]
    create(SubnetId=subnet, SecurityGroupIds=[group["GroupId"]])
    interface = in_service(name)["NetworkInterfaceId"]

    assert refusal(ec2.delete_security_group, GroupId=group["GroupId"]) == (
        "DependencyViolation",
        f"resource {group['GroupId']} has a dependent object",
    )
    assert refusal(ec2.delete_subnet, SubnetId=subnet) == (
        "DependencyViolation",
        f"The subnet '{subnet}' has dependencies and cannot be deleted.",
    )
    assert refusal(ec2.delete_network_interface, NetworkInterfaceId=interface) == (
        "InvalidParameterValue",
        f"Network interface '{interface}' is currently in use.",
    )
    assert ec2.describe_network_interfaces(NetworkInterfaceIds=[interface])["NetworkInterfaces"]

    sagemaker.stop_notebook_instance(NotebookInstanceName=name)
    stopped(name)
    sagemaker.delete_notebook_instance(NotebookInstanceName=name)
    ec2.delete_security_group(GroupId=group["GroupId"])
    ec2.delete_subnet(SubnetId=subnet)


def test_a_group_that_a_rule_or_an_endpoint_names_stays(account: Account, name: str) -> None:
    ec2 = account.ec2
    vpc = ec2.create_vpc(CidrBlock="10.3.0.0/16")["Vpc"]["VpcId"]
    subnet = ec2.create_subnet(VpcId=vpc, CidrBlock="10.3.0.0/24")["Subnet"]["SubnetId"]
    named, naming = (
        ec2.create_security_group(GroupName=f"{name}-{part}", Description="d", VpcId=vpc)["GroupId"]
        for part in ("named", "naming")
    )
    for group in (named, naming):  # one by itself, too, which keeps nothing
        ec2.authorize_security_group_ingress(
            GroupId=group,
            IpPermissions=[{"IpProtocol": "-1", "UserIdGroupPairs": [{"GroupId": named}]}],
        )
    endpoint = ec2.create_vpc_endpoint(
        VpcId=vpc,
        ServiceName="com.amazonaws.us-east-1.sts",
        VpcEndpointType="Interface",
        SubnetIds=[subnet],
        SecurityGroupIds=[naming],
    )["VpcEndpoint"]["VpcEndpointId"]

    assert refusal(ec2.delete_security_group, GroupId=named)[0] == "DependencyViolation"
    assert refusal(ec2.delete_security_group, GroupId=naming)[0] == "DependencyViolation"
    assert refusal(ec2.delete_subnet, SubnetId=subnet)[0] == "DependencyViolation"
    ec2.delete_vpc_endpoints(VpcEndpointIds=[endpoint])
    ec2.delete_security_group(GroupId=naming)
    ec2.delete_security_group(GroupId=named)
    ec2.delete_subnet(SubnetId=subnet)
    ec2.delete_vpc(VpcId=vpc)


def test_an_instance_that_was_terminated_keeps_nothing(account: Account, name: str) -> None:
    ec2 = account.ec2
    vpc = ec2.create_vpc(CidrBlock="10.4.0.0/16")["Vpc"]["VpcId"]
    subnet = ec2.create_subnet(VpcId=vpc, CidrBlock="10.4.0.0/24")["Subnet"]["SubnetId"]
    group = ec2.create_security_group(GroupName=name, Description="d", VpcId=vpc)["GroupId"]
    [machine] = ec2.run_instances(
        ImageId="ami-12345678", MinCount=1, MaxCount=1, SubnetId=subnet, SecurityGroupIds=[group]
    )["Instances"]
    assert refusal(ec2.delete_security_group, GroupId=group)[0] == "DependencyViolation"
    ec2.terminate_instances(InstanceIds=[machine["InstanceId"]])
    ec2.delete_security_group(GroupId=group)
    ec2.delete_subnet(SubnetId=subnet)
