"""The price table: what a unit costs in a region, who says so, and since when.

`prices.json` beside this file is what the repository brings; `tools cost --refresh` writes a
second one, in the same format, that is laid over it. A price that neither has is unknown: None,
never 0.

    {"format": 1,
     "sources": {"<key>": {"name": "<who says so>", "date": "2026-09-24"}},
     "regions": {"us-east-1": {"endpoint_hour": [0.01, "<key>"],
                               "notebook_hour": {"ml.t3.medium": [0.05, "<key>"]}}}}
"""

import json
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from datetime import date
from decimal import Decimal
from functools import cached_property
from pathlib import Path
from typing import Any

from tools.errors import UserError, in_one_line, shorten
from tools.system import files

FORMAT = 1
PACKAGED = Path(__file__).with_name("prices.json")
RENEW = "tools cost --refresh"

# Figures that a region has one of, and what each is the price of.
SINGLE = {
    "endpoint_gb": "a GB through an interface endpoint (the first PB of a month)",
    "endpoint_hour": "an hour of an interface endpoint in one Availability Zone",
    "kms_key_month": "a month of a customer managed KMS key",
    "logs_gb": "a GB of logs taken in by CloudWatch",
    "storage_gb_month": "a month of a GB in S3 Standard (the first 50 TB)",
    "volume_gb_month": "a month of a GB of a notebook's volume",
}
NOTEBOOK = "notebook_hour"

_OLD = 365  # days
_HIGHEST = 1_000_000  # US dollars a unit: far over any, and a sum of them can be written


@dataclass(frozen=True)
class Price:
    """US dollars for one unit; `source` says who says so, `on` the day for which it was said."""

    usd: Decimal
    source: str
    on: date

    def is_old(self, today: date) -> bool:
        """Whether it is more than a year since anybody said so."""
        return (today - self.on).days > _OLD


@dataclass(frozen=True)
class Table:
    """Prices by region and figure. A figure is a key of SINGLE, or an instance type."""

    prices: Mapping[str, Mapping[str, Price]]

    def get(self, region: str, figure: str) -> Price | None:
        """The price, or None where nobody said one."""
        return self.prices.get(region, {}).get(figure)

    def over(self, other: "Table") -> "Table":
        """This table's prices, and those of `other` where this one has none."""
        regions = {*self.prices, *other.prices}
        return Table(
            {name: {**other.prices.get(name, {}), **self.prices.get(name, {})} for name in regions}
        )

    @cached_property
    def regions(self) -> list[str]:
        """Regions with at least one price, sorted."""
        return sorted(name for name, prices in self.prices.items() if prices)


def load(own: Path) -> Table:
    """The repository's table with the user's `own` over it, where that file exists.

    Raises UserError where one of them is no price table.
    """
    packaged = read(PACKAGED)
    return read(own).over(packaged) if own.is_file() else packaged


def read(path: Path) -> Table:
    """The table in `path`. Raises UserError, with the place, where it is corrupt."""
    try:
        content = json.loads(path.read_text(encoding="utf-8"), parse_float=Decimal)
        return Table(_regions(content))
    except OSError as error:
        raise UserError(f"cannot read {path}: {error.strerror}") from None
    except (
        ValueError,
        TypeError,
        KeyError,
        AttributeError,
        ArithmeticError,
        RecursionError,
    ) as error:
        reason = f"no {error}" if isinstance(error, KeyError) else in_one_line(str(error))
        raise UserError(
            f"{path} is no price table ({reason}); renew it: {RENEW}, or delete it"
        ) from None


def write(table: Table, path: Path) -> None:
    """Writes `table`, so that `read` finds it. Raises UserError where the disk refuses."""
    files.write(path, json.dumps(_content(table), indent=2) + "\n")


def _regions(content: Any) -> dict[str, dict[str, Price]]:
    if content["format"] != FORMAT:
        raise ValueError(f"its format is {content['format']}, not {FORMAT}")
    sources = {
        key: (str(source["name"]), date.fromisoformat(source["date"]))
        for key, source in content["sources"].items()
    }
    regions: dict[str, dict[str, Price]] = {}
    for region, figures in content["regions"].items():
        prices = regions.setdefault(region, {})
        for figure, (usd, source) in _figures(figures):
            number = isinstance(usd, int | Decimal) and not isinstance(usd, bool)
            if not (number and 0 < usd <= _HIGHEST):
                raise ValueError(f"{region}: {figure} costs {shorten(usd)}")
            prices[figure] = Price(Decimal(usd), *sources[source])
    return regions


def _figures(figures: Mapping[str, Any]) -> Iterator[tuple[str, Any]]:
    for figure, value in figures.items():
        if figure == NOTEBOOK:
            yield from value.items()
        elif figure in SINGLE:
            yield figure, value
        else:
            raise ValueError(f"it knows no {figure}")


def _content(table: Table) -> dict[str, Any]:
    sources: dict[str, dict[str, str]] = {}
    regions: dict[str, dict[str, Any]] = {}
    for region in table.regions:
        figures: dict[str, Any] = {}
        types: dict[str, Any] = {}
        for figure, price in sorted(table.prices[region].items()):
            key = f"{price.source}, {price.on}"
            sources[key] = {"name": price.source, "date": price.on.isoformat()}
            (figures if figure in SINGLE else types)[figure] = [_number(price.usd), key]
        regions[region] = {**figures, NOTEBOOK: types}
    return {"format": FORMAT, "sources": sources, "regions": regions}


def _number(usd: Decimal) -> float:
    # A price has far fewer digits than a float keeps, and is written back as it was read.
    return float(usd)
