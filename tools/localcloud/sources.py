"""Which files of a repository belong in the local cloud's copy of it.

They are those that git tracks or would track, so that whatever the stacks read in the repository is
there, and all in the folders that Terraform works in, since git often ignores values. States, lock
files and what Terraform keeps are never among them.
"""

import os
import posixpath
import stat
from collections.abc import Callable, Collection, Iterator
from dataclasses import dataclass
from pathlib import Path

from tools import SCRATCH
from tools.hcl.scanning import LOCK_FILE
from tools.system import git

_NEVER_IN = frozenset((".git", ".hg", ".svn", ".terraform"))
_MISSING = 0  # the mode of no file


@dataclass(frozen=True)
class Sources:
    """The files of the repository `root` that belong in a copy.

    A name is a path relative to `root`, with slashes. `folders` are those that Terraform works in.
    Names for which `is_own` is true are the copy's own.
    """

    root: Path
    folders: Collection[str]
    is_own: Callable[[str], bool]

    def paths(self) -> dict[str, Path]:
        """Returns name to path, sorted. A path is a link only if the copy is to have the link."""
        modes = {name: self._mode(name) for name in self._names()}
        # Another repository in this one:
        for top in [name for name, mode in modes.items() if stat.S_ISDIR(mode)]:
            modes |= {name: self._mode(name) for name in self._walk(top)}
        paths = {
            name: self.root / name
            for name, mode in modes.items()
            if mode != _MISSING and not stat.S_ISDIR(mode)
        }
        links = [name for name in paths if stat.S_ISLNK(modes[name])]
        inside = {*paths, *_folders_of(paths)} if links else set()
        for name in links:
            if not self._stays_inside(name, inside):
                paths |= self._behind(name, paths.pop(name))
        return dict(sorted(paths.items()))

    def _mode(self, name: str) -> int:
        try:
            return os.lstat(f"{self.root}/{name}").st_mode
        except OSError:  # removed, and still in git's index
            return _MISSING

    def _names(self) -> Iterator[str]:
        listed = _listed_by_git(self.root)
        if listed is None:
            yield from self._walk("", hidden_in=self.folders)
            return
        yield from (name.rstrip("/") for name in listed if self._belongs(name.rstrip("/")))
        for folder in self.folders:
            yield from self._walk(folder)

    def _walk(self, top: str, hidden_in: Collection[str] = ()) -> Iterator[str]:
        """Yields the names below `top`, without hidden folders except in those of `hidden_in`."""
        for folder, folders, names in os.walk(self.root / top):
            inner = os.path.relpath(folder, self.root)
            prefix = "" if inner == "." else f"{inner}/"
            with_hidden = prefix.split("/")[0] in hidden_in
            links = [name for name in folders if Path(folder, name).is_symlink()]
            folders[:] = [
                name
                for name in folders
                if name not in links
                and (with_hidden or name[0] != ".")
                and self._belongs(f"{prefix}{name}/")
                and not Path(folder, name, "pyvenv.cfg").exists()
            ]
            yield from (prefix + name for name in (*names, *links) if self._belongs(prefix + name))

    def _belongs(self, name: str) -> bool:
        *folders, last = name.split("/")
        return not (
            ".tfstate" in last
            or last == LOCK_FILE
            or name == SCRATCH
            or (folders and (folders[0] == SCRATCH or not _NEVER_IN.isdisjoint(folders)))
            or self.is_own(name)
        )

    def _stays_inside(self, name: str, inside: Collection[str]) -> bool:
        """Whether a link leads to the copy of what it leads to here, or nowhere."""
        path = self.root / name
        target = str(path.readlink())
        leads_to = posixpath.normpath(posixpath.join(posixpath.dirname(name), target))
        is_copied = leads_to in inside or self.is_own(leads_to)
        return is_copied or not path.exists()

    def _behind(self, name: str, link: Path) -> dict[str, Path]:
        """The files behind a link, which would lead out of the copy.

        There Terraform would write the local cloud's state into the directory itself.
        """
        if not link.is_dir():
            return {name: link.resolve()}
        behind: dict[str, Path] = {}
        seen: set[str] = set()
        for folder, folders, names in os.walk(link, followlinks=True):
            real = os.path.realpath(folder)
            if real in seen:
                folders.clear()
                continue
            seen.add(real)
            inner = os.path.relpath(folder, link)
            prefix = f"{name}/" if inner == "." else f"{name}/{inner}/"
            folders[:] = [
                subfolder for subfolder in folders if self._belongs(f"{prefix}{subfolder}/")
            ]
            for last in names:
                if self._belongs(prefix + last):
                    behind[prefix + last] = Path(folder, last).resolve()
        return behind


def _listed_by_git(root: Path) -> list[str] | None:
    """What git tracks or would track below `root`, or None if it does not look after it."""
    listing = git.ask(root, "ls-files", "-z", "--cached", "--others", "--exclude-standard")
    # It lists nothing in a folder that it ignores as a whole.
    names = os.fsdecode(listing or b"").split("\0")[:-1]
    return names or None


def _folders_of(names: Collection[str]) -> set[str]:
    folders: set[str] = set()
    for name in names:
        while (name := posixpath.dirname(name)) and name not in folders:
            folders.add(name)
    return folders
