"""What was billed by the values of a tag, asked of Cost Explorer and kept, beside the estimate.

`.tools/billed.json` in the repository keeps the last answer for each tag. Only `ask` asks AWS.
"""

import calendar
import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import date
from decimal import Decimal
from pathlib import Path
from typing import Any

from tools import SCRATCH
from tools.aws import cost_explorer
from tools.aws.client import Cloud
from tools.cost import groups
from tools.cost.groups import Key
from tools.cost.model import Amount, Estimate
from tools.errors import UserError
from tools.layout import variables
from tools.layout.repository import Repository
from tools.layout.stack import IAM
from tools.system import files

FORMAT = 1
MONTHS = 2  # whole ones before this month, by default
_PROJECT = "Project"
_STACK = "Stack"
_SHARED_STACKS = "shared-infra/"
# By which tag, if nobody says: the one that tells notebooks apart, if AWS counts by it.
_PREFERRED = (_STACK, "Owner", "Environment")


@dataclass(frozen=True)
class Billed:
    """An answer of Cost Explorer: US dollars by value of `tag`, "" without it, and by month.

    `months` are their first days; the last one is this month up to `asked`. `project` is the value
    of the tag Project that everything counted has, "" if the whole account was counted.
    """

    tag: str
    project: str
    asked: date
    months: Sequence[date]
    amounts: Mapping[str, Mapping[date, Decimal]]
    requests: int = 0

    @property
    def is_empty(self) -> bool:
        """Whether nothing that was billed has the tag: it may not be active."""
        return not any(self.amounts)

    def total(self, month: date) -> Decimal:
        """What was billed in a month."""
        return sum(
            (usd_by_month.get(month, Decimal(0)) for usd_by_month in self.amounts.values()),
            Decimal(0),
        )


@dataclass(frozen=True)
class BilledRow:
    """A value of the tag: what was billed by month, and what a month is estimated to cost.

    `estimated` is None if nobody knows whether the value is one of this project's. `difference` is
    what was billed less what was to be expected, None if that is not known.
    """

    name: str
    usd_by_month: Mapping[date, Decimal]
    estimated: Amount | None
    difference: Decimal | None


@dataclass(frozen=True)
class Against:
    """What the estimate is compared with: the last whole month, or a part of this one."""

    month: date
    share: Decimal
    is_whole: bool


def active_tags(repository: Repository) -> list[str]:
    """The tags that `cost_allocation_tags` of shared-infra/iam activates."""
    for stack in repository.stacks():
        if stack.name == IAM:
            tags = variables.read_values(stack).get("cost_allocation_tags")
            return [str(tag) for tag in tags] if isinstance(tags, list) else []
    return []


def choose_key(repository: Repository, by: Key | None) -> Key:
    """Returns the key to group the bill by: `by`, or a tag that the repository activates.

    Raises UserError if there is none, and for a key that is no tag.
    """
    if by:
        if not by.tag:
            raise UserError(
                f"--by {by.text}: a bill knows tags alone: owner, environment, tag:NAME"
            )
        return by
    active = active_tags(repository)
    chosen = [tag for tag in (*_PREFERRED, *active) if tag in active and tag != _PROJECT]
    if not chosen:
        raise UserError(
            "AWS cannot tell costs apart: no cost allocation tag is active. Set "
            'cost_allocation_tags = ["Project", "Stack", "Owner", "Environment"] in '
            f"{IAM}/terraform.tfvars and deploy it ({IAM}/README.md says who may), or name a tag "
            "that is active in the account: --by owner"
        )
    return Key.of_tag(chosen[0])


def ask(
    cloud: Cloud, repository: Repository, tag: str, today: date, whole_months: int = MONTHS
) -> Billed:
    """Asks Cost Explorer, which costs money, and keeps the answer.

    Raises UserError if it does not answer. Without the tag Project active, it counts the whole
    account.
    """
    firsts = _months(today, whole_months)
    start, end = firsts[0], _next_month(firsts[-1])
    project = str(repository.shared_values().get("project") or "")
    if _PROJECT not in active_tags(repository):
        project = ""
    amounts: dict[str, dict[date, Decimal]] = {}
    requests = 0
    only = (_PROJECT, project) if project else None
    for page in cost_explorer.costs_by_tag(cloud, tag, start, end, only):
        requests += 1
        for cost in page:
            by_month = amounts.setdefault(cost.value, {})
            by_month[cost.month] = by_month.get(cost.month, Decimal(0)) + cost.usd
    billed = Billed(tag, project, today, firsts, amounts, requests)
    _keep(repository, billed)
    return billed


def cached(repository: Repository, tag: str | None = None) -> Billed | None:
    """The last answer for `tag`, or for any tag, without asking AWS; None if there is none."""
    answers = [billed for billed in _read(repository) if tag in (None, billed.tag)]
    return max(answers, key=lambda billed: billed.asked, default=None)


