"""The stacks of one repository side by side: which of them a state belongs to."""

import os
import re
from collections import defaultdict
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from functools import cached_property
from pathlib import Path
from typing import Literal

from tools.hcl.evaluation import Values
from tools.layout.contents import Files, saved_backend, selected_workspace
from tools.layout.reads import STATE_NAME, Read, Reader, StateAddress

Kind = Literal["shared", "notebook"]

FOLDERS: dict[str, Kind] = {"shared-infra": "shared", "notebooks": "notebook"}

_KEY_OF_A_STACK = re.compile(rf"((?:{'|'.join(FOLDERS)})/[^/]+)/[^/]+$")


@dataclass(frozen=True)
class Upstream:
    """What a stack reads, as far as it is known.

    `by_name` maps the data sources of its own files to the stacks whose states they read, and
    `by_output` the outputs of modules that hand the outputs of other states on; `others` are those
    that its modules read otherwise, or that it reads as files. `by_instance` has all of them, by
    the address of the data source's instance. `required` are the stacks whose outputs it cannot do
    without.
    `unknown` has a reason for each other read: `of_any` says that one of these may be of any stack,
    `of_unplaced` that it may be of one whose files do not say where its state is. `addresses` are
    where all known reads lead, and `named` the stacks that these name by their directory or key,
    whether their states lie there or not.
    """

    by_name: Mapping[str, tuple[str, ...]]
    by_output: Mapping[str, tuple[str, ...]]
    by_instance: Mapping[str, tuple[str, ...]]
    others: frozenset[str]
    required: frozenset[str]
    unknown: tuple[str, ...]
    addresses: frozenset[StateAddress]
    named: frozenset[str]
    of_any: bool
    of_unplaced: bool


