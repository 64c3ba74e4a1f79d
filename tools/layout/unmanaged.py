"""Root modules in the folders of the stacks that are no stacks."""

import os
from collections.abc import Collection, Iterable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import NamedTuple

from tools.layout import files
from tools.layout.neighbours import FOLDERS
from tools.layout.stack import Stack

_DEEPEST = 20  # folders below shared-infra or notebooks
_SKIPPED = {".terraform", ".git"}


@dataclass(frozen=True)
class Unmanaged:
    """A root module that is no stack, and why. `stack` reads its files, under its path as name."""

    stack: Stack
    reason: str


class Directory(NamedTuple):
    """A directory by its path in the repository."""

    name: str
    is_link: bool = False


def find_directories(root: Path) -> list[Directory]:
    """The folders of the stacks and the directories in them, however deep.

    A symbolic link is among them, and what it leads to is not followed.
    """
    return [d for f in FOLDERS for d in (Directory(f), *_directories(root, f, 1))]


def find_unmanaged(
    root: Path, stacks: Collection[Stack], directories: Iterable[Directory]
) -> list[Unmanaged]:
    """What Terraform or OpenTofu would take for a root module and is none of `stacks`, sorted.

    `directories` are those of `find_directories`. Modules that stacks call are left out.
    """
    known = {stack.name: stack for stack in stacks}
    neighbours = next((stack.neighbours for stack in stacks), None)
    modules: dict[str, set[str]] = {}
    unmanaged = []
    for name, is_link in directories:
        if name in known or not files.holds_root(root / name):
            continue
        owner = known.get("/".join(name.split("/")[:2]))
        if owner and not is_link:
            if owner.name not in modules:
                modules[owner.name] = {str(path) for path in owner.module_folders()[0]}
            if str(root / name) in modules[owner.name]:
                continue
        unmanaged.append(Unmanaged(Stack(root, name, neighbours), _reason(root / name, name)))
    return unmanaged


def _directories(root: Path, parent: str, depth: int) -> Iterator[Directory]:
    try:
        with os.scandir(root / parent) as entries:
            inside = sorted((e.name, e.is_symlink()) for e in entries if e.is_dir())
    except OSError:
        return
    for name, is_link in inside:
        if name in _SKIPPED:
            continue
        yield Directory(f"{parent}/{name}", is_link)
        if not is_link and depth < _DEEPEST:
            yield from _directories(root, f"{parent}/{name}", depth + 1)


def _reason(path: Path, name: str) -> str:
    folder, *parts = name.split("/")
    if not parts:
        return f"the directories in {folder} are stacks, and it is none itself"
    if path.is_symlink():
        return f"a symbolic link to {os.readlink(path)}"  # noqa: PTH115 - as it is written
    if len(parts) > 1:
        return f"stacks lie directly in {folder}"
    if parts[0].startswith("."):
        return "its name begins with a dot"
    return "only OpenTofu reads its files, and Terraform is used"
