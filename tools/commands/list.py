"""`tools list`."""

import json
from typing import Any

import click

from tools.commands import options
from tools.context import Context
from tools.runs import listing
from tools.runs.session import Session


@click.command("list", short_help="Every stack, and whether it is applied.")
@options.of_a_choice
@click.option("--why", is_flag=True, help="Say why each stack counts as changed.")
@click.option("--json", "as_json", is_flag=True, help="For a script (docs/json.md).")
@click.pass_obj
def command(context: Context, /, local: bool, why: bool, as_json: bool, **given: Any) -> None:
    """List STACKS: what each is, whether it is applied as it stands, when, and how much it holds.

    Starts no Terraform. An orphan is a state whose directory has gone.
    """
    selection = options.selection(given)
    session = Session.open_to_read(context, local)
    rows = listing.rows(session.records, session.select(selection))
    if selection == type(selection)():
        rows += listing.orphans(session.records)
    if as_json:
        click.echo(json.dumps([row.to_json() for row in rows], indent=2))
    else:
        listing.show(rows, why)
