"""Lists where each stack's state is and who has locked it, without Terraform."""

from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from functools import partial
from pathlib import Path

import click

from tools.console import figures, table, terminal
from tools.console.table import Column
from tools.engine.records import BUCKET_REQUESTS, Records
from tools.errors import UserError
from tools.layout.stack import Stack
from tools.remote_state.transfer import UNKNOWN_PLACE
from tools.state.file import State
from tools.state.place import STATE, Lock


@dataclass(frozen=True)
class StateRow:
    """One stack's state, as `--json` prints it.

    `serial` is None if there is no state, `size` is in bytes, and `problem` says why the state
    cannot be read.
    """

    stack: str
    place: str
    serial: int | None = None
    resources: int = 0
    size: int = 0
    lock: Lock | None = None
    problem: str = ""


def read_rows(records: Records, stacks: Sequence[Stack]) -> list[StateRow]:
    """Returns a row for each of `stacks`, in their order."""
    with ThreadPoolExecutor(BUCKET_REQUESTS) as pool:
        return list(pool.map(partial(_read_row, records), stacks))


def _read_row(records: Records, state_owner: Stack) -> StateRow:
    place = records.place(state_owner)
    if place is None:
        return StateRow(state_owner.name, "", problem=UNKNOWN_PLACE)
    try:
        lock = place.lock()
        text = place.read()
        state = State.parse(text, str(place), place.mend) if text else None
    except UserError as error:
        return StateRow(state_owner.name, str(place), problem=str(error))
    if text is None or state is None:
        return StateRow(state_owner.name, str(place), lock=lock)
    count = len(state.resources)
    return StateRow(state_owner.name, str(place), state.serial, count, len(text), lock)


def show(rows: Sequence[StateRow], root: Path) -> None:
    """Prints `rows` as a table on stdout.

    Of a place that is as usual, in the repository `root` or in a bucket, only the beginning, since
    the stack's name follows there; with -v all of it.
    """
    columns = (
        "Stack",
        Column("Place", note=True),
        Column("Serial", rank=3, to_right=True),
        Column("Resources", rank=2),
        Column("Size", rank=1, to_right=True),
        Column("Notes", note=True),
    )
    table.show([_cells(row, root) for row in rows], columns)


def _cells(row: StateRow, root: Path) -> list[table.Cell]:
    note = row.problem or (describe_lock(row.lock) if row.lock else "")
    size_text = figures.size(row.size) if row.size else None
    coloured = click.style(note, fg="yellow") if note else ""
    place_text = row.place if terminal.wish.verbose else _begin(row, root)
    return [row.stack, place_text, row.serial, row.resources, size_text, coloured]


def _begin(row: StateRow, root: Path) -> str:
    begin = row.place.removesuffix(f"/{row.stack}/{STATE}")
    return "its folder" if begin == str(root) else begin


def describe_lock(lock: Lock) -> str:
    """Returns who holds a lock since when, in words."""
    how = "left locked by" if lock.is_held is False else "locked by"
    return f"{how} {lock.who} since {lock.created} ({lock.operation})"
