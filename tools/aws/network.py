"""What is in a VPC already: network interfaces, endpoints."""

from collections import Counter
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from tools.aws.client import Cloud
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


def occupants(cloud: Cloud, vpc: str) -> Occupants:
    """Returns what is in a VPC, by its id, or "default" for the region's default one.

    Raises UserError if AWS cannot be asked, or there is no such VPC.
    """
    what = f"look into the VPC {vpc}"
    name, value = ("is-default", "true") if vpc == DEFAULT_VPC else ("vpc-id", vpc)
    vpcs = list(_items(cloud, what, "describe_vpcs", "Vpcs", name, value))
    if not vpcs:
        raise UserError(f"there is no VPC {vpc} in {cloud}")
    id = str(vpcs[0]["VpcId"])
    interfaces = _items(
        cloud, what, "describe_network_interfaces", "NetworkInterfaces", "vpc-id", id
    )
    endpoints = _items(cloud, what, "describe_vpc_endpoints", "VpcEndpoints", "vpc-id", id)
    return Occupants(
        id,
        Counter(str(interface.get("InterfaceType", "interface")) for interface in interfaces),
        tuple(_endpoint(found) for found in endpoints if found["State"].lower() not in GONE),
    )


def _items(cloud: Cloud, what: str, operation: str, key: str, name: str, value: str) -> Any:
    filters = [{"Name": name, "Values": [value]}]
    return cloud.items(what, "ec2", operation, key, Filters=filters)


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
