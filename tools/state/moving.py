"""A state's way from one place to another: Terraform copies it, this compares what has arrived."""

import json
from pathlib import Path
from typing import Any

from tools import hcl, initialized
from tools.deploy import Run
from tools.errors import UserError
from tools.records import SUFFIX
from tools.stack import Stack
from tools.state.backend import FILE
from tools.states import BucketPlace, LocalPlace, Objects, Place, State

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
    """What differs between two texts of one state, None where nothing that counts does."""
    if not after:
        return "nothing is there"
    old, new = json.loads(before), json.loads(after)
    for part in ("lineage", "serial", "resources", "outputs"):
        if old.get(part) != new.get(part):
            return f"its {part} differ" if part.endswith("s") else f"its {part} differs"
    return None


def saved_backend(stack: Stack, objects: Objects) -> BucketPlace | None:
    """The bucket that the last init of `stack` has noted as its state's place, if any."""
    try:
        saved: dict[str, Any] = json.loads((stack.path / _SAVED).read_text())["backend"]
        config = saved["config"]
        bucket, key, region = (str(config[name]) for name in ("bucket", "key", "region"))
    except (OSError, ValueError, KeyError, TypeError):
        return None
    table = config.get("dynamodb_table")
    return BucketPlace(bucket, key, region, objects, table) if saved["type"] == "s3" else None


def forget_saved(stack: Stack) -> None:
    """The next init finds its backend as if for the first time."""
    initialized.forget(stack.path)
    (stack.path / _SAVED).unlink(missing_ok=True)


def backend_file(stack: Stack) -> Path:
    """The file for the backend of `stack`.

    Raises UserError where another one has a backend block: Terraform takes one alone.
    """
    own = stack.path / FILE
    for file in sorted(stack.path.glob("*.tf")):
        if file != own and (found := hcl.backend(file)):
            raise UserError(
                f"{stack.name}/{file.name} has a backend block ({found[0]}), which is yours: take "
                "it out, with terraform init -migrate-state, first"
            )
    return own


def migrate(run: Run, stack: Stack, source: Place, target: Place) -> str:
    """Has Terraform copy the state from `source` to `target`, as the files of `stack` say now.

    Returns what has moved, in words. Raises UserError where what has arrived is not what was
    there; nothing is removed from `source` then but by Terraform, which keeps a backup.
    """
    before = source.read()
    run.progress.step(stack.name, "terraform init -migrate-state")
    initialized.forget(stack.path)
    initialized.drop_half_written(stack.path)
    run.terraform.init(stack.path, run.log(stack, "init"), run.interruption, migrate=True)
    after = target.read()
    if not before:  # an earlier run has copied it, and was cut short
        return f"its state is in {target}"
    if wrong := difference(before, after):
        raise UserError(f"{target} is not what was moved there: {wrong}; see {run.logs}")
    _carry_record(source, target)
    if isinstance(source, LocalPlace):
        source.path.unlink(missing_ok=True)  # emptied by Terraform, which keeps it as .backup
    run.records.reread(stack)
    initialized.note(stack.path, run.records.terraform_files(stack), run.terraform)
    state = State.parse(before, str(source))
    return f"moved to {target} (serial {state.serial}, {len(state.resources)} resources)"


def _carry_record(source: Place, target: Place) -> None:
    record = source.read(SUFFIX)
    if record:
        target.write(record, SUFFIX)
        source.delete(SUFFIX)


def remove_copy(old: BucketPlace, new: BucketPlace) -> None:
    """Takes away what lies in `old`, where it is the state that lies in `new`, and its notes.

    The bucket keeps its versions. Left there, it would count as an orphan, to be destroyed.
    """
    text, there = old.read(), new.read()
    if text and there and difference(text, there) is None:
        old.delete("")
        old.delete(SUFFIX)
    if old.table:
        old.objects(old.region).forget_checksum(old.table, f"{old.bucket}/{old.key}")
