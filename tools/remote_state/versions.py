"""Older versions of a state, which its bucket keeps: shown, compared and brought back."""

import json
import tempfile
from collections.abc import Mapping, Sequence
from contextlib import suppress
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

import click

from tools.aws.s3 import Version
from tools.console import table
from tools.context import Target
from tools.engine.preparation import finish_earlier_run, prepare
from tools.engine.records import Records
from tools.errors import UserError
from tools.layout.stack import Stack
from tools.remote_state import transfer
from tools.runs.session import Session
from tools.state.file import State
from tools.state.place import ERRORED, BucketPlace


@dataclass(frozen=True)
class Row:
    """A version; `modified` in UTC, as ISO 8601 has it.

    `serial` is None where it is a deletion, or no state that can be read.
    """

    version: str
    modified: str
    serial: int | None
    resources: int
    size: int

    def to_json(self) -> dict[str, Any]:
        """As `--json` prints it (docs/json.md)."""
        return asdict(self)


def place_of(known: Records, stack: Stack) -> BucketPlace:
    """The bucket's place of the state. Raises UserError where the state lies elsewhere."""
    place = known.place(stack)
    if isinstance(place, BucketPlace):
        return place
    where = f"in {place}" if place else "where its files do not say"
    raise UserError(
        f"{stack.name} keeps its state {where}, of which nothing keeps older versions but "
        f"terraform.tfstate.backup; a bucket does: tools state enable{known.repository.option}"
    )


def history(known: Records, stack: Stack, limit: int) -> list[Row]:
    """The newest `limit` versions of the state of `stack`, the newest first."""
    place = place_of(known, stack)
    objects = place.objects(place.region)
    return [_row(place, version) for version in objects.versions(place.bucket, place.key)[:limit]]


def _row(place: BucketPlace, version: Version) -> Row:
    modified = version.modified.strftime("%Y-%m-%dT%H:%M:%SZ")
    text = None
    if version.size is not None:
        text = place.objects(place.region).get(place.bucket, place.key, version.id)
    try:
        state = State.parse(text or b"", version.id)
    except UserError:
        return Row(version.id, modified, None, 0, version.size or 0)
    return Row(version.id, modified, state.serial, len(state.resources), version.size or 0)


def show(rows: Sequence[Row]) -> None:
    """Prints `rows` as a table on stdout."""
    header, *lines = table.lay_out(
        (
            (row.version, row.modified, row.serial, row.resources, "" if row.size else "deleted")
            for row in rows
        ),
        ("", "", "serial", "resources", ""),
    )
    click.echo(header, err=True)
    for line in lines:
        click.echo(line)


def restore(session: Session, stack: Stack, version: str) -> None:
    """Makes an older `version` the state of `stack`, after showing what differs and one question.

    Raises UserError where there is no such version, where it is no state, or another one's.
    """
    target, known = session.target, session.records
    place = place_of(known, stack)
    transfer.refuse_lock(place, stack, target.option)
    if (stack.path / ERRORED).exists():
        raise UserError(
            f"{stack.path / ERRORED} is newer than what is in the bucket, and would take the place "
            f"of what is restored: let tools deploy{target.option} {stack.name} write it, or "
            "remove it"
        )
    old = _text(place, version, f"tools state history{target.option} {stack.name}")
    wanted = State.parse(old, f"version {version} of {place}", "choose another version")
    now = _readable(place.read())
    if now and now.lineage != wanted.lineage:
        raise UserError(f"version {version} is of another state than the one in {place}")
    with suppress(UserError):  # a spoilt one of another stack, which has no lineage then
        known.prefetch(known.stacks)
    for other in known.stacks:
        if other != stack and known.lineage(other) == wanted.lineage:
            raise UserError(
                f"version {version} is of the state that {other.name} has now, as after a "
                "renaming: an apply of either would change what the other deployed"
            )
    show_difference(now, wanted)
    session.confirm("Make this version the state again?")
    with session.runner().begin(1) as run:
        if now:
            prepare(run, stack)
            _push(target, stack, {**json.loads(old), "serial": max(now.serial, wanted.serial) + 1})
        else:  # Terraform would not replace what it cannot read, and give another lineage
            finish_earlier_run(run, stack)
            transfer.put_over(place, old)
    known.forget(stack)
    restored = known.state(stack)
    click.echo(
        f"restored as serial {restored.serial if restored else '?'}; AWS is as it was: "
        f"tools plan{target.option} {stack.name} shows what would be changed there",
        err=True,
    )


def _push(target: Target, stack: Stack, state: Mapping[str, Any]) -> None:
    with tempfile.TemporaryDirectory(prefix="state-") as folder:
        file = Path(folder) / "terraform.tfstate"
        file.write_text(json.dumps(state))
        target.terraform.push_state(stack.path, file)


def _text(place: BucketPlace, version: str, history: str) -> bytes:
    objects = place.objects(place.region)
    every = objects.versions(place.bucket, place.key)
    found = [one for one in every if version and one.id.startswith(version)]
    if len(found) != 1:
        what = "no version" if not found else f"{len(found)} versions"
        raise UserError(f"{place} has {what} {version}; to see which there are: {history}")
    if found[0].size is None:
        raise UserError(f"version {version} of {place} is its deletion; choose one before it")
    return objects.get(place.bucket, place.key, found[0].id) or b""


def _readable(text: bytes | None) -> State | None:
    try:
        return State.parse(text or b"", "the state")
    except UserError:
        return None


def show_difference(now: State | None, old: State) -> None:
    """Prints, on stderr, what a restore of `old` does to the state: addresses, never values."""
    here, there = _attributes(now), _attributes(old)
    lines = [f"  + {address}" for address in there if address not in here]
    lines += [f"  - {address}" for address in here if address not in there]
    for address in here:
        if address in there and here[address] != there[address]:
            lines.append(f"  ~ {address} ({', '.join(_changed(here[address], there[address]))})")
    lines += [f"  ~ output {name}" for name in _changed(now.outputs if now else {}, old.outputs)]
    click.echo(f"serial {now.serial if now else '-'} now, {old.serial} in that version:", err=True)
    click.echo("\n".join(lines) or "  nothing differs", err=True)


def _attributes(state: State | None) -> dict[str, Mapping[str, Any]]:
    """The managed resources of a state: address to attributes."""
    return {r.address: r.attributes for r in state.resources} if state else {}


def _changed(before: Mapping[str, Any], after: Mapping[str, Any]) -> list[str]:
    return sorted(n for n in {**before, **after} if before.get(n) != after.get(n))
