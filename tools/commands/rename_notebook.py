"""`tools rename-notebook`."""

import click

from tools.commands import completions, options
from tools.context import Context
from tools.remote_state.rename import check_names, rename, was_never_applied
from tools.runs.options import Options
from tools.runs.session import Session


@click.command("rename-notebook", short_help="Rename a notebook's directory and move its state.")
@click.argument("old", shell_complete=completions.notebooks)
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
    --rename-instance. A directory that was never applied is renamed without credentials. If you
    renamed the directory by hand, this does the rest. After an interruption, run it again to
    continue.

    \b
    Examples:
      tools rename-notebook nlp text-models
    """
    mending, run_options = context.mending_keys(), Options(yes=yes)
    session = Session.open_to_read(mending, local, run_options)
    check_names(session.target.repository, old, new)  # which needs no credentials
    if not was_never_applied(session, old):
        session = Session.on(mending, session.target, run_options, check=False)
    rename(session, old, new, rename_instance)
