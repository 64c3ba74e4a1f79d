"""Prints plans, results and drift as tables."""

from collections.abc import Sequence
from dataclasses import asdict

import click

from tools.aws.sagemaker import NOTEBOOK_TYPE
from tools.console import progress, table
from tools.console.messages import say
from tools.engine.plans import ACTIONS, Change, Plan
from tools.engine.run import NOTHING_DEPLOYED, Result

_MOST_ROWS = 30


def summarize(results: Sequence[Result]) -> None:
    """Prints the outcome of each stack, slowest first, on stderr; of many, those that changed."""
    shown = list(results)
    if len(shown) > _MOST_ROWS:
        shown = [result for result in results if result.outcome != "unchanged"]
    say("")
    table.show(
        (
            (
                result.stack,
                progress.style_outcome(result.outcome),
                f"{result.seconds:5.0f} s",
                result.detail,
            )
            for result in sorted(shown, key=lambda result: -result.seconds)
        ),
        err=True,
    )
    if len(shown) < len(results):
        say(f"{len(results) - len(shown)} stacks unchanged")


def show_drift(plans: Sequence[Plan]) -> None:
    """Prints what was changed outside, by resource, and what is not applied yet, by stack."""
    for plan in plans:
        for change in plan.outside:
            what = "gone" if change.action == "destroy" else "changed"
            attributes = f" ({', '.join(change.attributes)})" if change.attributes else ""
            click.echo(f"{plan.stack}  {what} outside of Terraform: {change.address}{attributes}")
        if plan.status == "failed":
            click.echo(f"{plan.stack}  {progress.style_outcome('failed')}: {plan.detail}")
        elif plan.why and plan.detail != NOTHING_DEPLOYED:
            click.echo(f"{plan.stack}  changed here and not applied: {'; '.join(plan.why)}")
    drifted = sum(bool(plan.outside) for plan in plans)
    say(f"{drifted} of {len(plans)} stacks were changed outside of Terraform")


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
    shown = [plan for plan in plans if plan.status != "unchanged"]
    if shown:
        reasons = [plan.why if why else () for plan in shown]
        table.show(map(_plan_row, shown), ("", *ACTIONS, "", ""), reasons, err=err)
    if unchanged := len(plans) - len(shown):
        click.echo(f"{unchanged} of {len(plans)} stacks: no changes", err=err)


def _plan_row(plan: Plan) -> list[table.Cell]:
    notes = [plan.detail] if plan.detail else []
    notes += [f"{action}: {n}" for action, n in plan.counts.items() if action not in ACTIONS]
    if plan.outputs and not plan.changes:
        notes.append(f"outputs: {', '.join(plan.outputs)}")
    notes += [_describe_loss(change) for change in plan.losses]
    status = progress.style_outcome(plan.status) if plan.status in ("failed", "waiting") else ""
    counts = [plan.counts[action] or None for action in ACTIONS]
    return [plan.stack, *counts, status, "; ".join(notes)]


def _describe_loss(change: Change) -> str:
    data = "its volume" if change.type == NOTEBOOK_TYPE else "its data"
    return click.style(f"{change.action} {change.address}: loses {data}", fg="red")
