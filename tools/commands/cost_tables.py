"""The tables and notes of `tools cost`."""

from collections.abc import Sequence
from dataclasses import dataclass, field
from decimal import Decimal

import click

from tools.console import table
from tools.console.figures import signed_money
from tools.console.messages import print_text
from tools.console.table import Column
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
            print_text(f"  - {item}")
    click.echo()
    for note in (*estimate.quantities.notes, *_assumption_notes(estimate, answer.hours)):
        print_text(note)
    figures: dict[str, list[str]] = {}
    for (_, figure), price in sorted(estimate.prices.items()):
        figures.setdefault(f"{price.source}, {price.on}", []).append(describe(figure))
    click.echo("Prices:")
    for source, names in figures.items():
        print_text(f"  {', '.join(names)}: {source}")


def _show_notebooks(estimate: Estimate) -> None:
    largest, others = groups.split(groups.dearest_first(estimate.notebooks))
    rows = []
    for cost in largest:
        size = cost.spec.volume_gb
        is_elsewhere = cost.spec.region != estimate.quantities.region
        rows.append(
            (
                cost.spec.name + (f" (in {cost.spec.region})" if is_elsewhere else ""),
                cost.spec.instance_type or "none declared",
                f"{cost.spec.hours:f}",
                str(cost.compute.amount),
                "none declared" if size is None else str(size),
                str(cost.volume.amount),
                str(cost.amount),
            )
        )
    if others:
        rest = str(total(cost.amount for cost in others))
        rows.append((f"{len(others)} others (--csv lists all)", "", "", "", "", "", rest))
    rows.append(("all notebooks", "", "", "", "", "", str(estimate.notebooks_amount)))
    columns = (
        "Notebook",
        Column("Instance type", rank=3),
        _figures("Hours", rank=2),
        _figures("Compute", rank=4),
        _figures("GB", rank=1),
        _figures("Volume", rank=5),
        _figures("A month"),
    )
    _show_table("Notebooks", rows, columns)


def _show_groups(key: Key, found: Sequence[Group]) -> None:
    largest, others = groups.split(found)
    rows = [_group_cells(row.name, [row]) for row in largest]
    if others:
        rows.append(_group_cells(f"{len(others)} others (--csv lists all)", others))
    rows.append(_group_cells("all notebooks", found))
    columns = (
        key.title,
        _figures("Notebooks", rank=1),
        _figures("Compute", rank=2),
        _figures("Volumes", rank=3),
        _figures("A month"),
    )
    _show_table("Notebooks", rows, columns)


def _group_cells(name: str, rows: Sequence[Group]) -> tuple[str, ...]:
    return (
        name,
        str(sum(len(row.notebooks) for row in rows)),
        str(total(row.compute for row in rows)),
        str(total(row.volumes for row in rows)),
        str(total(row.amount for row in rows)),
    )


def _show_shared(estimate: Estimate) -> None:
    rows = [
        (
            line.what,
            f"{line.quantity:f} {line.unit}",
            f"${line.price.usd} a {line.unit}" if line.price else "unknown",
            str(line.amount),
        )
        for line in estimate.shared
        if line.quantity
    ]
    rows.append(("all shared", "", "", str(estimate.shared_amount)))
    columns = (
        "What",
        _figures("Quantity", rank=1),
        _figures("Price", rank=2),
        _figures("A month"),
    )
    _show_table("Shared", rows, columns)


def _show_comparison(answer: CostAnswer) -> None:
    fleet = " (these notebooks)" if answer.selected else " (this fleet)"
    rows = []
    for row in answer.comparisons:
        is_fleet = row.notebooks and row.notebooks == len(answer.estimate.notebooks)
        rows.append(
            (
                f"{row.notebooks}{fleet if is_fleet else ''}",
                str(row.separate_overhead),
                str(row.shared_overhead),
                _percent(row.saved_of_overhead),
                str(row.separate),
                str(row.shared),
                _percent(row.saved_of_all),
                str(row.saved),
            )
        )
    columns = (
        "Notebooks",
        _figures("Overhead\nseparate", rank=1),
        _figures("Overhead\nshared", rank=2),
        _figures("Overhead\nsaved", rank=3),
        _figures("All\nseparate"),
        _figures("All\nshared"),
        _figures("All\nsaved", rank=4),
        _figures("Saved\na month"),
    )
    _show_table("Separate against shared infrastructure", rows, columns)


def _figures(title: str, rank: int = 0) -> Column:
    return Column(title, rank, to_right=True)


def _show_table(title: str, rows: Sequence[Sequence[str]], columns: Sequence[Column | str]) -> None:
    table.show(rows, columns, title=title)
    click.echo()


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
    is_complete = before.complete and after.complete
    unknown = "" if is_complete else ", as far as prices are known"
    change = f"{signed_money(difference)}{unknown}"
    return f"Without the changes: {before}, a difference of {change}"


def _percent(value: Decimal | None) -> str:
    return "-" if value is None else f"{value:.1f} %"
