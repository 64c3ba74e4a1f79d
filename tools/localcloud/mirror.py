"""A copy of a repository's files that is brought up to date, and whose own files stay."""

import json
import os
import shutil
import stat
import time
from collections.abc import Callable, Iterable, Mapping
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path

from tools.errors import UserError
from tools.system import files

NOTE = ".mirrored.json"  # in the copy
# In bytes. A state says its serial and lineage first, also if OpenTofu has encrypted it:
# https://github.com/hashicorp/terraform/blob/v1.11.4/internal/states/statefile/version4.go
# https://github.com/opentofu/opentofu/blob/v1.9.0/internal/encryption/state.go
_BEGINNING = 1024
# A file that is written again within a tick of the clock may keep its time:
# https://git-scm.com/docs/racy-git
_DOUBTFUL_SECONDS = 2

# Of a file and of its copy, when they were the same: sizes, times and the file's number.
Signature = list[int]


@dataclass
class Note:
    """What a copy has of a repository: the files, and the `roots`, directories with a state."""

    files: Mapping[str, Signature]
    roots: list[str]

    @classmethod
    def read(cls, copy: Path) -> "Note":
        """Returns the note in `copy`, an empty one if there is none."""
        try:
            note = json.loads((copy / NOTE).read_text())
            return cls(dict(note["files"]), list(note["roots"]))
        except (OSError, ValueError, KeyError, TypeError):
            return cls({}, [])

    def write(self, copy: Path) -> None:
        """Writes the note into `copy`. Raises UserError if the disk refuses."""
        files.write_if_new(copy / NOTE, json.dumps({"files": self.files, "roots": self.roots}))


def update(
    copy: Path,
    paths: Mapping[str, Path],
    before: Mapping[str, Signature],
    is_own: Callable[[str], bool],
    kept: Iterable[str],
) -> dict[str, Signature]:
    """Copies `paths`, name to path, to `copy`, and returns what is to be noted as `before`.

    Removes what was copied before and is not among them, except in the directories `kept` and where
    `is_own` says that it is the copy's own by now. A state is not copied, whatever its name.
    Raises UserError if a file cannot be read, or the copy cannot be written.
    """
    prefixes = tuple(f"{name}/" for name in kept)
    gone = [name for name in before if name not in paths]
    noted = {name: before[name] for name in gone if name.startswith(prefixes)}
    for name in gone:
        if name not in noted and not is_own(name):
            _remove(copy, name)
    for name, path in paths.items():
        signature = before.get(name)
        if not signature or signature != _signature(path, f"{copy}/{name}"):
            signature = _copy(path, copy / name)
        if signature is not None:
            noted[name] = signature
    return noted


def _copy(path: Path, target: Path) -> Signature | None:
    """Copies a file unless `target` is the same; returns None for what is not to be copied."""
    try:
        status = path.lstat()
    except FileNotFoundError:  # removed since it was listed: the next update removes its copy
        return []
    if stat.S_ISLNK(status.st_mode):
        link = path.readlink()
        if not (target.is_symlink() and target.readlink() == link):
            with files.replacing(target) as partial:
                partial.symlink_to(link)
        return []
    if not stat.S_ISREG(status.st_mode):
        return None
    with files.explain_unreadable(path):
        with path.open("rb") as file:
            beginning = file.read(_BEGINNING)
        if is_state(beginning):
            return None
        is_same = _is_same(path, target)
    if not is_same:
        with files.replacing(target) as partial:
            shutil.copy(path, partial)
    is_doubtful = status.st_ctime > time.time() - _DOUBTFUL_SECONDS
    return [] if is_doubtful else _signature(path, target)


def is_state(beginning: bytes) -> bool:
    """Whether a file that begins so is a state."""
    return beginning.lstrip()[:1] == b"{" and b'"lineage"' in beginning and b'"serial"' in beginning


def _is_same(path: Path, target: Path) -> bool:
    if target.is_symlink() or not target.is_file():
        return False
    return target.stat().st_size == path.stat().st_size and target.read_bytes() == path.read_bytes()


def _signature(path: str | Path, target: str | Path) -> Signature:
    """What is noted of a file and its copy; nothing if one of them is missing."""
    signature = []
    for file in (path, target):
        try:
            status = os.lstat(file)  # a Path's own costs several times as much
        except OSError:
            return []
        signature += [status.st_size, status.st_mtime_ns, status.st_ctime_ns, status.st_ino]
    return signature


def _remove(copy: Path, name: str) -> None:
    """Removes a file, and the folders that are empty without it.

    A folder stays: an update that was interrupted has put it in the place of the file.
    Raises UserError if the file cannot be removed.
    """
    path = copy / name
    if path.is_dir() and not path.is_symlink():
        return
    try:
        path.unlink(missing_ok=True)
    except NotADirectoryError:  # the other way round: a file in the place of its folder
        return
    except OSError as error:
        raise UserError(f"cannot remove {path}: {files.explain(error)}") from None
    with suppress(OSError):
        for folder in path.parents:
            if folder == copy:
                return
            folder.rmdir()
