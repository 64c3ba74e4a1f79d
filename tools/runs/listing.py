"""The stacks as `tools list` shows them: from files, states and records alone."""

from collections.abc import Sequence
from dataclasses import asdict, dataclass
from typing import Any, Literal

import click

from tools.engine.records import Records
from tools.errors import UserError
from tools.layout.stack import FOLDERS, Kind, Stack
from tools.runs.orphans import find

Status = Literal["applied", "never applied", "changed since", "orphan", "unknown"]

_COLOURS = {"applied": "green", "changed since": "yellow", "orphan": "red", "unknown": "red"}


@dataclass(frozen=True)
class Row:
    """One stack. `applied` is when it was last applied, in UTC; `why` says what has changed since.

    `place` is where its state lies; `monthly_usd` what an orphan costs, where that is known.
    """

    stack: str
    kind: Kind
    status: Status
    applied: str | None
    resources: int
    why: tuple[str, ...]
    place: str
    monthly_usd: str | None = None

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
        why = known.reasons_to_apply(stack)
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
    """A row for each state that holds resources and whose directory has gone.

    Raises UserError where a state is spoilt, or a bucket does not answer.
    """
    return [
        Row(
            one.name,
            FOLDERS[one.name.split("/")[0]],
            "orphan",
            None,
            len(one.state.resources),
            (one.why, "to destroy it: tools destroy --orphan"),
            str(one.place),
            None if one.monthly_usd is None else str(round(one.monthly_usd, 2)),
        )
        for one in find(known)
    ]


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
