"""`tools doctor` where there is an account to ask: the emulator's."""

import json
from collections.abc import Callable
from typing import Any

from tests.cli.conftest import Checkout

REGION = "eu-north-1"
EC2 = f"com.amazonaws.{REGION}.ec2"


def checks(checkout: Checkout) -> dict[str, dict[str, str]]:
    done = checkout.tools("doctor", "--local", "--json")
    assert "Traceback" not in done.stdout + done.stderr
    return {check["name"]: check for check in json.loads(done.stdout)}


def test_the_network_as_it_is_in_the_account(
    attached: Checkout, client: Callable[..., Any]
) -> None:
    """The VPC is wrong in turn: not there, without names, with an endpoint of somebody else."""
    ec2 = client("ec2", region=REGION)
    (attached.root / "common.auto.tfvars").write_text(f'project = "doctor"\nregion = "{REGION}"\n')
    values = attached.root / "shared-infra/security-groups/terraform.tfvars"
    values.write_text('vpc_id = "vpc-0123456789abcdef0"\n')
    missing = checks(attached)
    assert missing["credentials"]["status"] == "ok", missing["credentials"]
    assert "vpc-0123456789abcdef0 does not exist" in missing["vpc"]["detail"]
    assert missing["vpc"]["status"] == "error"
    vpc = ec2.create_vpc(CidrBlock="10.0.0.0/16")["Vpc"]["VpcId"]
    values.write_text(f'vpc_id = "{vpc}"\n')
    try:
        nameless = checks(attached)
        assert "enableDnsHostnames are off" in nameless["vpc"]["detail"].replace(" is ", " are ")
        assert nameless["endpoints"]["status"] == "ok"
        ec2.modify_vpc_attribute(VpcId=vpc, EnableDnsHostnames={"Value": True})
        theirs = ec2.create_vpc_endpoint(VpcId=vpc, ServiceName=EC2, VpcEndpointType="Interface")
        endpoint = theirs["VpcEndpoint"]["VpcEndpointId"]
        crowded = checks(attached)
        assert crowded["vpc"]["status"] == "ok"
        assert crowded["endpoints"]["status"] == "warning"
        assert f"{endpoint} is an endpoint for ec2" in crowded["endpoints"]["detail"]
        assert crowded["endpoints"]["mend"].startswith(f"tools import endpoint {endpoint}")
        ec2.delete_vpc_endpoints(VpcEndpointIds=[endpoint])
    finally:
        ec2.delete_vpc(VpcId=vpc)
