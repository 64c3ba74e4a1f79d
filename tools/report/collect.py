"""Collects what the report shows: values, prices, states, and AWS's answers if it can be asked."""

from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass, replace
from datetime import UTC, datetime, timedelta
from pathlib import Path

from tools.context import Context
from tools.cost import comparison, estimates
from tools.cost.comparison import Comparison
from tools.cost.estimates import Question
from tools.cost.model import Amount, Estimate, NotebookCost
from tools.errors import UserError
from tools.fleet import platforms
from tools.fleet.fleet import DeclaredNotebook, Fleet
from tools.fleet.idle import is_idle
from tools.fleet.status import FleetStatus, NotebookStatus, UndeclaredInstance, read_status
from tools.layout.stack import Stack
from tools.runs import listing
from tools.runs.listing import StackRow
from tools.runs.session import Session

IDLE_FOR = timedelta(minutes=15)  # as `tools stop --idle` means it by default
NOT_ASKED = "not asked"


@dataclass(frozen=True)
class NotebookRow:
    """One notebook of the fleet's table.

    `idle` is how long it is known to be idle, if it is; `applied` what its state and record say, if
    they were read.
    """

    declared: DeclaredNotebook
    cost: NotebookCost
    status: str = NOT_ASKED
    modified: datetime | None = None
    differences: Sequence[str] = ()
    failure: str | None = None
    idle: timedelta | None = None
    applied: StackRow | None = None

    @property
    def deviations(self) -> list[str]:
        """How it differs in AWS, and what has changed in the files since it was applied."""
        changed = self.applied is not None and self.applied.status == "changed since"
        return [*self.differences, *(self.applied.why if changed and self.applied else ())]

    @property
    def name(self) -> str:
        """The directory's name, which a person types."""
        return self.declared.stack.path.name


@dataclass(frozen=True)
class Report:
    """Everything on the page.

    `asked` is a sentence: whether AWS was asked, and why not. `undeclared` are instances without a
    directory, None if AWS was not asked; `orphans` are states without one. `idle_is_known` says
    whether the notebooks' logs were read, `states_are_known` whether every state was, which tell of
    orphans and of changes since an apply. `project` is empty before `tools init`.
    """

    project: str
    region: str
    made: datetime
    asked: str
    rows: Sequence[NotebookRow]
    undeclared: Sequence[UndeclaredInstance] | None
    orphans: Sequence[StackRow]
    idle_is_known: bool
    estimate: Estimate
    comparisons: Sequence[Comparison]
    warnings: Sequence[str] = ()
    stacks: Sequence[Stack] = ()
    states_are_known: bool = True

    @property
    def idle(self) -> list[NotebookRow]:
        """Notebooks that run and have been idle for a quarter of an hour or more, longest first."""
        idle = [row for row in self.rows if row.idle is not None]
        return sorted(idle, key=lambda row: -(row.idle or timedelta()))

    @property
    def not_as_declared(self) -> list[NotebookRow]:
        """Notebooks that differ in AWS from what they declare, or changed since their apply."""
        return [row for row in self.rows if row.deviations]

    @property
    def failed(self) -> list[NotebookRow]:
        """Notebooks that AWS calls failed."""
        return [row for row in self.rows if row.status == "Failed"]

    @property
    def statuses(self) -> dict[str, int]:
        """How many notebooks have each status, most first."""
        return dict(Counter(row.status for row in self.rows).most_common())

    def costs_by(self, key: str) -> dict[str, Amount]:
        """What notebooks cost by owner or environment, the most expensive first."""
        amounts: dict[str, Amount] = {}
        for cost in self.estimate.notebooks:
            name = str(getattr(cost.spec, key)) or f"no {key}"
            amounts[name] = amounts.get(name, Amount()) + cost.amount
        return dict(sorted(amounts.items(), key=lambda item: (-item[1].usd, item[0])))


@dataclass(frozen=True)
class _FleetAnswer:
    """AWS's answer: a sentence that says whether it was asked, and the fleet's status if it was."""

    sentence: str
    status: FleetStatus | None = None


