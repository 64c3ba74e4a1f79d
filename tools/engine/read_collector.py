"""Collects the files that a plan of a stack reads, and the reasons why there may be more."""

import posixpath
import re
import unicodedata
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path

from tools.engine.file_digests import FileDigests, UncountableError
from tools.engine.module_scope import ModuleReferences
from tools.hcl.file_references import FileReferences
from tools.hcl.scanning import LOCK_FILE
from tools.layout.contents import SAVED_BACKEND

_GLOB = re.compile(r"[*?\[{]")
# What Terraform and this program write in a stack's directory.
_WRITTEN = (
    "terraform.tfstate",
    "terraform.tfstate.backup",
    "terraform.tfstate.record.json",
    ".terraform.tfstate.lock.info",
    LOCK_FILE,
    SAVED_BACKEND,
    ".terraform/initialized.json",
    ".terraform/modules/modules.json",
    "errored.tfstate",
)
NO_REFERENCES = ModuleReferences({}, {}, {}, {})


@dataclass
class FileReads:
    """What a stack's plan reads: path to digest.

    `named` are those of the files that an expression names, by a path or a folder; the others only
    lie in the folder of a module, where a program that it starts may read them. `unknown` are
    reasons why there may be more. `configuration` are the files of configuration among them, `root`
    is what those of the root module say, and `values` are the contents of the files of values.
    `modules` are what the modules that the root calls say, by the calls' names. `by_outputs` is the
    first thing whose path holds outputs of other stacks that are not known. `secrets` are the
    root's variables that a module has in a sensitive variable of its own.
    """

    root: ModuleReferences
    modules: dict[str, ModuleReferences] = field(default_factory=dict)
    files: dict[str, str] = field(default_factory=dict)
    named: set[str] = field(default_factory=set)
    unknown: dict[str, None] = field(default_factory=dict)
    configuration: dict[str, FileReferences] = field(default_factory=dict)
    values: dict[str, bytes] = field(default_factory=dict)
    by_outputs: str = ""
    secrets: set[str] = field(default_factory=set)


class ReadCollector:
    """Collects what the stack whose directory is `cwd` reads. Paths are relative to it.

    `states` are files that an apply of it writes, besides those of Terraform's own names; `home` is
    the user's, which "~" stands for.
    """

    def __init__(self, digests: FileDigests, cwd: str, states: frozenset[str], home: str) -> None:
        self.digests = digests
        self.cwd = cwd
        self.home = home
        self.written = states | {f"{cwd}/{name}" for name in _WRITTEN}
        self.reads = FileReads(NO_REFERENCES)
        self.partial = ""  # the first thing whose path is known in part
        self.asked: list[str] = []  # the absolute paths that were looked at

    def merge(self, other: "ReadCollector") -> None:
        """Takes in what `other` has collected."""
        self.reads.files.update(other.reads.files)
        self.reads.named |= other.reads.named
        self.reads.unknown.update(other.reads.unknown)
        self.reads.configuration.update(other.reads.configuration)
        self.partial = self.partial or other.partial
        self.reads.by_outputs = self.reads.by_outputs or other.reads.by_outputs
        self.asked += other.asked

    def doubt(self, reason: str) -> None:
        """Notes why the plan may read something else."""
        self.reads.unknown[reason] = None

    def add_file(self, path: str, what: str) -> bool:
        """Takes in the file `path`; returns whether there is one that can be read."""
        try:
            digest = self.digests.file(path)
        except UncountableError as error:
            self.doubt(f"{what}, which {error}")
            return False
        if digest and path in self.written:
            self.doubt(f"{what}, which each apply changes")
        elif digest:
            self.take({path: digest})
        return digest is not None

    def take(self, files: Mapping[str, str]) -> None:
        """Takes in files that an expression names."""
        self.reads.files.update(files)
        self.reads.named.update(files)

    def add_folder(self, path: str, what: str, deep: bool = True) -> list[str]:
        """Takes in every file below `path`, or only in it, and returns them."""
        if not Path(path).is_dir():
            return []
        skipped_folder = f"{self.cwd}/.terraform"
        try:
            folder = self.digests.folder(
                path, True, deep, skipped_folder if is_below(skipped_folder, path) else ""
            )
        except UncountableError as error:
            self.doubt(f"{what}: the folder {path}, which {error}")
            return []
        self.take(folder.files)
        return list(folder.files)

    def absolute(self, path: str) -> str:
        """The place of a path as Terraform's functions take it: "~" is the user's home."""
        # As Terraform has every text: https://developer.hashicorp.com/terraform/language/expressions/strings
        path = unicodedata.normalize("NFC", path)
        if self.home and (path == "~" or path.startswith("~/")):
            path = self.home + path[1:]
        self.asked.append(posixpath.normpath(posixpath.join(self.cwd, path)))
        return self.asked[-1]

    def add_set(
        self, path: str, is_whole: bool, pattern: str, is_pattern_whole: bool, what: str
    ) -> None:
        """Takes in the folder of a fileset(), or the one with which its path begins."""
        if not is_whole or not is_pattern_whole:
            self.partial = self.partial or what
        beginning = path if is_whole else posixpath.dirname(path)
        glob = _GLOB.search(pattern)
        fixed = pattern[: glob.start()] if glob else pattern
        below = posixpath.dirname(fixed) if is_whole else ""
        folder = self.absolute(posixpath.join(beginning or ".", below))
        is_certain = is_whole and is_pattern_whole
        rest = pattern[len(below) :].lstrip("/")
        self.add_folder(folder, what, not is_certain or "/" in rest or "**" in rest)
        matches = glob_pattern(folder, rest) if is_certain else None
        written = (
            f for f in self.written if (matches.fullmatch(f) if matches else is_below(f, folder))
        )
        if next(written, None):
            self.doubt(f"{what} lists what Terraform writes beside it")


def is_below(path: str, folder: str) -> bool:
    """Whether `path` is `folder` or lies in it."""
    return path == folder or path.startswith(folder.rstrip("/") + "/")


def glob_pattern(folder: str, pattern: str) -> re.Pattern[str] | None:
    """The paths that fileset() finds: https://pkg.go.dev/github.com/bmatcuk/doublestar"""
    parts = re.split(r"(\*\*/|\*\*|\*|\?|\[[^]]*\]|[{},])", pattern)
    known = {"**/": "(?:.*/)?", "**": ".*", "*": "[^/]*", "?": "[^/]", "{": "(?:", "}": ")"}
    depth, text = 0, ""
    for part in parts:
        depth += (part == "{") - (part == "}")
        if part == "," and depth:
            text += "|"
        elif part[:1] == "[":
            text += "[^/]"  # whichever it is
        else:
            text += known.get(part) or re.escape(part)
    try:
        return re.compile(f"{re.escape(folder)}/{text}")
    except re.error:
        return None
