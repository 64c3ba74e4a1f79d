"""A state's way from one place to another, compared with what was there before."""

import json
from pathlib import Path
from typing import Any

from tools.engine import init, init_cache
from tools.engine.records import RECORD_SUFFIX
from tools.engine.run import Run
from tools.errors import UserError
from tools.hcl import reading
from tools.layout.stack import Stack
from tools.state.backend import FILE
from tools.state.checks import foreign_stack
from tools.state.file import State, read_instances
from tools.state.place import UNVERIFIED, BucketPlace, LocalPlace, Objects, Place
from tools.system import files

# Where Terraform notes the backend of a stack's last init.
_SAVED = ".terraform/terraform.tfstate"


def refuse_conflict(own: bytes | None, there: bytes | None, place: Place) -> None:
    """Raises UserError where a copy of `own` to `place` would take the state away that is `there`.

    A copy that an earlier run has made, and that is as it was or older, is no conflict.
    """
    if not there:
        return
    found = State.parse(there, str(place), place.mend)
    if not own:
        raise UserError(
            f"{place} holds a state already ({_told(found)}), and there is none here: if it is "
            f"this stack's, take its {FILE} from whoever moved it there"
        )
    state = State.parse(own, "the state here")
    if found.lineage != state.lineage:
        raise UserError(f"{place} holds the state of something else ({_told(found)})")
    if found.serial > state.serial or (
        found.serial == state.serial and difference(own, there) is not None
    ):
        raise UserError(
            f"{place} holds the same state with other changes (serial {found.serial}, here "
            f"{state.serial}): find out which is right, and move the other one away"
        )


def _told(state: State) -> str:
    return f"{len(state.resources)} resources, lineage {state.lineage}"


def difference(before: bytes, after: bytes | None) -> str | None:
    """What differs between two texts of one state, None where nothing that counts does.

    Each Terraform writes a state in its own way, with or without what others note of a resource.
    """
    if not after:
        return "nothing is there"
    old, new = json.loads(before), json.loads(after)
    instances = [
        {(instance.address, instance.deposed): instance for instance in read_instances(resources)}
        for resources in (old["resources"], new["resources"])
    ]
    if instances[0] != instances[1]:
        return "its resources differ"
    for part in ("lineage", "serial", "outputs"):
        if old.get(part) != new.get(part):
            return f"its {part} differ" if part.endswith("s") else f"its {part} differs"
    return None


def saved_backend(stack: Stack, objects: Objects) -> BucketPlace | None:
    """The bucket that the last init of `stack` has noted as its state's place, if any.

    Raises UserError where that note came with a copy of another stack's directory.
    """
    place = _saved_backend(stack, objects)
    original = foreign_stack(stack.name, place.key) if place else None
    if original and (stack.root / original).is_dir():
        raise UserError(
            f"{stack.name}/.terraform is a copy of {original}'s, and leads to its state: delete it"
        )
    return place


def _saved_backend(stack: Stack, objects: Objects) -> BucketPlace | None:
    try:
        saved: dict[str, Any] = json.loads((stack.path / _SAVED).read_text())["backend"]
        config = saved["config"]
        bucket, key, region = (str(config[name]) for name in ("bucket", "key", "region"))
    except (OSError, ValueError, KeyError, TypeError):
        return None
    table = config.get("dynamodb_table")
    return BucketPlace(bucket, key, region, objects, table) if saved["type"] == "s3" else None


def backend_file(stack: Stack) -> Path:
    """The file for the backend of `stack`.

    Raises UserError where another one has a backend block: Terraform takes one alone.
    """
    own = stack.path / FILE
    for file in sorted(stack.path.glob("*.tf")):
        if file != own and (found := reading.backend(file)):
            raise UserError(
                f"{stack.name}/{file.name} has a backend block ({found[0]}), which is yours: take "
                "it out, with terraform init -migrate-state, first"
            )
    return own


