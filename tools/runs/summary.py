"""Plans, results and drift in tables."""

from collections.abc import Sequence
from dataclasses import asdict

import click

from tools.console import progress
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
    width = max((len(result.stack) for result in shown), default=0)
    for result in sorted(shown, key=lambda result: -result.seconds):
        outcome = progress.outcome_style(result.outcome, 9)
        line = f"{result.stack:<{width}}  {outcome}  {result.seconds:5.0f} s  {result.detail}"
        click.echo(line.rstrip(), err=True)
    if len(shown) < len(results):
        click.echo(f"{len(results) - len(shown)} stacks unchanged", err=True)


def show_drift(found: Sequence[Plan]) -> None:
    """What was changed outside, by resource, and what is not applied yet, by stack."""
    for plan in found:
        for change in plan.outside:
            what = "gone" if change.action == "destroy" else "changed"
            which = f" ({', '.join(change.attributes)})" if change.attributes else ""
            click.echo(f"{plan.stack}  {what} outside of Terraform: {change.address}{which}")
        if plan.status == "failed":
            click.echo(f"{plan.stack}  {progress.outcome_style('failed')}: {plan.detail}")
        elif plan.why and plan.detail != NOTHING_DEPLOYED:
            click.echo(f"{plan.stack}  changed here and not applied: {'; '.join(plan.why)}")
    outside = sum(bool(plan.outside) for plan in found)
    click.echo(f"{outside} of {len(found)} stacks were changed outside of Terraform", err=True)


def drift_json(plan: Plan) -> dict[str, object]:
    """As `tools drift --json` prints it (docs/json.md)."""
    return {
        "stack": plan.stack,
        "status": "failed" if plan.status == "failed" else "drifted" if plan.outside else "in sync",
        "outside": [asdict(change) for change in plan.outside],
        "not_applied": list(plan.why),
        "detail": plan.detail,
    }


def show_plans(found: Sequence[Plan], err: bool = True, why: bool = False) -> None:
    """One row for each plan that is not empty: what changes, and what data would go."""
    rows = [plan for plan in found if plan.status != "unchanged"]
    width = max((len(plan.stack) for plan in rows), default=0)
    if rows:
        head = "".join(f"{action:>9}" for action in plans.ACTIONS)
        click.echo(f"{'':<{width}}{head}", err=err)
    for plan in rows:
        counts = "".join(f"{plan.counts[action] or '-':>9}" for action in plans.ACTIONS)
        notes = [plan.detail] if plan.detail else []
        if plan.outputs and not plan.changes:
            notes.append(f"outputs: {', '.join(plan.outputs)}")
        notes += [_loss(change) for change in plan.losses]
        style = progress.outcome_style(plan.status) if plan.status in ("failed", "waiting") else ""
        line = f"{plan.stack:<{width}}{counts}  {style}  {'; '.join(notes)}"
        click.echo(line.rstrip(), err=err)
        for reason in plan.why if why else ():
            click.echo(f"    {reason}", err=err)
    unchanged = len(found) - len(rows)
    if unchanged:
        click.echo(f"{unchanged} of {len(found)} stacks: no changes", err=err)


def _loss(change: Change) -> str:
    what = "its volume" if change.type == "aws_sagemaker_notebook_instance" else "its data"
    return click.style(f"{change.action} {change.address}: loses {what}", fg="red")
