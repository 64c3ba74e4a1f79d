"""`tools drift`."""

import json
from typing import Any

import click

from tools.commands import options
from tools.context import Context
from tools.runs import deployment, report_file, summary
from tools.runs.options import Options
from tools.runs.session import Session


@click.command("drift", short_help="What was changed outside of Terraform.")
@options.of_drift
@click.pass_obj
def command(
    context: Context, /, local: bool, as_json: bool, detailed_exitcode: bool, **given: Any
) -> None:
    """Compare the states of STACKS with the cloud (terraform plan -refresh-only).

    Tells what was changed outside of Terraform from what is changed here and not applied yet.
    Exits with 0; with --detailed-exitcode 2 where something was changed outside.
    """
    selection = options.selection(given)
    session = Session.open(context, local, Options(**given))
    stacks = session.select(selection)
    plans = deployment.plan_stacks(session, stacks, outside_only=True)
    if as_json:
        click.echo(json.dumps([summary.drift_json(plan) for plan in plans], indent=2))
    else:
        summary.show_drift(plans)
    if session.options.report:
        report_file.write(
            session.options.report, [report_file.result_of_plan(plan) for plan in plans], "drift"
        )
    deployment.exit_by_plans(plans, detailed_exitcode)
