"""The price table: what a unit costs in a region, with the source and date of each price.

`prices.json` beside this file comes with the repository. `tools cost --refresh` writes a second
one in the same format into the user's cache, whose prices replace those. A price that neither has
is unknown: None, never 0.

    {"format": 1,
     "sources": {"<key>": {"name": "<who says so>", "date": "2026-09-24"}},
     "regions": {"us-east-1": {"endpoint_hour": [0.01, "<key>"],
                               "notebook_hour": {"ml.t3.medium": [0.05, "<key>"]}}}}
"""

import json
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from datetime import date
from decimal import Decimal
from functools import cached_property
from pathlib import Path
from typing import Any

from tools.errors import UserError, shorten
from tools.system import files

FORMAT = 1
PACKAGED = Path(__file__).with_name("prices.json")
RENEW = "tools cost --refresh"

# The figures that a region has one of, and how a message calls each.
SINGLE = {
    "endpoint_gb": "data through interface endpoints",  # a GB, of the first PB of a month
    "endpoint_hour": "interface endpoints",  # an hour in one Availability Zone
    "kms_key_month": "KMS keys",  # a month of a customer managed one
    "logs_gb": "CloudWatch logs",  # a GB taken in
    "nat_gb": "data through a NAT gateway",  # a GB, in either direction
    "nat_hour": "NAT gateway",  # an hour
    "public_ipv4_hour": "public IPv4 addresses",  # an hour of one in use
    "storage_gb_month": "S3 Standard storage",  # a GB for a month, of the first 50 TB
    "volume_gb_month": "notebook volumes",  # a GB for a month
}
NOTEBOOK = "notebook_hour"

_OLD = 365  # days
HIGHEST = 1_000_000  # US dollars a unit: a corrupt price, and sums of it overflow Decimal


@dataclass(frozen=True)
class Price:
    """US dollars for one unit; `source` is where it was read, `on` the day of that."""

    usd: Decimal
    source: str
    on: date

    def is_old(self, today: date) -> bool:
        """Whether the price was read more than a year ago."""
        return (today - self.on).days > _OLD


@dataclass(frozen=True)
class Table:
    """Prices by region and figure. A figure is a key of SINGLE, or an instance type."""

    prices: Mapping[str, Mapping[str, Price]]

    def get(self, region: str, figure: str) -> Price | None:
        """The price, or None if it is unknown."""
        return self.prices.get(region, {}).get(figure)

    def with_fallback(self, other: "Table") -> "Table":
        """This table's prices, and those of `other` for figures that this one lacks."""
        names = {*self.prices, *other.prices}
        return Table(
            {name: {**other.prices.get(name, {}), **self.prices.get(name, {})} for name in names}
        )

    @cached_property
    def regions(self) -> list[str]:
        """Regions with at least one price, sorted."""
        return sorted(name for name, prices in self.prices.items() if prices)


def describe(figure: str) -> str:
    """What a figure is the price of, in words for a message."""
    return SINGLE.get(figure, figure)


def describe_each(figures_and_regions: Iterable[tuple[str, str]]) -> list[str]:
    """The words of figures, each with its region."""
    return [f"{describe(figure)} in {region}" for figure, region in figures_and_regions]


def user_path() -> Path:
    """The price table that `tools cost --refresh` writes."""
    return files.user_cache() / "prices.json"


def load() -> Table:
    """The repository's prices, replaced by those in the user's table if that file exists.

    Raises UserError if one of them is not a price table.
    """
    packaged, path = read(PACKAGED), user_path()
    return read(path).with_fallback(packaged) if path.is_file() else packaged


def read(path: Path) -> Table:
    """The table in `path`. Raises UserError if it cannot be read or is corrupt."""
    try:
        with files.explain_unreadable(path):
            text = path.read_text(encoding="utf-8")
        content = json.loads(text, parse_float=Decimal)
        return Table(_parse_regions(content))
    except files.MALFORMED as error:
        reason = files.explain_malformed(error)
        raise UserError(
            f"{path} is not a price table ({reason}); renew it: {RENEW}, or delete it"
        ) from None


def write(table: Table, path: Path) -> None:
    """Writes `table` for `read`. Raises UserError if the file cannot be written."""
    files.write(path, json.dumps(_as_json(table), indent=2) + "\n")


def _parse_regions(content: Any) -> dict[str, dict[str, Price]]:
    if content["format"] != FORMAT:
        raise ValueError(f"its format is {content['format']}, not {FORMAT}")
    sources = {
        key: (str(source["name"]), date.fromisoformat(source["date"]))
        for key, source in content["sources"].items()
    }
    prices_by_region: dict[str, dict[str, Price]] = {}
    for region, figures in content["regions"].items():
        prices = prices_by_region.setdefault(region, {})
        for figure, (usd, source) in _each_figure(figures):
            is_number = isinstance(usd, int | Decimal) and not isinstance(usd, bool)
            if not (is_number and 0 < usd <= HIGHEST):
                raise ValueError(f"{region}: {figure} costs {shorten(usd)}")
            prices[figure] = Price(Decimal(usd), *sources[source])
    return prices_by_region


def _each_figure(figures: Mapping[str, Any]) -> Iterator[tuple[str, Any]]:
    for figure, value in figures.items():
        if figure == NOTEBOOK:
            yield from value.items()
        elif figure in SINGLE:
            yield figure, value
        else:
            raise ValueError(f"it knows no {figure}")


def _as_json(table: Table) -> dict[str, Any]:
    json_by_source: dict[str, dict[str, str]] = {}
    json_by_region: dict[str, dict[str, Any]] = {}
    for region in table.regions:
        figures: dict[str, Any] = {}
        types: dict[str, Any] = {}
        for figure, price in sorted(table.prices[region].items()):
            key = f"{price.source}, {price.on}"
            json_by_source[key] = {"name": price.source, "date": price.on.isoformat()}
            # A price has far fewer digits than a float keeps, and is written as it was read.
            (figures if figure in SINGLE else types)[figure] = [float(price.usd), key]
        json_by_region[region] = {**figures, NOTEBOOK: types}
    return {"format": FORMAT, "sources": json_by_source, "regions": json_by_region}
