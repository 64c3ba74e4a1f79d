"""`tools init` with options and at a terminal; tests/cli has a real one and LocalStack."""

import json
import re
from pathlib import Path
from typing import Any

import boto3
import pytest

from tests.trees import REPOSITORY
from tests.unit.commands.conftest import Checkout
from tools.cost import prices
from tools.hcl import reading
from tools.scaffold.settings import ENDPOINT_SETS

BASE = ("--project", "acme", "--region", "eu-west-1")
GROUPS = "shared-infra/security-groups/terraform.tfvars"
ENDPOINTS = "shared-infra/vpc-endpoints/terraform.tfvars"


def test_flags_write_the_values(checkout: Checkout) -> None:
    done = checkout.tools("init", *BASE, "--default-vpc")
    assert done.returncode == 0, done.stderr
    assert done.stdout == f"common.auto.tfvars\n{GROUPS}\n"
    values = reading.read_tfvars(checkout.root / "common.auto.tfvars")
    assert values == {"project": "acme", "region": "eu-west-1"}
    assert reading.read_tfvars(checkout.root / GROUPS) == {"vpc_id": "default"}
    # Nobody has credentials here: what else is in the VPC is unknown, and not said to be nothing.
    assert "what else is in the default VPC cannot be told: no AWS credentials" in done.stderr
    shown = (checkout.root / "common.auto.tfvars").read_text()
    before = (REPOSITORY / "common.auto.tfvars").read_text()
    replaced = [line for line in before.splitlines() if line not in shown.splitlines()]
    assert replaced == ['# project = "acme-ml"', '# region = "us-east-1"']


def test_the_default_vpc_has_to_be_asked_for(checkout: Checkout) -> None:
    for given in ([], ["--subnet-id", "subnet-01234567"]):
        done = checkout.tools("init", *BASE, *given)
        assert done.returncode == 1
        assert "pass --vpc-id and --subnet-id, or --default-vpc for" in done.stderr
        assert reading.read_tfvars(checkout.root / "common.auto.tfvars") == {}
    both = checkout.tools("init", *BASE, "--default-vpc", "--vpc-id", "vpc-01234567")
    assert both.returncode == 2


def test_a_set_of_endpoints_and_a_nat_gateway(checkout: Checkout) -> None:
    own = ["--vpc-id", "vpc-01234567", "--subnet-id", "subnet-01234567"]
    done = checkout.tools("init", *BASE, *own, "--endpoints", "sdk", "--nat-subnet", "10.0.0.0/28")
    assert done.returncode == 0, done.stderr
    assert reading.read_tfvars(checkout.root / ENDPOINTS) == {
        "subnet_ids": ["subnet-01234567"],
        "interface_services": ["sagemaker.api", "sagemaker.runtime", "ec2", "sts", "logs"],
        "nat_subnet": "10.0.0.0/28",
    }
    # Without the egress no notebook could use the gateway.
    assert reading.read_tfvars(checkout.root / GROUPS) == {
        "vpc_id": "vpc-01234567",
        "allow_internet_egress": True,
    }


def test_the_sets_are_those_of_the_stack_and_of_the_document() -> None:
    stack = REPOSITORY / "shared-infra/vpc-endpoints"
    default = reading.read_defaults(stack / "variables.tf")["interface_services"]
    assert default == list(ENDPOINT_SETS["default"])
    document = (REPOSITORY / "docs/endpoints.md").read_text()
    for name, services in ENDPOINT_SETS.items():
        assert f"| `{name}` | `{json.dumps(services)}` |" in document
    assert json.dumps(ENDPOINT_SETS["sdk"]) in (stack / "terraform.tfvars.example").read_text()


def test_without_a_terminal_every_value_must_be_given(checkout: Checkout) -> None:
    done = checkout.tools("init", "--project", "acme")
    assert done.returncode == 1
    assert done.stderr == ("error: stdin is not a terminal; pass --region, or set AWS_REGION\n")
    assert reading.read_tfvars(checkout.root / "common.auto.tfvars") == {}


def test_refuses_to_overwrite(checkout: Checkout) -> None:
    (checkout.root / "common.auto.tfvars").write_text('region = "mine"\n')
    done = checkout.tools("init", "--project", "acme", "--region", "eu-west-1")
    assert done.returncode == 1
    assert "set already, and left as it is: common.auto.tfvars (region); edit" in done.stderr
    assert (checkout.root / "common.auto.tfvars").read_text() == 'region = "mine"\n'


