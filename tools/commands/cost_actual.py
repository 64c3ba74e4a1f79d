"""`tools cost --actual`: what was billed, beside the estimate."""

from collections.abc import Sequence
from dataclasses import dataclass, replace
from datetime import date
from decimal import Decimal
from typing import Any

import click

from tools.aws import cost_explorer
from tools.aws.cost_explorer import MOST_REQUESTS, SOURCE, USD_A_REQUEST
from tools.console import table
from tools.console.figures import money, signed_money
from tools.console.messages import say, tell, warn
from tools.console.prompt import require_terminal
from tools.cost import billed_costs, csv_output, groups, json_output
from tools.cost.billed_costs import Against, Billed, BilledRow
from tools.cost.groups import Key
from tools.cost.model import Estimate, total
from tools.errors import UserError
from tools.layout.repository import Repository

_NOT_THERE = {
    "cn": "in China AWS bills in CNY, and this counts in US dollars",
    # map-aws-gov-acc.md in https://github.com/ServiceNow/ServiceNowDocs
    "us-gov": "the bill of a GovCloud account is that of its standard account: ask there",
}


@dataclass(frozen=True)
class BillRequest:
    """How Cost Explorer is asked: for `months` before this one.

    It is asked `again` even if it has answered today, and with `yes` without a question.
    """

    months: int
    again: bool
    yes: bool


@dataclass(frozen=True)
class Actual:
    """The bill beside the estimate."""

    billed: Billed
    rows: Sequence[BilledRow]
    against: Against | None
    estimate: Estimate


def choose_key(repository: Repository, region: str, by: Key | None) -> Key:
    """Returns the tag to group the bill by. Raises UserError if none is known or no bill exists."""
    for partition, why in _NOT_THERE.items():
        if region.startswith(f"{partition}-"):
            raise UserError(f"--actual: {why}")
    return billed_costs.choose_key(repository, by)


def read(
    repository: Repository, estimate: Estimate, key: Key, today: date, request: BillRequest
) -> Actual:
    """Returns the bill by `key` beside `estimate`: today's answer, or after a question a new one.

    Raises UserError if AWS does not answer, and without a terminal and `yes`.
    """
    billed = billed_costs.cached(repository, key.tag)
    is_fresh = billed and billed.asked == today and len(billed.months) == request.months + 1
    if billed is None or request.again or not is_fresh:
        billed = _ask(repository, key, today, request)
    else:
        say("AWS was asked today; ask again: tools cost --actual --refresh")
    if billed.is_empty:
        warn(_say_empty(billed))
    rows = billed_costs.compare(billed, estimate, key)
    return Actual(billed, rows, billed_costs.against(billed), estimate)


def _ask(repository: Repository, key: Key, today: date, request: BillRequest) -> Billed:
    say(f"AWS charges ${USD_A_REQUEST} a request for Cost Explorer:")
    say(f"  {SOURCE}")
    say(f"This takes one, and one for each further page, {MOST_REQUESTS} at most.")
    if not request.yes:
        require_terminal()
        click.confirm("Ask it?", abort=True, err=True)
    answer = billed_costs.ask(cost_explorer.cloud(), repository, key.tag, today, request.months)
    noun = "request" if answer.requests == 1 else "requests"
    say(f"{answer.requests} {noun}: ${answer.requests * USD_A_REQUEST}")
    return answer


def _say_empty(billed: Billed) -> str:
    tags = f"{billed.tag} or Project" if billed.project else billed.tag
    return (
        f"nothing that was billed carries the tag {billed.tag}. If {tags} is not active, AWS "
        "counts nothing by it: activate it (cost_allocation_tags in shared-infra/iam), and ask "
        "again a day later. AWS counts from then on, not backwards."
    )


def show(actual: Actual) -> None:
    """Prints the bill beside the estimate: a row for each value of the tag."""
    billed = actual.billed
    month_titles = [_title(month, billed) for month in billed.months]
    largest_rows, other_rows = groups.split(actual.rows)
    table_rows = [_cells(row.name, [row], billed) for row in largest_rows]
    if other_rows:
        table_rows.append(_cells(f"{len(other_rows)} others (--csv lists all)", other_rows, billed))
    table_rows.append(_cells("all", actual.rows, billed))
    titles = [*month_titles, "Estimate", "Difference"]
    columns = [table.Column(title, to_right=True) for title in titles]
    for number, column in enumerate(columns[: len(month_titles) - 1]):
        columns[number] = replace(
            column, rank=len(month_titles) - number
        )  # the oldest month goes first
    table.show(table_rows, (billed.tag, *columns))
    click.echo()
    for note in _notes(actual):
        tell(note)


def _cells(name: str, rows: Sequence[BilledRow], billed: Billed) -> list[str]:
    amounts = [
        sum((row.usd_by_month.get(month, Decimal(0)) for row in rows), Decimal(0))
        for month in billed.months
    ]
    estimates = [row.estimated for row in rows if row.estimated is not None]
    differences = [row.difference for row in rows if row.difference is not None]
    return [
        name,
        *(money(amount) for amount in amounts),
        str(total(estimates)) if estimates else "-",
        signed_money(sum(differences, Decimal(0))) if differences else "-",
    ]


def _title(month: date, billed: Billed) -> str:
    text = f"{month:%Y-%m}"
    return f"{text} so far" if month == billed.months[-1] else text


def _notes(actual: Actual) -> list[str]:
    billed = actual.billed
    what = f"the tag Project = {billed.project}" if billed.project else "the whole account"
    notes = [f"Billed: Cost Explorer, {billed.asked}, {what}, by the tag {billed.tag}."]
    if actual.against and actual.against.is_whole:
        notes.append(f"Difference: billed in {actual.against.month:%Y-%m}, less the estimate.")
    elif actual.against:
        share = f"{actual.against.share:.0%}"
        notes.append(
            f"Difference: billed so far, less {share} of the estimate: the month until now."
        )
    notes.append(
        "A bill has what the estimate leaves out (jobs, requests, transfer, taxes), and credits "
        "and discounts. What was deployed for a part of a month costs a part."
    )
    return notes


def to_json(actual: Actual) -> dict[str, Any]:
    """What `--json` prints (docs/cost.md)."""
    billed, against = actual.billed, actual.against
    return {
        "currency": "USD",
        "tag": billed.tag,
        "project": billed.project or None,
        "asked": billed.asked.isoformat(),
        "months": [f"{month:%Y-%m}" for month in billed.months],
        "compared_with": f"{against.month:%Y-%m}" if against else None,
        "share_of_month": float(round(against.share, 3)) if against else None,
        "rows": [
            {
                "value": row.name,
                "billed": {
                    f"{month:%Y-%m}": f"{row.usd_by_month.get(month, Decimal(0)):.2f}"
                    for month in billed.months
                },
                "estimate": json_output.amount_json(row.estimated) if row.estimated else None,
                "difference": None if row.difference is None else f"{row.difference:.2f}",
            }
            for row in actual.rows
        ],
    }


def to_csv(actual: Actual) -> str:
    """What `--csv` prints: every row; an amount that is not known is empty."""
    months = actual.billed.months
    columns = ("value", *(f"{month:%Y-%m}" for month in months), "estimate_usd", "difference_usd")
    csv_rows = [
        (
            row.name,
            *(f"{row.usd_by_month.get(month, Decimal(0)):.2f}" for month in months),
            csv_output.amount_cell(row.estimated),
            "" if row.difference is None else f"{row.difference:.2f}",
        )
        for row in actual.rows
    ]
    return csv_output.to_csv(columns, csv_rows)
