"""The repository: where it is, which stacks it holds, what was typed once for all of them."""

import os
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from tools.errors import UserError
from tools.hcl import cache, reading
from tools.layout import graph
from tools.layout.patterns import NO_STACK, match_names
from tools.layout.stack import FOLDERS, Stack, configuration

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

    def select(self, patterns: Sequence[str]) -> list[Stack]:
        """The stacks that `patterns` name, as `match_names` reads them, in order.

        All of them without a pattern. Raises UserError for a pattern that names none.
        """
        stacks = self.stacks()
        names = match_names(patterns, (stack.name for stack in stacks), NO_STACK)
        return [stack for stack in stacks if not patterns or stack.name in names]

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
        return str(reading.tfvars_value(values, "name") or directory)

    def _directories(self, folder: str) -> list[str]:
        with os.scandir(self.root / folder) as entries:
            # A symlinked directory would be a second stack with the same state.
            return sorted(
                entry.name
                for entry in entries
                if entry.name[0] != "." and entry.is_dir(follow_symlinks=False)
            )
