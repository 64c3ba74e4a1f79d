"""`tools plan`."""

import json
from typing import Any

import click

from tools.commands import options
from tools.context import Context
from tools.runs import deployment, report_file, summary
from tools.runs.options import Options
from tools.runs.session import Session


@click.command("plan", short_help="What deploy would change.")
@options.of_a_plan
@click.option("--details", is_flag=True, help="Terraform's own text of each plan, too.")
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
    """Plan those of STACKS in which something has changed, and print what would change where.

    A stack whose upstream was never applied waits for it, which is no error. With --plan-dir the
    plans are saved, and `tools deploy --plan-dir` applies them exactly as shown; they hold secret
    values in clear text. Exits with 0; with --detailed-exitcode 2 where something would change.
    """
    selection = options.selection(given)
    session = Session.open(context, local, Options(**given))
    stacks = session.select(selection)
    plans = deployment.plan_stacks(session, stacks, details=details)
    if as_json:
        click.echo(json.dumps([plan.to_json() for plan in plans], indent=2))
    else:
        summary.show_plans(plans, err=False, why=session.options.why)
    if session.options.report:
        report_file.write(
            session.options.report, [report_file.result_of_plan(plan) for plan in plans], "plan"
        )
    deployment.exit_by_plans(plans, detailed_exitcode)
