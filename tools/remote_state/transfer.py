"""Moves a state from one place to another, and compares it with the original."""

import json
from pathlib import Path

from tools.engine import init, init_cache
from tools.engine.run import Run
from tools.errors import UserError
from tools.hcl import reading
from tools.layout import contents
from tools.layout.contents import SAVED_BACKEND
from tools.layout.stack import Stack
from tools.state.backend import FILE, Backend
from tools.state.checks import foreign_stack
from tools.state.file import State, read_instances
from tools.state.place import (
    RECORD_SUFFIX,
    UNVERIFIED,
    BucketPlace,
    LocalPlace,
    Objects,
    Place,
)
from tools.system import files

UNKNOWN_PLACE = "its files do not say where its state is"


def refuse_conflict(text: bytes | None, existing_text: bytes | None, place: Place) -> None:
    """Raises UserError if a copy of the state `text` to `place` would replace another state.

    `existing_text` is what `place` holds. A copy of an earlier run that is unchanged or older is no
    conflict.
    """
    if not existing_text:
        return
    existing = State.parse(existing_text, str(place), place.mend)
    details = f"{len(existing.resources)} resources, lineage {existing.lineage}"
    if not text:
        raise UserError(
            f"{place} holds a state already ({details}), and this directory has none: if it is "
            f"this stack's, take its {FILE} from whoever moved it there"
        )
    state = State.parse(text, "the state here")
    if existing.lineage != state.lineage:
        raise UserError(f"{place} holds the state of something else ({details})")
    if existing.serial > state.serial or (
        existing.serial == state.serial and difference(text, existing_text) is not None
    ):
        raise UserError(
            f"{place} holds the same state with other changes (serial {existing.serial}, here "
            f"{state.serial}): find out which is right, and move the other one away"
        )


def describe(state: State) -> str:
    """Returns a state's serial and size, in words."""
    return f"serial {state.serial}, {len(state.resources)} resources"


def difference(before: bytes, after: bytes | None) -> str | None:
    """Returns what differs between two texts of one state, in words, or None if nothing does.

    Each version of Terraform writes a state in its own way, with or without some attributes of a
    resource, so that the texts themselves cannot be compared.
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


def require_place(stack: Stack, place: Place | None) -> Place:
    """Returns the `place` of a stack's state. Raises UserError if its files do not say it."""
    if place is None:
        raise UserError(
            f"{stack.name}: {UNKNOWN_PLACE} (a workspace, an override or another kind of backend); "
            "move it yourself: init -migrate-state in its directory"
        )
    return place


def saved_backend(stack: Stack, objects: Objects) -> BucketPlace | None:
    """Returns the place in a bucket that the last init of `stack` has noted, if any.

    Raises UserError if that note came with a copy of another stack's directory.
    """
    bucket_place = _read_saved_place(stack, objects)
    original = foreign_stack(stack.name, bucket_place.key) if bucket_place else None
    if original and (stack.root / original).is_dir():
        raise UserError(
            f"{stack.name}/.terraform is a copy of {original}'s, and leads to its state; move it "
            "out of the repository"
        )
    return bucket_place


def _read_saved_place(stack: Stack, objects: Objects) -> BucketPlace | None:
    kind, arguments = contents.saved_backend(str(stack.path)) or ("", {})
    if kind != "s3" or not {"bucket", "key", "region"} <= arguments.keys():
        return None
    bucket, key, region = (str(arguments[name]) for name in ("bucket", "key", "region"))
    return BucketPlace(bucket, key, region, objects, arguments.get("dynamodb_table"))


def find_backend_file(stack: Stack) -> Path:
    """Returns the path of the backend.tf of `stack`, which need not exist.

    Raises UserError if another file has a backend block: Terraform allows only one.
    """
    path = stack.path / FILE
    for file in stack.config_files():
        if file != path and (block := reading.read_backend(file)):
            raise UserError(
                f"{stack.name}/{file.name} has a backend block ({block[0]}) of your own; remove it "
                "first, and move the state: run init -migrate-state there"
            )
    return path


def backend_file(stack: Stack) -> Path:
    """Returns the file that has the backend block of `stack`, its backend.tf if none has one."""
    files_with_block = (file for file in stack.config_files() if reading.read_backend(file))
    return next(files_with_block, stack.path / FILE)


def backend_text(settings: Backend, stack: Stack, renamed_from: str | None = None) -> str:
    """Returns what the file with the backend block of `stack` has to say.

    A file that says more than ours stays, but for the key of a stack that was `renamed_from`.
    """
    file = backend_file(stack)
    block = reading.read_backend(file) if file.is_file() else None
    if file.name == FILE and not (block and settings.leaves_out(block[1])):
        return settings.text(stack.name)
    old_key = settings.key(renamed_from or stack.name)
    return file.read_text().replace(old_key, settings.key(stack.name))


