"""What a person is shown of Terraform's events."""

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field

from tools.console.progress import Progress
from tools.layout.stack import Stack
from tools.terraform.diagnostics import Diagnostic
from tools.terraform.text import Event

# Types of events: those that a table shows by its counts, and those that are said besides.
_DETAILS = {"apply_complete", "apply_progress", "apply_start", "change_summary"}
_IMPORTANT = {"apply_errored", "text"}


@dataclass
class EventReporter:
    """Reports what a person wants to know of Terraform's events about `stack`, as they come.

    Errors come with the stack's result. Warnings come at the end, by `report_warnings`. With
    `warnings_only` nothing else is reported but lines that are no events.
    """

    progress: Progress
    stack: Stack
    warnings_only: bool = False
    _warnings: dict[str, list[str]] = field(default_factory=dict)

    def __call__(self, event: Event) -> None:
        """Reports one event, or keeps it if it is a warning."""
        kind = event.get("type")
        if kind == "warning":
            self._keep(event["warning"])
        elif kind == "diagnostic" and event["diagnostic"]["severity"] == "warning":
            self._keep(Diagnostic.from_json(event["diagnostic"]))
        elif kind in self._reported and not is_of_data_source(event):
            line = str(event.get("@message", ""))
            self.progress.say(self.stack.name, line, important=kind in _IMPORTANT)

    def report_warnings(self) -> None:
        """Reports the warnings, those of one kind once with their number, as Terraform's text does.

        Its JSON has each of them:
        https://github.com/hashicorp/terraform/blob/v1.11.4/internal/tfdiags/consolidate_warnings.go
        """
        for texts in self._warnings.values():
            more = f" (and {len(texts) - 1} more like it)" if len(texts) > 1 else ""
            self.progress.warn(self.stack.name, f"{texts[0]}{more}")
        self._warnings.clear()

    @property
    def _reported(self) -> set[str]:
        return _IMPORTANT if self.warnings_only else _IMPORTANT | _DETAILS

    def _keep(self, warning: Diagnostic) -> None:
        self._warnings.setdefault(warning.summary, []).append(warning.text())


@contextmanager
def report_warnings(progress: Progress, stack: Stack) -> Iterator[EventReporter]:
    """Yields what takes in the events of one Terraform, whose warnings are reported at the end."""
    reporter = EventReporter(progress, stack, warnings_only=True)
    try:
        yield reporter
    finally:
        reporter.report_warnings()


def is_of_data_source(event: Event) -> bool:
    """Whether the event is about a data source, which changes nothing."""
    return bool(event.get("hook", {}).get("action") == "read")


def is_creation(event: Event) -> bool:
    """Whether an event with which the work on a resource begins is of one that is created.

    Of Terraform's text there is nothing but the message.
    https://developer.hashicorp.com/terraform/internals/machine-readable-ui#operation-messages
    """
    if hook := event.get("hook"):
        return bool(hook.get("action") == "create")
    return str(event.get("@message")).endswith(": Creating...")
