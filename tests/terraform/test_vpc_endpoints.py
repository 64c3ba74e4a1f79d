"""shared-infra/vpc-endpoints, as it is planned."""

import json
from collections.abc import Callable
from typing import Any

import pytest
import tftest

from .conftest import NewTree
from .harness import Chain, Tree, outputs, resources, statements

STACK = "shared-infra/vpc-endpoints"
S3 = "aws_vpc_endpoint.s3[0]"
NEW_RANGE = "172.31.255.240/28"
GROUP = "sg-0a1b2c3d4e5f67890"
POLICY = json.dumps(
    {
        "Version": "2012-10-17",
        "Statement": [{"Effect": "Allow", "Principal": "*", "Action": "s3:Get*", "Resource": "*"}],
    }
)
BASE = {"source": STACK, "project": "acme-ml", "region": "us-east-1"}

EC2 = Any


def ec2_of(tree: Tree, client: Callable[..., Any]) -> EC2:
    return client("ec2", account=tree.account)


@pytest.fixture(scope="module")
def ec2(planning: Tree, client: Callable[..., Any]) -> EC2:
    return ec2_of(planning, client)


@pytest.fixture(scope="module")
def vpc(ec2: EC2) -> str:
    (vpc,) = ec2.describe_vpcs(Filters=[{"Name": "is-default", "Values": ["true"]}])["Vpcs"]
    return str(vpc["VpcId"])


@pytest.fixture(scope="module")
def default_subnets(ec2: EC2, vpc: str) -> list[str]:
    """By Availability Zone, of which the first never has the smallest ID."""
    filters = [{"Name": "vpc-id", "Values": [vpc]}, {"Name": "default-for-az", "Values": ["true"]}]
    zones = {
        subnet["AvailabilityZone"]: str(subnet["SubnetId"])
        for subnet in ec2.describe_subnets(Filters=filters)["Subnets"]
    }
    while zones[min(zones)] == min(zones.values()):
        # All of them: the emulator derives the address block of a new one from their number.
        for subnet in zones.values():
            ec2.delete_subnet(SubnetId=subnet)
        for zone in sorted(zones):
            made = ec2.create_default_subnet(AvailabilityZone=zone)["Subnet"]
            zones[zone] = str(made["SubnetId"])
    return [zones[zone] for zone in sorted(zones)]


@pytest.fixture(scope="module")
def main_table(ec2: EC2, vpc: str) -> str:
    filters = [
        {"Name": "vpc-id", "Values": [vpc]},
        {"Name": "association.main", "Values": ["true"]},
    ]
    return str(ec2.describe_route_tables(Filters=filters)["RouteTables"][0]["RouteTableId"])


@pytest.fixture(scope="module")
def own_table(ec2: EC2, vpc: str, default_subnets: list[str]) -> str:
    """A route table of the last default subnet's own."""
    table = str(ec2.create_route_table(VpcId=vpc)["RouteTable"]["RouteTableId"])
    ec2.associate_route_table(RouteTableId=table, SubnetId=default_subnets[-1])
    return table


@pytest.fixture(scope="module")
def internet(ec2: EC2, vpc: str, main_table: str) -> str:
    """An internet gateway, to which the main route table leads: its subnets are public."""
    return attach_internet(ec2, vpc, main_table)


def attach_internet(ec2: EC2, vpc: str, table: str) -> str:
    gateway = str(ec2.create_internet_gateway()["InternetGateway"]["InternetGatewayId"])
    ec2.attach_internet_gateway(InternetGatewayId=gateway, VpcId=vpc)
    ec2.create_route(RouteTableId=table, DestinationCidrBlock="0.0.0.0/0", GatewayId=gateway)
    return gateway


