"""What AWS sells for each figure of the price table: its service and its usage type.

A usage type is such as USE1-Notebk:ml.t3.medium. The part before the hyphen names the region as
bills do, and is missing for some services in us-east-1.
https://docs.aws.amazon.com/awsaccountbilling/latest/aboutv2/price-changes.html
"""

import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, replace

from tools.cost.prices import Price

NOTEBOOKS = "AmazonSageMaker"
NAT = "AmazonEC2"

_NOTEBOOK = re.compile(r"(?P<prefix>[A-Z0-9]+-)?Notebk:(?P<type>ml\..+)")


@dataclass(frozen=True)
class Product:
    """What is sold for a figure of the table: the first one that has a price gives it."""

    figure: str
    service: str
    usage_type: str


# Their usage types have gaps for the region and its prefix.
_PRODUCTS = (
    Product("volume_gb_month", NOTEBOOKS, "{prefix}Notebk:VolumeUsage.gp2"),
    Product("endpoint_hour", "AmazonVPC", "{prefix}VpcEndpoint-Hours"),
    Product("endpoint_gb", "AmazonVPC", "{prefix}VpcEndpoint-Bytes"),
    Product("nat_hour", NAT, "{prefix}NatGateway-Hours"),
    Product("nat_hour", NAT, "NatGateway-Hours"),
    Product("nat_gb", NAT, "{prefix}NatGateway-Bytes"),
    Product("nat_gb", NAT, "NatGateway-Bytes"),
    Product("public_ipv4_hour", "AmazonVPC", "{prefix}PublicIPv4:InUseAddress"),
    Product("logs_gb", "AmazonCloudWatch", "{prefix}DataProcessing-Bytes"),
    Product("storage_gb_month", "AmazonS3", "{prefix}TimedStorage-ByteHrs"),
    Product("storage_gb_month", "AmazonS3", "TimedStorage-ByteHrs"),
    Product("kms_key_month", "awskms", "{region}-KMS-Keys"),
)
SERVICES = tuple(dict.fromkeys(product.service for product in _PRODUCTS))


def is_wanted(service: str, usage_type: str) -> bool:
    """Whether it may be a figure's usage type: of any notebook, and with any region's prefix."""
    endings = (
        product.usage_type.rpartition("}")[2] for product in _PRODUCTS if product.service == service
    )
    is_notebook = service == NOTEBOOKS and _NOTEBOOK.fullmatch(usage_type) is not None
    return is_notebook or usage_type.endswith(tuple(endings))


def notebooks(prices: Mapping[str, Price]) -> dict[str, Price]:
    """The prices of notebooks by instance type, out of those by usage type."""
    matches = {usage_type: _NOTEBOOK.fullmatch(usage_type) for usage_type in prices}
    return {match["type"]: prices[usage] for usage, match in matches.items() if match}


def others(region: str, prices: Mapping[str, Price]) -> Iterator[Product]:
    """What to ask for besides notebooks; `prices` of notebooks tell the region's prefix."""
    notebook_matches = (_NOTEBOOK.fullmatch(usage_type) for usage_type in prices)
    prefix = next((match["prefix"] or "" for match in notebook_matches if match), "")
    for product in _PRODUCTS:
        usage_type = product.usage_type.format(prefix=prefix, region=region)
        yield replace(product, usage_type=usage_type)
