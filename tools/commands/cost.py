"""`tools cost`."""

import json
from collections.abc import Sequence
from dataclasses import dataclass, replace
from datetime import UTC, datetime
from decimal import Decimal
from typing import Any

import click
from click.core import ParameterSource
from rich.box import SIMPLE_HEAD
from rich.markup import escape
from rich.table import Table

from tools.aws.model import check_region
from tools.commands import options
from tools.console.table import show_rich
from tools.context import Context
from tools.cost import comparison, estimates, json_output
from tools.cost.comparison import Comparison
from tools.cost.estimates import Question
from tools.cost.model import Amount, Assumptions, Estimate
from tools.cost.prices import describe
from tools.cost.quantities import WhatIf
from tools.errors import UserError

_PLAIN: Any = {"box": SIMPLE_HEAD, "title_justify": "left", "pad_edge": False}
_DEFAULTS = Assumptions()
_COUNTS = (1, 3, 10)
_LONGEST_MONTH = 744


class _Number(click.ParamType[Decimal]):
    """A decimal number of 0 or more."""

    name = "number"

    def convert(
        self, value: Any, param: click.Parameter | None, ctx: click.Context | None
    ) -> Decimal:
        try:
            number = Decimal(str(value))
        except ArithmeticError:
            number = Decimal("NaN")
        if not number.is_finite() or number < 0:
            self.fail(f"{value!r} is no number of 0 or more", param, ctx)
        return number


@dataclass(frozen=True)
class _Answer:
    """What is printed: `before` is the estimate without the what-ifs, where there are any.

    `selected` says that it is about some notebooks of the fleet, `hours` are --hours.
    """

    estimate: Estimate
    before: Estimate | None
    comparisons: Sequence[Comparison]
    duplicated_gb: Decimal
    selected: bool
    hours: Decimal | None


@click.command("cost", short_help="What a month costs.")
@click.argument("notebooks", nargs=-1)
@options.where
@click.option("--compare", is_flag=True, help="Separate against shared infrastructure.")
@click.option(
    "--notebooks",
    "counts",
    type=click.IntRange(min=0),
    multiple=True,
    metavar="N",
    help="With --compare: a fleet of N; may be repeated.  [default: 1, 3, 10]",
)
@click.option(
    "--duplicated-gb",
    type=_Number(),
    default="0",
    help="With --compare: GB of data that each notebook's own bucket would hold a copy of.",
)
@click.option(
    "--what-if",
    "changes",
    multiple=True,
    metavar="STACK.VALUE=X",
    help="Another value, such as notebook-prod.instance_type=ml.m5.xlarge; may be repeated.",
)
@click.option(
    "--hours",
    type=_Number(),
    help="Hours a month that each runs.  [default: its schedule's, or 730]",
)
@click.option("--region", help="At the prices of this region.")
@click.option(
    "--storage-gb",
    type=_Number(),
    default=str(_DEFAULTS.storage_gb),
    show_default=True,
    help="GB that the shared buckets hold.",
)
@click.option(
    "--logs-gb",
    type=_Number(),
    default=str(_DEFAULTS.logs_gb),
    show_default=True,
    help="GB of logs a month from each notebook.",
)
@click.option(
    "--endpoint-gb",
    type=_Number(),
    default=str(_DEFAULTS.endpoint_gb),
    show_default=True,
    help="GB a month from each notebook through interface endpoints.",
)
@click.option("--refresh", is_flag=True, help="Ask the AWS Price List first, and keep its answer.")
@options.local
@click.option("--json", "as_json", is_flag=True, help="For a script.")
@click.pass_obj
def command(
    context: Context,
    notebooks: tuple[str, ...],
    conditions: tuple[str, ...],
    compare: bool,
    counts: tuple[int, ...],
    duplicated_gb: Decimal,
    changes: tuple[str, ...],
    hours: Decimal | None,
    region: str | None,
    storage_gb: Decimal,
    logs_gb: Decimal,
    endpoint_gb: Decimal,
    refresh: bool,
    local: bool,
    as_json: bool,
) -> None:
    """Estimate what a month of the fleet costs: each notebook, and what they share.

    NOTEBOOKS are names or globs; all of them where none is named. Quantities come from the
    stacks' values, deployed or not; what no value says is assumed, stated, and an option here.
    Prices come from a dated table; --refresh asks the AWS Price List, which needs credentials
    that may call pricing:GetProducts, and keeps its answer in .tools/prices.json. A price that
    is not known is shown as unknown, and the total as "at least".
    """
    _check(hours, region)
    duplicated = click.get_current_context().get_parameter_source("duplicated_gb")
    if not compare and (counts or duplicated is ParameterSource.COMMANDLINE):
        raise click.UsageError("--notebooks and --duplicated-gb belong to --compare")
    question = Question(
        local,
        notebooks,
        conditions,
        region,
        hours,
        [WhatIf.parse(text) for text in changes],
        Assumptions(storage_gb, logs_gb, endpoint_gb),
    )
    today = datetime.now(UTC).date()
    if refresh:
        _refresh(context, question)
    estimate = estimates.estimate(context, question)
    answer = _Answer(
        estimate,
        estimates.estimate(context, _unchanged(question)) if changes else None,
        _compared(estimate, counts, duplicated_gb) if compare else [],
        duplicated_gb,
        bool(notebooks or conditions),
        hours,
    )
    for warning in estimates.warnings(estimate, today):
        click.secho(f"warning: {warning}", fg="yellow", err=True)
    if as_json:
        click.echo(json.dumps(_json(answer), indent=2))
    else:
        _print(answer)