@pytest.fixture(scope="module")
def plan(
    planning: Tree,
    vpc: str,
    default_subnets: list[str],
    own_table: str,
    main_table: str,
    internet: str,
) -> tftest.TerraformPlanOutput:
    upstream = {"vpc_id": vpc, "endpoint_security_group_id": GROUP}
    planning.write_state("shared-infra/security-groups", upstream)
    subnets = [default_subnets[-1], default_subnets[0]]
    calls: dict[str, dict[str, Any]] = {
        "defaults": BASE,
        "chosen": {
            **BASE,
            "endpoint_policies": {"s3": POLICY, "logs": POLICY, "ecr.dkr": None},
            "interface_services": ["sagemaker.api", "logs", "ecr.dkr", "notebook"],
            "private_dns_enabled": False,
            "subnet_ids": subnets,
        },
        "tables": {**BASE, "interface_services": [], "route_table_ids": [own_table]},
        "gatewayless": {**BASE, "create_s3_gateway": False},
        "sts": {**BASE, "interface_services": ["sts"]},
        "nat": {**BASE, "subnet_ids": [default_subnets[-1]], "nat_subnet": default_subnets[0]},
        "new_nat": {**BASE, "subnet_ids": [default_subnets[-1]], "nat_subnet": NEW_RANGE},
    }
    return planning.plan(planning.write_calls("vpc-endpoints", calls))


def services(plan: tftest.TerraformPlanOutput, call: str) -> dict[str, str]:
    return {
        address: values["service_name"]
        for address, values in resources(plan, call).items()
        if address.startswith("aws_vpc_endpoint.")
    }


def test_the_missions_four_by_default(plan: tftest.TerraformPlanOutput) -> None:
    assert services(plan, "defaults") == {
        S3: "com.amazonaws.us-east-1.s3",
        'aws_vpc_endpoint.interface["sagemaker.api"]': "com.amazonaws.us-east-1.sagemaker.api",
        'aws_vpc_endpoint.interface["sagemaker.runtime"]': (
            "com.amazonaws.us-east-1.sagemaker.runtime"
        ),
        'aws_vpc_endpoint.interface["ec2"]': "com.amazonaws.us-east-1.ec2",
    }


def test_others_by_name(plan: tftest.TerraformPlanOutput) -> None:
    assert services(plan, "chosen") == {
        S3: "com.amazonaws.us-east-1.s3",
        'aws_vpc_endpoint.interface["sagemaker.api"]': "com.amazonaws.us-east-1.sagemaker.api",
        'aws_vpc_endpoint.interface["logs"]': "com.amazonaws.us-east-1.logs",
        'aws_vpc_endpoint.interface["ecr.dkr"]': "com.amazonaws.us-east-1.ecr.dkr",
        'aws_vpc_endpoint.interface["notebook"]': "aws.sagemaker.us-east-1.notebook",
    }


def test_s3_is_a_gateway_and_the_others_are_interfaces(plan: tftest.TerraformPlanOutput) -> None:
    planned = resources(plan, "chosen")
    for address in services(plan, "chosen"):
        gateway = address == S3
        assert planned[address]["vpc_endpoint_type"] == ("Gateway" if gateway else "Interface")


def test_without_the_gateway_the_interfaces_stay(plan: tftest.TerraformPlanOutput) -> None:
    with_gateway = services(plan, "defaults")
    assert with_gateway.pop(S3)
    assert services(plan, "gatewayless") == with_gateway
    assert outputs(plan, "gatewayless")["route_table_ids"] == []


def test_endpoint_ids_by_service(plan: tftest.TerraformPlanOutput) -> None:
    """The endpoints have no IDs yet, but the keys are there, with an unknown value for each."""
    ids = {
        call: plan.output_changes[call]["after_unknown"]["endpoint_ids"]
        for call in ("defaults", "gatewayless")
    }
    interfaces = dict.fromkeys(("ec2", "sagemaker.api", "sagemaker.runtime"), True)
    assert ids == {"defaults": {**interfaces, "s3": True}, "gatewayless": interfaces}


