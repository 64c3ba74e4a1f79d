"""The VPCs and subnets of a region, and each subnet's way to the internet."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Literal

from tools.aws.client import Cloud
from tools.errors import UserError

# "public" is by an internet gateway, "other" by what may lead there, such as a transit gateway.
Internet = Literal["none", "public", "NAT", "other", "unknown"]


@dataclass(frozen=True)
class Vpc:
    """A VPC with its IPv4 ranges; `name` is its tag, or empty."""

    id: str
    cidrs: tuple[str, ...]
    name: str
    is_default: bool


@dataclass(frozen=True)
class Subnet:
    """A subnet of a VPC; `internet` is the way that its default route takes."""

    id: str
    cidr: str
    zone: str
    name: str
    internet: Internet


def read_vpcs(cloud: Cloud) -> list[Vpc]:
    """Returns the VPCs of the region, the default one last. Raises UserError if AWS refuses."""
    described_vpcs = cloud.items("list the VPCs", "ec2", "describe_vpcs", "Vpcs")
    vpcs = map(parse_vpc, described_vpcs)
    return sorted(vpcs, key=lambda vpc: (vpc.is_default, vpc.name, vpc.id))


def parse_vpc(described: Mapping[str, Any]) -> Vpc:
    """Returns the VPC that EC2's DescribeVpcs `described`."""
    return Vpc(
        str(described["VpcId"]),
        _cidrs(described),
        _name(described),
        bool(described.get("IsDefault")),
    )


def read_subnets(cloud: Cloud, vpc_id: str) -> list[Subnet]:
    """Returns the subnets of a VPC, by zone. Raises UserError if AWS refuses to list them.

    If it refuses to list the route tables alone, every way to the internet is "unknown".
    """
    in_vpc = {"vpc-id": vpc_id}
    what = f"list the subnets of {vpc_id}"
    described_subnets = cloud.describe_ec2(what, "describe_subnets", "Subnets", in_vpc)
    try:
        what = f"list the route tables of {vpc_id}"
        tables = cloud.describe_ec2(what, "describe_route_tables", "RouteTables", in_vpc)
    except UserError:
        tables = []
    subnets = [
        Subnet(
            str(subnet["SubnetId"]),
            str(subnet.get("CidrBlock") or "-"),
            str(subnet["AvailabilityZone"]),
            _name(subnet),
            way_to_internet(str(subnet["SubnetId"]), tables),
        )
        for subnet in described_subnets
    ]
    return sorted(subnets, key=lambda subnet: (subnet.zone, subnet.name, subnet.id))


def way_to_internet(subnet_id: str, tables: Sequence[Mapping[str, Any]]) -> Internet:
    """Returns the way of a subnet's default route, by the route `tables` of its VPC.

    A subnet without a table of its own uses the main one:
    https://docs.aws.amazon.com/vpc/latest/userguide/subnet-route-tables.html
    """
    table = _table_of(subnet_id, tables)
    if table is None:
        return "unknown"
    # A route to what is gone is a "blackhole", and drops what it gets:
    # https://docs.aws.amazon.com/AWSEC2/latest/APIReference/API_Route.html
    routes = [route for route in table["Routes"] if route.get("State") != "blackhole"]
    for route in routes:
        # Two routes, 0.0.0.0/1 and 128.0.0.0/1, lead as far as the default route.
        if str(route.get("DestinationCidrBlock")).endswith(("/0", "/1")):
            if route.get("NatGatewayId"):
                return "NAT"
            is_public = str(route.get("GatewayId")).startswith("igw-")
            return "public" if is_public else "other"
    # A prefix list of one's own may hold any range; those of gateway endpoints are services':
    # https://docs.aws.amazon.com/vpc/latest/userguide/managed-prefix-lists.html
    # https://docs.aws.amazon.com/vpc/latest/privatelink/gateway-endpoints.html
    has_lists = any(
        route.get("DestinationPrefixListId") and not str(route.get("GatewayId")).startswith("vpce-")
        for route in routes
    )
    return "unknown" if has_lists else "none"


def _table_of(subnet_id: str, tables: Sequence[Mapping[str, Any]]) -> Mapping[str, Any] | None:
    main = None
    for table in tables:
        for association in table.get("Associations", []):
            if association.get("SubnetId") == subnet_id:
                return table
            if association.get("Main"):
                main = table
    return main


def _cidrs(described: Mapping[str, Any]) -> tuple[str, ...]:
    associated = [
        str(block["CidrBlock"])
        for block in described.get("CidrBlockAssociationSet", [])
        if block["CidrBlockState"]["State"] == "associated"
    ]
    return tuple(associated or [str(described.get("CidrBlock") or "-")])


def _name(described: Mapping[str, Any]) -> str:
    return next((str(t["Value"]) for t in described.get("Tags", []) if t["Key"] == "Name"), "")
