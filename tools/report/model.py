"""What the report says: a row for each notebook, and the fleet around them."""

from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from functools import cached_property

from tools.cost.billed_costs import Billed, BilledRow
from tools.cost.comparison import Comparison
from tools.cost.model import Amount, Estimate, NotebookCost, total
from tools.fleet.fleet import DeclaredNotebook
from tools.fleet.status import NOT_DEPLOYED, UndeclaredInstance
from tools.layout.stack import Stack
from tools.runs.listing import StackRow

NOT_ASKED = "not asked"
RUNNING = "InService"
FAILED = "Failed"

_NOT_FOUND = (NOT_ASKED, NOT_DEPLOYED)

# What the table marks a notebook with, and the page counts as in need of attention.
UNFINISHED = "apply not finished"
NO_STATE = "in no state"
DIFFERS = "not as declared"
NO_AUTO_STOP = "no auto-stop"
IDLE = "idle"
RETIRED = "Amazon Linux 2"
WAITING = "waiting for deploy"
NEVER = "never deployed"


def never_applied(stack_row: StackRow | None) -> bool:
    """Whether nothing was ever applied; a destroyed stack has another reason."""
    return (
        stack_row is not None
        and stack_row.status == "never applied"
        and set(stack_row.why) <= {stack_row.status}
    )


def what_waits(stack_row: StackRow) -> Sequence[str]:
    """Why the next deploy would change what was once applied, or has been destroyed."""
    if stack_row.status == "changed since":
        return stack_row.why or ("its files have changed",)
    return (
        stack_row.why
        if stack_row.status == "never applied" and not never_applied(stack_row)
        else ()
    )


@dataclass(frozen=True)
class NotebookRow:
    """One notebook of the fleet's table.

    `idle` is how long it is known to be idle, if it is; `applied` what its state and record say, if
    they were read. `in_state` is whether a state holds its instance, and `is_retired` whether AWS
    does not start it again; None if there is no instance or nobody can tell.
    """

    declared: DeclaredNotebook
    cost: NotebookCost
    status: str = NOT_ASKED
    modified: datetime | None = None
    differences: Sequence[str] = ()
    failure: str | None = None
    idle: timedelta | None = None
    applied: StackRow | None = None
    in_state: bool | None = None
    is_retired: bool | None = None

    @property
    def name(self) -> str:
        """The directory's name, which a person types."""
        return self.declared.stack.path.name

    @property
    def purpose(self) -> str:
        """What it is for, as its directory says."""
        return str(self.declared.values.get("purpose") or "")

    @property
    def tags(self) -> list[str]:
        """Its own tags, each as Key=value."""
        tags = self.declared.values.get("tags")
        return [f"{key}={value}" for key, value in tags.items()] if isinstance(tags, dict) else []

    @property
    def waits_for(self) -> Sequence[str]:
        """Why the next deploy would change it, as far as its files, state and record say."""
        if self.applied is None or (self._is_not_applied and self.status not in _NOT_FOUND):
            return ()
        return what_waits(self.applied)

    @property
    def is_never_deployed(self) -> bool:
        """Whether no apply has made it, and AWS, if it was asked, has no such instance."""
        return self.status in _NOT_FOUND and never_applied(self.applied)

    @property
    def may_exist(self) -> bool:
        """Whether AWS has its instance, as far as anything says."""
        return self.status not in _NOT_FOUND or (
            self.status == NOT_ASKED and not self._is_not_applied
        )

    @property
    def _is_not_applied(self) -> bool:
        return self.applied is not None and self.applied.status == "never applied"

    @property
    def is_failed(self) -> bool:
        """Whether AWS calls it failed."""
        return self.status == FAILED

    @cached_property
    def marks(self) -> list[str]:
        """What about it needs attention, the most urgent first: only what is known."""
        is_so_by_mark = {
            UNFINISHED: self.applied is not None and self.applied.status == "unfinished",
            NO_STATE: self.in_state is False,
            DIFFERS: bool(self.differences),
            NO_AUTO_STOP: self.status == RUNNING and self._never_stops_when_idle,
            IDLE: self.idle is not None,
            RETIRED: bool(self.is_retired),
            WAITING: bool(self.waits_for),
            NEVER: self.is_never_deployed,
        }
        return [mark for mark, is_so in is_so_by_mark.items() if is_so]

    @property
    def _never_stops_when_idle(self) -> bool:
        values = self.declared.values
        return "idle_stop_minutes" in values and values["idle_stop_minutes"] in (0, None)


@dataclass(frozen=True)
class Report:
    """Everything on the page.

    `asked` is a sentence: whether AWS was asked, and why not. `undeclared` are instances without a
    directory, None if AWS was not asked; `orphans` are states without one. `idle_is_known` says
    whether the notebooks' logs were read, `states_are_known` whether every state was, which tell of
    orphans and of changes since an apply; `unread` has a sentence for all that was not. `shared`
    says what is applied of the shared stacks, as far as it was read. `project` is empty before
    `tools init`. `option` is what a command needs to reach the same cloud. `billed` is what
    `tools cost --actual` was told last, beside the estimate.
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
    unread: Sequence[str] = ()
    warnings: Sequence[str] = ()
    stacks: Sequence[Stack] = ()
    shared: Sequence[StackRow] = ()
    states_are_known: bool = True
    option: str = ""
    billed: tuple[Billed, Sequence[BilledRow]] | None = None

    @property
    def was_asked(self) -> bool:
        """Whether AWS, or the local cloud, has answered."""
        return self.undeclared is not None

    @property
    def all_known(self) -> bool:
        """Whether AWS, every state and the notebooks' logs were read."""
        return self.was_asked and self.states_are_known and self.idle_is_known

    @property
    def statuses(self) -> dict[str, int]:
        """How many notebooks have each status, most first."""
        return dict(Counter(row.status for row in self.rows).most_common())

    @property
    def running(self) -> list[NotebookRow]:
        """Notebooks that run, and so cost by the hour."""
        return [row for row in self.rows if row.status == RUNNING]

    @property
    def running_hourly(self) -> Amount:
        """What the running notebooks cost an hour, without their volumes."""
        prices = (row.cost.compute.price for row in self.running)
        return total(Amount(price.usd) if price else Amount(complete=False) for price in prices)
