"""`tools adopt`."""

import click

from tools.context import Context
from tools.errors import UserError
from tools.imports import adopt
from tools.layout.selection import Selection
from tools.runs import session


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
    target = context.target(local)
    place = session.where(target)
    known = session.records(target, place)
    chosen = context.select(known, Selection([stack]))
    if len(chosen) > 1:
        raise UserError(f"{stack} names {len(chosen)} stacks; adopt works on one at a time")
    adopt.adopt(context, target, known, place, chosen[0], session.Options(yes=yes))