def _check(hours: Decimal | None, region: str | None) -> None:
    if hours is not None and hours > _LONGEST_MONTH:
        raise UserError(f"--hours {hours}: a month has at most {_LONGEST_MONTH} hours")
    if region:
        check_region(region)


def _unchanged(question: Question) -> Question:
    return replace(question, what_if=())


def _refresh(context: Context, question: Question) -> None:
    regions = {notebook.region for notebook in estimates.select_notebooks(context, question)}
    regions.add(question.region or estimates.open_fleet(context, question.local).region)
    regions |= {change.value for change in question.what_if if change.key == "region"} - {"null"}
    today = datetime.now(UTC).date()
    for region, count in estimates.refresh_prices(context, sorted(regions), today).items():
        click.echo(f"{count} prices of {region} from the AWS Price List", err=True)
    click.echo(f"written to {estimates.user_prices_path(context)}", err=True)


def _compared(
    estimate: Estimate, counts: Sequence[int], duplicated_gb: Decimal
) -> list[Comparison]:
    fleet = len(estimate.notebooks)
    asked = {*(counts or _COUNTS), *([fleet] if fleet else [])}
    return [comparison.compare(estimate, count, duplicated_gb) for count in sorted(asked)]


def _json(answer: _Answer) -> dict[str, Any]:
    found = json_output.estimate_json(answer.estimate)
    if answer.before:
        found["without_what_if"] = json_output.amount_json(answer.before.amount)
    if answer.comparisons:
        found["comparison"] = json_output.comparisons_json(answer.comparisons)
    return found


def _print(answer: _Answer) -> None:
    estimate = answer.estimate
    if estimate.notebooks:
        show_rich(_notebooks(estimate))
    else:
        click.echo("No notebooks.\n")
    show_rich(_shared(estimate))
    click.echo(f"Total: {estimate.amount} a month in {estimate.quantities.region}")
    if answer.before:
        click.echo(_difference(answer.before.amount, estimate.amount))
    if answer.comparisons:
        click.echo()
        of_them = "these notebooks" if answer.selected else "this fleet"
        show_rich(_comparison(answer.comparisons, len(estimate.notebooks), of_them))
        click.echo("Sharing saves nothing with one notebook, and never on")
        for item in comparison.saves_nothing_on(estimate, answer.duplicated_gb):
            click.echo(f"  - {item}")
    click.echo()
    for note in (*estimate.quantities.notes, *_assumed(estimate, answer.hours)):
        click.echo(note)
    for source in _sources(estimate):
        click.echo(source)


