"""Collects what the report shows: values, prices, states, and AWS's answers if it can be asked."""

from collections.abc import Sequence
from dataclasses import dataclass, replace
from datetime import UTC, datetime, timedelta
from pathlib import Path

from tools.context import Context
from tools.cost import billed, comparison, estimates
from tools.cost.estimates import Question
from tools.cost.model import NotebookCost
from tools.errors import UserError
from tools.fleet.fleet import DeclaredNotebook, Fleet
from tools.fleet.idle import is_idle
from tools.fleet.status import NOT_DEPLOYED, FleetStatus, NotebookStatus, read_status
from tools.report.model import RUNNING, NotebookRow, Report
from tools.runs import listing
from tools.runs.listing import StackRow
from tools.runs.session import Session

IDLE_FOR = timedelta(minutes=15)  # as `tools stop --idle` means it by default
GONE = "applied, but there is no such instance any more"


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
        fleet.option,
        None if local else billed.kept_beside(fleet.repository, estimate),
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
    if status.decision and status.status == RUNNING and is_idle(status.decision, IDLE_FOR):
        idle = status.decision.idle
    was_applied = applied is not None and applied.status in ("applied", "changed since")
    gone = [GONE] if was_applied and status.status == NOT_DEPLOYED else []
    return NotebookRow(
        notebook,
        cost,
        status.status,
        status.instance.modified if status.instance else None,
        [*status.differences, *gone],
        status.failure,
        idle,
        applied,
        status.in_state,
        status.platform_retired,
    )
