"""Merges what an owner changed into a newer template: three ways, part by part.

Not line by line, as the usual tools do: templates move blocks from file to file, and `terraform
fmt` aligns lines anew when their neighbour changes (docs/decisions/0024).
"""

import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field

from tools.errors import UserError
from tools.hcl import parts
from tools.hcl.parts import Part
from tools.hcl.syntax import UnreadableError

Files = Mapping[str, str]


@dataclass(frozen=True)
class Conflict:
    """What cannot be merged: the owner's file, its lines in words, and why."""

    file: str
    lines: str
    why: str

    def __str__(self) -> str:
        return f"{self.file}, {self.lines}: {self.why}"


@dataclass
class Merged:
    """The files after a merge. `kept` are the owner's own changes that are in it, in words.

    `conflicts` is empty if everything fits.
    """

    files: dict[str, str] = field(default_factory=dict)
    kept: list[str] = field(default_factory=list)
    conflicts: list[Conflict] = field(default_factory=list)


@dataclass(frozen=True)
class _Side:
    """One of the three sides: its files, and its parts by key, each with its file."""

    files: Files
    parts: Mapping[str, tuple[str, Part]]

    @classmethod
    def read(cls, files: Files) -> "_Side":
        return cls(files, {part.key: (file, part) for file, part in _read(files)})

    def get(self, key: str) -> Part | None:
        found = self.parts.get(key)
        return found[1] if found else None

    def keys_before(self, key: str) -> list[str]:
        """The keys before a part in its file, the nearest first."""
        file, part = self.parts[key]
        before = [k for k, (f, p) in self.parts.items() if f == file and p.start < part.start]
        return before[::-1]


def _read(files: Files) -> Iterator[tuple[str, Part]]:
    for file, text in files.items():
        try:
            for part in parts.split(text):
                yield file, part
        except UnreadableError as error:
            raise UserError(f"{file}: {error}") from None


def likeness(one: Files, other: Files) -> float:
    """How many of the parts of `other` are in `one` as they are, from 0 to 1; 0.5 by name alone."""
    mine, theirs = _Side.read(one), _Side.read(other)
    found = 0.0
    for key, (_, part) in theirs.parts.items():
        if own := mine.get(key):
            found += 1 if own.is_same(part) else 0.5
    return found / max(1, len(theirs.parts))


def merge(base: Files, mine: Files, new: Files, others: Files | None = None) -> Merged:
    """Merges the changes from `base` to `mine`, which are the owner's, into `new`.

    `others` are files beside them that stay as they are; what they refer to has to stay too. All
    are files by name. Raises UserError for a file that is not HCL that can be read here.
    """
    old, own, others = _Side.read(base), _Side.read(mine), others or {}
    merged = _Merge(old, own, _Side.read(new)).merge()
    if not merged.conflicts:
        merged.conflicts = list(_lost_references(old, own, merged.files, others))
    return merged


def _lost_references(base: _Side, mine: _Side, merged: Files, others: Files) -> Iterator[Conflict]:
    """What the owner wrote and what refers to something that is gone."""
    in_json = {name: text for name, text in others.items() if name.endswith(".json")}
    in_hcl = {name: text for name, text in others.items() if name not in in_json}
    now = list(_read({**in_hcl, **merged}))
    gone = {parts.declared(key) for key in {*base.parts, *mine.parts} - {p.key for _, p in now}}
    for file, text in in_json.items():
        for name in sorted(gone):
            # Wherever it stands: rather refused than lost.
            if found := re.search(rf"(?<![\w.-]){re.escape(name)}(?![\w-])", text):
                line = f"line {text.count(chr(10), 0, found.start()) + 1}"
                yield Conflict(file, line, f"it refers to {name}, which the new layout lacks")
    for file, part in now:
        own_file, own = mine.parts.get(part.key, (file, part))
        for name in sorted(parts.references(part.text) & gone):
            yield Conflict(own_file, own.lines, f"it refers to {name}, which the new layout lacks")


