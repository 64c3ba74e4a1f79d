"""Refuses two stacks with one state, and states that other stacks would not find."""

import re
from collections.abc import Iterable, Mapping

from tools.errors import UserError
from tools.hcl import cache
from tools.layout.repository import COMMON, PREFIX, Repository
from tools.layout.stack import Stack
from tools.state.place import STATE, UNVERIFIED, BucketPlace, LocalPlace, Place, locate


def check_states(repository: Repository) -> None:
    """Raises UserError where two stacks have one state, or copies of it.

    That is a directory copied with its state or its backend: an apply in the copy would replace
    what the original deployed. Also where some states lie where the others would not find them.
    """
    stacks = repository.stacks()
    with cache.kept(repository.root):
        places = {stack.name: locate(stack, no_objects) for stack in stacks}
    _check_backends(repository, stacks, places)
    owners: dict[str, str] = {}
    for stack in stacks:
        state = stack.path / STATE
        held = [f"the state {places[stack.name]}"] if places[stack.name] else []
        if state.is_file():
            found = re.search(r'"lineage":\s*"([^"]+)"', state.read_text(errors="replace"))
            held += [f"the state of lineage {found[1]}"] if found else []
        for one in held:
            other = owners.setdefault(one, stack.name)
            if other != stack.name:
                raise UserError(
                    f"{stack.name} and {other} hold the same state ({one}): one is a copy, and "
                    "would replace what the other deployed; delete terraform.tfstate* and "
                    "backend.tf in the copy, and .terraform"
                )


def _check_backends(
    repository: Repository, stacks: Iterable[Stack], places: Mapping[str, Place | None]
) -> None:
    bucket = repository.common().get("state_bucket")
    for stack in stacks:
        local = isinstance(places[stack.name], LocalPlace)
        if bucket and local:
            raise UserError(
                f"{COMMON} sets state_bucket, but {stack.name} keeps its state on this "
                "machine, so the other stacks would look for it in vain; move it to the "
                f"bucket: tools state enable{repository.option} (or back: tools state "
                f"disable{repository.option})"
            )
    read = {name for stack in stacks for name in stack.upstream}
    prefix = repository.common().get("state_prefix") or PREFIX
    for stack in stacks:
        place = places[stack.name]
        if not isinstance(place, BucketPlace):
            continue
        if not bucket and (stack.name in read or _is_ours(stack)):
            raise UserError(
                f"{stack.name} keeps its state in {place}, but {COMMON} sets no state_bucket, "
                f"so the other stacks would look for it in vain; go on: tools state "
                f"disable{repository.option}, or back: tools state enable{repository.option}"
            )
        if (stack.path / f"{STATE}{UNVERIFIED}").exists():
            raise UserError(
                f"{stack.name}: the move of its state into the bucket was cut short before it "
                f"was verified; go on: tools state enable{repository.option}"
            )
        there = (place.bucket, place.key)
        wanted = (bucket, f"{prefix}/{stack.name}/{STATE}")
        if bucket and stack.name in read and there != wanted:
            raise UserError(
                f"{stack.name} keeps its state in {place}, and the others look for it in "
                f"s3://{wanted[0]}/{wanted[1]}, as {COMMON} says: mend state_bucket and "
                "state_prefix there"
            )


def no_objects(region: str) -> None:
    """For a place that is told from files alone: nothing is asked of its bucket."""


def _is_ours(stack: Stack) -> bool:
    """Whether `tools state enable` has made the backend of `stack`."""
    file = stack.path / "backend.tf"
    return file.is_file() and file.read_text(errors="replace").startswith("# Made by `tools state")
