"""The values that an import needs, as edits of the stacks' .tfvars files."""

import json
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

from tools.errors import UserError
from tools.hcl import reading, writing
from tools.hcl.reading import VALUES, Value
from tools.imports.request import MERGED_LISTS, Values, conflict, merge
from tools.layout import variables
from tools.layout.repository import Repository
from tools.layout.stack import Stack
from tools.localcloud import workspace

_HEADER = "# Made by `tools import`; yours to edit.\n\n"


@dataclass(frozen=True)
class ValuesEdit:
    """A change of a .tfvars file: its text after it, and the values."""

    stack: Stack
    after: str
    values: Mapping[str, Value]

    @property
    def path(self) -> Path:
        return self.stack.path / VALUES


def plan_edits(repository: Repository, wanted_by_stack: Values, local: bool) -> list[ValuesEdit]:
    """Returns the edits that give the stacks these values, none for what they have.

    With `local` the stacks are the local cloud's working copy, whose files become its own. Raises
    UserError if a file sets another value already.
    """
    edits = (
        _edit(Stack(repository.root, name), wanted, local)
        for name, wanted in wanted_by_stack.items()
    )
    return [edit for edit in edits if edit]


def _edit(stack: Stack, wanted: Mapping[str, Value], local: bool) -> ValuesEdit | None:
    declared = variables.read_values(stack)
    stand_ins = workspace.stand_ins(stack.path) if local else {}
    files_by_name = {
        name: file for name, file in _files_by_name(stack).items() if name not in stand_ins
    }
    path = stack.path / VALUES
    before = path.read_text(encoding="utf-8") if path.is_file() else None
    changed: dict[str, Value] = {}
    for name, value in wanted.items():
        current, file = declared.get(name), files_by_name.get(name)
        if file:
            merged = _merge_into(file, name, current, value)
        else:
            # The value is a default: an import replaces it, unless it is a list or map with items.
            is_merged = (isinstance(value, dict) or name in MERGED_LISTS) and current != []
            merged = merge(name, name, current if is_merged else None, value)
        if merged == current:
            continue
        # Terraform reads *.auto.tfvars and terraform.tfvars.json after terraform.tfvars:
        # https://developer.hashicorp.com/terraform/language/values/variables#variable-definition-precedence
        if file and file.name != VALUES:
            raise UserError(
                f"{file} sets {name} and overrides {VALUES}; set the value there, or move it"
            )
        if file and writing.has_comments(before or "", name):
            raise UserError(
                f"{path}: the comments on the lines of {name} would be lost; add "
                f"{json.dumps(value)} to it there yourself, and run this again"
            )
        changed[name] = merged
    if not changed:
        return None
    after = writing.assign(before or _HEADER, {**stand_ins, **changed})
    return ValuesEdit(stack, after, changed)


def _merge_into(file: Path, name: str, current: Value, value: Value) -> Value:
    """What `file` has to say for `value` to hold: more in a map or list, never another value.

    A user has set the value, so that it counts even if it is null or empty. Raises UserError if
    both cannot hold.
    """
    try:
        if current in (None, "", [], {}) and current != value:
            raise conflict(name, current, value)
        return merge(name, name, current, value)
    except UserError as error:
        raise UserError(f"{file}: {error}; change it there first, or remove the line") from None


def is_set(stack: Stack, name: str, *, is_local: bool) -> bool:
    """Whether a file of the stack's sets a variable; the local cloud's stand-ins do not count."""
    stand_ins = workspace.stand_ins(stack.path) if is_local else {}
    return name in _files_by_name(stack) and name not in stand_ins


def _files_by_name(stack: Stack) -> dict[str, Path]:
    """The variables that the stack's .tfvars files set: name to the file that Terraform obeys."""
    files_by_name: dict[str, Path] = {}
    for file in reading.value_files(stack.path):
        if file.name == workspace.OVERRIDES:
            continue
        files_by_name |= dict.fromkeys(reading.tfvars_names(file), file)
    return files_by_name
