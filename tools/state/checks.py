"""Refuses two stacks with one state, and states that other stacks would not find."""

from collections.abc import Hashable, Iterable, Mapping, Sequence
from typing import NamedTuple

from tools.errors import UserError
from tools.hcl import cache
from tools.layout.repository import COMMON, PREFIX, Repository
from tools.layout.stack import Stack
from tools.state import backend
from tools.state.backend import FILE
from tools.state.file import read_lineage
from tools.state.place import (
    STATE,
    UNVERIFIED,
    BucketPlace,
    LocalPlace,
    Place,
    locate,
    no_objects,
)


class Claim(NamedTuple):
    """A stack's claim to a state: to the place where one lies, or to one of a certain lineage.

    Two stacks must not have a claim to one `state`. `mend` says in words how the copy loses it.
    """

    stack_name: str
    state: Hashable
    mend: str


def refuse_copies(claims: Iterable[Claim]) -> None:
    """Raises UserError if two stacks claim one state: an apply in the copy would replace it.

    That is what a directory leads to that was copied with its state or with its backend.
    """
    owners: dict[Hashable, Claim] = {}
    for claim in claims:
        owner = owners.setdefault(claim.state, claim)
        if owner.stack_name != claim.stack_name:
            raise UserError(
                f"{claim.stack_name} and {owner.stack_name} hold the same state: one is a copy, "
                "and an apply in it would change what the other deployed; "
                f"in the copy, {claim.mend}"
            )


def check_keys(repository: Repository) -> None:
    """Raises UserError if a directory was copied, or renamed, with its backend block."""
    claims = []
    for stack_name, block in backend.blocks_by_stack(repository).items():
        if key := str(block.arguments.get("key") or ""):
            if original := foreign_stack(stack_name, key):
                raise UserError(_foreign_key(repository, stack_name, block.file, original))
            mend = f"{_mend_key(repository, block.file)} (the key is {key})"
            claims.append(Claim(stack_name, (block.arguments.get("bucket"), key), mend))
    refuse_copies(claims)


def foreign_stack(stack_name: str, key: str) -> str | None:
    """The other stack whose state `key` names, which was found in the directory of `stack_name`."""
    owner_name = backend.stack_of(key)
    return owner_name if owner_name != stack_name else None


def _foreign_key(repository: Repository, stack_name: str, file_name: str, original: str) -> str:
    wrong = f"{stack_name}/{file_name} names the state of {original}"
    mend = _mend_key(repository, file_name, stack_name)
    if (repository.root / original).is_dir():
        return (
            f"{wrong}: {stack_name} is a copy, and an apply in it would change what {original} "
            f"deployed; {mend}"
        )
    names = f"{original.split('/')[1]} {stack_name.split('/')[1]}"
    undo = (
        f"tools rename-notebook {names}{repository.option}"
        if original.startswith("notebooks/") and stack_name.startswith("notebooks/")
        else "give the directory its old name back"
    )
    return f"{wrong}, which has no directory; if it was renamed: {undo}; if it is a copy: {mend}"


def _mend_key(repository: Repository, file_name: str, stack_name: str = "") -> str:
    where = f" in {stack_name}" if stack_name else ""
    if file_name == FILE:
        return f"delete {FILE} and .terraform{where}, then: tools state enable{repository.option}"
    key = f"give the backend block in {file_name} a key of its own"
    return f"{key}{where}, and delete .terraform there"


def check_states(repository: Repository, stacks: Sequence[Stack] | None = None) -> None:
    """Raises UserError if two stacks have one state, by the files in their directories.

    It does so too if a state lies where the stacks that read it would not find it. `stacks` are all
    of the repository's, if they are known.
    """
    stacks = repository.stacks() if stacks is None else stacks
    with cache.persisted(repository.root):
        places = {stack.name: locate(stack, no_objects) for stack in stacks}
    _check_backends(repository, stacks, places)
    mend = f"move {STATE}* out of the repository, and delete {FILE} and .terraform"
    claims = []
    for stack in stacks:
        states = (str(places[stack.name] or ""), read_lineage(stack.path / STATE))
        claims += [
            Claim(stack.name, identity, f"{mend} ({identity})") for identity in states if identity
        ]
    refuse_copies(claims)


def _check_backends(
    repository: Repository, stacks: Iterable[Stack], places: Mapping[str, Place | None]
) -> None:
    bucket = repository.common().get("state_bucket")
    prefix = repository.common().get("state_prefix") or PREFIX
    option = repository.option
    for stack in stacks:
        if bucket and isinstance(places[stack.name], LocalPlace):
            raise UserError(
                f"{COMMON} sets state_bucket, but {stack.name} keeps its state on this "
                "machine, so the other stacks would not find it; move it to the "
                f"bucket: tools state enable{option} (or back: tools state disable{option})"
            )
    read = {name for stack in stacks for name in stack.named_upstream}
    for stack in stacks:
        place = places[stack.name]
        if isinstance(place, LocalPlace) and option:
            _refuse_outside(repository, stack, place)
        if not isinstance(place, BucketPlace):
            continue
        if not bucket and (stack.name in read or _is_ours(stack)):
            raise UserError(
                f"{stack.name} keeps its state in {place}, but {COMMON} sets no state_bucket, "
                f"so the other stacks would not find it; go on: tools state disable{option}, "
                f"or back: tools state enable{option}"
            )
        if (stack.path / f"{STATE}{UNVERIFIED}").exists():
            raise UserError(
                f"{stack.name}: the move of its state into the bucket was cut short before it "
                f"was verified; go on: tools state enable{option}"
            )
        expected = f"s3://{bucket}/{prefix}/{stack.name}/{STATE}"
        if bucket and stack.name in read and str(place) != expected:
            raise UserError(
                f"{stack.name} keeps its state in {place}, and the others look for it in "
                f"{expected}, as {COMMON} says: correct state_bucket and state_prefix there"
            )


def _refuse_outside(repository: Repository, stack: Stack, place: LocalPlace) -> None:
    """Raises UserError if the local cloud would use a state that is not in its working copy."""
    if not place.path.resolve().is_relative_to(repository.root.resolve()):
        raise UserError(
            f"{stack.name} keeps its state in {place}, which is not in the local cloud's working "
            "copy: an apply there would replace the state of what is in AWS; name a relative path "
            "in the repository in its backend"
        )


def _is_ours(stack: Stack) -> bool:
    """Whether `tools state enable` made the backend of `stack`."""
    backend_file = stack.path / FILE
    return backend_file.is_file() and backend_file.read_text(errors="replace").startswith(
        backend.MADE_BY
    )
