"""What an apply of a stack depends on, by content: equal inputs mean there is nothing to apply."""

import hashlib
import json
import os
import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from tools.hcl import scanning
from tools.layout.files import ENDINGS
from tools.layout.repository import Repository
from tools.layout.stack import Stack
from tools.state.file import State
from tools.terraform.binary import Terraform

LOCK_FILE = ".terraform.lock.hcl"

_TERRAFORM_FILES = (*ENDINGS, ".tfvars", ".tfvars.json")


@dataclass(frozen=True)
class Inputs:
    """Name to digest, or to version: what Terraform reads when it plans a stack.

    `files` are relative to the repository: the stack's own, its modules' (recursively), and others
    that a relative path in them names. `upstream` are the outputs that the stack reads of others,
    such as `shared-infra/iam role_arn`. `environment` is what Terraform takes from there.
    """

    files: Mapping[str, str]
    environment: Mapping[str, str]
    upstream: Mapping[str, str]
    versions: Mapping[str, str]


@dataclass(frozen=True)
class _Folder:
    """Files, path to digest, and what relative paths in them lead to."""

    files: Mapping[Path, str]
    named: tuple[Path, ...]


@dataclass
class InputsReader:
    """Reads the inputs of stacks. What several of them share, such as a module, is read once."""

    repository: Repository
    terraform: Terraform
    _folders: dict[Path, _Folder] = field(default_factory=dict)
    _paths_by_digest: dict[str, list[str]] = field(default_factory=dict)

    def read(self, stack: Stack, states: Mapping[str, State]) -> Inputs:
        """Returns the inputs of `stack`; `states` are those of its upstream stacks, by name."""
        files = {
            path: digest for f in self._reached(stack).values() for path, digest in f.files.items()
        }
        return Inputs(
            {os.path.relpath(path, self.repository.root): files[path] for path in sorted(files)},
            _environment(self.terraform.env),
            _upstream(stack, states),
            _versions(stack, self.terraform),
        )

    def terraform_files(self, stack: Stack) -> list[Path]:
        """Returns the files of configuration of `stack` and of its modules, recursively."""
        reached = self._reached(stack).values()
        return sorted(
            path for folder in reached for path in folder.files if path.name.endswith(ENDINGS)
        )

    def _reached(self, stack: Stack) -> dict[Path, _Folder]:
        """The stack's folder and all that relative paths lead to from there."""
        reached: dict[Path, _Folder] = {}
        pending = [stack.path]
        while pending:
            path = pending.pop()
            is_above = stack.path.is_relative_to(path) and path != stack.path
            if not is_above and not any(_covers(other, path) for other in reached):
                reached[path] = self._folder(path)
                pending += reached[path].named
        return reached

    def _folder(self, root: Path) -> _Folder:
        if root not in self._folders:
            files: dict[Path, str] = {}
            named: dict[Path, None] = {}
            for path in _walk(root):
                content = path.read_bytes()
                files[path] = _digest(content)
                if path.name.endswith(_TERRAFORM_FILES):
                    for relative in self._paths_in(content, files[path]):
                        named[Path(os.path.normpath(path.parent / relative))] = None
            self._folders[root] = _Folder(files, tuple(filter(_is_input, named)))
        return self._folders[root]

    def _paths_in(self, content: bytes, digest: str) -> list[str]:
        if digest not in self._paths_by_digest:
            text = content.decode(errors="surrogateescape")
            self._paths_by_digest[digest] = scanning.paths(text)
        return self._paths_by_digest[digest]


def differences(before: Inputs, now: Inputs) -> list[str]:
    """Returns what has changed between two readings, in words; nothing if they are equal."""
    versions = {
        name: f"{name} is {now.versions[name]}, and was {before.versions[name]}"
        for name in sorted(before.versions.keys() & now.versions.keys())
        if before.versions[name] != now.versions[name]
    }
    products = [{name for name in v if "/" not in name} for v in (before.versions, now.versions)]
    if products[0] != products[1]:
        versions[""] = f"{' '.join(products[1])} has taken the place of {' '.join(products[0])}"
    return [
        *_changes(before.files, now.files, ""),
        *_changes(before.environment, now.environment, "environment variable "),
        *_changes(before.upstream, now.upstream, "output of "),
        *versions.values(),
    ]


def _changes(before: Mapping[str, str], now: Mapping[str, str], kind: str) -> list[str]:
    return [
        *(f"{kind}{name} changed" for name in now if before.get(name, now[name]) != now[name]),
        *(f"{kind}{name} is new" for name in now if name not in before),
        *(f"{kind}{name} is gone" for name in before if name not in now),
    ]


def _walk(root: Path) -> Iterator[Path]:
    if root.is_file():
        yield root
        return
    for folder, folders, names in os.walk(root, followlinks=True):
        folders[:] = sorted(name for name in folders if not _is_left_out(name))
        for name in sorted(names):
            path = Path(folder, name)
            if not _is_left_out(name) and path.is_file():
                yield path


def _is_input(path: Path) -> bool:
    """Whether a path that a file names leads to something that Terraform reads as an input."""
    try:
        is_there = path.is_file() or (path.is_dir() and len(path.parts) > 2)
    except OSError:  # such as a name that is too long: no path at all
        return False
    return is_there and ".tfstate" not in path.name and path.name != ".terraform"


def _covers(root: Path, path: Path) -> bool:
    """Whether `path` is among the files below `root`."""
    inside = path.is_relative_to(root)
    return inside and not any(map(_is_left_out, path.relative_to(root).parts))


def _is_left_out(name: str) -> bool:
    """Whether Terraform or this program writes it, not the user."""
    return (
        name.startswith(".")
        or ".tfstate" in name
        or name.endswith((".tfplan", ".pyc"))
        or name == "__pycache__"
        or re.fullmatch(r"crash(\..*)?\.log", name) is not None
    )


def _environment(env: Mapping[str, str]) -> dict[str, str]:
    return {
        name: _digest(value.encode())
        for name, value in sorted(env.items())
        if name.startswith(("TF_VAR_", "TF_CLI_ARGS"))
    }


def _upstream(stack: Stack, states: Mapping[str, State]) -> dict[str, str]:
    """The outputs that the stack's files read; all of an upstream if that is not seen in them."""
    text = "\n".join(
        file.read_text(encoding="utf-8", errors="replace") for file in stack.config_files()
    )
    named = scanning.remote_outputs(text)
    # A reference may be written in a way that is not found in the text.
    missed = stack.upstream_by_name.keys() - {data_source for data_source, _ in named}
    reads = [(name, "") for name in stack.upstream_in_modules]
    for data_source, output in [*named, *((data_source, "") for data_source in missed)]:
        reads += [(name, output) for name in stack.upstream_by_name.get(data_source, ())]
    read: dict[str, str] = {}
    for name, output in reads:
        if name in states:
            outputs = states[name].outputs
            for key in [output] if output else sorted(outputs):
                read[f"{name} {key}"] = _digest(_json(outputs.get(key)))
    return dict(sorted(read.items()))


def locked_versions(directory: Path) -> dict[str, str]:
    """Returns the providers that an init in `directory` has chosen: address to version."""
    lock = directory / LOCK_FILE
    return scanning.locked_versions(lock.read_text()) if lock.is_file() else {}


def _versions(stack: Stack, terraform: Terraform) -> dict[str, str]:
    return {terraform.product: terraform.version_text, **locked_versions(stack.path)}


def _digest(content: bytes) -> str:
    return hashlib.sha256(content).hexdigest()[:32]


def _json(value: Any) -> bytes:
    return json.dumps(value, sort_keys=True).encode()
