"""`tools doctor`."""

import click

from tools.commands import options
from tools.console import table
from tools.console.messages import print_json
from tools.context import Context
from tools.doctor.check import Check
from tools.doctor.examination import examine

_COLOURS = {"ok": "green", "warning": "yellow", "error": "red", "unknown": None}
_WIDTH = 19  # of the longest name


@click.command("doctor", short_help="Check what a deployment needs, and how to mend it.")
@options.local
@options.as_json
@click.pass_obj
def command(context: Context, local: bool, as_json: bool) -> None:
    """Check Terraform, the provider, the settings, git and the AWS account.

    Prints a row for each check: ok, warning, error, or unknown if it could not be made, and the
    mend. Changes nothing. Exits with 1 if there is an error.

    \b
    Examples:
      tools doctor
      tools doctor --json
    """
    checks: list[Check] = []
    rows = None if as_json else table.Rows((("Status", 7), ("Check", _WIDTH)), "Result")
    for check in examine(context, local):
        checks.append(check)
        if rows:
            mend = f"; mend: {check.mend}" if check.mend else ""
            status = click.style(check.status, fg=_COLOURS[check.status])
            rows.add((status, check.name), f"{check.detail}{mend}")
    if as_json:
        print_json(checks)
    if any(check.status == "error" for check in checks):
        raise click.exceptions.Exit(1)
