"""Terraform's text and JSON lines as events.

An event is a dict as Terraform's machine-readable UI has it, with a `type` and a `@message`:
https://developer.hashicorp.com/terraform/internals/machine-readable-ui
Two types are our own: `text`, a line to be shown as it is, and `warning`, a Diagnostic.
"""

import json
import re
from collections.abc import Sequence
from typing import Any

Event = dict[str, Any]

# What stands after a resource's address, to the type of event that it is in JSON:
# https://github.com/hashicorp/terraform/blob/main/internal/command/views/hook_ui.go
_PROGRESS_TYPES = {
    "Creating...": "apply_start",
    "Modifying...": "apply_start",
    "Destroying...": "apply_start",
    "Creation complete": "apply_complete",
    "Modifications complete": "apply_complete",
    "Destruction complete": "apply_complete",
    "Still ": "apply_progress",
}
_PROGRESS = re.compile(rf"\S.*?: ({'|'.join(map(re.escape, _PROGRESS_TYPES))})")
_PLAN_SUMMARY = re.compile(
    r"^Plan: (?:\d+ to import, )?(?P<add>\d+) to add, (?P<change>\d+) to change, "
    r"(?P<remove>\d+) to destroy(?:, \d+ to \w+)*\.",
    re.MULTILINE,
)
_APPLY_SUMMARY = re.compile(
    r"^Apply complete! Resources: (?:\d+ imported, )?(?P<add>\d+) added, (?P<change>\d+) changed, "
    r"(?P<remove>\d+) destroyed\."
)


def event_of_json(line: str) -> Event:
    """Returns the event in `line`; one of type `text` for a line that is no event.

    Such as a provider's panic, which is to be shown as it is.
    """
    try:
        event = json.loads(line)
    except ValueError:
        event = None
    return event if isinstance(event, dict) else {"type": "text", "@message": line.rstrip()}


def event_of_text(line: str) -> Event:
    """Returns a line of Terraform's text as the event that its JSON has for it."""
    message = line.rstrip()
    for operation, pattern in (("plan", _PLAN_SUMMARY), ("apply", _APPLY_SUMMARY)):
        if summary := pattern.match(message):
            counts = {name: int(value) for name, value in summary.groupdict().items()}
            changes = {"operation": operation, **counts}
            return {"type": "change_summary", "@message": message, "changes": changes}
    if progress := _PROGRESS.match(message):
        return {"type": _PROGRESS_TYPES[progress[1]], "@message": message}
    if message.startswith("interrupted: "):
        return {"type": "text", "@message": message}
    return {"type": "log", "@message": message}


def was_asked_to_approve(lines: Sequence[str]) -> bool:
    """Returns whether Terraform has asked, in `lines`, to approve its plan."""
    return any("Only 'yes' will be accepted to approve." in line for line in lines)


def destroys_nothing(lines: Sequence[str]) -> bool:
    """Returns whether the plan that Terraform asks to approve, in `lines`, destroys nothing.

    False if that cannot be told.
    """
    if not was_asked_to_approve(lines):
        return False
    text = "".join(lines)
    summaries = list(_PLAN_SUMMARY.finditer(text))
    if not summaries:
        return "without changing any real infrastructure." in text
    # The message of a failed `check` block stands unindented after the plan, so that a line like
    # a summary may be anybody's (Terraform 1.5 and later). The real one is among them.
    return all(summary["remove"] == "0" for summary in summaries)
