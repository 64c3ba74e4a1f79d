"""Merges what an owner changed into a newer template: three ways, element by element.

Not line by line, as the usual tools do: templates move blocks from file to file, and `terraform
fmt` aligns lines again when their neighbour changes (docs/decisions/0024).
"""

import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field

from tools.errors import UserError
from tools.hcl import elements
from tools.hcl.elements import Element
from tools.hcl.syntax import UnreadableError

Files = Mapping[str, str]


@dataclass(frozen=True)
class MergeConflict:
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
    conflicts: list[MergeConflict] = field(default_factory=list)


@dataclass(frozen=True)
class _Side:
    """One of the three sides: its files, and its elements by key, each with its file."""

    files: Files
    elements: Mapping[str, tuple[str, Element]]

    @classmethod
    def read(cls, files: Files) -> "_Side":
        return cls(files, {element.key: (file, element) for file, element in _read(files)})

    def get(self, key: str) -> Element | None:
        entry = self.elements.get(key)
        return entry[1] if entry else None

    def keys_before(self, key: str) -> list[str]:
        """The keys before an element in its file, the nearest first."""
        file, element = self.elements[key]
        keys = [k for k, (f, p) in self.elements.items() if f == file and p.start < element.start]
        return keys[::-1]


def _read(files: Files) -> Iterator[tuple[str, Element]]:
    for file, text in files.items():
        try:
            for element in elements.split(text):
                yield file, element
        except UnreadableError as error:
            raise UserError(f"{file}: {error}") from None


def likeness(files: Files, other_files: Files) -> float:
    """The share of the elements of `other_files` that `files` have too, from 0 to 1.

    An element that only has the same name counts half.
    """
    side, other_side = _Side.read(files), _Side.read(other_files)
    score = 0.0
    for key, (_, element) in other_side.elements.items():
        if counterpart := side.get(key):
            score += 1 if counterpart.is_same(element) else 0.5
    return score / max(1, len(other_side.elements))


def merge(
    base_files: Files, own_files: Files, new_files: Files, other_files: Files | None = None
) -> Merged:
    """Merges the changes from `base_files` to `own_files`, which are the owner's, into `new_files`.

    `other_files` are beside them and stay as they are; what they refer to has to stay too. All are
    files by name. Raises UserError for a file that is not HCL that can be read here.
    """
    base_side, own_side, other_files = (
        _Side.read(base_files),
        _Side.read(own_files),
        other_files or {},
    )
    result = _Merge(base_side, own_side, _Side.read(new_files)).merge()
    if not result.conflicts:
        result.conflicts = list(_lost_references(base_side, own_side, result.files, other_files))
    return result


def _lost_references(
    base_side: _Side, own_side: _Side, merged_files: Files, other_files: Files
) -> Iterator[MergeConflict]:
    """What the owner wrote and what refers to something that is gone."""
    in_json = {name: text for name, text in other_files.items() if name.endswith(".json")}
    in_hcl = {name: text for name, text in other_files.items() if name not in in_json}
    now = list(_read({**in_hcl, **merged_files}))
    gone = {
        elements.declared(key)
        for key in {*base_side.elements, *own_side.elements} - {p.key for _, p in now}
    }
    for file, text in in_json.items():
        for name in sorted(gone):
            # Wherever it stands: rather refused than lost.
            if match := re.search(rf"(?<![\w.-]){re.escape(name)}(?![\w-])", text):
                line = f"line {text.count(chr(10), 0, match.start()) + 1}"
                yield MergeConflict(file, line, f"it refers to {name}, which the new layout lacks")
    for file, element in now:
        own_file, own_element = own_side.elements.get(element.key, (file, element))
        for name in sorted(elements.references(element.text) & gone):
            yield MergeConflict(
                own_file, own_element.lines, f"it refers to {name}, which the new layout lacks"
            )


