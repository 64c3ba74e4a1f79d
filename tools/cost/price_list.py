"""Exact prices from the AWS Price List: by its API, or out of its public files.

The API answers in seconds and wants credentials. The files want none, and are large.
"""

import json
from collections.abc import Iterable, Iterator, Mapping
from datetime import date
from decimal import Decimal, InvalidOperation
from typing import Any

from tools.aws import price_files, pricing
from tools.aws.client import Cloud
from tools.cost import products
from tools.cost.prices import HIGHEST, Price, Table
from tools.errors import UserError


def fetch_by_api(cloud: Cloud, region: str, today: date) -> Table:
    """Fetches every figure of `region` that the Price List has; `today` dates the prices.

    `cloud` is where its API is asked. Raises UserError if it cannot be asked, has no notebooks in
    the region, or answers with something that is not a product.
    """
    notebooks = _ask(cloud, today, products.NOTEBOOKS, region, productFamily="ML Instance")
    fetched = _notebooks(region, notebooks)
    for wanted in products.others(region, notebooks):
        if wanted.figure not in fetched:
            answer = _ask(cloud, today, wanted.service, region, usagetype=wanted.usage_type)
            if wanted.usage_type in answer:
                fetched[wanted.figure] = answer[wanted.usage_type]
    return Table({region: fetched})


def fetch_files(region: str, today: date, with_nat: bool) -> Table:
    """Reads every figure of `region` out of the public price files; `today` dates the prices.

    The file with the prices of a NAT gateway is that of all of EC2, by far the largest, and read
    only `with_nat`. Raises UserError if a file cannot be fetched or is not whole, or if there are
    no notebooks in the region.
    """
    prices_by_usage_type: dict[str, Price] = {}
    fetched: dict[str, Price] = {}
    for service in products.SERVICES:
        if service != products.NAT or with_nat:
            rows = price_files.read_prices(service, region) or ()
            prices_by_usage_type |= _by_usage_type(_wanted(service, rows, today))
        if service == products.NOTEBOOKS:
            fetched = _notebooks(region, prices_by_usage_type)  # ends here if there are none
    for wanted in products.others(region, prices_by_usage_type):
        if wanted.usage_type in prices_by_usage_type:
            fetched.setdefault(wanted.figure, prices_by_usage_type[wanted.usage_type])
    return Table({region: fetched})


def _wanted(
    service: str, rows: Iterable[price_files.PriceRow], today: date
) -> Iterator[tuple[str, Price]]:
    for row in rows:
        if products.is_wanted(service, row.usage_type):
            try:
                usd, begin = Decimal(row.usd), Decimal(row.tier)
                is_price = 0 <= usd <= HIGHEST
            except InvalidOperation:
                is_price = False
            if not is_price:
                raise UserError(
                    f"the price file of {service} has no price of {row.usage_type}, but "
                    f"{row.usd!r} from {row.tier!r}; the prices stay as they were"
                )
            # Free tiers are rows too, priced 0.
            if usd and not begin:
                source = f"AWS price file {service}, published {row.published}"
                yield row.usage_type, Price(usd, source, today)


def _notebooks(region: str, prices: Mapping[str, Price]) -> dict[str, Price]:
    notebooks = products.notebooks(prices)
    if not notebooks:
        raise UserError(
            f"the Price List has no notebook instances in {region}; the prices stay as they were"
        )
    return notebooks


def _by_usage_type(prices: Iterable[tuple[str, Price]]) -> dict[str, Price]:
    """The prices by usage type.

    Of several products with one usage type the dearest counts, so that no estimate is too low.
    """
    dearest: dict[str, Price] = {}
    for usage_type, price in prices:
        if usage_type not in dearest or price.usd > dearest[usage_type].usd:
            dearest[usage_type] = price
    return dearest


def _ask(
    cloud: Cloud, today: date, service: str, region: str, **attributes: str
) -> dict[str, Price]:
    answer = pricing.read_products(cloud, service, {"regionCode": region, **attributes})
    return _by_usage_type(_parse(answer, f"AWS Price List API, {service}", today))


def _parse(texts: Iterable[str], source: str, today: date) -> Iterator[tuple[str, Price]]:
    """Usage types and their on-demand prices in US dollars, those of the first tier.

    Raises UserError for a text that is no product.
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
            yield usage, Price(usd, f"{source}{suffix}", today)


def _first_tier(terms: Mapping[str, Any]) -> Decimal | None:
    for term in terms.values():
        for dimension in term["priceDimensions"].values():
            # Free tiers and reservations are entries too, priced 0.
            usd = Decimal(dimension["pricePerUnit"].get("USD", 0))
            if usd > 0 and Decimal(dimension.get("beginRange") or 0) == 0:
                return usd
    return None
