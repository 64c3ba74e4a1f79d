"""What AWS sells for each figure of the price table: its service and its usage type.

A usage type is such as USE1-Notebk:ml.t3.medium. The part before the hyphen names the region as
bills do, and is missing for some services in us-east-1.
https://docs.aws.amazon.com/awsaccountbilling/latest/aboutv2/price-changes.html
"""

import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import NamedTuple

from tools.cost.prices import Price

NOTEBOOKS = "AmazonSageMaker"
NAT = "AmazonEC2"

_NOTEBOOK = re.compile(r"(?P<prefix>[A-Z0-9]+-)?Notebk:(?P<type>ml\..+)")


@dataclass(frozen=True)
class _Product:
    """What is sold for a figure of the table; `usage` has gaps for the region and its prefix."""

    figure: str
    service: str
    usage: str


_PRODUCTS = (
    _Product("volume_gb_month", NOTEBOOKS, "{prefix}Notebk:VolumeUsage.gp2"),
    _Product("endpoint_hour", "AmazonVPC", "{prefix}VpcEndpoint-Hours"),
    _Product("endpoint_gb", "AmazonVPC", "{prefix}VpcEndpoint-Bytes"),
    _Product("nat_hour", NAT, "{prefix}NatGateway-Hours"),
    _Product("nat_hour", NAT, "NatGateway-Hours"),
    _Product("nat_gb", NAT, "{prefix}NatGateway-Bytes"),
    _Product("nat_gb", NAT, "NatGateway-Bytes"),
    _Product("public_ipv4_hour", "AmazonVPC", "{prefix}PublicIPv4:InUseAddress"),
    _Product("logs_gb", "AmazonCloudWatch", "{prefix}DataProcessing-Bytes"),
    _Product("storage_gb_month", "AmazonS3", "{prefix}TimedStorage-ByteHrs"),
    _Product("storage_gb_month", "AmazonS3", "TimedStorage-ByteHrs"),
    _Product("kms_key_month", "awskms", "{region}-KMS-Keys"),
)
SERVICES = tuple(dict.fromkeys(product.service for product in _PRODUCTS))


class Wanted(NamedTuple):
    """A product to ask for: the first that has a price gives it to the figure."""

    figure: str
    service: str
    usage_type: str


def is_wanted(service: str, usage_type: str) -> bool:
    """Whether it may be a figure's usage type: of any notebook, and with any region's prefix."""
    endings = (of.usage.rpartition("}")[2] for of in _PRODUCTS if of.service == service)
    is_notebook = service == NOTEBOOKS and _NOTEBOOK.fullmatch(usage_type) is not None
    return is_notebook or usage_type.endswith(tuple(endings))


def notebooks(prices: Mapping[str, Price]) -> dict[str, Price]:
    """The prices of notebooks by instance type, out of those by usage type."""
    matches = {usage_type: _NOTEBOOK.fullmatch(usage_type) for usage_type in prices}
    return {match["type"]: prices[usage] for usage, match in matches.items() if match}


def others(region: str, prices: Mapping[str, Price]) -> Iterator[Wanted]:
    """What to ask for besides notebooks; `prices` of notebooks tell the region's prefix."""
    notebook_matches = (_NOTEBOOK.fullmatch(usage_type) for usage_type in prices)
    prefix = next((match["prefix"] or "" for match in notebook_matches if match), "")
    for product in _PRODUCTS:
        usage_type = product.usage.format(prefix=prefix, region=region)
        yield Wanted(product.figure, product.service, usage_type)
