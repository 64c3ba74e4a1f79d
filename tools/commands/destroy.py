"""`tools destroy`."""

from typing import Any

import click

from tools.commands import options
from tools.context import Context
from tools.layout.selection import Selection
from tools.runs import deployment, orphans
from tools.runs.options import Options
from tools.runs.session import Session


@click.command("destroy", short_help="Destroy stacks, notebooks first.")
@click.option("--orphan", is_flag=True, help="Destroy the orphans named.")
@options.for_destroy
@click.pass_obj
def command(context: Context, /, local: bool, orphan: bool, **given: Any) -> None:
    """Run terraform destroy in STACKS, downstream first. The default is every stack.

    A destroyed notebook loses its volume. Asks for the project's name once. Refuses a stack that
    a deployed stack still reads or may read, and a bucket that holds objects. If a stack cannot be
    destroyed, the stacks that it reads stay.

    With --orphan, destroys the orphans of these names, as `tools list` shows them, after showing
    what they hold and cost. It takes none without a name: a colleague may have the directory.

    \b
    Examples:
      tools destroy nlp
      tools destroy --where environment=dev
      tools destroy --orphan notebooks/old
    """
    selection = options.take_selection(given)
    if orphan:
        if selection != Selection(selection.patterns):
            raise click.UsageError("--orphan takes only names and globs")
        session = Session.open(context, local, Options(**given))
        orphans.destroy_orphans(session, selection.patterns)
    else:
        session = Session.open(context, local, Options(**given), selection)
        deployment.destroy_stacks(session, session.select(selection))