def test_interfaces_in_one_subnet_behind_the_endpoint_group(
    plan: tftest.TerraformPlanOutput, vpc: str, default_subnets: list[str]
) -> None:
    endpoint = resources(plan, "defaults")['aws_vpc_endpoint.interface["ec2"]']
    assert endpoint["vpc_id"] == vpc
    assert endpoint["subnet_ids"] == [default_subnets[0]]
    assert endpoint["security_group_ids"] == [GROUP]
    assert endpoint["private_dns_enabled"] is True
    assert outputs(plan, "defaults")["subnet_ids"] == [default_subnets[0]]


def test_chosen_subnets_keep_their_order_for_the_notebooks(
    plan: tftest.TerraformPlanOutput, default_subnets: list[str]
) -> None:
    chosen = [default_subnets[-1], default_subnets[0]]
    endpoint = resources(plan, "chosen")['aws_vpc_endpoint.interface["logs"]']
    assert sorted(endpoint["subnet_ids"]) == sorted(chosen)
    assert endpoint["private_dns_enabled"] is False
    assert outputs(plan, "chosen")["subnet_ids"] == chosen


def test_the_gateway_is_on_the_subnets_route_tables(
    plan: tftest.TerraformPlanOutput, main_table: str, own_table: str
) -> None:
    """A subnet's own table, or the VPC's main one where it has none."""
    tables = {
        call: sorted(resources(plan, call)[S3]["route_table_ids"])
        for call in ("defaults", "chosen", "tables")
    }
    assert tables == {
        "defaults": [main_table],
        "chosen": sorted([own_table, main_table]),
        "tables": [own_table],
    }


def policies(plan: tftest.TerraformPlanOutput, call: str) -> dict[str, Any]:
    planned = resources(plan, call)
    texts = {address: planned[address].get("policy") for address in services(plan, call)}
    return {address: text and json.loads(text) for address, text in texts.items()}


def test_policies_by_service(plan: tftest.TerraformPlanOutput) -> None:
    """null gives AWS's own, and no policy can be told about the way to Jupyter."""
    given = policies(plan, "chosen")
    assert given[S3] == given['aws_vpc_endpoint.interface["logs"]'] == json.loads(POLICY)
    assert given['aws_vpc_endpoint.interface["ecr.dkr"]'] is None
    assert given['aws_vpc_endpoint.interface["notebook"]'] is None


def test_this_account_alone_by_default(plan: tftest.TerraformPlanOutput, planning: Tree) -> None:
    by_default = policies(plan, "defaults")
    of_s3 = statements(json.dumps(by_default.pop(S3)))
    ours = {"aws:PrincipalAccount": planning.account}
    assert of_s3["AllowThisAccountItsBuckets"]["Condition"] == {
        "StringEquals": {**ours, "aws:ResourceAccount": planning.account}
    }
    assert not [action for action in of_s3["ReadWhatOthersOffer"]["Action"] if "Put" in action]
    for policy in by_default.values():
        (statement,) = policy["Statement"]
        assert statement["Condition"] == {"StringEquals": ours}


def test_aws_services_pass_the_gateway(plan: tftest.TerraformPlanOutput) -> None:
    """CloudFormation's answers go to a bucket of AWS's, by an address that a service signs."""
    of_services = statements(json.dumps(policies(plan, "defaults")[S3]))["AllowAWSServices"]
    assert of_services["Condition"] == {"Bool": {"aws:PrincipalIsAWSService": "true"}}


def test_tokens_for_roles_of_this_account_pass_sts(
    plan: tftest.TerraformPlanOutput, planning: Tree
) -> None:
    """A pod of EKS comes without an account, and takes one of this account's roles."""
    text = json.dumps(policies(plan, "sts")['aws_vpc_endpoint.interface["sts"]'])
    allowed = statements(text)["AllowTokensForRolesOfThisAccount"]
    assert allowed["Resource"] == [f"arn:aws:iam::{planning.account}:role/*"]
    assert "Condition" not in allowed


