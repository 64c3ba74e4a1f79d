"""`tools list`."""

from collections.abc import Sequence
from typing import Any

import click

from tools.commands import options
from tools.console import table
from tools.console.figures import minute
from tools.console.messages import first_lines, print_json
from tools.console.table import Column
from tools.context import Context
from tools.layout import contents
from tools.layout.selection import Selection
from tools.runs import listing
from tools.runs.listing import StackRow
from tools.runs.session import Session

_COLOURS = {
    "applied": "green",
    "changed since": "yellow",
    "unfinished": "red",
    "orphan": "red",
    "unknown": "red",
    "not managed": "yellow",
}


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
        show(rows, why)


def show(rows: Sequence[StackRow], with_reasons: bool) -> None:
    """Prints `rows` as a table on stdout; with `with_reasons`, also what has changed in each."""
    table.show(
        (
            (
                row.stack,
                row.kind,
                click.style(row.status, fg=_COLOURS.get(row.status)),
                minute(row.applied or ""),
                row.resources,
                _note(row),
            )
            for row in rows
        ),
        (
            "Stack",
            Column("Kind", rank=3),
            "Status",
            Column("Applied", rank=2),
            Column("Resources", rank=1),
            Column("Notes", note=True),
        ),
        details=[
            first_lines(row.why) if with_reasons and row.status == "changed since" else ()
            for row in rows
        ],
    )


def _note(row: StackRow) -> str:
    """What a row says beside its figures: why it is no stack, or that something is unknown."""
    if row.status in ("unfinished", "orphan", "unknown", "not managed"):
        return row.why[0] if row.why else ""
    return next((reason for reason in row.why if reason.startswith("unknown: ")), "")
