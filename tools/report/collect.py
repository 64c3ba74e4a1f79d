"""What the report shows, gathered: values, prices, and what AWS says where it can be asked."""

from collections.abc import Sequence
from dataclasses import dataclass, replace
from datetime import UTC, datetime, timedelta

from tools.context import Context
from tools.cost import comparison, estimates
from tools.cost.comparison import Comparison
from tools.cost.estimates import Question
from tools.cost.model import Amount, Estimate, NotebookCost
from tools.errors import UserError
from tools.fleet.fleet import DeclaredNotebook, Fleet
from tools.fleet.idle import is_idle
from tools.fleet.status import FleetStatus, NotebookStatus, UndeclaredInstance, read_status
from tools.layout.repository import COMMON
from tools.layout.stack import Stack
from tools.runs import listing
from tools.runs.listing import Row as Applied
from tools.runs.session import Session

IDLE_FOR = timedelta(minutes=15)  # as `tools stop --idle` means it by default
NOT_ASKED = "not asked"


@dataclass(frozen=True)
class Row:
    """One notebook of the fleet's table.

    `idle` is how long it is known to be, None where not; `applied` what its state and record say,
    None where they were not read.
    """

    declared: DeclaredNotebook
    cost: NotebookCost
    status: str = NOT_ASKED
    modified: datetime | None = None
    differences: Sequence[str] = ()
    failure: str | None = None
    idle: timedelta | None = None
    applied: Applied | None = None

    @property
    def drift(self) -> list[str]:
        """How AWS has it otherwise, and what has changed in the files since it was applied."""
        changed = self.applied is not None and self.applied.status == "changed since"
        return [*self.differences, *(self.applied.why if changed and self.applied else ())]

    @property
    def name(self) -> str:
        """The directory's name, which a person types."""
        return self.declared.stack.path.name


@dataclass(frozen=True)
class Report:
    """Everything on the page.

    `asked` is a sentence: whether AWS was asked, and why it said nothing. `undeclared` are
    instances without a directory, None where AWS did not say; `orphans` are states without one.
    `idle_is_known` says whether the notebooks' logs answered, `states_are_known` whether every
    state could be read, which tell of orphans and of what changed since an apply. `project` is
    empty where none is typed yet.
    """

    project: str
    region: str
    made: datetime
    asked: str
    rows: Sequence[Row]
    undeclared: Sequence[UndeclaredInstance] | None
    orphans: Sequence[Applied]
    idle_is_known: bool
    estimate: Estimate
    comparisons: Sequence[Comparison]
    warnings: Sequence[str] = ()
    stacks: Sequence[Stack] = ()
    states_are_known: bool = True

    @property
    def idle(self) -> list[Row]:
        """Notebooks that run and have been idle for a quarter of an hour or more, longest first."""
        found = [row for row in self.rows if row.idle is not None]
        return sorted(found, key=lambda row: -(row.idle or timedelta()))

    @property
    def drifted(self) -> list[Row]:
        """Notebooks that are otherwise in AWS than declared, or changed since their apply."""
        return [row for row in self.rows if row.drift]

    @property
    def failed(self) -> list[Row]:
        """Notebooks that AWS calls failed."""
        return [row for row in self.rows if row.status == "Failed"]

    @property
    def statuses(self) -> dict[str, int]:
        """How many notebooks have each status, most first."""
        counts: dict[str, int] = {}
        for row in self.rows:
            counts[row.status] = counts.get(row.status, 0) + 1
        return dict(sorted(counts.items(), key=lambda item: -item[1]))

    def by(self, key: str) -> dict[str, Amount]:
        """What notebooks cost by owner or environment, dearest first."""
        found: dict[str, Amount] = {}
        for cost in self.estimate.notebooks:
            name = str(getattr(cost.spec, key)) or f"no {key}"
            found[name] = found.get(name, Amount()) + cost.amount
        return dict(sorted(found.items(), key=lambda item: (-item[1].usd, item[0])))


