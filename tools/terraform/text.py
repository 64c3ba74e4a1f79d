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
_SUMMARY = re.compile(r"(Plan|Apply complete! Resources): (?P<counts>\d.*)")
# Words of a summary, to the names that the JSON has for the counts; others keep their own, such as
# the "1 to forget" of OpenTofu and the "Actions: 1 to invoke." of Terraform 1.14.
_COUNTS = {
    "add": "add",
    "added": "add",
    "change": "change",
    "changed": "change",
    "destroy": "remove",
    "destroyed": "remove",
}
# Nothing but this, which all versions say of a plan that adds and changes: what goes on, or says it
# otherwise, is not understood.
_HARMLESS_PLAN = re.compile(r"Plan: \d+ to add, \d+ to change, 0 to destroy\.")
# The question to approve a plan, to the place of the answer. A user's text, such as a variable's
# description, is indented in a question, or stands above it:
# https://github.com/hashicorp/terraform/blob/v1.15.0/internal/backend/local/backend_apply.go
_APPROVAL = re.compile(
    r"^Do you want to perform these actions(?: in workspace \"[^\"\n]*\")?\?\n"
    r"  \w+ will perform the actions described above\.\n"
    r"  Only 'yes' will be accepted to approve\.\n\n\Z",
    re.MULTILINE,
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
    if summary := _SUMMARY.match(message):
        operation = "plan" if summary[1] == "Plan" else "apply"
        changes = {"operation": operation, **_count(summary["counts"])}
        return {"type": "change_summary", "@message": message, "changes": changes}
    if progress := _PROGRESS.match(message):
        return {"type": _PROGRESS_TYPES[progress[1]], "@message": message}
    if message.startswith("interrupted: "):
        return {"type": "text", "@message": message}
    return {"type": "log", "@message": message}


def was_asked_to_approve(lines: Sequence[str]) -> bool:
    """Returns whether `lines` end in the question to approve a plan, before the answer's prompt."""
    return _APPROVAL.search("".join(lines[-5:])) is not None


def destroys_nothing(lines: Sequence[str]) -> bool:
    """Returns whether the plan that Terraform asks to approve, in `lines`, destroys nothing.

    False if that cannot be told. Any of the lines may be a user's: the message of a failed `check`
    stands unindented after the plan, an output's value and a resource's attributes in it, a
    provider's warning above it. None of them can take away Terraform's own summary, so every line
    that begins like a summary has to be a harmless one.
    """
    if not was_asked_to_approve(lines):
        return False
    summaries = [text for line in lines if (text := line.strip()).startswith("Plan:")]
    return bool(summaries) and all(map(_HARMLESS_PLAN.fullmatch, summaries))


def _count(counts: str) -> dict[str, int]:
    """The numbers of a summary by what they count."""
    counted = re.findall(r"(\d+) (?:to )?(\w+)", counts)
    return {_COUNTS.get(word, word): int(number) for number, word in counted}
