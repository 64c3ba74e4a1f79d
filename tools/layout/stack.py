"""A stack: one root module with one state."""

import os
from collections.abc import Mapping
from dataclasses import dataclass, field
from functools import cached_property
from pathlib import Path

from tools.layout import files
from tools.layout.neighbours import FOLDERS as FOLDERS
from tools.layout.neighbours import Kind as Kind
from tools.layout.neighbours import Neighbours, Upstream
from tools.layout.reads import DeclaredBackend, StateAddress

# The stacks of shared-infra/.
S3 = "shared-infra/s3"
IAM = "shared-infra/iam"
GROUPS = "shared-infra/security-groups"
ENDPOINTS = "shared-infra/vpc-endpoints"


@dataclass(frozen=True)
class Stack:
    """A directory of `shared-infra` or `notebooks`; `name` is its path in the repository.

    `neighbours` are the stacks of the repository, which those of one listing share.
    """

    root: Path
    name: str
    neighbours: Neighbours | None = field(default=None, compare=False, repr=False)

    @cached_property
    def path(self) -> Path:
        return self.root / self.name

    @property
    def kind(self) -> Kind:
        return FOLDERS[self.name.split("/")[0]]

    @cached_property
    def upstream_by_name(self) -> Mapping[str, tuple[str, ...]]:
        """The stacks whose state this one reads: name of the data source to names of stacks.

        Without what its modules read.
        """
        return self._upstream.by_name

    @cached_property
    def upstream(self) -> tuple[str, ...]:
        """Names of the stacks whose state this one reads, sorted; also those its modules read."""
        upstream = self._upstream
        by_key = (*upstream.by_name.values(), *upstream.by_output.values())
        return tuple(sorted({name for stacks in by_key for name in stacks} | upstream.others))

    @property
    def upstream_by_output(self) -> Mapping[str, tuple[str, ...]]:
        """The stacks whose outputs modules hand on to it: module.common.upstream.iam to names."""
        return self._upstream.by_output

    @property
    def upstream_by_instance(self) -> Mapping[str, tuple[str, ...]]:
        """The stacks whose state an instance of a data source reads, also in a module.

        By its address without `data.terraform_remote_state`, such as module.common.shared["iam"].
        """
        return self._upstream.by_instance

    @property
    def upstream_in_modules(self) -> frozenset[str]:
        """Names of the stacks whose state its modules read, and do not just hand on."""
        return self._upstream.others

    @property
    def required_upstream(self) -> frozenset[str]:
        """Names of the stacks that it reads and has no `defaults` for."""
        return self._upstream.required

    @property
    def unknown_reads(self) -> tuple[str, ...]:
        """Why it is not known what it reads, a line for each read that is no stack's for certain.

        They are reads of states of no stack here, and reads that do not resolve to a place.
        """
        return self._upstream.unknown

    @property
    def named_upstream(self) -> frozenset[str]:
        """Names of the stacks that its reads name by a directory or key, wherever states lie."""
        return self._upstream.named

    @property
    def address(self) -> StateAddress | None:
        """Where its state lies, None if its files do not say."""
        return self._neighbours.own(self.name)

    @cached_property
    def may_read_any(self) -> bool:
        """Whether one of the unknown reads may be of a stack here."""
        upstream = self._upstream
        return upstream.of_any or (upstream.of_unplaced and self._neighbours.has_unplaced)

    def may_read(self, name: str) -> bool:
        """Whether one of the unknown reads may be of the stack called `name`."""
        upstream = self._upstream
        is_unplaced = upstream.of_unplaced and self._neighbours.own(name) is None
        return name != self.name and (upstream.of_any or is_unplaced)

    def may_read_address(self, address: StateAddress) -> bool:
        """Whether it reads, or may read, the state at `address`, which is of no stack here."""
        return address in self._upstream.addresses or self._upstream.of_any

    def config_files(self) -> list[Path]:
        """The files that Terraform, or OpenTofu, reads in its directory as configuration."""
        return files.tf_files(self.path, self._neighbours.reader.tofu)

    def backend(self) -> DeclaredBackend | None:
        """Its backend; read again at each call, unless contents are kept (`keep_contents`).

        None if an argument is not known, or a file may name another that is not followed here.
        """
        return self._neighbours.reader.backend(str(self.path))

    def module_folders(self) -> tuple[list[Path], list[str]]:
        """The directories of its modules, recursively, and why others are not known."""
        return self._neighbours.reader.module_folders(str(self.path))

    @cached_property
    def _upstream(self) -> Upstream:
        return self._neighbours.upstream(self.name)

    @cached_property
    def _neighbours(self) -> Neighbours:
        return self.neighbours or Neighbours(self.root, os.environ)
