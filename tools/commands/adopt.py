"""`tools adopt`."""

import click

from tools.commands import completions, options
from tools.context import Context
from tools.errors import UserError
from tools.imports import adopt
from tools.layout.selection import Selection
from tools.runs.options import Options
from tools.runs.session import Session


@click.command("adopt", short_help="Repair a stack after an apply that died.")
@click.argument("stack", shell_complete=completions.stacks)
@options.local
@options.yes
@click.pass_obj
def command(context: Context, stack: str, local: bool, yes: bool) -> None:
    """Import what STACK would create but AWS already has under the same name.

    Use it if an apply died after AWS created a resource and before Terraform saved it, so that the
    next apply fails with "already exists". Changes nothing in AWS. Asks once, since Terraform
    manages what is imported from then on.

    \b
    Examples:
      tools adopt notebooks/nlp
      tools deploy notebooks/nlp         # then apply the rest
    """
    selection = Selection([stack])
    session = Session.open(context, local, Options(yes=yes), selection)
    stacks = session.select(selection)
    if len(stacks) > 1:
        raise UserError(f"{stack} names {len(stacks)} stacks; name one")
    adopt.adopt(session, stacks[0])
