"""`tools destroy`."""

from typing import Any

import click

from tools.commands import options
from tools.context import Context
from tools.layout.selection import Selection
from tools.runs import deployment, orphans, session


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
    target = context.target(local)
    place = session.where(target)
    known = session.records(target, place)
    if orphan:
        if selection != Selection(selection.patterns):
            raise click.UsageError("--orphan takes names and globs alone")
        asked = session.Options(**given)
        orphans.destroy_orphans(context, target, known, place, selection.patterns, asked)
        return
    stacks = context.select(known, selection)
    deployment.destroy_stacks(context, target, known, place, stacks, session.Options(**given))