def nat(plan: tftest.TerraformPlanOutput, call: str) -> dict[str, Any]:
    planned = resources(plan, call)
    return {a: v for a, v in planned.items() if not a.startswith("aws_vpc_endpoint.")}


def test_no_nat_gateway_unless_asked_for(plan: tftest.TerraformPlanOutput) -> None:
    assert nat(plan, "defaults") == {}
    assert outputs(plan, "defaults")["nat_public_ip"] is None


def test_a_nat_gateway_in_a_public_subnet_that_exists(
    plan: tftest.TerraformPlanOutput, default_subnets: list[str], own_table: str
) -> None:
    made = nat(plan, "nat")
    route = f'aws_route.private_to_nat["{own_table}"]'
    assert made.keys() == {"aws_eip.nat[0]", "aws_nat_gateway.this[0]", route}
    assert made["aws_nat_gateway.this[0]"]["subnet_id"] == default_subnets[0]
    assert made[route]["route_table_id"] == own_table
    assert made[route]["destination_cidr_block"] == "0.0.0.0/0"


def test_a_nat_gateway_in_a_public_subnet_of_its_own(
    plan: tftest.TerraformPlanOutput, own_table: str, internet: str, ec2: EC2
) -> None:
    made = nat(plan, "new_nat")
    assert made.keys() - nat(plan, "nat").keys() == {
        "aws_subnet.nat[0]",
        "aws_route_table.nat[0]",
        "aws_route.nat_to_internet[0]",
        "aws_route_table_association.nat[0]",
    }
    assert made["aws_subnet.nat[0]"]["cidr_block"] == NEW_RANGE
    assert made["aws_route.nat_to_internet[0]"]["gateway_id"] == internet


def test_what_aws_would_refuse_or_nobody_wants_is_refused_in_the_plan(
    planning: Tree,
    plan: tftest.TerraformPlanOutput,
    ec2: EC2,
    vpc: str,
    default_subnets: list[str],
    internet: str,
) -> None:
    public, private = default_subnets[0], default_subnets[-1]
    zone = ec2.describe_subnets(SubnetIds=[private])["Subnets"][0]["AvailabilityZone"]
    same_zone = new_subnet(ec2, vpc, "172.31.250.0/28", zone)
    other_vpc = ec2.create_vpc(CidrBlock="10.3.0.0/16")["Vpc"]["VpcId"]
    elsewhere = new_subnet(ec2, other_vpc, "10.3.1.0/24", zone)
    calls = {
        "beside": {**BASE, "subnet_ids": [public], "nat_subnet": NEW_RANGE},
        "private": {**BASE, "subnet_ids": [private], "nat_subnet": private},
    }
    # AWS refuses these two only once the endpoint is made.
    service = {**BASE, "interface_services": ["sts"]}
    calls |= {
        "zone": {**service, "subnet_ids": [private, same_zone]},
        "stranger": {**service, "subnet_ids": [elsewhere]},
    }
    refusals = planning.refusals(planning.write_calls("vpc-endpoints-nat", calls))
    said = refusals["nat"]
    assert any(f" to {internet}. A NAT gateway is for private subnets" in text for text in said)
    assert any(f"{private} has no route to an internet gateway" in text for text in said)
    said = [" ".join(text.split()) for text in refusals["zones"]]
    assert any(f"{private} and {same_zone} are in {zone}, and an" in text for text in said)
    assert any(f"{elsewhere} is in {other_vpc}, and not in {vpc}." in text for text in said)


def new_subnet(ec2: EC2, vpc: str, cidr: str, zone: str) -> str:
    made = ec2.create_subnet(VpcId=vpc, CidrBlock=cidr, AvailabilityZone=zone)
    return str(made["Subnet"]["SubnetId"])


