"""What is in a VPC already: network interfaces, endpoints."""

from collections import Counter
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from tools.aws.client import Cloud
from tools.aws.vpcs import Vpc, parse_vpc
from tools.errors import UserError

DEFAULT_VPC = "default"
# States of endpoints that are gone, or never were.
GONE = frozenset({"deleted", "deleting", "failed", "rejected", "expired"})


@dataclass(frozen=True)
class Endpoint:
    """An endpoint of a VPC: `service` is the service's full name, `tags` are by key."""

    id: str
    service: str
    is_gateway: bool
    private_dns: bool
    tags: Mapping[str, str]


@dataclass(frozen=True)
class Occupants:
    """What is in the VPC `id`: the number of network interfaces by AWS's kind, and endpoints."""

    id: str
    interfaces: Mapping[str, int]
    endpoints: tuple[Endpoint, ...]


def read_occupants(cloud: Cloud, vpc: str) -> Occupants:
    """Returns what is in a VPC, by its id, or "default" for the region's default one.

    Raises UserError if AWS cannot be asked, or there is no such VPC.
    """
    occupied_vpc = find_vpc(cloud, vpc)
    if occupied_vpc is None:
        name = "default VPC" if vpc == DEFAULT_VPC else f"VPC {vpc}"
        raise UserError(f"there is no {name} in {cloud}")
    interfaces = cloud.describe_ec2(
        f"list the interfaces of {occupied_vpc.id}",
        "describe_network_interfaces",
        "NetworkInterfaces",
        {"vpc-id": occupied_vpc.id},
    )
    return Occupants(
        occupied_vpc.id,
        Counter(str(interface.get("InterfaceType", "interface")) for interface in interfaces),
        list_endpoints(cloud, occupied_vpc.id),
    )


def find_vpc(cloud: Cloud, vpc: str) -> Vpc | None:
    """Returns a VPC, by its id, or "default" for the region's default one; None without one."""
    filters = {"is-default": "true"} if vpc == DEFAULT_VPC else {"vpc-id": vpc}
    what = f"look for the VPC {vpc}"
    for described in cloud.describe_ec2(what, "describe_vpcs", "Vpcs", filters):
        return parse_vpc(described)
    return None


def list_endpoints(cloud: Cloud, vpc_id: str) -> tuple[Endpoint, ...]:
    """Returns the endpoints of a VPC, but for those that are gone."""
    what, filters = f"list the endpoints of {vpc_id}", {"vpc-id": vpc_id}
    endpoints = cloud.describe_ec2(what, "describe_vpc_endpoints", "VpcEndpoints", filters)
    return tuple(
        _endpoint(described) for described in endpoints if described["State"].lower() not in GONE
    )


def _endpoint(described: Mapping[str, Any]) -> Endpoint:
    return Endpoint(
        str(described["VpcEndpointId"]),
        str(described["ServiceName"]),
        # Without a type it is a gateway:
        # https://docs.aws.amazon.com/AWSEC2/latest/APIReference/API_CreateVpcEndpoint.html
        (described.get("VpcEndpointType") or "Gateway") == "Gateway",
        bool(described.get("PrivateDnsEnabled")),
        {tag["Key"]: tag["Value"] for tag in described.get("Tags", [])},
    )
