"""What a person is shown of Terraform's events."""

from collections.abc import Callable

from tools.console.progress import Progress
from tools.layout.stack import Stack
from tools.terraform.diagnostics import Diagnostic
from tools.terraform.text import Event

# Types of events: those that a table shows by its counts, and those that are said besides.
_DETAILS = {"apply_complete", "apply_progress", "apply_start", "change_summary"}
_IMPORTANT = {"apply_errored", "text"}


def warning_reporter(progress: Progress, stack: Stack) -> Callable[[Event], None]:
    """A function that reports warnings, and lines that are no events, and leaves out the rest."""

    def on_event(event: Event) -> None:
        if event.get("type") in ("diagnostic", "warning", "text"):
            report_event(progress, stack, event)

    return on_event


def report_event(progress: Progress, stack: Stack, event: Event) -> None:
    """Reports what a person wants to know of an event; errors come with the stack's result."""
    kind = event.get("type")
    if kind == "warning":
        progress.say(stack.name, f"warning: {event['warning'].text()}")
    elif kind == "diagnostic" and event["diagnostic"]["severity"] == "warning":
        warning = Diagnostic.from_json(event["diagnostic"])
        progress.say(stack.name, f"warning: {warning.text()}")
    elif kind in _DETAILS | _IMPORTANT and not is_of_data_source(event):
        progress.say(stack.name, str(event.get("@message", "")), important=kind in _IMPORTANT)


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
