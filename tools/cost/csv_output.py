"""The CSV of `tools cost`: a row for each notebook, or group, and each thing that they share.

An amount is US dollars to the cent, and empty if its price is not known. A total is empty if a part
of it is not known.
"""

import csv
import io
import re
from collections.abc import Iterable, Sequence

from tools.cost.groups import Group
from tools.cost.model import Amount, Estimate

_COLUMNS = (
    "kind",
    "name",
    "region",
    "owner",
    "environment",
    "instance_type",
    "hours",
    "compute_usd",
    "volume_gb",
    "volume_usd",
    "month_usd",
)
# What a spreadsheet takes for a formula: https://owasp.org/www-community/attacks/CSV_Injection
_FORMULA = re.compile(r"[=+@\t\r]|-(?!\d+(\.\d+)?$)")


def estimate_csv(estimate: Estimate) -> str:
    """A row for each notebook, and for each line of what they share."""
    region = estimate.quantities.region
    rows: list[tuple[str, ...]] = [
        (
            "notebook",
            cost.spec.name,
            cost.spec.region,
            cost.spec.owner,
            cost.spec.environment,
            cost.spec.instance_type,
            f"{cost.spec.hours:f}",
            amount_cell(cost.compute.amount),
            "" if cost.spec.volume_gb is None else str(cost.spec.volume_gb),
            amount_cell(cost.volume.amount),
            amount_cell(cost.amount),
        )
        for cost in estimate.notebooks
    ]
    rows += [
        ("shared", line.what, region, *[""] * 7, amount_cell(line.amount))
        for line in estimate.shared
        if line.quantity
    ]
    return to_csv(_COLUMNS, rows)


def groups_csv(title: str, groups: Iterable[Group], shared: Amount) -> str:
    """A row for each group, and one for what all share."""
    rows = [
        (
            group.name,
            str(len(group.notebooks)),
            amount_cell(group.compute),
            amount_cell(group.volumes),
            amount_cell(group.amount),
        )
        for group in groups
    ]
    rows.append(("shared", "", "", "", amount_cell(shared)))
    return to_csv((title, "notebooks", "compute_usd", "volume_usd", "month_usd"), rows)


def amount_cell(amount: Amount | None) -> str:
    """An amount, empty if it is not known."""
    return f"{amount.usd:.2f}" if amount and amount.complete else ""


def to_csv(columns: Sequence[str], rows: Iterable[Sequence[str]]) -> str:
    """The text of a CSV file; no cell of it is a formula."""
    text = io.StringIO()
    writer = csv.writer(text, lineterminator="\n")
    writer.writerow(columns)
    for row in rows:
        writer.writerow([f"'{cell}" if _FORMULA.match(cell) else cell for cell in row])
    return text.getvalue()
