"""`tools drift`."""

import json
from typing import Any

import click

from tools import runreport, runs
from tools.commands import options
from tools.context import Context


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
    place = runs.where(target)
    known = runs.records(target, place)
    stacks = context.select(known, selection)
    asked = runs.Options(**given)
    found = runs.plan_stacks(context, target, known, place, stacks, asked, outside_only=True)
    if as_json:
        click.echo(json.dumps([runs.drift_json(plan) for plan in found], indent=2))
    else:
        runs.show_drift(found)
    if asked.report:
        runreport.write(asked.report, [runreport.of_plan(plan) for plan in found], "drift")
    runs.leave_planned(found, detailed_exitcode)
