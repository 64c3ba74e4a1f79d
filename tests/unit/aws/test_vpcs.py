"""A subnet's way to the internet; the oracle is AWS's description of routes and route tables.

https://docs.aws.amazon.com/vpc/latest/userguide/RouteTables.html
"""

from typing import Any

import pytest

from tools.aws.vpcs import way_to_internet

LOCAL = {"DestinationCidrBlock": "10.0.0.0/16", "GatewayId": "local", "State": "active"}
S3 = {"DestinationPrefixListId": "pl-63a5400a", "GatewayId": "vpce-1", "State": "active"}


def route(destination: str = "0.0.0.0/0", state: str = "active", **target: str) -> dict[str, str]:
    return {"DestinationCidrBlock": destination, "State": state, **target}


def table(*routes: Any, subnet: str | None = None) -> dict[str, Any]:
    association = {"SubnetId": subnet} if subnet else {"Main": True}
    return {"Routes": [LOCAL, *routes], "Associations": [association]}


@pytest.mark.parametrize(
    ("routes", "way"),
    [
        ([], "none"),
        ([S3], "none"),
        ([route(GatewayId="igw-1")], "public"),
        ([S3, route(NatGatewayId="nat-1")], "NAT"),
        ([route(TransitGatewayId="tgw-1")], "other"),
        ([route(GatewayId="vgw-1")], "other"),
        ([route(NatGatewayId="nat-1", state="blackhole")], "none"),
        ([route("0.0.0.0/1", NatGatewayId="nat-1"), route("128.0.0.0/1", NatGatewayId="n")], "NAT"),
        ([route("10.1.0.0/16", VpcPeeringConnectionId="pcx-1")], "none"),
        ([{"DestinationPrefixListId": "pl-1", "TransitGatewayId": "tgw-1"}], "unknown"),
    ],
)
def test_the_default_route_decides(routes: list[dict[str, str]], way: str) -> None:
    assert way_to_internet("subnet-1", [table(*routes)]) == way


def test_a_table_of_its_own_goes_before_the_main_one() -> None:
    tables = [table(route(GatewayId="igw-1")), table(subnet="subnet-1")]
    assert way_to_internet("subnet-1", tables) == "none"
    assert way_to_internet("subnet-2", tables) == "public"


def test_without_route_tables_it_is_unknown() -> None:
    assert way_to_internet("subnet-1", []) == "unknown"