def _notebooks(estimate: Estimate) -> Table:
    table = Table("Notebook", "Instance type", title="Notebooks", **_PLAIN)
    for name in ("Hours", "Compute", "GB", "Volume", "A month"):
        table.add_column(name, justify="right")
    for cost in estimate.notebooks:
        size = cost.spec.volume_gb
        elsewhere = cost.spec.region != estimate.quantities.region
        table.add_row(
            escape(cost.spec.name) + (f" (in {cost.spec.region})" if elsewhere else ""),
            escape(cost.spec.instance_type) or "none declared",
            f"{cost.spec.hours:f}",
            str(cost.compute.amount),
            "none declared" if size is None else str(size),
            str(cost.volume.amount),
            str(cost.amount),
        )
    table.add_row("all notebooks", "", "", "", "", "", str(estimate.notebooks_amount))
    return table


def _shared(estimate: Estimate) -> Table:
    table = Table("What", title="Shared", **_PLAIN)
    for name in ("Quantity", "Price", "A month"):
        table.add_column(name, justify="right")
    for line in estimate.shared:
        if line.quantity:
            price = f"${line.price.usd} a {line.unit}" if line.price else "unknown"
            table.add_row(line.what, f"{line.quantity:f} {line.unit}", price, str(line.amount))
    table.add_row("all shared", "", "", str(estimate.shared_amount))
    return table


def _comparison(comparisons: Sequence[Comparison], count: int, of_them: str) -> Table:
    table = Table("Notebooks", title="Separate against shared infrastructure", **_PLAIN)
    for name in ("Overhead\nseparate", "\nshared", "\nsaved", "With compute\nseparate"):
        table.add_column(name, justify="right")
    for name in ("\nshared", "\nsaved", "Saved\na month"):
        table.add_column(name, justify="right")
    for found in comparisons:
        table.add_row(
            f"{found.notebooks}{f' ({of_them})' if count and found.notebooks == count else ''}",
            str(found.separate_overhead),
            str(found.shared_overhead),
            _percent(found.saved_of_overhead),
            str(found.separate),
            str(found.shared),
            _percent(found.saved_of_all),
            str(found.saved),
        )
    return table


def _assumed(estimate: Estimate, hours: Decimal | None) -> list[str]:
    assumed = estimate.assumptions
    notes = [
        "Hours: from schedule_start to schedule_stop, else all month, 730. An idle stop makes them "
        "fewer, by how much only a notebook's use tells: --hours."
        if hours is None
        else f"Hours: {hours:f} a month for each notebook, as --hours says."
    ]
    if estimate.quantities.shared.buckets:
        notes.append(f"Assumed: {assumed.storage_gb} GB in the shared buckets (--storage-gb).")
    notes.append(
        f"Assumed of each notebook a month: {assumed.logs_gb} GB of logs (--logs-gb), "
        f"{assumed.endpoint_gb} GB through interface endpoints (--endpoint-gb)."
    )
    notes.append("Not in it: requests, NAT, transfer between zones, jobs and models, taxes.")
    return notes


def _sources(estimate: Estimate) -> list[str]:
    """Who says the prices, each with the figures that it says."""
    said: dict[str, list[str]] = {}
    for (_, figure), price in sorted(estimate.prices.items()):
        said.setdefault(f"{price.source}, {price.on}", []).append(describe(figure))
    return ["Prices:", *(f"  {', '.join(names)}: {source}" for source, names in said.items())]


def _difference(before: Amount, after: Amount) -> str:
    difference = after.usd - before.usd
    sign = "+" if difference >= 0 else "-"
    complete = before.complete and after.complete
    unknown = "" if complete else ", as far as prices are known"
    changed = f"{sign}${abs(difference):,.2f}{unknown}"
    return f"Without the changes: {before}, a difference of {changed}"


def _percent(value: Decimal | None) -> str:
    return "-" if value is None else f"{value:.1f} %"
