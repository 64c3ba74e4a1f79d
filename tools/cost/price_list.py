"""Exact prices from the AWS Price List.

A product is identified by its usage type, such as USE1-Notebk:ml.t3.medium. The part before the
hyphen names the region as bills do, and is missing for some services in us-east-1.
https://docs.aws.amazon.com/awsaccountbilling/latest/aboutv2/price-changes.html
"""

import json
import re
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from datetime import date
from decimal import Decimal, InvalidOperation
from typing import Any

from tools.aws import pricing
from tools.aws.client import Cloud
from tools.cost.prices import Price, Table
from tools.errors import UserError

_PREFIX = r"(?P<prefix>[A-Z0-9]+-)?"
_NOTEBOOK = re.compile(rf"{_PREFIX}Notebk:(?P<type>ml\..+)")


@dataclass(frozen=True)
class _Product:
    """What the Price List sells for a figure of the table: its service and usage type."""

    figure: str
    service: str
    usage: str


_PRODUCTS = (
    _Product("volume_gb_month", "AmazonSageMaker", "{prefix}Notebk:VolumeUsage.gp2"),
    _Product("endpoint_hour", "AmazonVPC", "{prefix}VpcEndpoint-Hours"),
    _Product("endpoint_gb", "AmazonVPC", "{prefix}VpcEndpoint-Bytes"),
    _Product("nat_hour", "AmazonEC2", "{prefix}NatGateway-Hours"),
    _Product("nat_hour", "AmazonEC2", "NatGateway-Hours"),
    _Product("nat_gb", "AmazonEC2", "{prefix}NatGateway-Bytes"),
    _Product("nat_gb", "AmazonEC2", "NatGateway-Bytes"),
    _Product("public_ipv4_hour", "AmazonVPC", "{prefix}PublicIPv4:InUseAddress"),
    _Product("logs_gb", "AmazonCloudWatch", "{prefix}DataProcessing-Bytes"),
    _Product("storage_gb_month", "AmazonS3", "{prefix}TimedStorage-ByteHrs"),
    _Product("storage_gb_month", "AmazonS3", "TimedStorage-ByteHrs"),
    _Product("kms_key_month", "awskms", "{region}-KMS-Keys"),
)


def fetch(cloud: Cloud, region: str, today: date) -> Table:
    """Fetches every figure of `region` that the Price List has; `today` dates the prices.

    `cloud` is where that is asked. Raises UserError if it cannot be asked, has no notebooks in the
    region, or answers with something that is not a product.
    """
    fetched: dict[str, Price] = {}
    prefix = ""
    attributes = {"regionCode": region, "productFamily": "ML Instance"}
    for usage, price in _parse(pricing.products(cloud, "AmazonSageMaker", attributes), today):
        if match := _NOTEBOOK.fullmatch(usage):
            prefix = match["prefix"] or ""
            fetched[match["type"]] = price
    if not fetched:
        raise UserError(
            f"the Price List has no notebook instances in {region}; the prices stay as they were"
        )
    for product in _PRODUCTS:
        if product.figure in fetched:
            continue
        usage_type = product.usage.format(prefix=prefix, region=region)
        attributes = {"regionCode": region, "usagetype": usage_type}
        for usage, price in _parse(pricing.products(cloud, product.service, attributes), today):
            if usage == usage_type:
                fetched[product.figure] = price
    return Table({region: fetched})


def _parse(texts: Iterable[str], today: date) -> Iterator[tuple[str, Price]]:
    """Usage types and their on-demand prices in US dollars, those of the first tier.

    https://docs.aws.amazon.com/awsaccountbilling/latest/aboutv2/reading-service-price-list-file-for-services.html
    """
    for text in texts:
        try:
            product = json.loads(text)
            usage = str(product["product"]["attributes"]["usagetype"])
            usd = _first_tier(product["terms"].get("OnDemand", {}))
        except (ValueError, KeyError, TypeError, AttributeError, InvalidOperation):
            raise UserError(
                f"the Price List answered with something that is not a product: {text[:80]!r}; the "
                "prices stay as they were"
            ) from None
        if usd:
            published = str(product.get("publicationDate", ""))[:10]
            suffix = f", published {published}" if published else ""
            yield usage, Price(usd, f"AWS Price List API, {usage}{suffix}", today)


def _first_tier(terms: Mapping[str, Any]) -> Decimal | None:
    for term in terms.values():
        for dimension in term["priceDimensions"].values():
            # Free tiers and reservations are entries too, priced 0.
            usd = Decimal(dimension["pricePerUnit"].get("USD", 0))
            if usd > 0 and Decimal(dimension.get("beginRange") or 0) == 0:
                return usd
    return None
