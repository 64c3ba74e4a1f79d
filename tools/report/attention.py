"""What of a fleet needs attention, the most urgent first, each with what mends it."""

from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from datetime import timedelta
from typing import Literal

from tools.console import figures
from tools.cost import prices
from tools.fleet.status import TAGS_UNKNOWN
from tools.report import model
from tools.report.collect import IDLE_FOR
from tools.report.model import NotebookRow, Report
from tools.runs.listing import StackRow

Level = Literal["bad", "warn", "info"]

# AWS's statuses in which a notebook does not stay:
# https://docs.aws.amazon.com/sagemaker/latest/APIReference/API_DescribeNotebookInstance.html
_IN_TRANSITION = ("Pending", "Stopping", "Updating", "Deleting")
# The titles that are in the plural.
_ONE = {
    "Instances that no directory declares": "Instance that no directory declares",
    "States whose directory is gone": "State whose directory is gone",
    "Prices not known": "Price not known",
}
_OF_THIS_PROJECT = {
    True: "has this project's tags",
    False: "no tag of this project",
    None: TAGS_UNKNOWN,
}
_MINUTES = int(IDLE_FOR.total_seconds() // 60)


@dataclass(frozen=True)
class Item:
    """One thing that needs attention, and what is known of it."""

    name: str
    text: str = ""


@dataclass(frozen=True)
class Concern:
    """Things that need attention for one reason; `command` mends them, or shows how."""

    title: str
    level: Level
    items: Sequence[Item]
    advice: str
    command: str

    @property
    def counted(self) -> str:
        """How many of what, in a sentence: 29 failed, or 1 state whose directory is gone."""
        number = len(self.items)
        title = _ONE.get(self.title, self.title) if number == 1 else self.title
        return f"{number:,} {title[0].lower()}{title[1:]}"


def concerns(report: Report) -> list[Concern]:
    """Returns what needs attention, without the reasons for which nothing does."""
    groups = (_broken(report), _of_no_directory(report), _running_up_costs(report))
    return [concern for group in (*groups, _waiting(report)) for concern in group if concern.items]


def count(report: Report) -> int:
    """How many notebooks, other stacks, instances, states and prices need attention, each once."""
    notebooks = sum(row.is_failed or bool(row.marks) for row in report.rows)
    shared = [stack_row for stack_row in report.shared if _needs_apply(stack_row)]
    others = (shared, report.undeclared or (), report.orphans, report.estimate.unknown)
    return notebooks + sum(map(len, others))


def _broken(report: Report) -> list[Concern]:
    option = report.option
    return [
        Concern(
            "Failed",
            "bad",
            [
                Item(row.name, row.failure or "AWS gives no reason")
                for row in report.rows
                if row.is_failed
            ],
            "AWS gives the reason beside each name. The logs say more:",
            f"tools logs NAME{option}",
        ),
        Concern(
            "Apply not finished",
            "bad",
            [
                *(
                    _item(stack_row)
                    for stack_row in report.shared
                    if stack_row.status == "unfinished"
                ),
                *_marked(report, model.UNFINISHED, _why),
            ],
            "The last apply stopped half way. To continue it:",
            f"tools deploy NAME{option}",
        ),
        Concern(
            "In no state",
            "bad",
            _marked(report, model.NO_STATE, lambda row: f"{row.status}, and in no Terraform state"),
            "AWS has the instance, and a deploy would try to create it again. To repair that:",
            f"tools adopt NAME{option}",
        ),
        Concern(
            "Not as declared",
            "bad",
            _marked(report, model.DIFFERS, lambda row: "; ".join(row.differences)),
            "AWS has other values than the files. To see what a deploy would change:",
            f"tools plan NAME{option}",
        ),
    ]


def _of_no_directory(report: Report) -> list[Concern]:
    return [
        Concern(
            "Instances that no directory declares",
            "warn",
            [
                Item(
                    orphan.instance.name,
                    f"{orphan.instance.instance_type}, {orphan.instance.status}, {orphan.region}; "
                    + _OF_THIS_PROJECT[orphan.of_this_project]
                    + (f"; {model.RETIRED}" if orphan.platform_retired else ""),
                )
                for orphan in report.undeclared or ()
            ],
            "They may belong to somebody else. To see what can be imported:",
            f"tools import --scan{report.option}",
        ),
        Concern(
            "States whose directory is gone",
            "warn",
            [
                Item(orphan.stack, f"{orphan.resources} resources, in {orphan.place}")
                for orphan in report.orphans
            ],
            "Their resources still cost money. To destroy them:",
            f"tools destroy --orphan STACK{report.option}",
        ),
    ]


def _running_up_costs(report: Report) -> list[Concern]:
    longest_idle_first = sorted(report.rows, key=lambda row: -(row.idle or timedelta()))
    return [
        Concern(
            "Running without auto-stop",
            "warn",
            _marked(report, model.NO_AUTO_STOP, _without_auto_stop),
            "Nothing stops them if nobody works. Set idle_stop_minutes in terraform.tfvars, then:",
            f"tools deploy NAME{report.option}",
        ),
        Concern(
            f"Idle for {_MINUTES} minutes or more",
            "warn",
            [
                Item(row.name, _minutes(row.idle))
                for row in longest_idle_first
                if row.idle is not None
            ],
            "To stop them:",
            f"tools stop --idle{report.option}",
        ),
        Concern(
            "On Amazon Linux 2",
            "warn",
            _marked(
                report, model.RETIRED, lambda row: f"{row.status}; AWS does not start it again"
            ),
            "To see how to move each one:",
            f"tools status NAME{report.option}",
        ),
    ]


def _waiting(report: Report) -> list[Concern]:
    estimate = report.estimate
    return [
        Concern(
            "Waiting for a deploy",
            "info",
            [
                *(_item(stack_row) for stack_row in report.shared if model.what_waits(stack_row)),
                *_marked(report, model.WAITING, lambda row: "; ".join(row.waits_for)),
            ],
            "A deploy would change them, for the reason beside each name. To deploy them:",
            f"tools deploy --changed{report.option}",
        ),
        Concern(
            "Never deployed",
            "info",
            [
                *(
                    Item(stack_row.stack)
                    for stack_row in report.shared
                    if model.never_applied(stack_row)
                ),
                *_marked(report, model.NEVER, lambda _: ""),
            ],
            "Their directories were never applied. To deploy all that has changed or is new:",
            f"tools deploy{report.option}",
        ),
        Concern(
            "Starting, stopping or updating",
            "info",
            [
                Item(row.name, f"{row.status} since {row.modified:%Y-%m-%d %H:%M} UTC")
                for row in report.rows
                if row.status in _IN_TRANSITION and row.modified
            ],
            "This takes AWS some minutes. To wait and see:",
            f"tools status{report.option}",
        ),
        Concern(
            "Prices not known",
            "info",
            [
                Item(prices.describe(figure), f"in {region}{_users(report, figure, region)}")
                for figure, region in estimate.unknown
            ],
            "The totals are higher than shown. To fetch the prices:",
            prices.RENEW,
        ),
    ]


def _marked(report: Report, mark: str, describe: Callable[[NotebookRow], str]) -> list[Item]:
    return [Item(row.name, describe(row)) for row in report.rows if mark in row.marks]


def _needs_apply(stack_row: StackRow) -> bool:
    return (
        stack_row.status == "unfinished"
        or model.never_applied(stack_row)
        or bool(model.what_waits(stack_row))
    )


def _item(stack_row: StackRow) -> Item:
    return Item(stack_row.stack, "; ".join(stack_row.why))


def _why(row: NotebookRow) -> str:
    return "; ".join(row.applied.why) if row.applied else ""


def _without_auto_stop(row: NotebookRow) -> str:
    stop = row.declared.values.get("schedule_stop")
    return f"{row.cost.amount} a month" + (f"; its schedule stops it at {stop}" if stop else "")


def _minutes(idle: timedelta) -> str:
    hours, minutes = divmod(int(idle.total_seconds() // 60), 60)
    return f"{hours} h {minutes} min" if hours else f"{minutes} minutes"


def _users(report: Report, figure: str, region: str) -> str:
    costs: Iterable[str] = (
        line.figure
        for cost in report.estimate.notebooks
        for line in (cost.compute, cost.volume)
        if line.region == region
    )
    number = sum(used == figure for used in costs)
    return f": {figures.count(number, 'notebook')}" if number else ""
