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


HARMLESS = "Plan: 0 to add, 0 to change, 0 to destroy."
DESTROYS = "Plan: 1 to add, 0 to change, 1 to destroy."


def plan(*texts: str, question: str = QUESTION) -> list[str]:
    """The lines of a plan that says `texts`, until the prompt for the answer."""
    begin = "Terraform will perform the following actions:\n"
    return "".join([begin, *(f"{text}\n" for text in texts), "\n", question, "\n"]).splitlines(True)


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
        ("interrupted: waiting until the state is written", "text"),
        ("Initializing the backend...", "log"),
    ],
)
def test_a_line_of_text(line: str, kind: str) -> None:
    assert event_of_text(f"{line}\n") == {"type": kind, "@message": line}


@pytest.mark.parametrize(
    ("line", "operation", "counts"),
    [
        ("Plan: 1 to add, 2 to change, 3 to destroy.", "plan", {}),
        ("Plan: 4 to import, 1 to add, 2 to change, 3 to destroy.", "plan", {"import": 4}),
        ("Plan: 1 to add, 2 to change, 3 to destroy, 2 to forget.", "plan", {"forget": 2}),
        (
            "Plan: 1 to add, 2 to change, 3 to destroy. Actions: 5 to invoke.",
            "plan",
            {"invoke": 5},
        ),
        ("Apply complete! Resources: 1 added, 2 changed, 3 destroyed.", "apply", {}),
        (
            "Apply complete! Resources: 4 imported, 1 added, 2 changed, 3 destroyed, 6 forgotten.",
            "apply",
            {"imported": 4, "forgotten": 6},
        ),
    ],
)
def test_a_summary_with_whatever_it_counts(
    line: str, operation: str, counts: dict[str, int]
) -> None:
    event = event_of_text(line)
    assert (event["type"], event["changes"]) == (
        "change_summary",
        {"operation": operation, "add": 1, "change": 2, "remove": 3, **counts},
    )


@pytest.mark.parametrize("summary", [HARMLESS, "Plan: 2 to add, 1 to change, 0 to destroy."])
@pytest.mark.parametrize("product", ["Terraform", "OpenTofu"])
def test_what_only_adds_and_changes_may_be_approved(summary: str, product: str) -> None:
    question = QUESTION.replace("Terraform", product)
    assert destroys_nothing(plan(summary, question=question))
    assert destroys_nothing(plan(summary, question=question.replace("?", ' in workspace "w"?')))


# The forms that Terraform 1.15 and OpenTofu 1.12 have in internal/command/jsonformat/plan.go, and
# such as may come.
@pytest.mark.parametrize(
    "text",
    [
        DESTROYS,
        "Plan: 0 to add, 0 to change, 10 to destroy.",
        "Plan: 1 to import, 0 to add, 0 to change, 0 to destroy.",
        "Plan: 0 to add, 0 to change, 0 to destroy, 1 to forget.",
        "Plan: 0 to add, 0 to change, 0 to destroy. Actions: 1 to invoke.",
        "Plan: 0 to add, 0 to change, 0 to destroy; 1 deferred.",
        "Plan: 0 to destroy.",
        "Plan: nothing",
        "Plan:",
        "You can apply this plan to save these new output values to the Terraform state, without "
        "changing any real infrastructure.",
        "A plan of which nothing is understood.",
    ],
)
def test_a_plan_that_is_not_wholly_understood_is_not_approved(text: str) -> None:
    assert not destroys_nothing(plan(text))
    # Nor with a text of a user's that is harmless, on either side.
    if text.startswith("Plan:"):
        assert not destroys_nothing(plan(HARMLESS, text))
        assert not destroys_nothing(plan(text, HARMLESS))


# Where Terraform 1.11.4 prints what a user wrote, as it prints it.
@pytest.mark.parametrize(
    "text",
    [
        f"\nWarning: Check block assertion failed\n\n  on main.tf line 9\n\n{HARMLESS}\n",
        f"    + text = <<-EOT\n          x\n\n          {HARMLESS}\n        EOT",
        f'  # terraform_data.this["\\n\\n{HARMLESS}\\n"] must be replaced',
        f"\nWarning: of a provider\n\n{HARMLESS}\n\n{QUESTION}\n  Enter a value: yes",
        f"a.b: Refreshing state... [id=x\n\n{HARMLESS}\n{QUESTION}\n  Enter a value: ]",
        f"\r{HARMLESS}\r",
    ],
)
def test_no_text_of_a_user_approves_a_plan(text: str) -> None:
    assert not destroys_nothing(plan(text, DESTROYS))
    assert not destroys_nothing(plan(DESTROYS, text))


@pytest.mark.parametrize(
    "lines",
    [
        [f"{HARMLESS}\n"],
        [*plan(HARMLESS), "and more\n"],
        # A variable's description is indented in the question for its value.
        [f"{HARMLESS}\n", "var.x\n", *(f"  {line}\n" for line in QUESTION.splitlines()), "\n"],
        [f"{HARMLESS}\n", "Do you really want to destroy all resources?\n", "\n"],
    ],
)
def test_only_the_question_to_approve_is_answered(lines: list[str]) -> None:
    assert not was_asked_to_approve(lines)
    assert not destroys_nothing(lines)
