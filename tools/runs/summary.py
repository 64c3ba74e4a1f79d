"""Prints plans, results and drift as tables."""

from collections.abc import Iterator, Sequence
from dataclasses import asdict

import click

from tools.aws.sagemaker import NOTEBOOK_TYPE
from tools.console import progress, table
from tools.console.messages import first_lines, say, show_kept
from tools.console.table import Column
from tools.engine.plans import ACTIONS, Change, Plan
from tools.engine.run import NOTHING_DEPLOYED, Result

_MOST_ROWS = 30
_PLAN_COLUMNS: table.Columns = (
    "Stack",
    *(Column(action.capitalize(), to_right=True) for action in ACTIONS),
    "Status",
    Column("Notes", note=True),
)


def summarize(results: Sequence[Result]) -> None:
    """Prints the outcome of each stack in the order in which they ended, on stderr.

    Of many stacks those that are not unchanged.
    """
    shown = list(results)
    if len(shown) > _MOST_ROWS:
        shown = [result for result in results if result.outcome != "unchanged"]
    say("")
    table.show(
        (
            (
                result.stack,
                progress.style_outcome(result.outcome),
                f"{result.seconds:.0f} s",
                result.detail,
            )
            for result in shown
        ),
        ("Stack", "Outcome", Column("Time", rank=1, to_right=True), Column("Notes", note=True)),
        err=True,
    )
    if len(shown) < len(results):
        say(f"{len(results) - len(shown)} stacks unchanged")
    if any(result.outcome == "failed" for result in results):
        show_kept()


def show_drift(plans: Sequence[Plan]) -> None:
    """Prints what was changed outside, by resource, and what is not applied yet, by stack."""
    rows = [
        (plan.stack, what, details) for plan in plans for what, details in _describe_drift(plan)
    ]
    table.show(rows, ("Stack", "Difference", Column("Details", note=True)))
    drifted = sum(bool(plan.outside) for plan in plans)
    was = "was" if drifted == 1 else "were"
    say(f"{drifted} of {len(plans)} stacks {was} changed outside of Terraform")


def _describe_drift(plan: Plan) -> Iterator[tuple[str, str]]:
    for change in plan.outside:
        what = "gone" if change.action == "destroy" else "changed"
        attributes = f" ({', '.join(change.attributes)})" if change.attributes else ""
        yield f"{what} outside of Terraform", f"{change.address}{attributes}"
    if plan.status == "failed":
        yield progress.style_outcome("failed"), plan.detail
    elif plan.why and plan.detail != NOTHING_DEPLOYED:
        yield "not applied yet", "\n".join(plan.why)


def drift_json(plan: Plan) -> dict[str, object]:
    """Returns what `tools drift --json` prints of a plan (docs/json.md)."""
    return {
        "stack": plan.stack,
        "status": "failed" if plan.status == "failed" else "drifted" if plan.outside else "in sync",
        "outside": [asdict(change) for change in plan.outside],
        "not_applied": list(plan.why),
        "detail": plan.detail,
    }


def show_plans(plans: Sequence[Plan], err: bool = True, why: bool = False) -> None:
    """Prints a row for each plan that is not empty: what changes, and what data would be lost."""
    shown_plans = [plan for plan in plans if plan.status != "unchanged"]
    if shown_plans:
        reasons = [first_lines(plan.why) if why else () for plan in shown_plans]
        table.show(map(_plan_row, shown_plans), _PLAN_COLUMNS, reasons, err=err)
    if unchanged := len(plans) - len(shown_plans):
        click.echo(f"{unchanged} of {len(plans)} stacks: no changes", err=err)


def _plan_row(plan: Plan) -> list[table.Cell]:
    notes = [plan.detail] if plan.detail else []
    notes += [f"{action}: {n}" for action, n in plan.counts.items() if action not in ACTIONS]
    if plan.outputs and not plan.changes:
        notes.append(f"outputs: {', '.join(plan.outputs)}")
    notes += [_describe_loss(change) for change in plan.losses]
    status = progress.style_outcome(plan.status) if plan.status in ("failed", "waiting") else ""
    counts = [plan.counts[action] or None for action in ACTIONS]
    return [plan.stack, *counts, status, "\n".join(notes)]


def _describe_loss(change: Change) -> str:
    data = "its volume" if change.type == NOTEBOOK_TYPE else "its data"
    return click.style(f"{change}: loses {data}", fg="red")
