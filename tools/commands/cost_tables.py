"""The tables and notes of `tools cost`."""

from collections.abc import Sequence
from dataclasses import dataclass
from decimal import Decimal

import click

from tools.console import table
from tools.console.figures import quantity, signed_money, unit_price
from tools.console.messages import tell
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
    key: Key | None
    groups: Sequence[Group]


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
        click.echo()
        _show_difference(answer.before, estimate)
    if answer.comparisons:
        click.echo()
        _show_comparison(answer)
        click.echo("Sharing saves nothing with one notebook, and never on")
        for item in comparison.saves_nothing_on(
            estimate, answer.duplicated_gb, " (--duplicated-gb)"
        ):
            tell(f"  - {item}")
    click.echo()
    for note in (*estimate.quantities.notes, *_assumption_notes(estimate, answer.hours)):
        tell(note)
    figures: dict[str, list[str]] = {}
    for (_, figure), price in sorted(estimate.prices.items()):
        figures.setdefault(f"{price.source}, {price.on}", []).append(describe(figure))
    click.echo("Prices:")
    for source, names in figures.items():
        tell(f"  {', '.join(names)}: {source}")


def _show_notebooks(estimate: Estimate) -> None:
    largest_notebooks, other_notebooks = groups.split(groups.dearest_first(estimate.notebooks))
    rows: list[list[table.Cell]] = []
    for cost in largest_notebooks:
        size = cost.spec.volume_gb
        is_elsewhere = cost.spec.region != estimate.quantities.region
        rows.append(
            [
                cost.spec.name + (f" (in {cost.spec.region})" if is_elsewhere else ""),
                cost.spec.instance_type or "none declared",
                quantity(cost.spec.hours),
                str(cost.compute.amount),
                "none declared" if size is None else str(size),
                str(cost.volume.amount),
                str(cost.amount),
            ]
        )
    if other_notebooks:
        rest = total(cost.amount for cost in other_notebooks)
        rows.append([_name_others(len(other_notebooks)), *[""] * 5, str(rest)])
    rows.append(["all notebooks", *[""] * 5, str(estimate.notebooks_amount)])
    columns: table.Columns = (
        "Notebook",
        "Instance type",
        _number("Hours", 4),
        _number("Compute", 1),
        _number("GB", 3),
        _number("Volume", 2),
        _number("A month"),
    )
    table.show(rows, columns, title="Notebooks")
    click.echo()


def _show_groups(key: Key, cost_groups: Sequence[Group]) -> None:
    largest_groups, other_groups = groups.split(cost_groups)
    rows = [_group_cells(group.name, [group]) for group in largest_groups]
    if other_groups:
        rows.append(_group_cells(_name_others(len(other_groups)), other_groups))
    rows.append(_group_cells("all notebooks", cost_groups))
    figure_columns = [_number(title) for title in ("Notebooks", "Compute", "Volumes", "A month")]
    table.show(rows, [key.title, *figure_columns], title="Notebooks")
    click.echo()


def _group_cells(name: str, cost_groups: Sequence[Group]) -> list[table.Cell]:
    return [
        name,
        sum(len(group.notebooks) for group in cost_groups),
        str(total(group.compute for group in cost_groups)),
        str(total(group.volumes for group in cost_groups)),
        str(total(group.amount for group in cost_groups)),
    ]


def _name_others(count: int) -> str:
    return f"{count} others (--csv lists all)"


def _number(title: str, rank: int = 0) -> table.Column:
    """A column of figures; on a narrow terminal the one with the highest rank goes first."""
    return table.Column(title, rank, to_right=True)


def _show_shared(estimate: Estimate) -> None:
    rows: list[list[table.Cell]] = [
        [
            line.what,
            f"{quantity(line.quantity)} {line.unit}",
            unit_price(line.price.usd) if line.price else "unknown",
            str(line.amount),
        ]
        for line in estimate.shared
        if line.quantity
    ]
    columns: table.Columns = (
        "What",
        _number("Quantity", 2),
        _number("Price", 1),
        _number("A month"),
    )
    table.show(rows, columns, title="Shared")
    click.echo(f"All shared: {estimate.shared_amount}\n")


def _show_comparison(answer: CostAnswer) -> None:
    name = "these notebooks" if answer.selected else "this fleet"
    overhead: list[list[table.Cell]] = []
    with_compute: list[list[table.Cell]] = []
    for fleet in answer.comparisons:
        is_fleet = fleet.notebooks and fleet.notebooks == len(answer.estimate.notebooks)
        notebooks = f"{fleet.notebooks} ({name})" if is_fleet else str(fleet.notebooks)
        overhead.append(
            [
                notebooks,
                str(fleet.separate_overhead),
                str(fleet.shared_overhead),
                str(fleet.saved),
                _percent(fleet.saved_of_overhead),
            ]
        )
        with_compute.append(
            [
                notebooks,
                str(fleet.separate),
                str(fleet.shared),
                str(fleet.saved),
                _percent(fleet.saved_of_all),
            ]
        )
    numbers = [_number(title) for title in ("Separate", "Shared", "Saved", "Saved %")]
    columns: table.Columns = ["Notebooks", *numbers]
    table.show(overhead, columns, title="Separate against shared infrastructure: overhead alone")
    click.echo()
    table.show(with_compute, columns, title="and with compute and volumes")
    click.echo()


def _assumption_notes(estimate: Estimate, hours: Decimal | None) -> list[str]:
    assumptions = estimate.assumptions
    notes = [
        "Hours: from schedule_start to schedule_stop, otherwise 730, which is all month. Auto-stop "
        "reduces them by an amount that depends on use: --hours."
        if hours is None
        else f"Hours: {hours:f} a month for each notebook, as --hours says."
    ]
    if estimate.quantities.shared_spec.buckets:
        notes.append(f"Assumed: {assumptions.storage_gb} GB in the shared buckets (--storage-gb).")
    through_nat = ""
    if estimate.quantities.shared_spec.nat_gateway:
        through_nat = f", {assumptions.nat_gb} GB through the NAT gateway (--nat-gb)"
    notes.append(
        f"Assumed of each notebook a month: {assumptions.logs_gb} GB of logs (--logs-gb), "
        f"{assumptions.endpoint_gb} GB through interface endpoints (--endpoint-gb){through_nat}."
    )
    notes.append(
        "Not included: requests, transfer between zones or to the internet, jobs, models, taxes."
    )
    return notes


def _show_difference(before: Estimate, after: Estimate) -> None:
    """Prints what the what-ifs change: each notebook, what all share, and the total."""
    amounts = [
        (cost.spec.name, cost.amount, changed.amount)
        for cost, changed in zip(before.notebooks, after.notebooks, strict=True)
    ]
    amounts.append(("all shared", before.shared_amount, after.shared_amount))
    rows = [_difference_cells(name, old, new) for name, old, new in amounts if old != new]
    rows.append(_difference_cells("total", before.amount, after.amount))
    columns: table.Columns = ("What", *map(_number, ("Before", "After", "Difference")))
    table.show(rows, columns, title="What if: a month before and after the changes")


def _difference_cells(name: str, old: Amount, new: Amount) -> list[table.Cell]:
    """A row; a difference of amounts that are not complete is not known."""
    is_known = old.complete and new.complete
    difference = signed_money(new.usd - old.usd) if is_known else "unknown"
    return [name, str(old), str(new), difference]


def _percent(value: Decimal | None) -> str:
    return "-" if value is None else f"{value:.1f} %"
