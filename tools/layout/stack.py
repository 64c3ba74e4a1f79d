"""A stack: one root module with one state."""

import os
import posixpath
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import Literal

from tools.hcl import reading

Kind = Literal["shared", "notebook"]

FOLDERS: dict[str, Kind] = {"shared-infra": "shared", "notebooks": "notebook"}


@dataclass(frozen=True)
class Stack:
    """A directory of `shared-infra` or `notebooks`; `name` is its path in the repository."""

    root: Path
    name: str

    @property
    def path(self) -> Path:
        return self.root / self.name

    @property
    def kind(self) -> Kind:
        return FOLDERS[self.name.split("/")[0]]

    @cached_property
    def upstream_by_name(self) -> dict[str, str]:
        """The stacks whose state this one reads: name of the data source to name of the stack.

        A state outside of `shared-infra` and `notebooks` is left out.
        """
        upstream = {}
        for file in tf_files(self.path):
            for name, state in reading.remote_state_paths(file).items():
                stack = self._stack_of(state) if state else None
                if stack:
                    upstream[name] = stack
        return upstream

    @cached_property
    def reads_elsewhere(self) -> bool:
        """Whether it reads a state of no stack here, or one that its files do not spell out."""
        names = {name for file in tf_files(self.path) for name in reading.remote_state_paths(file)}
        return names != set(self.upstream_by_name)

    def _stack_of(self, state: str) -> str | None:
        """The stack of a path, or of a key such as ml-infra/shared-infra/s3/terraform.tfstate."""
        parts = posixpath.dirname(state).split("/")[-2:]
        if state.startswith("."):
            parts = posixpath.normpath(f"{self.name}/{posixpath.dirname(state)}").split("/")
        return "/".join(parts) if len(parts) == 2 and parts[0] in FOLDERS else None

    @cached_property
    def upstream(self) -> tuple[str, ...]:
        """Names of the stacks whose state this one reads, sorted."""
        return tuple(sorted(set(self.upstream_by_name.values())))


def tf_files(directory: Path) -> list[Path]:
    """The .tf files that Terraform reads in `directory`, sorted."""
    with os.scandir(directory) as entries:  # Path.glob takes five times as long
        names = sorted(entry.name for entry in entries)
    return [directory / name for name in names if name.endswith(".tf") and name[0] != "."]