class _Merge:
    def __init__(self, base_side: _Side, own_side: _Side, new_side: _Side) -> None:
        self.base_side, self.own_side, self.new_side = base_side, own_side, new_side
        self.result = Merged()
        # Of each new file: what replaces the text from one place to another.
        self.edits: dict[str, list[tuple[int, int, str]]] = {file: [] for file in new_side.files}
        self.leftover: dict[str, list[str]] = {}

    def merge(self) -> Merged:
        for key in self.new_side.elements:
            self._merge_element(key)
        for key, (file, element) in self.own_side.elements.items():
            if key in self.new_side.elements:
                continue
            original = self.base_side.get(key)
            if original is None:
                self._add(key)
            elif not original.is_same(element):
                self._fail(file, element, f"you changed {key}, which the new layout does not have")
        for file, text in self.new_side.files.items():
            for start, end, replacement in sorted(self.edits[file], reverse=True):
                text = text[:start] + replacement + text[end:]
            self.result.files[file] = text
        for file, texts in self.leftover.items():
            text_before = self.result.files.get(file, "").rstrip("\n")
            blocks = [
                *([text_before] if text_before else []),
                *(text.strip("\n") for text in texts),
            ]
            self.result.files[file] = "\n\n".join(blocks) + "\n"
        return self.result

    def _merge_element(self, key: str) -> None:
        file, new_element = self.new_side.elements[key]
        base_element, own_element = self.base_side.get(key), self.own_side.get(key)
        if own_element is None:
            if base_element is not None and base_element.is_same(new_element):
                self._replace(file, new_element, "")
                self._keep(f"{key} (removed)")
            elif base_element is not None and not key.startswith("comment "):
                where, element = self.base_side.elements[key]
                self._fail(where, element, f"you removed {key}, which the new template changes")
            return
        if own_element.is_same(new_element) or (
            base_element is not None and base_element.is_same(own_element)
        ):
            return
        if base_element is not None and base_element.is_same(new_element):
            self._replace(file, new_element, own_element.text)
            self._keep(key)
            return
        if base_element is not None and base_element.body and own_element.body and new_element.body:
            self._merge_bodies(key, base_element, own_element, new_element)
            return
        verb = "changed" if base_element else "added"
        self._fail(
            self.own_side.elements[key][0],
            own_element,
            f"you {verb} {key}, and so does the template",
        )

    def _merge_bodies(
        self, key: str, base_element: Element, own_element: Element, new_element: Element
    ) -> None:
        own_file = self.own_side.elements[key][0]
        sides = [
            _Side.read({own_file: _body(element)})
            for element in (base_element, own_element, new_element)
        ]
        inner = _Merge(*sides).merge()
        first = own_element.line + own_element.text.count(
            "\n", 0, own_element.body[0] - own_element.start if own_element.body else 0
        )
        for conflict in inner.conflicts:
            words = conflict.lines.split()
            lines = " ".join(str(int(w) + first - 1) if w.isdigit() else w for w in words)
            self.result.conflicts.append(MergeConflict(own_file, lines, f"{key}: {conflict.why}"))
        assert new_element.body
        text = inner.files[own_file]
        self.edits[self.new_side.elements[key][0]].append(
            (new_element.body[0], new_element.body[1], text)
        )
        self.result.kept += [f"{key}: {what}" for what in inner.kept]

    def _replace(self, file: str, element: Element, text: str) -> None:
        self.edits[file].append((element.start, element.end, text))

    def _add(self, key: str) -> None:
        """Puts an element of the owner's behind the one that it stands behind today, if it can."""
        file, element = self.own_side.elements[key]
        # A comment by itself begins with the empty lines before it.
        text = element.text.strip("\n") + "\n"
        self._keep(key)
        for key_before in self.own_side.keys_before(key):
            neighbour = self.new_side.elements.get(key_before)
            is_local = key_before.startswith("local.")
            if neighbour and neighbour[0] == file and is_local == key.startswith("local."):
                separator = "\n" if element.body or not element.text.startswith((" ", "\t")) else ""
                self.edits[file].append((neighbour[1].end, neighbour[1].end, separator + text))
                return
            if key.startswith("local.") and not key_before.startswith(("local.", "comment ")):
                break  # in a `locals` block of its own
        if key.startswith("local."):
            text = f"locals {{\n{text}}}\n"
        if not key.startswith("comment ") or file in self.new_side.files:
            self.leftover.setdefault(file, []).append(text)

    def _keep(self, key: str) -> None:
        if not key.startswith("comment "):
            self.result.kept.append(key)

    def _fail(self, file: str, element: Element, why: str) -> None:
        self.result.conflicts.append(MergeConflict(file, element.lines, why))


def _body(element: Element) -> str:
    assert element.body
    return element.text[element.body[0] - element.start : element.body[1] - element.start]