def collect(context: Context, local: bool, offline: bool) -> Report:
    """Returns the report on AWS's fleet, or on the local cloud's.

    If AWS cannot be asked, the values are enough, and the report says why; with `offline` it is not
    asked. Raises UserError for values that do not parse, for a corrupt price table, and if the
    local cloud does not run.
    """
    fleet = estimates.open_fleet(context, local)
    notebooks = fleet.notebooks()
    estimate = estimates.estimate(context, Question(local=local))
    answer = _FleetAnswer("AWS was not asked: --offline.")
    applied_by_stack: dict[str, StackRow] = {}
    unread: list[str] = []
    if not offline:
        answer = _ask(context, local, notebooks)
        applied_by_stack, unread = _read_applied(context, local)
    status = answer.status
    by_name = {n.declared.stack.name: n for n in status.notebooks} if status else {}
    rows = [
        _row(
            notebook,
            cost,
            by_name.get(notebook.stack.name),
            applied_by_stack.get(notebook.stack.name),
        )
        for notebook, cost in zip(notebooks, estimate.notebooks, strict=True)
    ]
    now = datetime.now(UTC)
    idle_unknown = status.idle_unknown if status else ()
    return Report(
        str(fleet.repository.shared_values().get("project") or ""),
        fleet.region,
        now,
        answer.sentence,
        rows,
        status.undeclared if status else None,
        [row for row in applied_by_stack.values() if row.status == "orphan"],
        status is not None and not idle_unknown,
        estimate,
        [comparison.compare(estimate, count) for count in sorted({1, 3, 10, len(rows)} - {0})],
        [
            *(f"Which notebooks are idle is not known: {why}" for why in idle_unknown),
            *unread,
            *estimates.warnings(estimate, now.date()),
        ],
        fleet.repository.stacks(),
        not (offline or unread),
    )


def _ask(context: Context, local: bool, notebooks: Sequence[DeclaredNotebook]) -> _FleetAnswer:
    problem = "AWS was not asked"
    try:
        fleet = Fleet.open(context, local)
        problem = "AWS has not listed the notebooks"
        status = read_status(fleet, notebooks, with_idle=True)
    except UserError as error:
        if local:
            raise
        return _FleetAnswer(f"{problem}: {_without_root(str(error), context.repository.root)}.")
    cloud = "The local cloud" if local else "AWS"
    regions = dict.fromkeys([notebook.region for notebook in notebooks] or [fleet.region])
    return _FleetAnswer(f"{cloud} was asked, {', '.join(regions)}.", status)


def _read_applied(context: Context, local: bool) -> tuple[dict[str, StackRow], list[str]]:
    """Returns what states and records say of each stack, and a sentence for each unread state."""
    root = context.repository.root
    try:
        records = Session.open_to_read(context, local).records
        root = records.repository.root
        rows = listing.read_rows(records, records.stacks) + listing.read_orphans(records)
    except UserError as error:  # before `tools init`, or if a bucket does not answer
        reason = _without_root(str(error), root)
        return {}, [f"What has changed since an apply, and orphans, are not known: {reason}"]
    unread = []
    for row in rows:
        if row.status == "unknown":
            why = "; ".join(row.why or ["no file says where its state is"])
            unread.append(
                f"What is applied of {row.stack} is not known: {_without_root(why, root)}"
            )
    return {row.stack: replace(row, place=_without_root(row.place, root)) for row in rows}, unread


def _without_root(text: str, root: Path) -> str:
    """Returns `text` with relative paths: the page is passed on to people without this machine."""
    return text.replace(f"{root}/", "")


def _row(
    notebook: DeclaredNotebook,
    cost: NotebookCost,
    status: NotebookStatus | None,
    applied: StackRow | None,
) -> NotebookRow:
    if status is None:
        return NotebookRow(notebook, cost, applied=applied)
    idle = None
    if status.decision and status.status == "InService" and is_idle(status.decision, IDLE_FOR):
        idle = status.decision.idle
    modified = status.instance.modified if status.instance else None
    retired = [platforms.RETIRED] if status.platform_retired else []
    differences, failure = [*status.differences, *retired], status.failure
    return NotebookRow(notebook, cost, status.status, modified, differences, failure, idle, applied)
