"""A session: the target, its records, the account and the options of a run."""

from dataclasses import dataclass
from pathlib import Path

from tools.aws.client import Cloud
from tools.context import Target
from tools.engine.records import Records
from tools.state.checks import check_states


@dataclass(frozen=True)
class Options:
    """What the commands that run stacks are asked alike."""

    yes: bool = False
    jobs: int | None = None
    fail_fast: bool = False
    refresh: bool = False
    force: bool = False
    allow_destroy: bool = False
    plan_dir: Path | None = None
    why: bool = False
    report: Path | None = None


@dataclass(frozen=True)
class Where:
    """The account and region that a run concerns, and who runs it, in words."""

    place: str
    who: str
    account: str

    def __str__(self) -> str:
        return f"{self.place}, {self.who}" if self.who else self.place


def where(target: Target, checked: bool = True) -> Where:
    """Where a run would change something.

    Raises UserError where AWS does not know the credentials, or, unless it is not to be `checked`,
    the states are not in order.
    """
    if checked:
        check_states(target.repository)
    if target.endpoint:
        return Where(f"the local cloud, {target.endpoint}, region {target.region}", "", "local")
    found = Cloud(target.region).identity()
    place = f"AWS account {found.account}, region {target.region}"
    return Where(place, f"as {found.arn}", found.account)


def records(target: Target, place: Where | None = None) -> Records:
    """The records of the target's stacks."""
    account = place.account if place else None
    return Records(target.repository, target.terraform, target.endpoint, account)
