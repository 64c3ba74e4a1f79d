"""Collects what the report shows: values, prices, states, and AWS's answers if it can be asked."""

from collections.abc import Sequence
from dataclasses import dataclass, replace
from datetime import UTC, datetime, timedelta
from pathlib import Path

from tools.context import Context
from tools.cost import billed_costs, comparison, estimates
from tools.cost.estimates import CostQuestion
from tools.cost.model import NotebookCost
from tools.engine.records import Records
from tools.errors import UserError
from tools.fleet.fleet import DeclaredNotebook, Fleet
from tools.fleet.idle import is_idle
from tools.fleet.status import NOT_DEPLOYED, FleetStatus, NotebookStatus, read_status
from tools.layout.stack import Stack
from tools.report.model import RUNNING, NotebookRow, Report
from tools.runs import listing
from tools.runs.listing import StackRow
from tools.runs.session import Session
from tools.state.place import BucketPlace

IDLE_FOR = timedelta(minutes=15)  # as `tools stop --idle` means it by default
GONE = "applied, but there is no such instance any more"
_NOT_KNOWN = (
    "Not known without its answer: which notebooks run, have failed or are idle, what differs "
    "from what is declared, and which instances have no directory."
)


@dataclass(frozen=True)
class _FleetAnswer:
    """AWS's answer: a sentence that says whether it was asked, and the fleet's status if it was."""

    sentence: str
    status: FleetStatus | None = None


def collect(context: Context, local: bool, offline: bool) -> Report:
    """Returns the report on AWS's fleet, or on the local cloud's.

    If AWS cannot be asked, the values and the states that are files are enough, and the report says
    why; with `offline` it is not asked. Raises UserError for values that do not parse, for a
    corrupt price table, and if the local cloud does not run.
    """
    fleet = estimates.open_fleet(context, local)
    notebooks = fleet.notebooks()
    estimate = estimates.estimate(context, CostQuestion(local=local), fleet)
    answer = _FleetAnswer("AWS was not asked: --offline.")
    if not offline:
        answer = _ask(context, fleet if local else None, notebooks)
    applied_by_stack, unread = _read_applied(context, local, offline)
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
            *([] if status else [f"{answer.sentence} {_NOT_KNOWN}"]),
            *(f"Which notebooks are idle is not known: {why}" for why in idle_unknown),
            *unread,
        ],
        estimates.warnings(estimate, now.date()),
        fleet.repository.stacks(),
        [row for row in applied_by_stack.values() if row.kind == "shared"],
        not unread,
        fleet.option,
        None if local else billed_costs.kept_beside(fleet.repository, estimate),
    )


def _ask(
    context: Context, local_fleet: Fleet | None, notebooks: Sequence[DeclaredNotebook]
) -> _FleetAnswer:
    """Asks AWS or, if it is given, the fleet in the local cloud."""
    problem = "AWS was not asked"
    try:
        fleet = local_fleet or Fleet.open(context, local=False)
        problem = "AWS has not listed the notebooks"
        status = read_status(fleet, notebooks, with_idle=True)
    except UserError as error:
        if local_fleet:
            raise
        return _FleetAnswer(f"{problem}: {_without_root(str(error), context.repository.root)}.")
    cloud = "The local cloud" if local_fleet else "AWS"
    regions = dict.fromkeys([notebook.region for notebook in notebooks] or [fleet.region])
    return _FleetAnswer(f"{cloud} was asked, {', '.join(regions)}.", status)


def _read_applied(
    context: Context, local: bool, offline: bool
) -> tuple[dict[str, StackRow], list[str]]:
    """Returns what states and records say of each stack, and a sentence for what was not read.

    With `offline` no bucket is asked.
    """
    root = context.repository.root
    try:
        records = Session.open_to_read(context, local).records
        root = records.repository.root
        unasked = _in_buckets(records) if offline else []
        stacks = [stack for stack in records.stacks if stack not in unasked]
        stack_rows = listing.read_rows(records, stacks)
        stack_rows += [] if unasked else listing.read_orphans(records)
    except UserError as error:  # before `tools init`, or if a bucket does not answer
        reason = _without_root(str(error), root)
        return {}, [f"What has changed since an apply, and orphans, are not known: {reason}"]
    unread = []
    if unasked:
        unread.append(
            f"What is applied of {_count(unasked)}, and which states have no directory, is not "
            "known: their states are in a bucket, which was not asked."
        )
    for row in stack_rows:
        if row.status == "unknown":
            why = "; ".join(row.why or ["no file says where its state is"])
            unread.append(
                f"What is applied of {row.stack} is not known: {_without_root(why, root)}"
            )
    return {
        row.stack: replace(row, place=_without_root(row.place, root)) for row in stack_rows
    }, unread


def _in_buckets(records: Records) -> list[Stack]:
    """The roots of which something cannot be told without a bucket: their states, or those read."""
    root_stacks = [*records.stacks, *(unmanaged.stack for unmanaged in records.unmanaged)]
    remote = {
        root_stack.name
        for root_stack in root_stacks
        if isinstance(records.place(root_stack), BucketPlace)
    }
    return [
        root_stack for root_stack in root_stacks if remote & {root_stack.name, *root_stack.upstream}
    ]


def _count(stacks: Sequence[Stack]) -> str:
    return stacks[0].name if len(stacks) == 1 else f"{len(stacks):,} stacks"


def _without_root(text: str, root: Path) -> str:
    """Returns `text` with relative paths: the page is passed on to people without this machine."""
    return text.replace(f"{root}/", "")


def _row(
    notebook: DeclaredNotebook,
    cost: NotebookCost,
    notebook_status: NotebookStatus | None,
    applied: StackRow | None,
) -> NotebookRow:
    if notebook_status is None:
        return NotebookRow(notebook, cost, applied=applied)
    idle = None
    if (
        notebook_status.decision
        and notebook_status.status == RUNNING
        and is_idle(notebook_status.decision, IDLE_FOR)
    ):
        idle = notebook_status.decision.idle
    was_applied = applied is not None and applied.status in ("applied", "changed since")
    gone = [GONE] if was_applied and notebook_status.status == NOT_DEPLOYED else []
    return NotebookRow(
        notebook,
        cost,
        notebook_status.status,
        notebook_status.instance.modified if notebook_status.instance else None,
        [*notebook_status.differences, *gone],
        notebook_status.failure,
        idle,
        applied,
        notebook_status.in_state,
        notebook_status.platform_retired,
    )
