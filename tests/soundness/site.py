"""The repository that forms write into, and where in it each one writes."""

import os
import stat
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from tests.soundness.render import Configuration, Expression

Changes = dict[str, Callable[[], object]]
STATE = "terraform.tfstate"


@dataclass(frozen=True)
class Upstream:
    """A stack that others may read, with the file of its state and the outputs text and map."""

    name: str
    directory: Path
    state: Path


@dataclass
class Tree:
    """A repository being written: its folder, the user's home, and the user's environment.

    `everywhere` is what each stack has in its configuration, such as a variable that is set on the
    command line: Terraform refuses a stack that does not declare it.
    """

    root: Path
    home: Path
    env: dict[str, str] = field(default_factory=dict)
    everywhere: Configuration = field(default_factory=dict)

    def write(self, path: Path, text: str | bytes) -> Path:
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(text.encode() if isinstance(text, str) else text)
        return path


@dataclass
class Site:
    """A directory of Terraform files, of a stack or of a module, and the form's own number in it.

    `stack` is the directory of the root module. `configuration` and `extra_files` are written once
    every form has had its turn; `upstreams` are the stacks that exist already. `lexical` is what
    path.module leads to by its text alone, if that is not the directory.
    """

    tree: Tree
    stack: Path
    directory: Path
    upstreams: list[Upstream]
    name: str = ""
    configuration: Configuration = field(default_factory=dict)
    extra_files: dict[str, str] = field(default_factory=dict)
    reads: set[str] = field(default_factory=set)
    lexical: Path | None = None

    def block(self, kind: str, *labels: str, **body: Any) -> None:
        """Adds a block, or to the block of these labels."""
        content = self.configuration
        for key in (kind, *labels):
            content = content.setdefault(key, {})
        content.update(body)

    def raw(self, text: str) -> None:
        """Adds HCL that is not rendered, in a file of its own."""
        self.extra_files[f"{self.name}.tf"] = text

    def uses(self, expression: str | Expression, suffix: str = "") -> None:
        """Adds a resource that is planned again when the value of `expression` changes."""
        self.block("resource", "terraform_data", self.name + suffix, input=expression)

    def variable(self, default: Any, suffix: str = "") -> str:
        """Adds a variable with a default, and returns its name."""
        self.block("variable", self.name + suffix, default=default)
        return self.name + suffix

    def path(self, target: Path) -> str:
        """The path of `target`, relative to this directory."""
        return os.path.relpath(target, self.lexical or self.directory)

    def in_module(self, target: Path) -> str:
        return f"${{path.module}}/{self.path(target)}"

    def write(self, path: str, text: str | bytes = "one\n") -> Path:
        """Writes a file of the form's own, relative to this directory."""
        return self.tree.write(self.directory / path, text)

    @property
    def shared_folder(self) -> Path:
        return self.tree.root / "scripts" / self.name

    def shared(self, path: str, text: str = "one\n") -> Path:
        """Writes a file in a folder of the form's own, outside of every stack."""
        return self.tree.write(self.shared_folder / path, text)

    def upstream(self, number: int = -1) -> Upstream:
        """One of the stacks that exist already, which this one then reads."""
        chosen = self.upstreams[number]
        self.reads.add(chosen.name)
        return chosen


def file_changes(path: Path) -> Changes:
    """What may become of a file: some of it Terraform notices, some not."""
    return {
        "edit": lambda: path.write_bytes(path.read_bytes() + b"more\n"),
        "touch": lambda: os.utime(path, (1, 1)),
        "mode": lambda: path.chmod(path.stat().st_mode ^ stat.S_IXUSR),
        "delete": path.unlink,
    }


def replace(path: Path, old: str, new: str) -> Callable[[], object]:
    """A change of every `old` in a text file to `new`."""
    return lambda: path.write_bytes(path.read_bytes().replace(old.encode(), new.encode()))


def set_variable(env: dict[str, str], name: str, value: str) -> Callable[[], object]:
    return lambda: env.update({name: value})


def own(changes: Mapping[str, Callable[[], object]], prefix: str) -> Changes:
    return {f"{prefix}: {name}": change for name, change in changes.items()}
