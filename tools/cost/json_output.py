"""The JSON of `tools cost`; docs/cost.md shows it. Money is text with all its digits."""

from collections.abc import Sequence
from decimal import Decimal
from typing import Any

from tools.cost.comparison import Comparison
from tools.cost.groups import Group, Key
from tools.cost.model import MONTH, Amount, Estimate, Line


def estimate_json(estimate: Estimate) -> dict[str, Any]:
    """The estimate, without comparisons and what-ifs."""
    assumed = estimate.assumptions
    return {
        "currency": "USD",
        "hours_of_a_month": int(MONTH),
        "region": estimate.quantities.region,
        "assumptions": {
            "endpoint_gb": _number(assumed.endpoint_gb),
            "logs_gb": _number(assumed.logs_gb),
            "nat_gb": _number(assumed.nat_gb),
            "storage_gb": _number(assumed.storage_gb),
        },
        "notes": list(estimate.quantities.notes),
        "notebooks": [
            {
                "notebook": cost.spec.name,
                "region": cost.spec.region,
                "owner": cost.spec.owner,
                "environment": cost.spec.environment,
                "instance_type": cost.spec.instance_type or None,
                "compute": line_json(cost.compute),
                "volume": line_json(cost.volume),
                "total": amount_json(cost.amount),
            }
            for cost in estimate.notebooks
        ],
        "shared": [line_json(line) for line in estimate.shared],
        "total": {
            "notebooks": amount_json(estimate.notebooks_amount),
            "shared": amount_json(estimate.shared_amount),
            "all": amount_json(estimate.amount),
        },
        "unknown": [f"{figure} in {region}" for figure, region in estimate.unknown],
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


def groups_json(key: Key, groups: Sequence[Group]) -> dict[str, Any]:
    """The notebooks by a key, the dearest group first."""
    return {
        "key": key.text,
        "groups": [
            {
                "name": group.name,
                "notebooks": len(group.notebooks),
                "compute": amount_json(group.compute),
                "volumes": amount_json(group.volumes),
                "total": amount_json(group.amount),
            }
            for group in groups
        ],
    }


def comparisons_json(comparisons: Sequence[Comparison]) -> list[dict[str, Any]]:
    """The comparisons, one for each number of notebooks."""
    return [
        {
            "notebooks": comparison.notebooks,
            "overhead": {
                "separate": amount_json(comparison.separate_overhead),
                "shared": amount_json(comparison.shared_overhead),
                "saved_percent": _percent(comparison.saved_of_overhead),
            },
            "with_compute": {
                "separate": amount_json(comparison.separate),
                "shared": amount_json(comparison.shared),
                "saved_percent": _percent(comparison.saved_of_all),
            },
            "saved": amount_json(comparison.saved),
        }
        for comparison in comparisons
    ]


def line_json(line: Line) -> dict[str, Any]:
    """A line of the bill; `usd_a_unit` is None if the price is unknown."""
    return {
        "what": line.what,
        "quantity": _number(line.quantity),
        "unit": line.unit,
        "figure": line.figure,
        "usd_a_unit": str(line.price.usd) if line.price else None,
        "total": amount_json(line.amount),
    }


def amount_json(amount: Amount) -> dict[str, Any]:
    """US dollars to the cent; `at_least` is whether an unknown price comes on top."""
    return {"usd": f"{amount.usd:.2f}", "at_least": not amount.complete}


def _number(value: Decimal) -> int | float:
    return int(value) if value == value.to_integral_value() else float(value)


def _percent(value: Decimal | None) -> float | None:
    return None if value is None else float(round(value, 1))