def new_nat_gateway(ec2: EC2, subnet: str) -> str:
    """As somebody else makes one."""
    address = ec2.allocate_address(Domain="vpc")["AllocationId"]
    made = ec2.create_nat_gateway(SubnetId=subnet, AllocationId=address)
    return str(made["NatGateway"]["NatGatewayId"])


def test_one_nat_gateway_which_is_not_refused_for_its_own_route(
    new_tree: NewTree, client: Callable[..., Any]
) -> None:
    """Applied, planned without a change, and destroyed, in a VPC whose subnets are private."""
    tree = new_tree()
    ec2 = ec2_of(tree, client)
    vpc = ec2.create_vpc(CidrBlock="10.2.0.0/16")["Vpc"]["VpcId"]
    subnet = ec2.create_subnet(VpcId=vpc, CidrBlock="10.2.1.0/24")["Subnet"]["SubnetId"]
    gateway = ec2.create_internet_gateway()["InternetGateway"]["InternetGatewayId"]
    ec2.attach_internet_gateway(InternetGatewayId=gateway, VpcId=vpc)
    upstream = {"vpc_id": vpc, "endpoint_security_group_id": GROUP}
    tree.write_state("shared-infra/security-groups", upstream)
    chosen = {"interface_services": [], "nat_subnet": "10.2.0.0/28", "subnet_ids": [subnet]}
    (tree.root / STACK / "test.auto.tfvars.json").write_text(json.dumps(chosen))
    other = new_nat_gateway(ec2, subnet)
    said = " ".join(" ".join(tree.refusals(STACK)["nat"]).split())
    assert f"has a NAT gateway already: {other}. Set nat_subnet = null" in said
    ec2.delete_nat_gateway(NatGatewayId=other)
    with Chain(tree) as chain:
        chain.apply(STACK)
        new_nat_gateway(ec2, subnet)  # later, which stops nothing
        assert chain.changes() == {}
        made = tree.state(STACK)["resources"]["aws_nat_gateway.this[0]"]
        (found,) = ec2.describe_nat_gateways(NatGatewayIds=[made["id"]])["NatGateways"]
        addresses = [address["PublicIp"] for address in found["NatGatewayAddresses"]]
        assert addresses == [tree.outputs(STACK)["nat_public_ip"]]
        routes = ec2.describe_route_tables(
            Filters=[
                {"Name": "vpc-id", "Values": [vpc]},
                {"Name": "association.main", "Values": ["true"]},
            ]
        )["RouteTables"][0]["Routes"]
        assert [r["NatGatewayId"] for r in routes if "NatGatewayId" in r] == [made["id"]]


ZONES = """
locals {
  service_zones = {
    "ec2"         = ["us-east-1b", "us-east-1c"]
    "sagemaker.api" = %s
  }
}
"""


def zones_tree(new_tree: NewTree, client: Callable[..., Any], of_sagemaker: str) -> Tree:
    """The emulator has every service in every zone: this stands in for what AWS says of zones."""
    tree = new_tree()
    (tree.root / STACK / "zones_override.tf").write_text(ZONES % of_sagemaker)
    vpcs = ec2_of(tree, client).describe_vpcs(Filters=[{"Name": "is-default", "Values": ["true"]}])
    upstream = {"vpc_id": vpcs["Vpcs"][0]["VpcId"], "endpoint_security_group_id": GROUP}
    tree.write_state("shared-infra/security-groups", upstream)
    return tree


