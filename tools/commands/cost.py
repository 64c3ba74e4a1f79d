"""`tools cost`: options, and the tables and notes that it prints."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from datetime import UTC, date, datetime
from decimal import Decimal
from typing import Any

import click
from click.core import ParameterSource
from rich.markup import escape

from tools.aws.model import check_region
from tools.commands import completions, options
from tools.console.messages import print_json, say, warn
from tools.console.table import new_rich_table, show_rich
from tools.context import Context
from tools.cost import comparison, estimates, json_output
from tools.cost.comparison import Comparison
from tools.cost.estimates import Question
from tools.cost.model import Amount, Assumptions, Estimate
from tools.cost.prices import describe, user_prices_path
from tools.cost.quantities import WhatIf
from tools.errors import UserError

_DEFAULTS = Assumptions()
_COUNTS = (1, 3, 10)
_LONGEST_MONTH = 744  # hours


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
            self.fail(f"{value!r} is not a number of 0 or more", param, ctx)
        return number


@dataclass(frozen=True)
class _CostAnswer:
    """What is printed: `before` is the estimate without the what-ifs, if there are any.

    `selected` says that it is about some notebooks of the fleet; `hours` are --hours.
    """

    estimate: Estimate
    before: Estimate | None
    comparisons: Sequence[Comparison]
    duplicated_gb: Decimal
    selected: bool
    hours: Decimal | None


def _assumption(name: str, default: Decimal, help: str) -> Callable[..., Any]:
    return click.option(name, type=_Number(), default=str(default), show_default=True, help=help)


@click.command("cost", short_help="Estimate what a month costs.")
@click.argument("notebooks", nargs=-1, shell_complete=completions.notebooks)
@options.where
@click.option("--compare", is_flag=True, help="Compare separate and shared infrastructure.")
@click.option(
    "--notebooks",
    "counts",
    type=click.IntRange(min=0),
    multiple=True,
    metavar="N",
    help="With --compare: a fleet of N notebooks. May be repeated.  [default: 1, 3, 10]",
)
@click.option(
    "--duplicated-gb",
    type=_Number(),
    default="0",
    help="With --compare: GB of data that every separate bucket would hold a copy of.",
)
@click.option(
    "--what-if",
    "changes",
    multiple=True,
    metavar="STACK.VALUE=X",
    help="Use another value: notebook-prod.instance_type=ml.m5.xlarge. May be repeated.",
)
@click.option(
    "--hours",
    type=_Number(),
    help="Hours a month that each notebook runs.  [default: from its schedule, otherwise 730]",
)
@click.option("--region", help="Use the prices of this region.")
@_assumption("--storage-gb", _DEFAULTS.storage_gb, "GB in the shared buckets.")
@_assumption("--logs-gb", _DEFAULTS.logs_gb, "GB of logs a month from each notebook.")
@_assumption(
    "--endpoint-gb",
    _DEFAULTS.endpoint_gb,
    "GB a month from each notebook through interface endpoints.",
)
@_assumption(
    "--nat-gb", _DEFAULTS.nat_gb, "GB a month to and from each notebook through a NAT gateway."
)
@click.option("--refresh", is_flag=True, help="Fetch prices from the AWS Price List first.")
@options.local
@options.as_json
@click.pass_obj
def command(
    context: Context,
    /,
    notebooks: tuple[str, ...],
    conditions: tuple[str, ...],
    compare: bool,
    counts: tuple[int, ...],
    duplicated_gb: Decimal,
    changes: tuple[str, ...],
    hours: Decimal | None,
    region: str | None,
    refresh: bool,
    local: bool,
    as_json: bool,
    **assumptions: Decimal,
) -> None:
    """Estimate what a month of the fleet costs: each notebook, and what they share.

    NOTEBOOKS are names or globs; the default is all of them. Quantities come from the stacks'
    values, deployed or not. What no value says is assumed, printed, and an option here. Prices
    come from a dated table; --refresh fetches them from the AWS Price List, which needs
    pricing:GetProducts, and keeps them in .tools/prices.json. A price that is not known is shown
    as unknown, and the total as "at least".

    \b
    Examples:
      tools cost
      tools cost 'nlp-*' --hours 160
      tools cost --compare --notebooks 50
      tools cost --what-if nlp.instance_type=ml.m5.xlarge
    """
    if hours is not None and hours > _LONGEST_MONTH:
        raise UserError(f"--hours {hours}: a month has at most {_LONGEST_MONTH} hours")
    if region:
        check_region(region)
    source = click.get_current_context().get_parameter_source("duplicated_gb")
    if not compare and (counts or source is ParameterSource.COMMANDLINE):
        raise click.UsageError("--notebooks and --duplicated-gb belong to --compare")
    question = Question(
        local,
        notebooks,
        conditions,
        region,
        hours,
        [WhatIf.parse(text) for text in changes],
        Assumptions(**assumptions),
    )
    today = datetime.now(UTC).date()
    if refresh:
        _refresh(context, question, today)
    estimate = estimates.estimate(context, question)
    answer = _CostAnswer(
        estimate,
        estimates.estimate(context, replace(question, what_if=())) if changes else None,
        _compare(estimate, counts, duplicated_gb) if compare else [],
        duplicated_gb,
        bool(notebooks or conditions),
        hours,
    )
    for warning in estimates.warnings(estimate, today):
        warn(warning)
    if as_json:
        print_json(_to_json(answer))
    else:
        _show(answer)


def _refresh(context: Context, question: Question, today: date) -> None:
    regions = {notebook.region for notebook in estimates.select_notebooks(context, question)}
    regions.add(question.region or estimates.open_fleet(context, question.local).region)
    regions |= {change.value for change in question.what_if if change.key == "region"} - {"null"}
    for region, count in estimates.refresh_prices(context, sorted(regions), today).items():
        say(f"{count} prices of {region} from the AWS Price List")
    say(f"written to {user_prices_path(context.repository)}")


def _compare(estimate: Estimate, counts: Sequence[int], duplicated_gb: Decimal) -> list[Comparison]:
    fleet = len(estimate.notebooks)
    sizes = {*(counts or _COUNTS), *([fleet] if fleet else [])}
    return [comparison.compare(estimate, size, duplicated_gb) for size in sorted(sizes)]


def _to_json(answer: _CostAnswer) -> dict[str, Any]:
    document = json_output.estimate_json(answer.estimate)
    if answer.before:
        document["without_what_if"] = json_output.amount_json(answer.before.amount)
    if answer.comparisons:
        document["comparison"] = json_output.comparisons_json(answer.comparisons)
    return document


def _show(answer: _CostAnswer) -> None:
    estimate = answer.estimate
    if estimate.notebooks:
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
    for cost in estimate.notebooks:
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
    table.add_row("all notebooks", "", "", "", "", "", str(estimate.notebooks_amount))
    show_rich(table)


def _show_shared(estimate: Estimate) -> None:
    table = new_rich_table("Shared", "What", numbers=("Quantity", "Price", "A month"))
    for line in estimate.shared:
        if line.quantity:
            price = f"${line.price.usd} a {line.unit}" if line.price else "unknown"
            table.add_row(line.what, f"{line.quantity:f} {line.unit}", price, str(line.amount))
    table.add_row("all shared", "", "", str(estimate.shared_amount))
    show_rich(table)


def _show_comparison(answer: _CostAnswer) -> None:
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
