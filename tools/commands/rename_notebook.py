"""`tools rename-notebook`."""

import click

from tools.commands import options
from tools.context import Context
from tools.remote_state.rename import rename
from tools.runs.options import Options
from tools.runs.session import Session
from tools.state import backend


@click.command("rename-notebook", short_help="Rename a notebook's directory and move its state.")
@click.argument("old")
@click.argument("new")
@click.option(
    "--rename-instance",
    is_flag=True,
    help="Also rename the instance: the next apply replaces it, and its volume is lost.",
)
@options.local
@options.yes
@click.pass_obj
def command(
    context: Context, old: str, new: str, rename_instance: bool, local: bool, yes: bool
) -> None:
    """Rename the directory of the notebook OLD to NEW, and move its state and record.

    AWS cannot rename an instance, so the instance keeps its name unless you pass
    --rename-instance. If you renamed the directory by hand, this does the rest. After an
    interruption, run it again to continue. It needs AWS only if the states are in a bucket.
    """
    context, asked = context.mending_keys(), Options(yes=yes)
    target = context.target(local)
    # A state on this machine moves whoever has signed in.
    is_in_bucket = backend.configured_backend(target.repository) is not None
    session = (Session.on if is_in_bucket else Session.without_account)(
        context, target, asked, check=False
    )
    rename(session, old, new, rename_instance)
