"""Plans, results and drift in tables."""

from collections.abc import Sequence
from dataclasses import asdict

import click

from tools.console import progress, table
from tools.engine import plans
from tools.engine.plans import Change, Plan
from tools.engine.run import NOTHING_DEPLOYED, Result

_ROWS_OF_A_SUMMARY = 30


def summarize(results: Sequence[Result]) -> None:
    """What became of each stack, slowest first, on stderr; of many unchanged ones, the number."""
    shown = list(results)
    if len(shown) > _ROWS_OF_A_SUMMARY:
        shown = [result for result in results if result.outcome != "unchanged"]
    click.echo("", err=True)
    slowest_first = sorted(shown, key=lambda result: -result.seconds)
    table.show(
        (
            (
                result.stack,
                progress.style_outcome(result.outcome),
                f"{result.seconds:5.0f} s",
                result.detail,
            )
            for result in slowest_first
        ),
        err=True,
    )
    if len(shown) < len(results):
        click.echo(f"{len(results) - len(shown)} stacks unchanged", err=True)


def show_drift(made: Sequence[Plan]) -> None:
    """What was changed outside, by resource, and what is not applied yet, by stack."""
    for plan in made:
        for change in plan.outside:
            what = "gone" if change.action == "destroy" else "changed"
            which = f" ({', '.join(change.attributes)})" if change.attributes else ""
            click.echo(f"{plan.stack}  {what} outside of Terraform: {change.address}{which}")
        if plan.status == "failed":
            click.echo(f"{plan.stack}  {progress.style_outcome('failed')}: {plan.detail}")
        elif plan.why and plan.detail != NOTHING_DEPLOYED:
            click.echo(f"{plan.stack}  changed here and not applied: {'; '.join(plan.why)}")
    outside = sum(bool(plan.outside) for plan in made)
    click.echo(f"{outside} of {len(made)} stacks were changed outside of Terraform", err=True)


def drift_json(plan: Plan) -> dict[str, object]:
    """As `tools drift --json` prints it (docs/json.md)."""
    return {
        "stack": plan.stack,
        "status": "failed" if plan.status == "failed" else "drifted" if plan.outside else "in sync",
        "outside": [asdict(change) for change in plan.outside],
        "not_applied": list(plan.why),
        "detail": plan.detail,
    }


def show_plans(made: Sequence[Plan], err: bool = True, why: bool = False) -> None:
    """One row for each plan that is not empty: what changes, and what data would go."""
    not_empty = [plan for plan in made if plan.status != "unchanged"]
    if not_empty:
        lines = table.lay_out(map(_plan_row, not_empty), ("", *plans.ACTIONS, "", ""))
        click.echo(lines[0], err=err)
        for plan, line in zip(not_empty, lines[1:], strict=True):
            click.echo(line, err=err)
            for reason in plan.why if why else ():
                click.echo(f"    {reason}", err=err)
    unchanged = len(made) - len(not_empty)
    if unchanged:
        click.echo(f"{unchanged} of {len(made)} stacks: no changes", err=err)


def _plan_row(plan: Plan) -> list[table.Cell]:
    notes = [plan.detail] if plan.detail else []
    if plan.outputs and not plan.changes:
        notes.append(f"outputs: {', '.join(plan.outputs)}")
    notes += [_loss(change) for change in plan.losses]
    status = progress.style_outcome(plan.status) if plan.status in ("failed", "waiting") else ""
    counts = [plan.counts[action] or None for action in plans.ACTIONS]
    return [plan.stack, *counts, status, "; ".join(notes)]


def _loss(change: Change) -> str:
    what = "its volume" if change.type == "aws_sagemaker_notebook_instance" else "its data"
    return click.style(f"{change.action} {change.address}: loses {what}", fg="red")