def against(billed: Billed) -> Against | None:
    """What the estimate can be compared with; None on the first day of the first month.

    Cost Explorer is up to a day late, so that today does not count:
    https://docs.aws.amazon.com/cost-management/latest/userguide/ce-what-is.html
    """
    *whole, this_month = billed.months
    if whole and billed.total(whole[-1]):
        return Against(whole[-1], Decimal(1), True)
    days = billed.asked.day - 1
    in_month = calendar.monthrange(this_month.year, this_month.month)[1]
    return Against(this_month, Decimal(days) / in_month, False) if days else None


def compare(billed: Billed, estimate: Estimate, key: Key) -> list[BilledRow]:
    """The values of the tag beside the estimate, the largest difference first.

    What notebooks share has no owner. It is estimated beside what was billed without the tag, or
    beside the shared stacks for the tag Stack, in one row. What the whole account was billed
    without the tag has no estimate.
    """
    estimates = {group.name: group.amount for group in groups.group(estimate.notebooks, key)}
    nameless, shared = f"no {key.noun}", _name_of_shared(billed, key)
    bills: dict[str, dict[date, Decimal]] = {}
    for value, by_month in billed.amounts.items():
        is_shared = value.startswith(_SHARED_STACKS) if billed.tag == _STACK else not value
        usd_by_month = bills.setdefault(shared if is_shared else value or nameless, {})
        for month, usd in by_month.items():
            usd_by_month[month] = usd_by_month.get(month, Decimal(0)) + usd
    if billed.tag == _STACK:
        estimates[shared] = estimate.shared_amount
    elif billed.project:
        estimates[shared] = estimates.pop(nameless, Amount()) + estimate.shared_amount
    basis = against(billed)
    undeclared = Amount() if billed.project else None
    rows = [
        _row(name, bills.get(name, {}), estimates.get(name, undeclared), basis)
        for name in dict.fromkeys([*bills, *estimates])
    ]
    return sorted(
        rows, key=lambda row: (-abs(row.difference or Decimal(0)), -_largest(row), row.name)
    )


def kept_beside(
    repository: Repository, estimate: Estimate
) -> tuple[Billed, list[BilledRow]] | None:
    """The last answer of Cost Explorer, for whatever tag, beside `estimate`; never asks AWS.

    None if there is no answer, or none whose tag the notebooks have.
    """
    known = cached(repository)
    if known is None:
        return None
    try:
        return known, compare(known, estimate, Key.of_tag(known.tag))
    except UserError:
        return None


def _name_of_shared(billed: Billed, key: Key) -> str:
    if billed.tag == _STACK:
        return "shared stacks"
    return f"shared, or no {key.noun}" if billed.project else f"no {key.noun} (whole account)"


def _largest(row: BilledRow) -> Decimal:
    return max(row.usd_by_month.values(), default=Decimal(0))


def _row(
    name: str, usd_by_month: Mapping[date, Decimal], amount: Amount | None, basis: Against | None
) -> BilledRow:
    difference = None
    if basis and amount and amount.complete:
        difference = usd_by_month.get(basis.month, Decimal(0)) - amount.usd * basis.share
    return BilledRow(name, usd_by_month, amount, difference)


def _months(today: date, before: int) -> list[date]:
    """The first days of so many months before this one, and of this one."""
    count = today.year * 12 + today.month - 1
    return [date(number // 12, number % 12 + 1, 1) for number in range(count - before, count + 1)]


def _next_month(first: date) -> date:
    """Returns the first day of the month after `first`.

    Cost Explorer takes no later end: https://github.com/aws/aws-sdk-js/issues/2732
    """
    return date(first.year + first.month // 12, first.month % 12 + 1, 1)


def _path(repository: Repository) -> Path:
    return repository.root / SCRATCH / "billed.json"


def _read(repository: Repository) -> list[Billed]:
    """What was kept; nothing if that is missing or corrupt, since it can be asked again."""
    try:
        content = json.loads(_path(repository).read_text(encoding="utf-8"))
        if content["format"] != FORMAT:
            return []
        return [_parse(tag, entry) for tag, entry in content["tags"].items()]
    except (OSError, *files.MALFORMED):
        return []


def _parse(tag: str, entry: Mapping[str, Any]) -> Billed:
    return Billed(
        tag,
        str(entry["project"]),
        date.fromisoformat(entry["asked"]),
        [date.fromisoformat(month) for month in entry["months"]],
        {
            value: {date.fromisoformat(month): Decimal(usd) for month, usd in by_month.items()}
            for value, by_month in entry["amounts"].items()
        },
    )


def _keep(repository: Repository, billed: Billed) -> None:
    answers = {other.tag: other for other in _read(repository)} | {billed.tag: billed}
    entries = {
        tag: {
            "project": answer.project,
            "asked": answer.asked.isoformat(),
            "months": [month.isoformat() for month in answer.months],
            "amounts": {
                value: {month.isoformat(): str(usd) for month, usd in by_month.items()}
                for value, by_month in answer.amounts.items()
            },
        }
        for tag, answer in answers.items()
    }
    content = {"format": FORMAT, "tags": entries}
    files.write(_path(repository), json.dumps(content, indent=1) + "\n")
