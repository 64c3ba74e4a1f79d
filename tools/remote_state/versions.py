"""Lists, compares and restores the versions of a state that its bucket keeps."""

import tempfile
from collections.abc import Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from tools.aws.s3 import Version
from tools.console import figures, table
from tools.console.messages import say
from tools.console.table import Column
from tools.context import Target
from tools.engine.preparation import finish_earlier_run, prepare
from tools.engine.records import Records
from tools.errors import UserError
from tools.layout.stack import Stack
from tools.remote_state import transfer
from tools.remote_state.transfer import UNKNOWN_PLACE
from tools.runs.session import Session
from tools.state.file import State, UnreadableState, with_serial
from tools.state.place import ERRORED, BucketPlace


@dataclass(frozen=True)
class VersionRow:
    """A version, as `--json` prints it; `modified` is in UTC, in ISO 8601.

    `serial` is None if it is a deletion, or a state that cannot be read.
    """

    version: str
    modified: str
    serial: int | None
    resources: int
    size: int


def _require_bucket(records: Records, stack: Stack) -> BucketPlace:
    place = records.place(stack)
    if isinstance(place, BucketPlace):
        return place
    location = f"keeps its state in {place}" if place else UNKNOWN_PLACE
    raise UserError(
        f"{stack.name}: {location}; only a bucket keeps older versions than "
        f"terraform.tfstate.backup: tools state enable{records.repository.option}"
    )


def read_rows(records: Records, stack: Stack, limit: int) -> list[VersionRow]:
    """Returns the newest `limit` versions of the state of `stack`, newest first.

    Raises UserError if the state is not in a bucket.
    """
    place = _require_bucket(records, stack)
    objects = place.objects(place.region)
    return [
        _read_row(place, object_version)
        for object_version in objects.versions(place.bucket, place.key)[:limit]
    ]


def _read_row(place: BucketPlace, object_version: Version) -> VersionRow:
    modified = object_version.modified.strftime("%Y-%m-%dT%H:%M:%SZ")
    content = None
    if object_version.size is not None:
        content = place.objects(place.region).get(place.bucket, place.key, object_version.id)
    try:
        state = State.parse(content or b"", object_version.id)
    except UserError:
        return VersionRow(object_version.id, modified, None, 0, object_version.size or 0)
    return VersionRow(
        object_version.id, modified, state.serial, len(state.resources), object_version.size or 0
    )


def show(rows: Sequence[VersionRow]) -> None:
    """Prints `rows` as a table on stdout."""
    table.show(
        (
            (
                row.version,
                figures.minute(row.modified),
                row.serial,
                row.resources,
                figures.size(row.size) if row.size else "deleted",
            )
            for row in rows
        ),
        (
            "Version",
            "Modified",
            Column("Serial", rank=1, to_right=True),
            Column("Resources", rank=2),
            Column("Size", to_right=True),
        ),
    )


def restore(session: Session, stack: Stack, version: str) -> None:
    """Makes an older `version` the state of `stack`, after showing what differs and one question.

    Raises UserError if there is no such version, or if it is no state, or that of another stack.
    Exits with 130 if it was interrupted.
    """
    target, records = session.target, session.records
    place = _require_bucket(records, stack)
    transfer.refuse_lock(place, stack, target.option)
    if (stack.path / ERRORED).exists():
        raise UserError(
            f"{stack.path / ERRORED} is newer than the state in the bucket, and would replace what "
            f"is restored; write it first: tools deploy{target.option} {stack.name}, or move the "
            "file away"
        )
    text = _read_version(place, version, f"tools state history{target.option} {stack.name}")
    restored = State.parse(text, f"version {version} of {place}", "choose another version")
    current = _parse_readable(place.read(), str(place))
    if current and current.lineage != restored.lineage:
        raise UserError(f"version {version} is of another state than the one in {place}")
    with suppress(UserError):  # for a corrupt state of another stack, which then has no lineage
        records.prefetch(records.stacks)
    for other in records.stacks:
        if other != stack and records.lineage(other) == restored.lineage:
            raise UserError(
                f"version {version} is of the state that {other.name} has now, as after a "
                "renaming: an apply of either would change what the other deployed"
            )
    show_difference(current, restored)
    session.confirm("Make this version the state again?")
    with session.runner().work(1) as run:
        if current:
            prepare(run, stack)
            serial = max(current.serial, restored.serial) + 1
            if not run.interruption.count:
                _push(target, stack, with_serial(text, serial))
                run.interruption.forget()
        else:
            # Terraform does not replace what it cannot read, and would set another lineage:
            # https://github.com/hashicorp/terraform/blob/v1.11.4/internal/command/state_push.go
            finish_earlier_run(run, stack)
            if not run.interruption.count:
                transfer.put_over(place, text)
                run.interruption.forget()
    records.forget(stack)
    state = records.state(stack)
    say(
        f"restored as serial {state.serial if state else '?'}; nothing in AWS has changed: "
        f"tools plan{target.option} {stack.name} shows what would change there"
    )


def _push(target: Target, stack: Stack, content: bytes) -> None:
    with tempfile.TemporaryDirectory(prefix="state-") as folder:
        file = Path(folder) / "terraform.tfstate"
        file.write_bytes(content)
        target.terraform.push_state(stack.path, file)


def _read_version(place: BucketPlace, version: str, history: str) -> bytes:
    objects = place.objects(place.region)
    versions = objects.versions(place.bucket, place.key)
    matches = [match for match in versions if version and match.id.startswith(version)]
    if len(matches) != 1:
        count = f"{len(matches)} versions" if matches else "no version"
        raise UserError(f"{place} has {count} {version}; list the versions: {history}")
    if matches[0].size is None:
        raise UserError(f"version {version} of {place} is its deletion; choose an older version")
    return objects.get(place.bucket, place.key, matches[0].id) or b""


def _parse_readable(text: bytes | None, where: str) -> State | None:
    """The state in `text`, or None for garbage. Raises UnreadableState for what may be one."""
    try:
        return State.parse(text or b"", where)
    except UnreadableState:
        raise
    except UserError:
        return None


def show_difference(current: State | None, old: State) -> None:
    """Prints on stderr what a restore of `old` does to the state: addresses, never values."""
    before, after = _attributes_by_address(current), _attributes_by_address(old)
    lines = [f"  + {address}" for address in after if address not in before]
    lines += [f"  - {address}" for address in before if address not in after]
    for address in before:
        if address in after and before[address] != after[address]:
            names = ", ".join(_changed_names(before[address], after[address]))
            lines.append(f"  ~ {address} ({names})")
    outputs = current.outputs if current else {}
    lines += [f"  ~ output {name}" for name in _changed_names(outputs, old.outputs)]
    say(f"serial {current.serial if current else '-'} now, {old.serial} in that version:")
    say("\n".join(lines) or "  nothing differs")


def _attributes_by_address(state: State | None) -> dict[str, Mapping[str, Any]]:
    return {r.address: r.attributes for r in state.resources} if state else {}


def _changed_names(
    attributes_before: Mapping[str, Any], attributes_after: Mapping[str, Any]
) -> list[str]:
    return sorted(
        n
        for n in {**attributes_before, **attributes_after}
        if attributes_before.get(n) != attributes_after.get(n)
    )
