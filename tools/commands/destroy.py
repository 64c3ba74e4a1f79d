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
@click.option(
    "--orphan", is_flag=True, help="What is left of stacks whose directory has gone instead."
)
@options.of_a_destruction
@click.pass_obj
def command(context: Context, /, local: bool, orphan: bool, **given: Any) -> None:
    """Run terraform destroy in STACKS (all of them where none is named), dependents first.

    A destroyed notebook loses its volume. Asks for the project's name once. Refuses a stack that
    a deployed one still reads, and a bucket that holds objects; one that could not be destroyed
    keeps what it reads. With --orphan: states that `tools list` shows as orphans; those in a
    bucket by name alone, since a colleague may have their directories.
    """
    selection = options.selection(given)
    session = Session.open(context, local, Options(**given))
    if orphan:
        if selection != Selection(selection.patterns):
            raise click.UsageError("--orphan takes names and globs alone")
        orphans.destroy_orphans(session, selection.patterns)
    else:
        deployment.destroy_stacks(session, session.select(selection))
