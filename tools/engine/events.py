"""What a person is shown of Terraform's events."""

from collections.abc import Callable

from tools.console.progress import Progress
from tools.engine.run import Run
from tools.layout.stack import Stack
from tools.terraform.diagnostics import Diagnostic
from tools.terraform.text import Event

_DETAILS = {"apply_complete", "apply_progress", "apply_start", "change_summary"}
_ALWAYS = {"apply_errored", "text"}


def warnings_to(run: Run, stack: Stack) -> Callable[[Event], None]:
    def on_event(event: Event) -> None:
        if event.get("type") in ("diagnostic", "warning", "text"):
            say_event(run.progress, stack, event)

    return on_event


def say_event(progress: Progress, stack: Stack, event: Event) -> None:
    """What a person wants to know of an event; errors come with the result."""
    kind = event.get("type")
    if kind == "warning":
        progress.say(stack.name, f"warning: {event['warning'].text()}")
    elif kind == "diagnostic" and event["diagnostic"]["severity"] == "warning":
        progress.say(stack.name, f"warning: {Diagnostic.of(event['diagnostic']).text()}")
    elif (kind in _DETAILS or kind in _ALWAYS) and not is_read(event):
        progress.say(stack.name, str(event.get("@message", "")), important=kind in _ALWAYS)


def is_read(event: Event) -> bool:
    """Whether the event is about a data source, which changes nothing."""
    return bool(event.get("hook", {}).get("action") == "read")
