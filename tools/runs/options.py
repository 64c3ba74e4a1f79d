"""The options of the commands that run stacks."""

from dataclasses import dataclass
from pathlib import Path

from tools.runs import report_file


@dataclass(frozen=True)
class Options:
    """What the commands that run stacks were given; `jobs` None leaves it to the machine.

    `warm_providers` None is on for the local cloud alone. Two are no options of a command:
    `expects_waiting` keeps the errors of plans in the plans, and `says_next` lets a run end with
    the new notebooks and what comes next.

    `earlier` are reports of earlier waves. Raises UserError if `report` cannot become a report,
    before anything is run.
    """

    yes: bool = False
    jobs: int | None = None
    fail_fast: bool = False
    refresh: bool = False
    force: bool = False
    allow_destroy: bool = False
    plan_dir: Path | None = None
    why: bool = False
    report: Path | None = None
    earlier: tuple[Path, ...] = ()
    locks: bool = True
    expects_waiting: bool = False
    warm_providers: bool | None = None
    says_next: bool = True

    def __post_init__(self) -> None:
        if self.report:
            report_file.check(self.report)
