"""The tables and notes of `tools cost`."""

from collections.abc import Sequence
from dataclasses import dataclass, field
from decimal import Decimal
from typing import Any

import click
from rich.markup import escape

from tools.console.table import new_rich_table, show_rich
from tools.cost import comparison, groups
from tools.cost.comparison import Comparison
from tools.cost.groups import Group, Key
from tools.cost.model import Amount, Estimate, total
from tools.cost.prices import describe


@dataclass(frozen=True)
class CostAnswer:
    """What is printed: `before` is the estimate without the what-ifs, if there are any.

    `selected` says that it is about some notebooks of the fleet; `hours` are --hours. `groups` are
    the notebooks by `key`.
    """

    estimate: Estimate
    before: Estimate | None
    comparisons: Sequence[Comparison]
    duplicated_gb: Decimal
    selected: bool
    hours: Decimal | None
    key: Key | None = None
    groups: Sequence[Group] = field(default_factory=list)


def show(answer: CostAnswer) -> None:
    """Prints the estimate, the comparisons if they were asked for, and where it all comes from."""
    estimate = answer.estimate
    if estimate.notebooks and answer.key:
        _show_groups(answer.key, answer.groups)
    elif estimate.notebooks:
        _show_notebooks(estimate)
    else:
        click.echo("No notebooks.\n")
    _show_shared(estimate)
    click.echo(f"Total: {estimate.amount} a month in {estimate.quantities.region}")
    if answer.before:
        click.echo(_describe_difference(answer.before.amount, estimate.amount))
    if answer.comparisons:
        click.echo()
        _show_comparison(answer)
        click.echo("Sharing saves nothing with one notebook, and never on")
        for item in comparison.saves_nothing_on(estimate, answer.duplicated_gb):
            click.echo(f"  - {item}")
    click.echo()
    for note in (*estimate.quantities.notes, *_assumption_notes(estimate, answer.hours)):
        click.echo(note)
    figures: dict[str, list[str]] = {}
    for (_, figure), price in sorted(estimate.prices.items()):
        figures.setdefault(f"{price.source}, {price.on}", []).append(describe(figure))
    click.echo("Prices:")
    for source, names in figures.items():
        click.echo(f"  {', '.join(names)}: {source}")


def _show_notebooks(estimate: Estimate) -> None:
    numbers = ("Hours", "Compute", "GB", "Volume", "A month")
    table = new_rich_table("Notebooks", "Notebook", "Instance type", numbers=numbers)
    largest, others = groups.split(groups.dearest_first(estimate.notebooks))
    for cost in largest:
        size = cost.spec.volume_gb
        is_elsewhere = cost.spec.region != estimate.quantities.region
        table.add_row(
            escape(cost.spec.name) + (f" (in {cost.spec.region})" if is_elsewhere else ""),
            escape(cost.spec.instance_type) or "none declared",
            f"{cost.spec.hours:f}",
            str(cost.compute.amount),
            "none declared" if size is None else str(size),
            str(cost.volume.amount),
            str(cost.amount),
        )
    if others:
        rest = str(total(cost.amount for cost in others))
        table.add_row(f"{len(others)} others (--csv lists all)", "", "", "", "", "", rest)
    table.add_row("all notebooks", "", "", "", "", "", str(estimate.notebooks_amount))
    show_rich(table)


def _show_groups(key: Key, found: Sequence[Group]) -> None:
    table = new_rich_table(
        "Notebooks", key.title, numbers=("Notebooks", "Compute", "Volumes", "A month")
    )
    largest, others = groups.split(found)
    for row in largest:
        _add_group(table, escape(row.name), [row])
    if others:
        _add_group(table, f"{len(others)} others (--csv lists all)", others)
    _add_group(table, "all notebooks", found)
    show_rich(table)


def _add_group(table: Any, name: str, rows: Sequence[Group]) -> None:
    table.add_row(
        name,
        str(sum(len(row.notebooks) for row in rows)),
        str(total(row.compute for row in rows)),
        str(total(row.volumes for row in rows)),
        str(total(row.amount for row in rows)),
    )


def _show_shared(estimate: Estimate) -> None:
    table = new_rich_table("Shared", "What", numbers=("Quantity", "Price", "A month"))
    for line in estimate.shared:
        if line.quantity:
            price = f"${line.price.usd} a {line.unit}" if line.price else "unknown"
            table.add_row(line.what, f"{line.quantity:f} {line.unit}", price, str(line.amount))
    table.add_row("all shared", "", "", str(estimate.shared_amount))
    show_rich(table)


def _show_comparison(answer: CostAnswer) -> None:
    overhead = ("Overhead\nseparate", "\nshared", "\nsaved")
    with_compute = ("With compute\nseparate", "\nshared", "\nsaved", "Saved\na month")
    title = "Separate against shared infrastructure"
    table = new_rich_table(title, "Notebooks", numbers=(*overhead, *with_compute))
    fleet = " (these notebooks)" if answer.selected else " (this fleet)"
    for row in answer.comparisons:
        is_fleet = row.notebooks and row.notebooks == len(answer.estimate.notebooks)
        table.add_row(
            f"{row.notebooks}{fleet if is_fleet else ''}",
            str(row.separate_overhead),
            str(row.shared_overhead),
            _percent(row.saved_of_overhead),
            str(row.separate),
            str(row.shared),
            _percent(row.saved_of_all),
            str(row.saved),
        )
    show_rich(table)


def _assumption_notes(estimate: Estimate, hours: Decimal | None) -> list[str]:
    assumptions = estimate.assumptions
    notes = [
        "Hours: from schedule_start to schedule_stop, otherwise 730, which is all month. Auto-stop "
        "reduces them by an amount that depends on use: --hours."
        if hours is None
        else f"Hours: {hours:f} a month for each notebook, as --hours says."
    ]
    if estimate.quantities.shared.buckets:
        notes.append(f"Assumed: {assumptions.storage_gb} GB in the shared buckets (--storage-gb).")
    notes.append(
        f"Assumed of each notebook a month: {assumptions.logs_gb} GB of logs (--logs-gb), "
        f"{assumptions.endpoint_gb} GB through interface endpoints (--endpoint-gb)."
    )
    if estimate.quantities.shared.nat_gateway:
        notes.append(f"and {assumptions.nat_gb} GB through the NAT gateway (--nat-gb).")
    notes.append(
        "Not included: requests, transfer between zones or to the internet, jobs, models, taxes."
    )
    return notes


def _describe_difference(before: Amount, after: Amount) -> str:
    difference = after.usd - before.usd
    sign = "+" if difference >= 0 else "-"
    is_complete = before.complete and after.complete
    unknown = "" if is_complete else ", as far as prices are known"
    change = f"{sign}${abs(difference):,.2f}{unknown}"
    return f"Without the changes: {before}, a difference of {change}"


def _percent(value: Decimal | None) -> str:
    return "-" if value is None else f"{value:.1f} %"