def move(run: Run, stack: Stack, source: Place, target: Place, backend_tf: str | None) -> str:
    """Moves a state as it is, and gives `stack` the file `backend_tf`; None removes it.

    Not by `terraform init -migrate-state`, which gives a state that it copies to a bucket another
    lineage and a serial of 1 (docs/decisions/0010). What Terraform pulls from the new place is
    compared with the original, which `source` holds until then. Returns what was moved, in words.
    Raises UserError if another state has arrived, or if somebody works on it.
    """
    refuse_lock(source, stack, run.option)
    text = source.read()
    if not text:
        raise UserError(f"{source} disappeared while the states were moved")
    run.progress.step(stack.name, f"copying to {target}")
    _copy(text, target)
    if source.read() != text:
        raise UserError(f"{source} was written while it was copied")
    switch(run, stack, backend_tf)
    if isinstance(source, LocalPlace):
        # Or Terraform's init would ask whether to migrate it:
        # https://developer.hashicorp.com/terraform/cli/commands/init#backend-initialization
        source.set_aside(UNVERIFIED)
    _carry_record(source, target)
    init.initialize(run, stack)
    if changed := difference(text, run.terraform.pull_state(stack.path)):
        raise UserError(f"Terraform reads another state in {target} than in {source}: {changed}")
    if isinstance(source, LocalPlace):
        keep_as_backup(source)
    return f"moved to {target} ({describe(State.parse(text, str(source)))})"


def refuse_lock(place: Place, stack: Stack, option: str) -> None:
    """Raises UserError if somebody works on the state of `stack`, or may do so."""
    lock = place.lock()
    if lock and lock.is_held is not False:
        raise UserError(
            f"{stack.name} is locked by {lock.who} since {lock.created}; wait, or if that process "
            f"is gone: tools state unlock{option} {stack.name}"
        )


def keep_as_backup(local_place: LocalPlace) -> None:
    """Renames the copy of a state that was moved as Terraform names its backups."""
    unverified = local_place.beside(UNVERIFIED)
    if unverified.is_file():
        unverified.replace(local_place.beside(".backup"))


def take_back(local_place: LocalPlace) -> None:
    """Puts a state back into its place if its move was interrupted before it was verified."""
    unverified = local_place.beside(UNVERIFIED)
    if unverified.is_file() and not local_place.read():
        unverified.replace(local_place.path)


def _copy(text: bytes, target: Place) -> None:
    existing_text = target.read()
    if existing_text == text:
        return
    refuse_conflict(text, existing_text, target)  # again: it may have been written meanwhile
    if isinstance(target, LocalPlace):
        target.write(text, "")
    else:
        if existing_text:  # an older copy; the bucket keeps its versions
            remove(target)
        else:
            forget_checksum(target)
        target.create(text)
    if target.read() != text:
        raise UserError(f"{target} does not hold what was written there")


def switch(run: Run, stack: Stack, backend_tf: str | None) -> None:
    """Gives `stack` the file `backend_tf`, or removes it, and forgets what init noted of it."""
    if backend_tf is None:
        (stack.path / FILE).unlink(missing_ok=True)
    else:
        files.write(backend_file(stack), backend_tf)
    init_cache.forget(stack.path)
    (stack.path / SAVED_BACKEND).unlink(missing_ok=True)
    run.records.forget_files(stack)


def _carry_record(source: Place, target: Place) -> None:
    record = source.read(RECORD_SUFFIX)
    if record:
        target.write(record, RECORD_SUFFIX)
        source.delete(RECORD_SUFFIX)


def put_over(bucket_place: BucketPlace, text: bytes) -> None:
    """Replaces a state that nobody can read by `text`, in one step."""
    forget_checksum(bucket_place)
    bucket_place.write(text, "")


def forget_checksum(bucket_place: BucketPlace) -> None:
    """Deletes the checksum in the lock table, which Terraform compares with the state.

    https://developer.hashicorp.com/terraform/language/backend/s3
    """
    if bucket_place.table:
        bucket_place.objects(bucket_place.region).forget_checksum(
            bucket_place.table, f"{bucket_place.bucket}/{bucket_place.key}"
        )


def remove(bucket_place: BucketPlace) -> None:
    """Deletes a state, its record and its checksum. The bucket keeps its versions."""
    bucket_place.delete(RECORD_SUFFIX)
    forget_checksum(bucket_place)
    bucket_place.delete("")  # last: as long as it is there, the next run sees an interrupted one