@dataclass(frozen=True)
class Neighbours:
    """The stacks in the repository `root`, for a user with the environment `env`.

    What was read once is not read again. `values` are as for a `Reader`.
    """

    root: Path
    env: Mapping[str, str]
    values: Mapping[str, bytes] = field(default_factory=dict)
    _own: dict[str, StateAddress | None] = field(default_factory=dict)
    _matches: dict[StateAddress, tuple[tuple[str, ...], str]] = field(default_factory=dict)

    @cached_property
    def reader(self) -> Reader:
        """Reads their files."""
        return Reader.create(self.env, self.values)

    @cached_property
    def names(self) -> list[str]:
        """The names of the stacks: the directories of `FOLDERS` that hold a root module.

        One reached through a symbolic link would be a second stack with the same state.
        """
        names = []
        for folder in FOLDERS:
            try:
                with os.scandir(self.root / folder) as entries:
                    directories = sorted(
                        entry.name
                        for entry in entries
                        if entry.name[0] != "." and entry.is_dir(follow_symlinks=False)
                    )
            except FileNotFoundError:
                continue
            for name in directories:
                if self.configuration(f"{folder}/{name}"):
                    names.append(f"{folder}/{name}")
        return names

    def configuration(self, name: str) -> Files:
        """The files that are read as configuration in the stack called `name`."""
        return self.reader.contents(f"{self.root}/{name}").configuration

    def variables(self, name: str, variables: Sequence[str]) -> dict[str, Values]:
        """The values of those of `variables` that the stack called `name` declares."""
        return self.reader.variables(f"{self.root}/{name}", variables)

    @property
    def has_unplaced(self) -> bool:
        """Whether there is a stack whose files do not say where its state is."""
        return any(self.own(name) is None for name in self.names)

    def own(self, name: str) -> StateAddress | None:
        """The address of the state of the stack called `name`, None if its files do not say."""
        if name not in self._own:
            self._own[name] = self._find_own(name)
        return self._own[name]

    def reads(self, name: str) -> Sequence[Read]:
        """The states that the stack called `name` reads, and others that it may read."""
        return self.reader.reads(f"{self.root}/{name}", self._state_names)

    def upstream(self, name: str) -> Upstream:
        """What the stack called `name` reads."""
        by_name: dict[str, set[str]] = defaultdict(set)
        by_output: dict[str, set[str]] = defaultdict(set)
        by_instance: dict[str, set[str]] = defaultdict(set)
        others: set[str] = set()
        required: set[str] = set()
        unknown_reads: dict[str, None] = {}
        of_any = of_unplaced = False
        reads = self.reads(name)
        for read in reads:
            stacks, reason = self._match(read) if read.address else ((), read.unknown)
            if read.is_file:
                stacks, reason = tuple({*stacks} - {name}), read.unknown
            if name in stacks:
                reason = ""
                unknown_reads[
                    f"terraform_remote_state.{read.name} reads this stack's own state"
                ] = None
            upstream = set(stacks) - {name}
            is_own, output = not read.is_file and "module." not in read.name, read.as_output
            of_module = by_output[output] if output else others
            (by_name[read.name] if is_own else of_module).update(upstream)
            by_instance[f'{read.name}["{read.key}"]' if read.key else read.name].update(upstream)
            required |= set() if read.has_defaults else upstream
            if reason:
                unknown_reads[reason] = None
                is_elsewhere = read.address is not None or not read.of_any
                of_any, of_unplaced = of_any or not is_elsewhere, of_unplaced or is_elsewhere
        addresses = frozenset(
            read.address
            for read in reads
            # modules/common looks at a stack's own state as a file.
            if read.address and not (read.is_file and self._named(read.address) == name)
        )
        return Upstream(
            _sorted(by_name),
            _sorted(by_output),
            _sorted(by_instance),
            frozenset(others),
            frozenset(required),
            tuple(unknown_reads),
            addresses,
            frozenset(name for name in map(self._named, addresses) if name),
            of_any,
            of_unplaced,
        )

    def _match(self, read: Read) -> tuple[tuple[str, ...], str]:
        """The stacks whose state `read` is, and why that is not certain."""
        address = read.address
        assert address is not None
        if address not in self._matches:
            self._matches[address] = self._find(address)
        stacks, reason = self._matches[address]
        return stacks, f"terraform_remote_state.{read.name} reads {reason}" if reason else ""

    def _find(self, address: StateAddress) -> tuple[tuple[str, ...], str]:
        nominal = self.nominal(address)
        if nominal and self.own(nominal) == address:
            return (nominal,), ""
        if stacks := self._by_address.get(address):
            return stacks, ""
        shown = str(address).removeprefix(f"{self._real_root}/")
        if nominal and self.own(nominal) is None:
            reason = f"{shown}, and the files of {nominal} do not say where its state is"
            return (nominal,), reason
        return (), f"{shown}, which is the state of no stack here"

    def nominal(self, address: StateAddress) -> str | None:
        """The stack that an address names, if there is such a stack."""
        stack_name = self._named(address)
        return stack_name if stack_name in self._names else None

    def _named(self, address: StateAddress) -> str | None:
        """What a path in this repository or a key names by its last parts, such as notebooks/n."""
        match = _KEY_OF_A_STACK.search(address.path)
        if not match:
            return None
        is_here = address.bucket or address.path[: match.end(1)] == f"{self._real_root}/{match[1]}"
        return match[1] if is_here else None

    @cached_property
    def _state_names(self) -> tuple[str, ...]:
        """What a file is called, in part, that may be a state here."""
        places = [address for name in self.names if (address := self.own(name))]
        paths = {place.path for place in places if not place.bucket}
        return (STATE_NAME, *sorted({os.path.basename(p) for p in paths if STATE_NAME not in p}))  # noqa: PTH119

    @cached_property
    def _real_root(self) -> str:
        return os.path.realpath(self.root)

    @cached_property
    def _names(self) -> frozenset[str]:
        return frozenset(self.names)

    @cached_property
    def _by_address(self) -> dict[StateAddress, tuple[str, ...]]:
        names_by_address: dict[StateAddress, tuple[str, ...]] = {}
        for name in self.names:
            if address := self.own(name):
                names_by_address[address] = (*names_by_address.get(address, ()), name)
        return names_by_address

    def _find_own(self, name: str) -> StateAddress | None:
        directory = f"{self.root}/{name}"
        if has_backend_options(self.env) or selected_workspace(directory) != "default":
            return None
        backend = self.reader.backend(directory)
        if backend is None:
            return None
        kind, arguments, is_declared = backend
        texts = {key: value for key, value in arguments.items() if isinstance(value, str)}
        if kind == "local" and arguments.keys() <= {"path", "workspace_dir"}:
            saved = saved_backend(directory) if is_declared and "path" not in texts else None
            told = saved[1] if saved and saved[0] == "local" else {}
            path = texts.get("path") or str(told.get("path") or "terraform.tfstate")
            path = os.path.join(directory, path)  # noqa: PTH118
            return StateAddress(os.path.realpath(path))
        has_endpoint = bool(arguments.keys() & {"endpoint", "endpoints"})
        if kind == "s3" and texts.keys() >= {"bucket", "key"} and not has_endpoint:
            return StateAddress(texts["key"], texts["bucket"])
        return None


def _sorted(names_by_key: Mapping[str, set[str]]) -> dict[str, tuple[str, ...]]:
    return {key: tuple(sorted(names)) for key, names in names_by_key.items() if names}


def has_backend_options(env: Mapping[str, str]) -> bool:
    """Whether options in the environment add to the settings of every backend.

    https://developer.hashicorp.com/terraform/language/backend#partial-configuration
    """
    options = env.get("TF_CLI_ARGS", "") + env.get("TF_CLI_ARGS_init", "")
    return "-backend-config" in options
