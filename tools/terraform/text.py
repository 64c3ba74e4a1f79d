"""Terraform's text and JSON lines as events."""

import json
import re
from collections.abc import Sequence
from typing import Any

Event = dict[str, Any]


def event_of_json(line: str) -> Event:
    try:
        event = json.loads(line)
    except ValueError:
        event = None
    # A line that is no event, such as a provider's panic, is passed on as it is.
    return event if isinstance(event, dict) else {"type": "text", "@message": line.rstrip()}


_TEXT_EVENTS = {
    "Creating...": "apply_start",
    "Modifying...": "apply_start",
    "Destroying...": "apply_start",
    "Creation complete": "apply_complete",
    "Modifications complete": "apply_complete",
    "Destruction complete": "apply_complete",
    "Still ": "apply_progress",
}
_PLAN = re.compile(
    r"^Plan: (?:\d+ to import, )?(?P<add>\d+) to add, (?P<change>\d+) to change, "
    r"(?P<remove>\d+) to destroy(?:, \d+ to \w+)*\.",
    re.MULTILINE,
)
_APPLIED = re.compile(
    r"^Apply complete! Resources: (?:\d+ imported, )?(?P<add>\d+) added, (?P<change>\d+) changed, "
    r"(?P<remove>\d+) destroyed\."
)


def event_of_text(line: str) -> Event:
    """A line of Terraform's text as the event that its JSON has for it."""
    message = line.rstrip()
    for operation, pattern in (("plan", _PLAN), ("apply", _APPLIED)):
        if found := pattern.match(message):
            counts = {name: int(value) for name, value in found.groupdict().items()}
            changes = {"operation": operation, **counts}
            return {"type": "change_summary", "@message": message, "changes": changes}
    what = re.match(r"\S.*?: (.*)", message)
    for begin, kind in _TEXT_EVENTS.items():
        if what and what[1].startswith(begin):
            return {"type": kind, "@message": message}
    if message.startswith("interrupted: "):
        return {"type": "text", "@message": message}
    return {"type": "log", "@message": message}


def was_asked_to_approve(lines: Sequence[str]) -> bool:
    return any("Only 'yes' will be accepted to approve." in line for line in lines)


def destroys_nothing(lines: Sequence[str]) -> bool:
    text = "".join(lines)
    if not was_asked_to_approve(lines):
        return False
    plans = list(_PLAN.finditer(text))
    if plans:
        return plans[-1]["remove"] == "0"
    return "without changing any real infrastructure." in text
