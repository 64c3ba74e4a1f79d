"""`tools list`."""

from typing import Any

import click

from tools.commands import options
from tools.console.messages import print_json
from tools.context import Context
from tools.layout import contents
from tools.layout.selection import Selection
from tools.runs import listing
from tools.runs.session import Session


@click.command("list", short_help="List every stack and whether it is applied.")
@options.for_stacks
@options.why
@options.as_json
@click.pass_obj
@contents.keep_contents()
def command(context: Context, /, local: bool, why: bool, as_json: bool, **given: Any) -> None:
    """List STACKS: kind, status, last apply and number of resources.

    Starts no Terraform. An orphan is a state whose directory holds no root module any more. What
    Terraform would take for a root module and is no stack is listed as "not managed", with the
    reason. "unknown" says what cannot be told from the files: such a stack is always planned, and
    keeps the stacks that it may read from being destroyed.

    \b
    Examples:
      tools list
      tools list --changed --why
      tools list --json
    """
    selection = options.take_selection(given)
    session = Session.open_to_read(context, local)
    rows = listing.read_rows(session.records, session.select(selection))
    if selection == Selection():
        rows += listing.read_orphans(session.records)
        # The local cloud's working copy has stacks alone.
        unmanaged = context.repository.unmanaged() if local else session.records.unmanaged
        rows += listing.read_unmanaged(unmanaged)
    if as_json:
        print_json(rows)
    else:
        listing.show(rows, why)
