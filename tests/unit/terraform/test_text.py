"""Terraform's text and JSON as events, and what may be approved by its text."""

from typing import Any

import pytest

from tools.terraform.text import (
    destroys_nothing,
    event_of_json,
    event_of_text,
    was_asked_to_approve,
)

QUESTION = (
    "Do you want to perform these actions?\n"
    "  Terraform will perform the actions described above.\n"
    "  Only 'yes' will be accepted to approve.\n"
)


def plan(summary: str) -> list[str]:
    return ["Terraform will perform the following actions:\n", f"{summary}\n", "\n", QUESTION]


@pytest.mark.parametrize(
    ("line", "event"),
    [
        ('{"type": "log", "@message": "m"}\n', {"type": "log", "@message": "m"}),
        ("panic: runtime error\n", {"type": "text", "@message": "panic: runtime error"}),
        ("[1]\n", {"type": "text", "@message": "[1]"}),
        ("\n", {"type": "text", "@message": ""}),
    ],
)
def test_a_line_of_json(line: str, event: dict[str, Any]) -> None:
    assert event_of_json(line) == event


@pytest.mark.parametrize(
    ("line", "kind"),
    [
        ("aws_s3_bucket.this: Creating...", "apply_start"),
        ("aws_s3_bucket.this: Modifying... [id=x]", "apply_start"),
        ('aws_s3_bucket.this["a: b"]: Destroying... [id=x]', "apply_start"),
        ("module.m[0].aws_s3_bucket.this: Creation complete after 1s [id=x]", "apply_complete"),
        ("aws_s3_bucket.this: Modifications complete after 1s [id=x]", "apply_complete"),
        ("aws_s3_bucket.this: Destruction complete after 1s", "apply_complete"),
        ("aws_s3_bucket.this: Still creating... [10s elapsed]", "apply_progress"),
        ("aws_s3_bucket.this: Refreshing state... [id=x]", "log"),
        ("  aws_s3_bucket.this: Creating...", "log"),
        ("interrupted: waiting for Terraform to write its state", "text"),
        ("Initializing the backend...", "log"),
    ],
)
def test_a_line_of_text(line: str, kind: str) -> None:
    assert event_of_text(f"{line}\n") == {"type": kind, "@message": line}


@pytest.mark.parametrize(
    ("line", "operation", "counts"),
    [
        ("Plan: 1 to add, 2 to change, 3 to destroy.", "plan", (1, 2, 3)),
        ("Plan: 4 to import, 1 to add, 0 to change, 0 to destroy.", "plan", (1, 0, 0)),
        ("Plan: 1 to add, 0 to change, 0 to destroy, 2 to forget.", "plan", (1, 0, 0)),
        ("Apply complete! Resources: 1 added, 2 changed, 3 destroyed.", "apply", (1, 2, 3)),
        (
            "Apply complete! Resources: 4 imported, 1 added, 0 changed, 0 destroyed.",
            "apply",
            (1, 0, 0),
        ),
    ],
)
def test_a_summary(line: str, operation: str, counts: tuple[int, int, int]) -> None:
    changes = dict(zip(("add", "change", "remove"), counts, strict=True))
    event = event_of_text(line)
    assert (event["type"], event["changes"]) == (
        "change_summary",
        {"operation": operation, **changes},
    )


@pytest.mark.parametrize(
    ("lines", "may_be_approved"),
    [
        (plan("Plan: 2 to add, 1 to change, 0 to destroy."), True),
        (plan("Plan: 1 to import, 0 to add, 0 to change, 0 to destroy."), True),
        (plan("Plan: 1 to add, 0 to change, 1 to destroy."), False),
        (plan("Plan: 0 to add, 0 to change, 10 to destroy."), False),
        (
            plan(
                "You can apply this plan to save these new output values to the Terraform state, "
                "without changing any real infrastructure."
            ),
            True,
        ),
        (plan("A plan of which nothing is understood."), False),
        (["Plan: 1 to add, 0 to change, 0 to destroy.\n"], False),  # it asked for something else
        ([*plan("Plan: 1 to add, 0 to change, 0 to destroy.")[:-1], "var.x\n"], False),
    ],
)
def test_what_may_be_approved(lines: list[str], may_be_approved: bool) -> None:
    assert destroys_nothing(lines) == may_be_approved


def test_a_check_s_message_approves_nothing() -> None:
    # As Terraform 1.11 prints a failed check: its message, unindented, after the plan.
    harmless = "Plan: 0 to add, 0 to change, 0 to destroy.\n"
    lines = plan("Plan: 0 to add, 0 to change, 1 to destroy.")
    assert not destroys_nothing([*lines[:-1], harmless, QUESTION])
    assert not destroys_nothing([harmless, *lines])


def test_only_the_question_to_approve_is_one() -> None:
    assert was_asked_to_approve(plan("")) is True
    assert was_asked_to_approve(["var.x\n", "  Enter a value: "]) is False
