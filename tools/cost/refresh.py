"""Renews the user's price table from AWS: `tools cost --refresh`."""

from collections.abc import Callable
from dataclasses import dataclass
from datetime import date

from tools.aws.client import Cloud
from tools.cost import price_list, prices
from tools.cost.model import Quantities
from tools.cost.prices import Table
from tools.errors import UserError

# The Price List API answers in few regions; this one is in every account of the aws partition.
# https://docs.aws.amazon.com/awsaccountbilling/latest/aboutv2/using-price-list-query-api.html
_REGION = "us-east-1"


@dataclass(frozen=True)
class Refreshed:
    """The number of prices that were fetched of a region, and where from."""

    region: str
    count: int
    source: str


def refresh_prices(
    quantities: Quantities, today: date, say: Callable[[str], None]
) -> list[Refreshed]:
    """Fetches the prices of the regions of `quantities` into the user's table.

    Asks the Price List API, and if that does not answer, reads the public files, which want no
    credentials; `say` is told why. Raises UserError if neither can be had; the table then stays as
    it was.
    """
    regions = sorted({quantities.region, *(spec.region for spec in quantities.notebook_specs)})
    for region in regions:
        if region.startswith("cn-"):
            raise UserError(f"{region}: prices in China are in CNY, and this counts in US dollars")
    fetched = Table({})
    refreshed = []
    may_ask = True
    for region in regions:
        table = None
        source = "the AWS Price List API"
        if may_ask:
            try:
                table = price_list.fetch_by_api(Cloud(_REGION), region, today)
            except UserError as error:
                say(f"{error}; reading AWS's public price files instead, which are large")
                may_ask = False
        if table is None:
            source = "AWS's public price files"
            table = price_list.fetch_files(region, today, quantities.shared_spec.nat_gateway)
        fetched = table.with_fallback(fetched)
        refreshed.append(Refreshed(region, len(table.prices[region]), source))
    path = prices.user_path()
    try:
        before = prices.read(path) if path.is_file() else Table({})
    except UserError:
        before = Table({})  # a corrupt table is replaced
    prices.write(fetched.with_fallback(before), path)
    return refreshed
