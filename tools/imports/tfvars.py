"""The values that a takeover needs, in the stacks' .tfvars files: all are written or none."""

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

from tools.errors import UserError
from tools.hcl import reading, writing
from tools.hcl.reading import Value
from tools.imports.request import GROWING, added, other
from tools.layout import variables
from tools.layout.repository import Repository
from tools.layout.stack import Stack
from tools.layout.variables import VALUES
from tools.localcloud import workspace
from tools.system import files

_HEADER = "# Made by `tools import`; yours to edit.\n\n"


@dataclass(frozen=True)
class Edit:
    """A .tfvars file: what it says now, None where it is new, what it shall say, and the values."""

    stack: Stack
    before: str | None
    after: str
    values: Mapping[str, Value]

    @property
    def path(self) -> Path:
        return self.stack.path / VALUES


def edits(
    repository: Repository, wanted: Mapping[str, Mapping[str, Value]], local: bool
) -> list[Edit]:
    """What has to be written, so that the stacks have the `wanted` values, for those that differ.

    Raises UserError where a file says otherwise already. With `local` the stacks are the local
    cloud's copy, whose files become its own.
    """
    found = (_edit(Stack(repository.root, name), new, local) for name, new in wanted.items())
    return [edit for edit in found if edit]


def _edit(stack: Stack, wanted: Mapping[str, Value], local: bool) -> Edit | None:
    declared = variables.declared(stack)
    stand_ins = workspace.stand_ins(stack.path) if local else {}
    given = {name: file for name, file in _given(stack).items() if name not in stand_ins}
    path = stack.path / VALUES
    before = path.read_text(encoding="utf-8") if path.is_file() else None
    new: dict[str, Value] = {}
    for name, value in wanted.items():
        there = declared.get(name)
        if name in given:
            complete = _agreed(given[name], name, there, value)
        else:
            # A default is what this is here to change.
            grows = isinstance(value, dict) or name in GROWING
            complete = added(name, name, there if grows and there != [] else None, value)
        if complete != there:
            _refuse_overruled(name, given.get(name))
            if name in given and writing.has_comments(before or "", name):
                raise UserError(
                    f"{path}: the comments on the lines of {name} would be lost; add "
                    f"{json.dumps(value)} to it there yourself, and run this again"
                )
            new[name] = complete
    if not new:
        return None
    return Edit(stack, before, writing.assign(before or _HEADER, {**stand_ins, **new}), new)


def _agreed(file: Path, name: str, there: Value, value: Value) -> Value:
    """What `file` has to say for `value` to hold; more in a map or list, never another value.

    What is set is somebody's word, also where it is null or empty.
    """
    try:
        if there in (None, "", [], {}) and there != value:
            raise other(name, there, value)
        return added(name, name, there, value)
    except UserError as error:
        raise UserError(f"{file}: {error}; change it there first, or take the line away") from None


def _given(stack: Stack) -> dict[str, Path]:
    """The variables that the stack's .tfvars files set: name to the file that has the last word."""
    found: dict[str, Path] = {}
    for file in variables.files(stack.path):
        if file.name == workspace.OVERRIDES:
            continue
        names = (
            json.loads(file.read_text()) if file.suffix == ".json" else reading.tfvars_names(file)
        )
        found |= dict.fromkeys(names, file)
    return found


def _refuse_overruled(name: str, file: Path | None) -> None:
    if file and file.name != VALUES:
        raise UserError(f"{file} sets {name}, over what {VALUES} says; set it there, or move it")


def write(changes: Sequence[Edit]) -> None:
    """Writes the files, all or none. Raises UserError where the disk refuses."""
    try:
        for edit in changes:
            files.write(edit.path, edit.after)
    except BaseException:
        take_back(changes)
        raise


def take_back(changes: Sequence[Edit]) -> None:
    """Gives the files the text that they had before."""
    for edit in changes:
        if not edit.path.is_file() or edit.path.read_text(encoding="utf-8") != edit.after:
            continue
        if edit.before is None:
            edit.path.unlink()
        else:
            files.write(edit.path, edit.before)
