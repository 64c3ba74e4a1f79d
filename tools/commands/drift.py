"""`tools drift`."""

import json
from typing import Any

import click

from tools.commands import options
from tools.context import Context
from tools.runs import deployment, report_file, session, summary


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
    target = context.target(local)
    place = session.where(target)
    known = session.records(target, place)
    stacks = context.select(known, selection)
    asked = session.Options(**given)
    found = deployment.plan_stacks(context, target, known, place, stacks, asked, outside_only=True)
    if as_json:
        click.echo(json.dumps([summary.drift_json(plan) for plan in found], indent=2))
    else:
        summary.show_drift(found)
    if asked.report:
        report_file.write(asked.report, [report_file.of_plan(plan) for plan in found], "drift")
    deployment.leave_planned(found, detailed_exitcode)