class _Merge:
    def __init__(self, base: _Side, mine: _Side, new: _Side) -> None:
        self.base, self.mine, self.new = base, mine, new
        self.merged = Merged()
        # Of each new file: what replaces the text from one place to another.
        self.edits: dict[str, list[tuple[int, int, str]]] = {file: [] for file in new.files}
        self.leftover: dict[str, list[str]] = {}

    def merge(self) -> Merged:
        for key in self.new.parts:
            self._merge_part(key)
        for key, (file, part) in self.mine.parts.items():
            if key in self.new.parts:
                continue
            original = self.base.get(key)
            if original is None:
                self._add(key)
            elif not original.is_same(part):
                self._fail(file, part, f"you changed {key}, which the new layout does not have")
        for file, text in self.new.files.items():
            for start, end, replacement in sorted(self.edits[file], reverse=True):
                text = text[:start] + replacement + text[end:]
            self.merged.files[file] = text
        for file, texts in self.leftover.items():
            before = self.merged.files.get(file, "").rstrip("\n")
            blocks = [*([before] if before else []), *(text.strip("\n") for text in texts)]
            self.merged.files[file] = "\n\n".join(blocks) + "\n"
        return self.merged

    def _merge_part(self, key: str) -> None:
        file, new = self.new.parts[key]
        base, mine = self.base.get(key), self.mine.get(key)
        if mine is None:
            if base is not None and base.is_same(new):
                self._replace(file, new, "")
                self._keep(f"{key} (removed)")
            elif base is not None and not key.startswith("comment "):
                where, part = self.base.parts[key]
                self._fail(where, part, f"you removed {key}, which the new template changes")
            return
        if mine.is_same(new) or (base is not None and base.is_same(mine)):
            return
        if base is not None and base.is_same(new):
            self._replace(file, new, mine.text)
            self._keep(key)
            return
        if base is not None and base.body and mine.body and new.body:
            self._merge_bodies(key, base, mine, new)
            return
        verb = "changed" if base else "added"
        self._fail(self.mine.parts[key][0], mine, f"you {verb} {key}, and so does the template")

    def _merge_bodies(self, key: str, base: Part, mine: Part, new: Part) -> None:
        own_file = self.mine.parts[key][0]
        sides = [_Side.read({own_file: _body(part)}) for part in (base, mine, new)]
        inner = _Merge(*sides).merge()
        first = mine.line + mine.text.count("\n", 0, mine.body[0] - mine.start if mine.body else 0)
        for conflict in inner.conflicts:
            words = conflict.lines.split()
            lines = " ".join(str(int(w) + first - 1) if w.isdigit() else w for w in words)
            self.merged.conflicts.append(Conflict(own_file, lines, f"{key}: {conflict.why}"))
        if not new.body:
            return
        text = inner.files[own_file]
        self.edits[self.new.parts[key][0]].append((new.body[0], new.body[1], text))
        self.merged.kept += [f"{key}: {kept}" for kept in inner.kept]

    def _replace(self, file: str, part: Part, text: str) -> None:
        self.edits[file].append((part.start, part.end, text))

    def _add(self, key: str) -> None:
        """Puts a part of the owner's behind the one that it stands behind today, if it can."""
        file, part = self.mine.parts[key]
        # A comment by itself begins with the empty lines before it.
        text = part.text.strip("\n") + "\n"
        self._keep(key)
        for before in self.mine.keys_before(key):
            found = self.new.parts.get(before)
            is_local = before.startswith("local.")
            if found and found[0] == file and is_local == key.startswith("local."):
                separator = "\n" if part.body or not part.text.startswith((" ", "\t")) else ""
                self.edits[file].append((found[1].end, found[1].end, separator + text))
                return
            if key.startswith("local.") and not before.startswith(("local.", "comment ")):
                break  # in a `locals` block of its own
        if key.startswith("local."):
            text = f"locals {{\n{text}}}\n"
        if not key.startswith("comment ") or file in self.new.files:
            self.leftover.setdefault(file, []).append(text)

    def _keep(self, key: str) -> None:
        if not key.startswith("comment "):
            self.merged.kept.append(key)

    def _fail(self, file: str, part: Part, why: str) -> None:
        self.merged.conflicts.append(Conflict(file, part.lines, why))


def _body(part: Part) -> str:
    assert part.body
    return part.text[part.body[0] - part.start : part.body[1] - part.start]
