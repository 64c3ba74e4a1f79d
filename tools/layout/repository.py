"""The repository: its directory, its stacks and the values that all of them share."""

import os
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path

from tools.errors import UserError
from tools.hcl import cache, reading
from tools.layout import graph
from tools.layout.contents import keep_contents
from tools.layout.neighbours import Neighbours
from tools.layout.patterns import NO_STACK, match_names
from tools.layout.shared_values import TYPED_ONCE as TYPED_ONCE
from tools.layout.shared_values import read_shared_values
from tools.layout.stack import FOLDERS, Stack
from tools.layout.unmanaged_roots import (
    Directory,
    Unmanaged,
    find_directories,
    find_elsewhere,
    find_unmanaged,
)

COMMON = "common.auto.tfvars"
PREFIX = "ml-infra"  # of the states' keys, unless state_prefix is set


@dataclass(frozen=True)
class Repository:
    """A directory with `shared-infra`, `modules` and `notebooks`.

    `option` is what is added to a command in a message so that it reaches it, such as " --local".
    `env` is the user's environment.
    """

    root: Path
    option: str = ""
    env: Mapping[str, str] = field(default_factory=lambda: os.environ, compare=False, repr=False)
    _shared: dict[bytes, dict[str, reading.Value]] = field(
        default_factory=dict, compare=False, repr=False
    )

    @classmethod
    def containing(cls, directory: Path, env: Mapping[str, str] = os.environ) -> "Repository":
        """The repository that `directory` lies in. Raises UserError if there is none."""
        for candidate in (directory, *directory.parents):
            if all((candidate / folder).is_dir() for folder in (*FOLDERS, "modules")):
                return cls(candidate, env=env)
        raise UserError(
            f"{directory} is in no repository with shared-infra, modules and notebooks; "
            "go into one, or name it with --root or TOOLS_ROOT"
        )

    def stacks(self) -> list[Stack]:
        """Every stack, upstream first, and shared ones before notebooks if the order is free.

        Raises UserError if two read each other.
        """
        neighbours = Neighbours(self.root, self.env)
        with cache.persisted(self.root), keep_contents():
            stacks = [Stack(self.root, name, neighbours) for name in neighbours.names]
            return graph.sort_stacks(stacks)

    def unmanaged(
        self,
        stacks: Sequence[Stack] | None = None,
        directories: Sequence[Directory] | None = None,
    ) -> list[Unmanaged]:
        """The root modules beside the stacks that are none, and why.

        `stacks` and `directories` are all of them, if they are known.
        """
        stacks = self.stacks() if stacks is None else stacks
        candidates = find_directories(self.root) if directories is None else directories
        with cache.persisted(self.root):
            return find_unmanaged(self.root, stacks, candidates)

    def elsewhere(self, stacks: Sequence[Stack]) -> list[Unmanaged]:
        """The root modules outside of the folders of `stacks`, and the modules there."""
        with cache.persisted(self.root):
            return find_elsewhere(self.root, stacks)

    def select(self, patterns: Sequence[str]) -> list[Stack]:
        """The stacks that `patterns` name, as `match_names` reads them, in order.

        All of them without a pattern. Raises UserError for a pattern that names none.
        """
        stacks = self.stacks()
        names = match_names(patterns, (stack.name for stack in stacks), NO_STACK)
        return [stack for stack in stacks if not patterns or stack.name in names]

    def common(self) -> dict[str, reading.Value]:
        """The values that all stacks share, as `shared_values` has them.

        Raises UserError if there is no project or region.
        """
        values = self.shared_values()
        for name in ("project", "region"):
            if not isinstance(values.get(name), str) or not values[name]:
                raise UserError(
                    f"no {name} is set; run `tools init`, or set it in {self.root / COMMON} "
                    "(the local cloud needs neither that nor an account: make demo, then --local)"
                )
        return values

    def shared_values(self) -> dict[str, reading.Value]:
        """The values of TYPED_ONCE that are set: those of the stacks, as Terraform finds them.

        If no stack takes one, it is what `common.auto.tfvars` says. Raises UserError if stacks
        disagree, or if what they take is not known without Terraform.
        """
        path = self.root / COMMON
        content = path.read_bytes() if path.is_file() else b""
        if content not in self._shared:
            values = reading.read_tfvars(path) if content else {}
            self._shared[content] = {**values, **read_shared_values(self.root, self.env)}
        return dict(self._shared[content])

    def notebook_names(self) -> list[str]:
        """The names of the directories in `notebooks`, whether they are stacks or not."""
        entries = sorted((self.root / "notebooks").iterdir())
        return [
            entry.name
            for entry in entries
            if not entry.name.startswith(".") and (entry.is_dir() or entry.is_symlink())
        ]

    def instance_names(self) -> dict[str, str]:
        """The names that the instances of `notebooks` have in AWS, by directory."""
        with cache.persisted(self.root):
            return {name: self._instance_name(name) for name in self.notebook_names()}

    def _instance_name(self, notebook_name: str) -> str:
        values_file = self.root / "notebooks" / notebook_name / reading.VALUES
        try:
            return str(reading.tfvars_value(values_file, "name") or notebook_name)
        except UserError:
            return notebook_name  # whatever needs the value reports the error
