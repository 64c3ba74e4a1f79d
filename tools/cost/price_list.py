"""Exact prices from the AWS Price List.

Which product is which is told by its usage type, such as USE1-Notebk:ml.t3.medium. The part
before the hyphen names the region as bills do, and is missing for some services in us-east-1.
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
class _Wanted:
    """A figure of the table: the service that sells it, and its usage type."""

    figure: str
    service: str
    usage: str


_WANTED = (
    _Wanted("volume_gb_month", "AmazonSageMaker", "{prefix}Notebk:VolumeUsage.gp2"),
    _Wanted("endpoint_hour", "AmazonVPC", "{prefix}VpcEndpoint-Hours"),
    _Wanted("endpoint_gb", "AmazonVPC", "{prefix}VpcEndpoint-Bytes"),
    _Wanted("logs_gb", "AmazonCloudWatch", "{prefix}DataProcessing-Bytes"),
    _Wanted("storage_gb_month", "AmazonS3", "{prefix}TimedStorage-ByteHrs"),
    _Wanted("storage_gb_month", "AmazonS3", "TimedStorage-ByteHrs"),
    _Wanted("kms_key_month", "awskms", "{region}-KMS-Keys"),
)


def fetch(cloud: Cloud, region: str, today: date) -> Table:
    """Every figure of `region` that the Price List knows.

    Raises UserError where it knows no notebook there, or answers what is no product.
    """
    found: dict[str, Price] = {}
    prefix = ""
    about = {"regionCode": region, "productFamily": "ML Instance"}
    for usage, price in _read(pricing.products(cloud, "AmazonSageMaker", about), today):
        if match := _NOTEBOOK.fullmatch(usage):
            prefix = match["prefix"] or ""
            found[match["type"]] = price
    if not found:
        raise UserError(
            f"the Price List names no notebook instances in {region}; the prices stay as they were"
        )
    for wanted in _WANTED:
        if wanted.figure in found:
            continue
        usage_type = wanted.usage.format(prefix=prefix, region=region)
        about = {"regionCode": region, "usagetype": usage_type}
        for usage, price in _read(pricing.products(cloud, wanted.service, about), today):
            if usage == usage_type:
                found[wanted.figure] = price
    return Table({region: found})


def _read(texts: Iterable[str], today: date) -> Iterator[tuple[str, Price]]:
    """Usage types and their on-demand prices, in US dollars; the first tier where there are more.

    https://docs.aws.amazon.com/awsaccountbilling/latest/aboutv2/reading-service-price-list-file-for-services.html
    """
    for text in texts:
        try:
            product = json.loads(text)
            usage = str(product["product"]["attributes"]["usagetype"])
            usd = _first_tier(product["terms"].get("OnDemand", {}))
        except (ValueError, KeyError, TypeError, AttributeError, InvalidOperation):
            raise UserError(
                f"the Price List answered what is no product: {text[:80]!r}; the prices stay as "
                "they were"
            ) from None
        if usd:
            published = str(product.get("publicationDate", ""))[:10]
            said = f", published {published}" if published else ""
            yield usage, Price(usd, f"AWS Price List API, {usage}{said}", today)


def _first_tier(terms: Mapping[str, Any]) -> Decimal | None:
    for term in terms.values():
        for dimension in term["priceDimensions"].values():
            # Free tiers and reservations are entries too, priced 0.
            usd = Decimal(dimension["pricePerUnit"].get("USD", 0))
            if usd > 0 and Decimal(dimension.get("beginRange") or 0) == 0:
                return usd
    return None
