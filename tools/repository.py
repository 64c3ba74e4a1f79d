"""The repository: where it is, which stacks it holds, what was typed once for all of them."""

import os
import re
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from difflib import get_close_matches
from fnmatch import fnmatchcase
from pathlib import Path

from tools import graph, states
from tools.errors import UserError
from tools.hcl import cache, reading
from tools.stack import FOLDERS, Stack, configuration

COMMON = "common.auto.tfvars"
PREFIX = "ml-infra"  # of the states' keys, where state_prefix says nothing else
TYPED_ONCE = ("project", "region", "state_bucket", "state_prefix")


@dataclass(frozen=True)
class Repository:
    """A directory with `shared-infra`, `modules` and `notebooks`.

    `option` is what a command in a message needs to reach it, such as " --local".
    """

    root: Path
    option: str = ""

    @classmethod
    def containing(cls, directory: Path) -> "Repository":
        """The repository that `directory` lies in. Raises UserError where there is none."""
        for candidate in (directory, *directory.parents):
            if all((candidate / folder).is_dir() for folder in (*FOLDERS, "modules")):
                return cls(candidate)
        raise UserError(
            f"{directory} is in no repository with shared-infra, modules and notebooks; "
            "go into one, or name it with --root"
        )

    def stacks(self) -> list[Stack]:
        """Every stack, upstream first, shared ones before notebooks where the order is free."""
        found = [
            Stack(self.root, f"{folder}/{name}")
            for folder in FOLDERS
            for name in self._directories(folder)
            if configuration(self.root / folder / name)
        ]
        with cache.kept(self.root):
            return graph.ordered(found)

    def select(self, patterns: Sequence[str], shared: bool = False) -> list[Stack]:
        """The stacks that `patterns` name, in order; all of them where nothing is named.

        A pattern is a stack's name (`notebooks/nlp`), its last part (`nlp`) or a glob
        of either (`notebooks/nlp-*`, `nlp-*`). Raises UserError for one that names nothing.
        """
        return selected(self.stacks(), patterns, shared)

    def check_states(self) -> None:
        """Raises UserError where two stacks have one state, or copies of it.

        That is a directory copied with its state or its backend: an apply in the copy would replace
        what the original deployed. Also where some states lie where the others would not find them.
        """
        stacks = self.stacks()
        with cache.kept(self.root):
            places = {stack.name: states.place(stack, no_objects) for stack in stacks}
        self._check_backends(stacks, places)
        owners: dict[str, str] = {}
        for stack in stacks:
            state = stack.path / states.STATE
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
        self, stacks: Iterable[Stack], places: Mapping[str, states.Place | None]
    ) -> None:
        bucket = self.common().get("state_bucket")
        for stack in stacks:
            local = isinstance(places[stack.name], states.LocalPlace)
            if bucket and local:
                raise UserError(
                    f"{COMMON} sets state_bucket, but {stack.name} keeps its state on this "
                    "machine, so the other stacks would look for it in vain; move it to the "
                    f"bucket: tools state enable{self.option} (or back: tools state "
                    f"disable{self.option})"
                )
        read = {name for stack in stacks for name in stack.upstream}
        prefix = self.common().get("state_prefix") or PREFIX
        for stack in stacks:
            place = places[stack.name]
            if not isinstance(place, states.BucketPlace):
                continue
            if not bucket and (stack.name in read or _is_ours(stack)):
                raise UserError(
                    f"{stack.name} keeps its state in {place}, but {COMMON} sets no state_bucket, "
                    f"so the other stacks would look for it in vain; go on: tools state "
                    f"disable{self.option}, or back: tools state enable{self.option}"
                )
            if (stack.path / f"{states.STATE}{states.UNVERIFIED}").exists():
                raise UserError(
                    f"{stack.name}: the move of its state into the bucket was cut short before it "
                    f"was verified; go on: tools state enable{self.option}"
                )
            there = (place.bucket, place.key)
            wanted = (bucket, f"{prefix}/{stack.name}/{states.STATE}")
            if bucket and stack.name in read and there != wanted:
                raise UserError(
                    f"{stack.name} keeps its state in {place}, and the others look for it in "
                    f"s3://{wanted[0]}/{wanted[1]}, as {COMMON} says: mend state_bucket and "
                    "state_prefix there"
                )

    def common(self) -> dict[str, reading.Value]:
        """What `common.auto.tfvars` gives to every stack. Raises UserError where it is missing."""
        path = self.root / COMMON
        if not path.is_file():
            raise UserError(
                f"{path} is missing; run `tools init`, or copy {COMMON}.example and edit it "
                "(`make demo` needs neither it nor an AWS account)"
            )
        values = reading.read_tfvars(path)
        for name in ("project", "region"):
            if not isinstance(values.get(name), str) or not values[name]:
                raise UserError(f'{path} sets no {name}; add a line such as {name} = "..."')
        return values

    def notebook_names(self) -> list[str]:
        """Names in `notebooks`, stacks and other directories alike."""
        entries = sorted((self.root / "notebooks").iterdir())
        return [
            entry.name
            for entry in entries
            if not entry.name.startswith(".") and (entry.is_dir() or entry.is_symlink())
        ]

    def instance_names(self) -> dict[str, str]:
        """The instances of `notebooks`: directory to the name that AWS gets."""
        with cache.kept(self.root):
            return {name: self._instance_name(name) for name in self.notebook_names()}

    def _instance_name(self, directory: str) -> str:
        values = self.root / "notebooks" / directory / "terraform.tfvars"
        # A parse costs milliseconds, and few of hundreds of notebooks set a name of their own.
        text = values.read_text(errors="replace") if values.is_file() else ""
        if not re.search(r"^\s*name\s*=", text, re.MULTILINE):
            return directory
        return str(reading.read_tfvars(values).get("name") or directory)

    def _directories(self, folder: str) -> list[str]:
        with os.scandir(self.root / folder) as entries:
            # A symlinked directory would be a second stack with the same state.
            return sorted(
                entry.name
                for entry in entries
                if entry.name[0] != "." and entry.is_dir(follow_symlinks=False)
            )


def no_objects(region: str) -> None:
    """For a place that is told from files alone: nothing is asked of its bucket."""


def _is_ours(stack: Stack) -> bool:
    """Whether `tools state enable` has made the backend of `stack`."""
    file = stack.path / "backend.tf"
    return file.is_file() and file.read_text(errors="replace").startswith("# Made by `tools state")


def selected(stacks: Sequence[Stack], patterns: Sequence[str], shared: bool) -> list[Stack]:
    """Those of `stacks` that Repository.select takes."""
    if not patterns and not shared:
        return list(stacks)
    chosen = {stack.name for stack in stacks if shared and stack.kind == "shared"}
    names = [stack.name for stack in stacks]
    named = {name: {name} for name in names}
    for name in names:
        named.setdefault(name.split("/")[1], set()).add(name)
    for pattern in patterns:
        clean = pattern.rstrip("/")
        matching = named.get(clean) or {
            name
            for name in names
            if fnmatchcase(name, clean) or fnmatchcase(name.split("/")[1], clean)
        }
        if not matching:
            raise UserError(_unknown(pattern, names))
        chosen |= matching
    return [stack for stack in stacks if stack.name in chosen]


def _unknown(pattern: str, names: list[str]) -> str:
    near = get_close_matches(pattern, [*names, *(name.split("/")[1] for name in names)], n=1)
    hint = f"did you mean {near[0]}?" if near else f"there are {', '.join(names) or 'none'}"
    return f"no stack is called {pattern}; {hint}"
