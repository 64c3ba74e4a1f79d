"""`tools adopt`."""

import click

from tools.context import Context
from tools.errors import UserError
from tools.imports import adopt
from tools.layout.selection import Selection
from tools.runs.options import Options
from tools.runs.session import Session


@click.command("adopt", short_help="Repair a stack after an apply that died.")
@click.argument("stack")
@click.option("--local", is_flag=True, help="The local cloud instead of AWS.")
@click.option("--yes", is_flag=True, help="Do not ask.")
@click.pass_obj
def command(context: Context, stack: str, local: bool, yes: bool) -> None:
    """Import what STACK would create but AWS already has, under the same name.

    Use it if a deployment died before the state was written, and now fails with "already exists".
    Nothing in AWS changes. Asks once: Terraform manages the resources from then on.
    """
    session = Session.open(context, local, Options(yes=yes))
    chosen = session.select(Selection([stack]))
    if len(chosen) > 1:
        raise UserError(f"{stack} matches {len(chosen)} stacks; adopt one at a time")
    adopt.adopt(session, chosen[0])
