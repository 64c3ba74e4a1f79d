"""`tools drift`."""

from typing import Any

import click

from tools.commands import options
from tools.console.messages import print_json
from tools.context import Context
from tools.runs import deployment, summary


@click.command("drift", short_help="Show what was changed outside of Terraform.")
@options.for_drift
@click.pass_obj
def command(
    context: Context, /, local: bool, as_json: bool, detailed_exitcode: bool, **given: Any
) -> None:
    """Compare the states of STACKS with the cloud (terraform plan -refresh-only).

    Shows what was changed outside of Terraform and, apart from that, what was changed here and is
    not applied yet. With --detailed-exitcode the exit code is 2 if something was changed outside.

    \b
    Examples:
      tools drift
      tools drift --detailed-exitcode     # in CI: 2 if something was changed
    """
    session, stacks = options.open_session(context, local, given)
    plans = deployment.plan_stacks(session, stacks, outside_only=True)
    if as_json:
        print_json([summary.drift_json(plan) for plan in plans])
    else:
        summary.show_drift(plans)
    deployment.finish_plans(session, plans, "drift", detailed_exitcode)
