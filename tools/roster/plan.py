"""Compares a roster with the directories of notebooks/: what is to be made and changed."""

import json
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any

from tools.errors import UserError, nearest, shorten
from tools.hcl import reading, writing
from tools.hcl.reading import VALUES, Value
from tools.layout.repository import COMMON, Repository
from tools.roster.roster import Roster, marked_by, set_mark
from tools.scaffold import notebook, render, row_files, rows
from tools.scaffold.notebook import PROFILES, Notebook
from tools.scaffold.row_files import Row, WrongRowsError
from tools.system.files import read

# A change of these makes AWS replace the instance, and its volume goes with it:
# https://registry.terraform.io/providers/hashicorp/aws/latest/docs/resources/sagemaker_notebook_instance
_REPLACES = (
    "direct_internet_access",
    "kms_key_id",
    "name",
    "platform_identifier",
    "security_group_ids",
    "subnet_id",
    "use_shared_kms_key",
)
# Keys of a row that say how a notebook is made, and are no values of it.
_FOR_MAKING = ("name", "profile", "from")


@dataclass(frozen=True)
class Edit:
    """A change in an existing directory: its files by name, before (None: no file) and after.

    `values` are those that change, before and after; `is_new_mark` says that the roster had not
    kept the directory before.
    """

    directory: Path
    before: Mapping[str, bytes | None]
    after: Mapping[str, bytes]
    values: Mapping[str, tuple[Value, Value]]
    is_new_mark: bool = False

    @property
    def name(self) -> str:
        return self.directory.name

    @property
    def loses_volume(self) -> bool:
        """Whether applying it would replace the instance, with its volume."""
        if any(key in _REPLACES for key in self.values):
            return True
        size_before, size_after = self.values.get("volume_size", (None, None))
        return (
            isinstance(size_before, int)
            and isinstance(size_after, int)
            and size_after < size_before
        )


@dataclass(frozen=True)
class SyncPlan:
    """What a roster asks for.

    `gone` are the directories that it has kept and no longer names, `others` those that it has
    nothing to do with.
    """

    roster: Roster
    new: Sequence[Notebook]
    edits: Sequence[Edit]
    gone: Sequence[str]
    others: Sequence[str]
    unchanged: int

    @property
    def writes(self) -> int:
        """The number of directories that it makes or changes."""
        return len(self.new) + len(self.edits)


@dataclass
class _Planner:
    roster: Roster
    repository: Repository
    types: Mapping[str, str]
    new: list[Notebook] = field(default_factory=list)
    edits: list[Edit] = field(default_factory=list)
    unchanged: int = 0
    wrong: list[tuple[int, str]] = field(default_factory=list)  # lines, and what is wrong there

    def plan(self) -> SyncPlan:
        names = self.repository.notebook_names()
        existing, lines = set(names), dict[str, int]()
        for entry in self.roster.rows:
            try:
                row = entry.checked()
                row_files.claim_name(entry, lines)
                self._add(row, str(row["name"]) in existing)
            except UserError as error:
                self.wrong.append((entry.line, str(error)))
        for taken, complaint in render.find_taken(self.new, self.repository):
            self.wrong.append((lines[taken.name], complaint))
        self._refuse_same_instances(lines)
        gone, others = self._unnamed([name for name in names if name not in lines])
        return SyncPlan(self.roster, self.new, self.edits, gone, others, self.unchanged)

    def _add(self, given: Row, exists: bool) -> None:
        row = self._with_script_paths(given)
        if not exists:
            made = rows.build(row, {}, self.repository, self.types)
            self.new.append(replace(made, head=self.roster.mark(made.name)))
            return
        # What it was copied from may be gone by now.
        kept = {key: value for key, value in row.items() if key != "from"}
        made = rows.build(kept, {}, self.repository, self.types)
        edit = self._compare(made, self._wanted(made, row))
        if edit:
            self.edits.append(edit)
        else:
            self.unchanged += 1

    def _with_script_paths(self, row: Mapping[str, Any]) -> dict[str, Any]:
        """The row with the paths of its scripts from where the roster is."""
        paths = {
            key: str(self.roster.path.parent / str(row[key]))
            for key in rows.SCRIPTS
            if row.get(key)
        }
        return {**row, **paths}

    def _wanted(self, made: Notebook, row: Mapping[str, Any]) -> dict[str, Value]:
        """The values that the row names, itself or by its profile: no other is the roster's."""
        keys = {key for key in row if key not in _FOR_MAKING}
        keys |= {"name"} if "instance" in keys else set()
        keys |= set(PROFILES[str(row["profile"])]) if row.get("profile") else set()
        return {key: value for key, value in made.values.items() if key in keys}

    def _compare(self, made: Notebook, wanted: Mapping[str, Value]) -> Edit | None:
        directory = self.repository.root / "notebooks" / made.name
        path = directory / VALUES
        if directory.is_symlink() or path.is_symlink() or not path.is_file():
            raise UserError(
                f"notebooks/{made.name} is there and has no {VALUES} of its own to change; make it "
                "one, or give the row another name"
            )
        _refuse_other_files(directory, wanted)
        text = path.read_bytes().decode("utf-8-sig")
        current = reading.read_tfvars(path)
        owner = marked_by(text, made.name)
        if owner not in (None, self.roster.name) and (self.repository.root / str(owner)).is_file():
            raise UserError(
                f"notebooks/{made.name} is kept by {owner}, which is there; name it once"
            )
        values = {
            key: (current.get(key), value)
            for key, value in wanted.items()
            if key not in current or current[key] != value
        }
        scripts = {
            name: content
            for name, content in made.scripts.items()
            if not (directory / name).is_file() or (directory / name).read_bytes() != content
        }
        if not values and not scripts and owner == self.roster.name:
            return None
        merged = {key: value for key, value in current.items() if key in self.types}
        notebook.make(made.name, {**merged, **wanted}, self.types, made.scripts)
        new_text = _assign(path, text, {key: new_value for key, (_, new_value) in values.items()})
        new_text = set_mark(new_text, self.roster.mark(made.name))
        files = {**({VALUES: new_text.encode()} if new_text != text else {}), **scripts}
        before = {name: read(directory / name) for name in files}
        return Edit(directory, before, files, values, owner != self.roster.name)

    def _refuse_same_instances(self, lines: Mapping[str, int]) -> None:
        """Two directories with one instance: AWS has each name once in a region."""
        instance_by_directory = self.repository.instance_names()
        instance_by_directory |= {
            edit.name: str(edit.values["name"][1]) for edit in self.edits if "name" in edit.values
        }
        seen: dict[str, str] = {}
        changed = {edit.name for edit in self.edits if "name" in edit.values}
        for name, instance in instance_by_directory.items():
            other = seen.setdefault(instance.lower(), name)
            if other != name and {other, name} & changed:
                line = lines.get(name) or lines.get(other, 0)
                self.wrong.append(
                    (line, f"notebooks/{other} and {name} would have one instance, {instance}")
                )

    def _unnamed(self, names: Sequence[str]) -> tuple[list[str], list[str]]:
        gone: list[str] = []
        others: list[str] = []
        for name in names:
            path = self.repository.root / "notebooks" / name / VALUES
            text = path.read_text(encoding="utf-8-sig", errors="replace") if path.is_file() else ""
            (gone if marked_by(text, name) == self.roster.name else others).append(name)
        return gone, others