def gather(context: Context, local: bool, offline: bool) -> Report:
    """The report of AWS's fleet, or of the local cloud's.

    Where AWS cannot be asked, the values are enough, and the report says why; with `offline` it is
    not tried. Raises UserError for values that do not parse and a corrupt price table, and where
    the local cloud does not run.
    """
    place = estimates.open_fleet(context, local)
    declared = place.notebooks()
    estimate = estimates.estimate(context, Question(local=local))
    said = _Said("AWS was not asked: --offline.") if offline else _ask(context, local, declared)
    there = said.overview
    by_name = {n.declared.stack.name: n for n in there.notebooks} if there else {}
    applied, unread = ({}, []) if offline else _applied(context, local)
    rows = [
        _row(one, cost, by_name.get(one.stack.name), applied.get(one.stack.name))
        for one, cost in zip(declared, estimate.notebooks, strict=True)
    ]
    made = datetime.now(UTC)
    written = (place.repository.root / COMMON).is_file()
    return Report(
        str(place.repository.common()["project"]) if written else "",
        place.region,
        made,
        said.sentence,
        rows,
        there.undeclared if there else None,
        [row for row in applied.values() if row.status == "orphan"],
        there is not None and not said.warnings,
        estimate,
        [comparison.compare(estimate, count) for count in sorted({1, 3, 10, len(rows)} - {0})],
        [*said.warnings, *unread, *estimates.warnings(estimate, made.date())],
        place.repository.stacks(),
        not (offline or unread),
    )


@dataclass(frozen=True)
class _Said:
    """What AWS said: no overview where it was not asked, and the sentence that tells so."""

    sentence: str
    overview: FleetStatus | None = None
    warnings: Sequence[str] = ()


def _ask(context: Context, local: bool, declared: Sequence[DeclaredNotebook]) -> _Said:
    try:
        place = Fleet.open(context, local)
    except UserError as error:
        if local:
            raise
        reason = str(error).replace(f"{context.repository.root}/", "")
        return _Said(f"AWS was not asked: {reason}.")
    cloud = "The local cloud" if local else "AWS"
    regions = ", ".join(dict.fromkeys([one.region for one in declared] or [place.region]))
    try:
        overview = read_status(place, declared, with_idle=True)
    except UserError as error:
        if local:
            raise
        return _Said(f"AWS has not listed the notebooks: {error}.")
    warnings = [f"Which notebooks are idle is not known: {why}" for why in overview.idle_unknown]
    return _Said(f"{cloud} was asked, {regions}.", overview, warnings)


def _applied(context: Context, local: bool) -> tuple[dict[str, Applied], list[str]]:
    """What states and records say of each stack, and a sentence for each that cannot be read."""
    root = f"{context.repository.root}/"  # the page is passed on: no path of this machine on it
    try:
        known = Session.open_to_read(context, local).records
        root = f"{known.repository.root}/"
        rows = listing.read_rows(known, known.repository.stacks()) + listing.read_orphans(known)
    except UserError as error:  # before `tools init`, or where a bucket does not answer
        reason = str(error).replace(root, "")
        return {}, [f"What has changed since an apply, and orphans, are not known: {reason}"]
    applied = {row.stack: replace(row, place=row.place.removeprefix(root)) for row in rows}
    return applied, [
        f"What is applied of {row.stack} is not known: "
        + "; ".join(row.why or ["no file says where its state is"]).replace(root, "")
        for row in rows
        if row.status == "unknown"
    ]


def _row(
    declared: DeclaredNotebook,
    cost: NotebookCost,
    notebook: NotebookStatus | None,
    applied: Applied | None,
) -> Row:
    if notebook is None:
        return Row(declared, cost, applied=applied)
    known = notebook.status == "InService" and is_idle(notebook.decision, IDLE_FOR)
    return Row(
        declared,
        cost,
        notebook.status,
        notebook.instance.modified if notebook.instance else None,
        notebook.differences,
        notebook.failure,
        notebook.decision.idle if known and notebook.decision else None,
        applied,
    )
