"""The stacks as `tools list` shows them: from files, states and records only."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import Literal

from tools.engine.records import Records
from tools.errors import UserError
from tools.layout.stack import FOLDERS, Kind, Stack
from tools.layout.unmanaged_roots import Unmanaged
from tools.runs.orphans import find_states

Status = Literal[
    "applied", "never applied", "changed since", "unfinished", "orphan", "unknown", "not managed"
]


@dataclass(frozen=True)
class StackRow:
    """One stack, as `--json` prints it (docs/json.md).

    `applied` is when it was last applied, in UTC; `why` says what has changed since.
    `place` is where its state is; `monthly_usd` what an orphan costs, if its prices are known.
    """

    stack: str
    kind: Kind
    status: Status
    applied: str | None
    resources: int
    why: tuple[str, ...]
    place: str
    monthly_usd: str | None = None


def read_rows(records: Records, stacks: Sequence[Stack]) -> list[StackRow]:
    """Returns a row for each of `stacks`, in their order."""
    records.prefetch(stacks)
    return [_read_row(records, managed) for managed in stacks]


def _read_row(records: Records, managed: Stack) -> StackRow:
    place = records.place(managed)
    try:
        reasons = records.reasons_to_apply(managed)
        state = records.state(managed)
        record = records.record(managed)
    except UserError as error:
        return StackRow(managed.name, managed.kind, "unknown", None, 0, (str(error),), str(place))
    count = len(state.resources) if state else 0
    status: Status = "changed since" if reasons else "applied"
    if place is None:
        status = "unknown"
    elif records.unfinished(managed):
        status = "unfinished"
    elif state is None and record:
        status = "unknown"  # its state is missing
    elif state is None or not (count or state.outputs or record):
        status = "never applied"
    applied = record.applied if record else None
    return StackRow(
        managed.name, managed.kind, status, applied, count, tuple(reasons), str(place or "")
    )


def read_orphans(records: Records) -> list[StackRow]:
    """Returns a row for each state that holds, or may hold, resources and has no root module.

    Raises UserError if a state is corrupt, or a bucket does not answer.
    """
    option = records.repository.option
    orphans, unreadable_states = find_states(records)
    unknown_rows = [
        StackRow(name, FOLDERS[name.split("/")[0]], "unknown", None, 0, (reason,), str(place))
        for name, place, reason in unreadable_states
    ]
    orphan_rows = [
        StackRow(
            orphan.name,
            FOLDERS[orphan.name.split("/")[0]],
            "orphan",
            None,
            len(orphan.state.resources),
            (orphan.why, f"to destroy it: tools destroy{option} --orphan {orphan.name}"),
            str(orphan.place),
            None if orphan.monthly_usd is None else str(round(orphan.monthly_usd, 2)),
        )
        for orphan in orphans
    ]
    return [*orphan_rows, *unknown_rows]


def read_unmanaged(roots: Iterable[Unmanaged]) -> list[StackRow]:
    """Returns a row for each of `roots`, which are no stacks; no state is read."""
    return [
        StackRow(
            unmanaged.stack.name,
            unmanaged.stack.kind,
            "not managed",
            None,
            0,
            (unmanaged.reason, *(f"unknown: {reason}" for reason in unmanaged.stack.unknown_reads)),
            "",
        )
        for unmanaged in roots
    ]
