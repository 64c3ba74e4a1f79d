"""`tools explain-access`."""

import json

import click

from tools.context import Context
from tools.errors import UserError
from tools.fleet import access
from tools.layout.selection import Selection
from tools.runs.session import Session


@click.command("explain-access", short_help="What a notebook may read, write and call.")
@click.argument("notebook")
@click.option("--local", is_flag=True, help="The local cloud instead of AWS.")
@click.option("--json", "as_json", is_flag=True, help="For a script (docs/json.md).")
@click.pass_obj
def command(context: Context, notebook: str, local: bool, as_json: bool) -> None:
    """Print what the role of NOTEBOOK may do, from the policies as Terraform rendered them.

    Reads the states of the notebook and of the stacks that it reads, and asks IAM nothing. What a
    permissions boundary does not leave is not shown. docs/security.md says what else decides.
    """
    session = Session.open_to_read(context, local)
    chosen = session.select(Selection(patterns=[notebook]))
    if [stack.kind for stack in chosen] != ["notebook"]:
        raise UserError(f"{notebook} is not one notebook; name one, such as notebooks/nlp-project")
    found = access.of(
        chosen[0], session.records.stacks, session.records.place, session.target.option
    )
    click.echo(json.dumps(found.to_json(), indent=2) if as_json else access.text(found))
