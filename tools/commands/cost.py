"""`tools cost`."""

from collections.abc import Callable, Sequence
from dataclasses import replace
from datetime import UTC, date, datetime
from decimal import Decimal
from typing import Any

import click
from click.core import ParameterSource

from tools.aws.model import check_region
from tools.commands import completions, cost_actual, cost_tables, options
from tools.commands.cost_actual import BillRequest
from tools.commands.cost_tables import CostAnswer
from tools.console.messages import print_json, say, warn
from tools.context import Context
from tools.cost import billed_costs, comparison, csv_output, estimates, json_output, prices, refresh
from tools.cost.comparison import Comparison
from tools.cost.estimates import CostQuestion
from tools.cost.groups import Key, group
from tools.cost.model import Assumptions, Estimate
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
    help="Use another value, as in notebook-prod.instance_type=ml.m5.xlarge. May be repeated.",
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
@click.option(
    "--by",
    metavar="KEY",
    help="Group the notebooks: owner, environment, type, or tag:NAME.",
)
@click.option("--refresh", "with_refresh", is_flag=True, help="Fetch the prices from AWS first.")
@click.option(
    "--actual",
    is_flag=True,
    help="What was billed, beside the estimate. AWS charges $0.01 a request; asks first.",
)
@click.option(
    "--months",
    type=click.IntRange(min=0, max=12),
    default=billed_costs.MONTHS,
    show_default=True,
    help="With --actual: months before this one.",
)
@click.option("--yes", is_flag=True, help="With --actual: do not ask for confirmation.")
@click.option("--csv", "as_csv", is_flag=True, help="Print CSV: every notebook, or every group.")
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
    by: str | None,
    with_refresh: bool,
    actual: bool,
    months: int,
    yes: bool,
    as_csv: bool,
    local: bool,
    as_json: bool,
    **assumptions: Decimal,
) -> None:
    """Estimate what a month of the fleet costs: each notebook, and what they share.

    NOTEBOOKS are names or globs; the default is all of them. Quantities come from the stacks'
    values, deployed or not. What no value says is assumed, printed, and an option here. Prices
    come from a dated table. --refresh fetches them from AWS, with credentials that may call
    pricing:GetProducts or with none, and keeps them in your cache. A price that is not known is
    shown as unknown, and the total as "at least".

    --actual asks Cost Explorer what was billed by a cost allocation tag, this month and the months
    before, and shows it beside the estimate, the largest difference first. AWS charges for each
    request. The answer is kept for the day; --refresh asks again.

    \b
    Examples:
      tools cost
      tools cost 'nlp-*' --hours 160
      tools cost --compare --notebooks 50
      tools cost --what-if nlp.instance_type=ml.m5.xlarge
      tools cost --by owner
      tools cost --actual
    """
    if hours is not None and hours > _LONGEST_MONTH:
        raise UserError(f"--hours {hours}: a month has at most {_LONGEST_MONTH} hours")
    if region:
        check_region(region)
    source = click.get_current_context().get_parameter_source("duplicated_gb")
    if not compare and (counts or source is ParameterSource.COMMANDLINE):
        raise click.UsageError("--notebooks and --duplicated-gb belong to --compare")
    if as_csv and (as_json or compare):
        raise click.UsageError("give --csv without --json and --compare")
    key = Key.parse(by) if by else None
    if actual and (local or compare or changes or notebooks or conditions):
        raise click.UsageError(
            "--actual is about the whole fleet in AWS: give it without NOTEBOOKS, --where, "
            "--what-if, --compare and --local"
        )
    question = CostQuestion(
        local,
        notebooks,
        conditions,
        region,
        hours,
        [WhatIf.parse(text) for text in changes],
        Assumptions(**assumptions),
    )
    today = datetime.now(UTC).date()
    if actual:
        request = BillRequest(months, with_refresh, yes)
        _show_actual(context, question, key, today, request, as_json, as_csv)
        return
    if with_refresh:
        _refresh(context, question, today)
    estimate = estimates.estimate(context, question)
    answer = CostAnswer(
        estimate,
        estimates.estimate(context, replace(question, what_if=())) if changes else None,
        _compare(estimate, counts, duplicated_gb) if compare else [],
        duplicated_gb,
        bool(notebooks or conditions),
        hours,
        key,
        group(estimate.notebooks, key) if key else [],
    )
    for warning in estimates.warnings(estimate, today):
        warn(warning)
    if as_json:
        print_json(_to_json(answer))
    elif as_csv and key:
        text = csv_output.groups_csv(key.text, answer.groups, estimate.shared_amount)
        click.echo(text, nl=False)
    elif as_csv:
        click.echo(csv_output.estimate_csv(estimate), nl=False)
    else:
        cost_tables.show(answer)


def _show_actual(
    context: Context,
    question: CostQuestion,
    asked_key: Key | None,
    today: date,
    request: BillRequest,
    as_json: bool,
    as_csv: bool,
) -> None:
    estimate = estimates.estimate(context, question)
    key = cost_actual.choose_key(context.repository, estimate.quantities.region, asked_key)
    answer = cost_actual.read(context.repository, estimate, key, today, request)
    for warning in estimates.warnings(estimate, today):
        warn(warning)
    if as_json:
        print_json(cost_actual.to_json(answer))
    elif as_csv:
        click.echo(cost_actual.to_csv(answer), nl=False)
    else:
        cost_actual.show(answer)


def _refresh(context: Context, question: CostQuestion, today: date) -> None:
    counted = estimates.count(context, question)
    for refreshed in refresh.refresh_prices(counted, today, say):
        say(f"{refreshed.count} prices of {refreshed.region} from {refreshed.source}")
    say(f"written to {prices.user_path()}")


def _compare(estimate: Estimate, counts: Sequence[int], duplicated_gb: Decimal) -> list[Comparison]:
    fleet = len(estimate.notebooks)
    sizes = {*(counts or _COUNTS), *([fleet] if fleet else [])}
    return [comparison.compare(estimate, size, duplicated_gb) for size in sorted(sizes)]


def _to_json(answer: CostAnswer) -> dict[str, Any]:
    document = json_output.estimate_json(answer.estimate)
    if answer.before:
        document["without_what_if"] = json_output.amount_json(answer.before.amount)
    if answer.key:
        document["by"] = json_output.groups_json(answer.key, answer.groups)
    if answer.comparisons:
        document["comparison"] = json_output.comparisons_json(answer.comparisons)
    return document
