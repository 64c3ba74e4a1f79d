"""`tools plan`."""

import shlex
from collections.abc import Sequence
from typing import Any

import click

from tools.commands import options
from tools.console.messages import print_json, say
from tools.context import Context
from tools.engine.plans import Plan
from tools.runs import deployment, summary
from tools.runs.session import Session

# What else chooses stacks: the deploy of the same is then for the user to type.
_NARROWING = (
    "shared",
    "changed",
    "conditions",
    "with_upstream",
    "with_downstream",
    "wave",
    "shard",
)


@click.command("plan", short_help="Show what deploy would change.")
@options.for_plan
@click.option("--details", is_flag=True, help="Also print Terraform's own text of each plan.")
@click.pass_obj
def command(
    context: Context,
    /,
    local: bool,
    details: bool,
    as_json: bool,
    detailed_exitcode: bool,
    **given: Any,
) -> None:
    """Plan the STACKS that have changed, and print what would change in each.

    A stack whose upstream was never applied waits for it; that is not an error. With --plan-dir
    the plans are saved, and `tools deploy --plan-dir` applies them exactly as shown. They hold
    secret values in clear text. With --detailed-exitcode the exit code is 2 if something would
    change.

    \b
    Examples:
      tools plan
      tools plan nlp --details
      tools plan --plan-dir plans
      tools deploy --plan-dir plans      # applies exactly these plans
    """
    typed = None if any(given[name] for name in _NARROWING) else given["stacks"]
    session, stacks = options.open_session(context, local, given)
    plans = deployment.plan_stacks(session, stacks, details=details)
    if as_json:
        print_json([plan.to_json() for plan in plans])
    else:
        summary.show_plans(plans, err=False, why=session.options.why)
        _say_next(session, plans, typed)
    deployment.finish_plans(session, plans, "plan", detailed_exitcode)


def _say_next(session: Session, plans: Sequence[Plan], typed: Sequence[str] | None) -> None:
    """Says how to apply what was planned, of the stacks that were `typed`, if that is known."""
    folder = session.options.plan_dir
    words = ["--plan-dir", str(folder)] if folder else typed
    if words is not None and any(plan.status == "changed" for plan in plans):
        say(" ".join([f"next: tools deploy{session.target.option}", *map(shlex.quote, words)]))