def move(
    run: Run, stack: Stack, source: Place, target: LocalPlace | BucketPlace, text: str | None
) -> str:
    """Moves a state as it is, and gives `stack` the backend.tf `text`, or takes it away.

    Not by `terraform init -migrate-state`, which gives a state that it copies to a bucket another
    lineage and a serial of 1 (docs/decisions/0010). What Terraform pulls from the new place is
    compared with what was there before; `source` holds it until then. Returns what has moved, in
    words. Raises UserError where what has arrived is another state, and where somebody works on it.
    """
    refuse_lock(source, stack, run.option)
    state = source.read()
    if not state:
        raise UserError(f"{source} has gone while the states were moved")
    run.progress.step(stack.name, f"copying to {target}")
    _copy(state, target)
    if source.read() != state:
        raise UserError(f"{source} was written while it was copied")
    switch(run, stack, text)
    if isinstance(source, LocalPlace):
        source.set_aside(UNVERIFIED)  # Terraform would ask what to do with it
    _carry_record(source, target)
    init.initialize(run, stack)
    if wrong := difference(state, run.terraform.pull_state(stack.path)):
        raise UserError(f"what Terraform reads in {target} is not what was in {source}: {wrong}")
    if isinstance(source, LocalPlace):
        settle(source)
    parsed = State.parse(state, str(source))
    return f"moved to {target} (serial {parsed.serial}, {len(parsed.resources)} resources)"


def refuse_lock(place: Place, stack: Stack, option: str) -> None:
    """Raises UserError where somebody works on the state of `stack`, or may do so."""
    lock = place.lock()
    if lock and lock.is_held is not False:
        raise UserError(
            f"{stack.name} is locked by {lock.who} since {lock.created}: wait, or if that has "
            f"died: tools state unlock{option} {stack.name}"
        )


def settle(place: LocalPlace) -> None:
    """Keeps the copy of a state that has gone on in its bucket, as Terraform keeps such ones."""
    aside = place.beside(UNVERIFIED)
    if aside.is_file():
        aside.replace(place.beside(".backup"))


def take_back(place: LocalPlace) -> None:
    """Brings a state to its place again whose way was cut short before it was verified."""
    aside = place.beside(UNVERIFIED)
    if aside.is_file() and not place.read():
        aside.replace(place.path)


def _copy(state: bytes, target: LocalPlace | BucketPlace) -> None:
    there = target.read()
    if there == state:
        return
    refuse_conflict(state, there, target)  # again: it may have come since the question
    if isinstance(target, LocalPlace):
        target.write(state, "")
    else:
        if there:  # an older copy; the bucket keeps its versions
            remove(target)
        else:
            forget_checksum(target)
        target.create(state)
    if target.read() != state:
        raise UserError(f"{target} does not hold what was written there")


def switch(run: Run, stack: Stack, text: str | None) -> None:
    """Gives `stack` the backend.tf `text`, or takes it away; its next init finds out by itself."""
    own = stack.path / FILE
    if text is None:
        own.unlink(missing_ok=True)
    else:
        files.write(own, text)
    init_cache.forget(stack.path)
    (stack.path / _SAVED).unlink(missing_ok=True)
    run.records.forget_files(stack)


def _carry_record(source: Place, target: Place) -> None:
    record = source.read(RECORD_SUFFIX)
    if record:
        target.write(record, RECORD_SUFFIX)
        source.delete(RECORD_SUFFIX)


def put_over(place: BucketPlace, state: bytes) -> None:
    """Writes `state` in the place of one that nobody can read, at once."""
    forget_checksum(place)
    place.write(state, "")


def forget_checksum(place: BucketPlace) -> None:
    """Takes away what the lock table notes of the state, with which Terraform compares it."""
    if place.table:
        place.objects(place.region).forget_checksum(place.table, f"{place.bucket}/{place.key}")


def remove(place: BucketPlace) -> None:
    """Takes the state in `place` away, and what is noted of it. The bucket keeps its versions."""
    place.delete(RECORD_SUFFIX)
    forget_checksum(place)
    place.delete("")  # last: while it is there, a run that was cut short is seen