def test_endpoints_are_where_their_service_is(
    new_tree: NewTree, client: Callable[..., Any]
) -> None:
    tree = zones_tree(new_tree, client, '["us-east-1a"]')
    described = ec2_of(tree, client).describe_subnets()["Subnets"]
    zones = {subnet["AvailabilityZone"]: str(subnet["SubnetId"]) for subnet in described}
    two = [zones["us-east-1a"], zones["us-east-1b"]]
    services = ["ec2", "sagemaker.api"]
    calls = {
        "default": {**BASE, "interface_services": services},
        "typed": {**BASE, "interface_services": services, "subnet_ids": two},
    }
    plan = tree.plan(tree.write_calls("zones", calls))
    found = {
        call: {
            service: resources(plan, call)[f'aws_vpc_endpoint.interface["{service}"]']["subnet_ids"]
            for service in services
        }
        for call in calls
    }
    in_their_zones = {"ec2": [zones["us-east-1b"]], "sagemaker.api": [zones["us-east-1a"]]}
    assert found == {"default": in_their_zones, "typed": in_their_zones}
    # The notebooks' subnet does not follow a service: another one would replace them all.
    assert outputs(plan, "default")["subnet_ids"] == [zones["us-east-1a"]]
    assert outputs(plan, "typed")["subnet_ids"] == two
    alone = {**BASE, "interface_services": services, "subnet_ids": [zones["us-east-1a"]]}
    (refusal,) = tree.refusals(tree.write_calls("no-zone", {"alone": alone}))["zones"]
    assert f"ec2 has no endpoints in the zones of these subnets ({zones['us-east-1a']})" in refusal
    assert "only in us-east-1b, us-east-1c" in refusal


def test_a_service_that_the_region_does_not_have_is_named(planning: Tree, plan: Any) -> None:
    calls = {"unknown": {**BASE, "interface_services": ["no-such-service"]}}
    (refusal,) = planning.refusals(planning.write_calls("unknown", calls)).values()
    assert refusal


def test_tags(plan: tftest.TerraformPlanOutput) -> None:
    assert resources(plan, "defaults")['aws_vpc_endpoint.interface["ec2"]']["tags_all"] == {
        "Name": "acme-ml-ec2",
        "Project": "acme-ml",
        "ManagedBy": "terraform",
        "Stack": "vpc-endpoints",  # the root is calls/vpc-endpoints here
    }


def test_a_vpc_without_default_subnets_asks_for_some(
    new_tree: NewTree, client: Callable[..., Any]
) -> None:
    tree = new_tree()
    vpc = ec2_of(tree, client).create_vpc(CidrBlock="10.2.0.0/16")["Vpc"]["VpcId"]
    upstream = {"vpc_id": vpc, "endpoint_security_group_id": GROUP}
    tree.write_state("shared-infra/security-groups", upstream)
    with pytest.raises(tftest.TerraformTestError, match="set subnet_ids in "):
        tree.plan(STACK)


REFUSED: dict[str, tuple[dict[str, Any], str]] = {
    "policy_text": (
        {"endpoint_policies": {"s3": "allow all"}},
        "The values of endpoint_policies must be policy documents",
    ),
    "policy_empty": (
        {"endpoint_policies": {"s3": "{}"}},
        "The values of endpoint_policies must be policy documents",
    ),
    "service_in_full": (
        {"interface_services": ["com.amazonaws.us-east-1.logs"]},
        "leave out com.amazonaws.<region>",
    ),
    "service_s3": ({"interface_services": ["s3"]}, "it has a gateway endpoint already"),
    "subnet_name": ({"subnet_ids": ["private-a"]}, "The subnet_ids must be IDs of subnets"),
    "table_name": ({"route_table_ids": ["main"]}, "The route_table_ids must be IDs"),
    "nat_name": ({"nat_subnet": "public"}, "The nat_subnet must be the ID of a public subnet"),
}


@pytest.fixture(scope="module")
def refusals(planning: Tree) -> dict[str, list[str]]:
    calls = {call: BASE | bad for call, (bad, _) in REFUSED.items()}
    return planning.refusals(planning.write_calls("vpc-endpoints-refused", calls))


@pytest.mark.parametrize("call", REFUSED)
def test_bad_values_are_refused(refusals: dict[str, list[str]], call: str) -> None:
    (refusal,) = refusals[call]
    assert REFUSED[call][1] in refusal
