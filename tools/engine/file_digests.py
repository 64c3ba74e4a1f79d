"""Digests of files and folders that a plan reads, each read once."""

import hashlib
import os
import re
import stat
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path

from tools.hcl import file_references
from tools.hcl.file_references import FileReferences
from tools.hcl.scanning import CONFIGURATION_ENDINGS
from tools.layout.files import config_names

_VALUES = (".tfvars", ".tfvars.json")
# A folder beyond these is not counted file by file at each run.
_MOST_FILES = 10_000
_MOST_BYTES = 200_000_000
# What is in them is no user's file, and may wait for ever for its reader.
_SYSTEM_FOLDERS = ("/dev", "/proc", "/sys")
# Folders that programs write, at any depth.
_OF_PROGRAMS = (".git", ".terraform", ".tools")
_CRASH_LOG = re.compile(r"crash(\..*)?\.log")


class UncountableError(Exception):
    """What is at a path cannot be counted; the message completes "... reads X, which"."""


@dataclass(frozen=True)
class Folder:
    """The files of a folder and of those in it: path to digest.

    `configuration` are those that lie in it directly and are read as configuration, and `values`
    the content of those that are read as values.
    """

    files: dict[str, str] = field(default_factory=dict)
    configuration: dict[str, FileReferences] = field(default_factory=dict)
    values: dict[str, bytes] = field(default_factory=dict)


@dataclass
class FileDigests:
    """Reads files and folders, each once. Paths are absolute.

    `tofu` says that OpenTofu reads them, which other files are configuration for.
    """

    tofu: bool = False
    _folders: dict[tuple[str, bool, bool, str], Folder] = field(default_factory=dict)
    _files: dict[str, str | None] = field(default_factory=dict)
    _file_refs: dict[str, FileReferences] = field(default_factory=dict)

    def file(self, path: str) -> str | None:
        """Returns the digest of the file `path`, or None if there is none.

        Raises UncountableError for what is no regular file, or is far too large.
        """
        if path not in self._files:
            self._files[path] = _read_file(path)
        return self._files[path]

    def folder(self, path: str, hidden: bool = False, deep: bool = True, but: str = "") -> Folder:
        """Returns the files below `path`, or, without `deep`, in it; none of those below `but`.

        With `hidden`, all of them; otherwise names with a leading dot are left out, but for values,
        and so is what Terraform and this program write. Raises UncountableError if there is too
        much.
        """
        key = (path, hidden, deep, but)
        if key not in self._folders:
            _refuse_system_folder(path)
            self._folders[key] = self._read_folder(*key)
        return self._folders[key]

    def _read_folder(self, path: str, hidden: bool, deep: bool, but: str) -> Folder:
        folder, size = Folder(), 0
        for file in _walk(path, hidden, deep, but):
            content = _read(file)
            size += len(content)
            if len(folder.files) == _MOST_FILES or size > _MOST_BYTES:
                limit = f"{_MOST_FILES:,} files or {_MOST_BYTES // 1_000_000} MB"
                raise UncountableError(f"holds more than {limit}")
            digest = folder.files[file] = digest_of(content)
            if file.endswith(CONFIGURATION_ENDINGS) and _is_in(file, path):
                if digest not in self._file_refs:
                    self._file_refs[digest] = file_references.read_references(
                        content, file.endswith(".json")
                    )
                folder.configuration[file] = self._file_refs[digest]
            elif file.endswith(_VALUES) and _is_in(file, path):
                folder.values[file] = content
        for file in folder.configuration.keys() - config_names(folder.configuration, self.tofu):
            del folder.configuration[file]
        return folder


def digest_of(content: bytes) -> str:
    """Returns the digest of `content`, as records have it."""
    return hashlib.sha256(content).hexdigest()[:32]


def is_left_out(name: str) -> bool:
    """Whether a file or folder called `name` is hidden, or written by Terraform or this program."""
    if name[0] == ".":
        return not name.endswith((".auto.tfvars", ".auto.tfvars.json"))
    if name.endswith((*CONFIGURATION_ENDINGS, *_VALUES)):
        return False
    return (
        ".tfstate" in name
        or name.endswith((".tfplan", ".pyc"))
        or name == "__pycache__"
        or _CRASH_LOG.fullmatch(name) is not None
    )


def _is_in(file: str, directory: str) -> bool:
    return "/" not in file[len(directory) + 1 :]


def _walk(folder: str, hidden: bool, deep: bool, but: str) -> Iterator[str]:
    """The regular files below `folder`, through links too, without an order."""
    folders = [folder]
    for folder in folders:
        try:
            entries = list(os.scandir(folder))
        except OSError as error:
            raise UncountableError(f"cannot be read ({error.strerror}: {error.filename})") from None
        for entry in entries:
            if (not hidden and is_left_out(entry.name)) or entry.path == but:
                continue
            kind = _kind(entry)
            if kind == "file":
                yield entry.path
            elif kind == "folder" and deep:
                if entry.name in _OF_PROGRAMS:
                    raise UncountableError(f"holds {entry.name}, which changes by itself")
                folders.append(entry.path)
            elif kind == "other" and hidden:
                raise UncountableError(f"holds {entry.name}, which is no regular file")
        if len(folders) > _MOST_FILES:
            raise UncountableError(f"holds more than {_MOST_FILES:,} folders")


def _kind(entry: "os.DirEntry[str]") -> str:
    """What an entry is, or leads to: "file", "folder", "nothing" or "other"."""
    try:
        if entry.is_file():
            return "file"
        if entry.is_dir():
            return "folder"
    except OSError:  # a link in a circle
        return "nothing"
    return "nothing" if entry.is_symlink() else "other"


def _read_file(path: str) -> str | None:
    try:
        status = Path(path).stat()
    except (OSError, ValueError):  # ValueError: a null character
        return None
    if not stat.S_ISREG(status.st_mode):
        if stat.S_ISDIR(status.st_mode):
            return None  # Terraform refuses it
        raise UncountableError("is no regular file")
    _refuse_system_folder(path)
    if status.st_size > _MOST_BYTES:
        raise UncountableError(f"is larger than {_MOST_BYTES // 1_000_000} MB")
    return digest_of(_read(path))


def _read(path: str) -> bytes:
    try:
        with open(path, "rb", buffering=0) as stream:  # noqa: PTH123 - half of Path.open's time
            return stream.read()
    except OSError as error:
        raise UncountableError(f"cannot be read ({error.strerror}: {path})") from None


def _refuse_system_folder(path: str) -> None:
    real = os.path.realpath(path)
    if any(f"{real}/".startswith(f"{folder}/") for folder in _SYSTEM_FOLDERS):
        raise UncountableError("belongs to the operating system")