def test_a_second_run_names_all_that_the_first_has_written(checkout: Checkout) -> None:
    """One refusal, whose mend is followed here: after it `tools init` works again."""
    typed = ("init", "--project=acme", "--region=eu-west-1", "--vpc-id=vpc-01234567")
    typed += ("--subnet-id=subnet-01234567",)
    common = checkout.root / "common.auto.tfvars"
    untouched = common.read_text()
    first = checkout.tools(*typed)
    assert first.returncode == 0, first.stderr
    written = first.stdout.split()
    assert len(written) == 3
    for again in (checkout.tools(*typed), checkout.tools("init")):
        assert (again.returncode, again.stderr.count("\n")) == (1, 1)
        assert all(name in again.stderr for name in written)
        assert "put the # back in common.auto.tfvars, and move" in again.stderr
    common.write_text(untouched)
    left = checkout.tools(*typed)
    assert "common.auto.tfvars" not in left.stderr
    assert "move them away" in left.stderr
    for name in written[1:]:
        (checkout.root / name).unlink()
    assert checkout.tools(*typed).returncode == 0


def test_a_region_that_does_not_exist_is_named_with_its_neighbours(checkout: Checkout) -> None:
    done = checkout.tools("init", "--project", "acme", "--region", "eu-wst-1")
    assert done.returncode == 1
    assert "no region 'eu-wst-1' with SageMaker; did you mean eu-west-1" in done.stderr
    assert "Traceback" not in done.stderr


PROFILES = "[default]\nregion = eu-west-3\n[profile other]\nregion = us-west-2\n"


@pytest.mark.parametrize(
    ("env", "region", "setting"),
    [
        ({"AWS_REGION": "eu-west-1", "AWS_DEFAULT_REGION": "us-east-2"}, "eu-west-1", "AWS_REGION"),
        ({"AWS_DEFAULT_REGION": "us-east-2"}, "us-east-2", "AWS_DEFAULT_REGION"),
        ({"AWS_PROFILE": "other"}, "us-west-2", "profile other"),
        ({}, "eu-west-3", "profile default"),
    ],
)
def test_the_region_of_aws_s_settings_is_taken_and_said(
    checkout: Checkout, tmp_path: Path, env: dict[str, str], region: str, setting: str
) -> None:
    config = tmp_path / "config"
    config.write_text(PROFILES)
    env = {**env, "AWS_CONFIG_FILE": str(config)}
    done = checkout.tools("init", "--project", "acme", "--default-vpc", **env)
    assert done.returncode == 0, done.stderr
    assert f"region {region}, from {setting}\n" in done.stderr
    values = reading.read_tfvars(checkout.root / "common.auto.tfvars")
    assert values["region"] == region
    assert "next: tools doctor" in done.stderr


def test_a_wrong_region_in_a_setting_is_named_by_it(checkout: Checkout) -> None:
    done = checkout.tools("init", "--project", "acme", "--default-vpc", AWS_REGION="eu-wst-1")
    assert done.returncode == 1
    assert done.stderr.startswith("error: AWS_REGION: there is no region 'eu-wst-1' with SageMaker")
    assert done.stderr.count("\n") == 1
    assert reading.read_tfvars(checkout.root / "common.auto.tfvars") == {}


def test_the_month_of_the_choice_is_said(checkout: Checkout) -> None:
    """The oracle is the price list, by hand: endpoints times zones times 730 hours."""
    table = prices.read(prices.PACKAGED)
    endpoint, nat, address = (
        table.get("us-east-1", figure)
        for figure in ("endpoint_hour", "nat_hour", "public_ipv4_hour")
    )
    assert endpoint
    assert nat
    assert address
    network = ["--vpc-id", "vpc-01234567", "--nat-subnet", "10.0.0.0/28"]
    subnets = ["--subnet-id", "subnet-01234567", "--subnet-id", "subnet-89abcdef"]
    base = ("--project", "acme", "--region", "us-east-1")
    done = checkout.tools("init", *base, *network, *subnets)
    month = (endpoint.usd * 3 * 2 + nat.usd + address.usd) * 730
    said = f"A month in us-east-1, notebooks and traffic apart: ${month:.2f}\n"
    assert said in done.stderr


REGION = "eu-north-1"  # of no other test
ASKED = ("init", "--project", "acme", "--region", REGION)


@pytest.fixture
def listing(checkout: Checkout, moto: str) -> Checkout:
    """A checkout whose user has credentials: what AWS lists is what moto has."""
    keys = {"AWS_ACCESS_KEY_ID": "test", "AWS_SECRET_ACCESS_KEY": "test"}
    checkout.env.update(keys, AWS_ENDPOINT_URL=moto)
    return checkout


@pytest.fixture
def ec2(moto: str) -> Any:
    return boto3.client(
        "ec2",
        region_name=REGION,
        endpoint_url=moto,
        aws_access_key_id="test",
        aws_secret_access_key="test",
    )


