"""The JSON of `tools cost`; docs/cost.md shows it. Money is text with all its digits."""

from collections.abc import Sequence
from decimal import Decimal
from typing import Any

from tools.cost.comparison import Comparison
from tools.cost.model import MONTH, Amount, Estimate, Line


def of_estimate(estimate: Estimate) -> dict[str, Any]:
    """The whole estimate."""
    assumed = estimate.assumptions
    return {
        "currency": "USD",
        "hours_of_a_month": int(MONTH),
        "region": estimate.fleet.region,
        "assumptions": {
            "endpoint_gb": number(assumed.endpoint_gb),
            "logs_gb": number(assumed.logs_gb),
            "storage_gb": number(assumed.storage_gb),
        },
        "notes": list(estimate.fleet.notes),
        "notebooks": [
            {
                "notebook": cost.spec.name,
                "region": cost.spec.region,
                "owner": cost.spec.owner,
                "environment": cost.spec.environment,
                "instance_type": cost.spec.instance_type or None,
                "compute": of_line(cost.compute),
                "volume": of_line(cost.volume),
                "total": of_amount(cost.amount),
            }
            for cost in estimate.notebooks
        ],
        "shared": [of_line(line) for line in estimate.shared],
        "total": {
            "notebooks": of_amount(estimate.notebooks_amount),
            "shared": of_amount(estimate.shared_amount),
            "all": of_amount(estimate.amount),
        },
        "unknown": estimate.unknown,
        "prices": [
            {
                "region": region,
                "figure": figure,
                "usd": str(price.usd),
                "source": price.source,
                "date": price.on.isoformat(),
            }
            for (region, figure), price in sorted(estimate.prices.items())
        ],
    }


def of_comparisons(comparisons: Sequence[Comparison]) -> list[dict[str, Any]]:
    """Each number of notebooks, separate and shared."""
    return [
        {
            "notebooks": found.notebooks,
            "overhead": {
                "separate": of_amount(found.separate_overhead),
                "shared": of_amount(found.shared_overhead),
                "saved_percent": _percent(found.saved_of_overhead),
            },
            "with_compute": {
                "separate": of_amount(found.separate),
                "shared": of_amount(found.shared),
                "saved_percent": _percent(found.saved_of_all),
            },
            "saved": of_amount(found.saved),
        }
        for found in comparisons
    ]


def of_line(line: Line) -> dict[str, Any]:
    """A line; `usd_a_unit` is null where the price is unknown."""
    return {
        "what": line.what,
        "quantity": number(line.quantity),
        "unit": line.unit,
        "figure": line.figure,
        "usd_a_unit": str(line.price.usd) if line.price else None,
        "total": of_amount(line.amount),
    }


def of_amount(amount: Amount) -> dict[str, Any]:
    """US dollars to the cent; `at_least` says that an unknown price comes on top."""
    return {"usd": f"{amount.usd:.2f}", "at_least": not amount.complete}


def number(value: Decimal) -> int | float:
    """A quantity, which is no money."""
    return int(value) if value == value.to_integral_value() else float(value)


def _percent(value: Decimal | None) -> float | None:
    return None if value is None else float(round(value, 1))
