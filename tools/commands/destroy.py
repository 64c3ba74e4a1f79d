"""`tools destroy`."""

from typing import Any

import click

from tools import runs
from tools.commands import options
from tools.context import Context


@click.command("destroy", short_help="Destroy stacks, notebooks first.")
@options.of_a_destruction
@click.pass_obj
def command(context: Context, /, local: bool, **given: Any) -> None:
    """Run terraform destroy in STACKS (all of them where none is named), dependents first.

    A destroyed notebook loses its volume. Asks for the project's name once. Refuses a stack that
    a deployed one still reads, and a bucket that holds objects; one that could not be destroyed
    keeps what it reads.
    """
    selection = options.selection(given)
    target = context.target(local)
    place = runs.where(target)
    known = runs.records(target, place)
    stacks = context.select(known, selection)
    runs.destroy_stacks(context, target, known, place, stacks, runs.Options(**given))
