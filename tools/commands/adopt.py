"""`tools adopt`."""

import click

from tools.context import Context
from tools.errors import UserError
from tools.imports import adopt
from tools.layout.selection import Selection
from tools.runs.options import Options
from tools.runs.session import Session


@click.command("adopt", short_help="Take what exists already into a stack's state.")
@click.argument("stack")
@click.option("--local", is_flag=True, help="The local cloud instead of AWS.")
@click.option("--yes", is_flag=True, help="Do not ask.")
@click.pass_obj
def command(context: Context, stack: str, local: bool, yes: bool) -> None:
    """Import what STACK would create and what exists under the same name.

    For a deployment that died between AWS's answer and the state, and now ends in "already
    exists". Changes nothing in AWS; asks once, since what is imported is Terraform's from then on.
    """
    session = Session.open(context, local, Options(yes=yes))
    chosen = session.select(Selection([stack]))
    if len(chosen) > 1:
        raise UserError(f"{stack} names {len(chosen)} stacks; adopt works on one at a time")
    adopt.adopt(session, chosen[0])
