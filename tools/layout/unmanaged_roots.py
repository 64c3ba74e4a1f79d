"""Root modules that are no stacks, in the folders of the stacks and elsewhere."""

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


def find_elsewhere(root: Path, stacks: Iterable[Stack]) -> list[Unmanaged]:
    """What `find_unmanaged` does not look at, and holds Terraform's or OpenTofu's files.

    Modules are among them: only a state tells a root module apart. Links to folders in the
    repository are followed. Hidden folders are left out, unless a link leads to one.
    """
    neighbours = next((stack.neighbours for stack in stacks), None)
    reason = f"stacks lie in {' and '.join(FOLDERS)}"
    return [
        Unmanaged(Stack(root, name, neighbours), reason)
        for name in (".", *_elsewhere(root, "", set(), is_linked=False))
        if files.holds_root(root / name)
    ]


def _elsewhere(root: Path, parent: str, seen: set[Path], is_linked: bool) -> Iterator[str]:
    """The folders below `parent`, each once, but for what `find_directories` has."""
    for folder, is_link in _subfolders(root / parent):
        name = f"{parent}/{folder}" if parent else folder
        real = (root / name).resolve()
        if folder.startswith(".") or real in seen or not real.is_relative_to(root.resolve()):
            continue
        seen.add(real)
        if is_linked or is_link or name.split("/")[0] not in FOLDERS:
            yield name
        yield from _elsewhere(root, name, seen, is_linked or is_link)


def _directories(root: Path, parent: str, depth: int) -> Iterator[Directory]:
    for name, is_link in _subfolders(root / parent):
        if name in _SKIPPED:
            continue
        yield Directory(f"{parent}/{name}", is_link)
        if not is_link and depth < _DEEPEST:
            yield from _directories(root, f"{parent}/{name}", depth + 1)


def _subfolders(directory: Path) -> list[tuple[str, bool]]:
    """The names of the folders in `directory`, sorted, each with whether it is a symbolic link."""
    try:
        with os.scandir(directory) as entries:
            return sorted((e.name, e.is_symlink()) for e in entries if files.is_directory(e))
    except OSError:
        return []


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
