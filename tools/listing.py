"""The stacks as `tools list` shows them: from files, states and records alone."""

from collections.abc import Sequence
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any, Literal

import click

from tools.errors import UserError
from tools.records import Records
from tools.stack import FOLDERS, Kind, Stack
from tools.states import STATE, BucketPlace, State

Status = Literal["applied", "never applied", "changed since", "orphan", "unknown"]

_COLOURS = {"applied": "green", "changed since": "yellow", "orphan": "red", "unknown": "red"}


@dataclass(frozen=True)
class Row:
    """One stack. `applied` is when it was last applied, in UTC; `why` says what has changed since.

    `place` is where its state lies, or lay for an orphan, whose directory has gone.
    """

    stack: str
    kind: Kind
    status: Status
    applied: str | None
    resources: int
    why: tuple[str, ...]
    place: str

    def to_json(self) -> dict[str, Any]:
        """As `--json` prints it (docs/json.md)."""
        return asdict(self)


def rows(known: Records, stacks: Sequence[Stack]) -> list[Row]:
    """A row for each of `stacks`, in their order."""
    known.prefetch(stacks)
    return [_row(known, stack) for stack in stacks]


def _row(known: Records, stack: Stack) -> Row:
    place = known.place(stack)
    try:
        why = known.why(stack)
        state = known.state(stack)
        record = known.record(stack)
    except UserError as error:
        return Row(stack.name, stack.kind, "unknown", None, 0, (str(error),), str(place))
    count = len(state.resources) if state else 0
    status: Status = "changed since" if why else "applied"
    if place is None:
        status = "unknown"
    elif state is None or not (count or state.outputs or record):
        status = "never applied"
    applied = record.applied if record else None
    return Row(stack.name, stack.kind, status, applied, count, tuple(why), str(place or ""))


def orphans(known: Records) -> list[Row]:
    """A row for each state that holds resources and whose directory has gone or is empty.

    Local states are looked for in the repository, others below the folder of a stack's key in its
    bucket. Raises UserError where a bucket does not answer.
    """
    stacks = known.stacks
    names = {stack.name for stack in stacks}
    found = [
        (path.parent.relative_to(known.repository.root).as_posix(), str(path), path.read_bytes())
        for folder in FOLDERS
        for path in sorted((known.repository.root / folder).glob(f"*/{STATE}"))
        if path.parent.relative_to(known.repository.root).as_posix() not in names
    ]
    for place in _folders_in_buckets(known, stacks):
        for key in place.objects(place.region).keys(place.bucket, place.key):
            name = "/".join(Path(key).parts[-3:-1])
            other = BucketPlace(place.bucket, key, place.region, place.objects)
            if key.endswith(f"/{STATE}") and name.split("/")[0] in FOLDERS and name not in names:
                found.append((name, str(other), other.read() or b""))
    return [row for name, place, text in found if (row := _orphan(name, place, text))]


def _orphan(name: str, place: str, text: bytes) -> Row | None:
    state = State.parse(text, place) if text else None
    if state is None or not state.resources:
        return None
    kind = FOLDERS[name.split("/")[0]]
    why = ("its directory has gone, and what it deployed has not: restore it to destroy that",)
    return Row(name, kind, "orphan", None, len(state.resources), why, place)


def _folders_in_buckets(known: Records, stacks: Sequence[Stack]) -> list[BucketPlace]:
    """Where states of stacks lie in buckets, the part of their keys before the stack's name."""
    folders = {}
    for stack in stacks:
        place = known.place(stack)
        ending = f"{stack.name}/{STATE}"
        if isinstance(place, BucketPlace) and place.key.endswith(ending):
            prefix = place.key.removesuffix(ending)
            folder = BucketPlace(place.bucket, prefix, place.region, place.objects)
            folders[place.bucket, prefix] = folder
    return list(folders.values())


def show(rows: Sequence[Row], why: bool) -> None:
    """Prints `rows` as a table on stdout; with `why`, what has changed in each."""
    width = max((len(row.stack) for row in rows), default=0)
    for row in rows:
        status = click.style(f"{row.status:<13}", fg=_COLOURS.get(row.status))
        when = row.applied or ""
        line = f"{row.stack:<{width}}  {row.kind:<8}  {status}  {when:<20}  {row.resources:>4}"
        click.echo(line + ("  " + row.why[0] if row.status in ("orphan", "unknown") else ""))
        for reason in row.why if why and row.status == "changed since" else ():
            click.echo(f"    {reason}")