def make_vpc(ec2: Any, *ranges: str) -> tuple[str, list[str]]:
    """A VPC and its subnets, each in a zone of its own."""
    vpc = ec2.create_vpc(CidrBlock="10.9.0.0/16")["Vpc"]["VpcId"]
    subnets = [
        ec2.create_subnet(VpcId=vpc, CidrBlock=cidr, AvailabilityZone=f"{REGION}{zone}")["Subnet"]
        for cidr, zone in zip(ranges, "abc", strict=False)
    ]
    return vpc, [subnet["SubnetId"] for subnet in subnets]


def route_to_nat(ec2: Any, vpc: str, subnet: str) -> None:
    address = ec2.allocate_address(Domain="vpc")["AllocationId"]
    gateway = ec2.create_nat_gateway(SubnetId=subnet, AllocationId=address)["NatGateway"]
    table = ec2.create_route_table(VpcId=vpc)["RouteTable"]["RouteTableId"]
    ec2.create_route(
        RouteTableId=table,
        DestinationCidrBlock="0.0.0.0/0",
        NatGatewayId=gateway["NatGatewayId"],
    )
    ec2.associate_route_table(RouteTableId=table, SubnetId=subnet)


def test_what_is_not_in_the_lists_is_asked_again_until_it_is(listing: Checkout, ec2: Any) -> None:
    vpc, (subnet,) = make_vpc(ec2, "10.9.1.0/24")
    answers = ["1 2", "vpc-01234567", vpc, ",", "subnet-01234567", subnet, "", ""]
    done = listing.tools(*ASKED, answers="\n".join([*answers, ""]))
    assert done.returncode == 0, done.stderr
    assert re.findall("Error: (.*)", done.stderr) == [
        "choose one VPC",
        "'vpc-01234567' is not in the list; type a number or an ID from it",
        "choose at least one subnet",
        "'subnet-01234567' is not in the list; type a number or an ID from it",
    ]
    assert reading.read_tfvars(listing.root / GROUPS) == {"vpc_id": vpc}
    assert reading.read_tfvars(listing.root / ENDPOINTS) == {"subnet_ids": [subnet]}


def test_no_second_nat_gateway_is_offered_where_the_subnets_have_one(
    listing: Checkout, ec2: Any
) -> None:
    vpc, (subnet,) = make_vpc(ec2, "10.9.1.0/24")
    route_to_nat(ec2, vpc, subnet)
    done = listing.tools(*ASKED, answers=f"{vpc}\n{subnet}\n\n")
    assert done.returncode == 0, done.stderr
    assert "The subnets have a NAT gateway. To let notebooks use it: allow_internet" in done.stderr
    assert "NAT gateway (" not in done.stderr  # the question
    assert reading.read_tfvars(listing.root / ENDPOINTS) == {"subnet_ids": [subnet]}


def test_a_nat_gateway_is_offered_if_one_of_two_subnets_lacks_it(
    listing: Checkout, ec2: Any
) -> None:
    vpc, (one, two) = make_vpc(ec2, "10.9.1.0/24", "10.9.2.0/24")
    route_to_nat(ec2, vpc, one)
    done = listing.tools(*ASKED, answers=f"{vpc}\n{one} {two}\n\n\n")
    assert done.returncode == 0, done.stderr
    assert "NAT gateway (a public subnet's number or ID, a free range, or empty" in done.stderr


def test_a_vpc_without_subnets_is_said_and_one_place_is_taken_for_a_nat_gateway(
    listing: Checkout, ec2: Any
) -> None:
    vpc, _ = make_vpc(ec2)
    two = "10.9.255.0/28 10.9.254.0/28"
    answers = [vpc, "subnet-01234567", "", two, "10.9.255.0/28"]
    done = listing.tools(*ASKED, answers="\n".join([*answers, ""]))
    assert done.returncode == 0, done.stderr
    assert f"AWS lists no subnets of {vpc}." in done.stderr
    assert "Error: name one subnet or one address range" in done.stderr
    assert reading.read_tfvars(listing.root / ENDPOINTS) == {
        "subnet_ids": ["subnet-01234567"],
        "nat_subnet": "10.9.255.0/28",
    }


def test_a_wrong_region_in_a_setting_is_said_and_no_default(checkout: Checkout) -> None:
    typed = ("init", "--project", "acme", "--default-vpc")
    done = checkout.tools(*typed, answers=f"\n{REGION}\n\n", AWS_REGION="eu-wst-1")
    assert done.returncode == 0, done.stderr
    assert "AWS_REGION: there is no region 'eu-wst-1' with SageMaker" in done.stderr
    assert "AWS region: " in done.stderr  # without [eu-wst-1], so that Enter asks again
    values = reading.read_tfvars(checkout.root / "common.auto.tfvars")
    assert values["region"] == REGION
