"""`tools explain-access`."""

import click

from tools.commands import completions, options
from tools.console.messages import print_json
from tools.context import Context
from tools.errors import UserError
from tools.fleet import access
from tools.layout.selection import Selection
from tools.runs.session import Session


@click.command("explain-access", short_help="Show what a notebook can read, write and call.")
@click.argument("notebook", shell_complete=completions.notebooks)
@options.local
@options.as_json
@click.pass_obj
def command(context: Context, notebook: str, local: bool, as_json: bool) -> None:
    """Print what the role of NOTEBOOK can do, from the policies as Terraform rendered them.

    Reads the states of the notebook and of its upstream stacks, and does not ask IAM. Leaves out
    what a permissions boundary denies. docs/security.md says what else decides.

    \b
    Examples:
      tools explain-access nlp
      tools explain-access nlp --json
    """
    session = Session.open_to_read(context, local)
    stacks = session.select(Selection(patterns=[notebook]))
    if [stack.kind for stack in stacks] != ["notebook"]:
        raise UserError(f"{notebook} is not one notebook; name one, such as notebooks/nlp-project")
    explanation = access.read_access(
        stacks[0], session.records.stacks, session.records.place, session.target.option
    )
    if as_json:
        print_json(explanation.as_json())
    else:
        click.echo(access.format_access(explanation))