def plan_sync(roster: Roster, repository: Repository, types: Mapping[str, str]) -> SyncPlan:
    """Compares `roster` with the directories; `types` are those of a notebook's variables.

    Raises WrongRowsError with the lines of all wrong rows.
    """
    planner = _Planner(roster, repository, types)
    plan = planner.plan()
    if planner.wrong:
        wrong = sorted(planner.wrong)
        raise WrongRowsError([f"{roster.where(line)}: {text}" for line, text in wrong])
    return plan


def select_gone(plan: SyncPlan, names: Sequence[str]) -> list[str]:
    """Returns those of the plan's gone directories that `names` name; all of them without names.

    Raises UserError for a name that has a row, that the roster has not kept, or that is not there.
    """
    if not names:
        return list(plan.gone)
    chosen = [name.removeprefix("notebooks/").rstrip("/") for name in names]
    lines = {str(entry.row["name"]): entry.line for entry in plan.roster.rows}
    for name in chosen:
        if name in lines:
            where = plan.roster.where(lines[name])
            raise UserError(f"{where} still names {name}; remove the row, then repeat it")
        if name in plan.others:
            raise UserError(
                f"notebooks/{name} is not kept by {plan.roster.name}, so it is not retired; to "
                f"destroy it: tools destroy {name}"
            )
        if name not in plan.gone:
            raise UserError(f"there is no notebook {name!r} to retire; {nearest(name, plan.gone)}")
    return [name for name in plan.gone if name in chosen]


def describe(edit: Edit) -> Iterator[str]:
    """Yields what an edit changes, in words."""
    if edit.is_new_mark:
        yield "kept by the roster from now on"
    for key, (old_value, new_value) in edit.values.items():
        old_text = "unset" if old_value is None else shorten(old_value)
        yield f"{key}: {old_text} -> {shorten(new_value)}"
    yield from (f"{name}: new content" for name in edit.after if name != VALUES)


def _refuse_other_files(directory: Path, wanted: Mapping[str, Value]) -> None:
    """Raises UserError if a file that Terraform reads after terraform.tfvars sets such a value."""
    for file in reading.value_files(directory):
        if file.name in (VALUES, COMMON):
            continue
        if both := sorted(wanted.keys() & set(reading.tfvars_names(file))):
            raise UserError(
                f"notebooks/{directory.name}/{file.name} sets {both[0]} and overrides {VALUES}; "
                "remove it there"
            )


def _assign(path: Path, text: str, new_values: Mapping[str, Value]) -> str:
    added_values: dict[str, Value] = {}
    assigned_names = reading.tfvars_names(path)
    for name, value in new_values.items():
        if name not in assigned_names:
            added_values[name] = value
            continue
        replaced = writing.replace(text, name, value)
        if replaced is None:
            raise UserError(
                f"notebooks/{path.parent.name}/{path.name}: the comments on the lines of {name} "
                f"would be lost; set it to {json.dumps(value)} there yourself"
            )
        text = replaced
    if added_values:
        text = f"{text.rstrip()}\n\n{writing.format_assignments(added_values)}\n"
    return text
