"""`tools rename-notebook`."""

import click

from tools.context import Context
from tools.remote_state.rename import rename
from tools.runs.options import Options
from tools.runs.session import Session


@click.command("rename-notebook", short_help="Rename a notebook's directory, with its state.")
@click.argument("old")
@click.argument("new")
@click.option(
    "--rename-instance",
    is_flag=True,
    help="Give the instance the new name, too: the next apply replaces it, and its volume is lost.",
)
@click.option("--local", is_flag=True, help="In the local cloud's working copy, not here.")
@click.option("--yes", is_flag=True, help="Do not ask.")
@click.pass_obj
def command(
    context: Context, old: str, new: str, rename_instance: bool, local: bool, yes: bool
) -> None:
    """Rename the directory of the notebook OLD to NEW; its state's key and its record go with it.

    AWS cannot rename an instance: it keeps its name, unless --rename-instance. Where the directory
    was renamed by hand, this does the rest; cut short, it goes on when it is run again.
    """
    session = Session.open(context.mending_keys(), local, Options(yes=yes), check=False)
    rename(session, old, new, rename_instance)
