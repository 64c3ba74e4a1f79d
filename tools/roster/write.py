"""Writes what a roster asks for: all of it or nothing."""

from pathlib import Path

from tools.errors import UserError
from tools.layout.repository import Repository
from tools.roster.plan import Edit, SyncPlan
from tools.scaffold import render
from tools.system import files


def write(plan: SyncPlan, repository: Repository, templates: Path) -> None:
    """Makes and changes the directories of `plan`.

    Raises UserError, and leaves everything as it was, if a file has changed meanwhile, or if the
    disk refuses.
    """
    for edit in plan.edits:
        _refuse_changed(edit)
    contents = {
        edit.directory / name: edit.after[name] for edit in plan.edits for name in edit.after
    }
    with files.writing_all(contents):
        if plan.new:
            render.write(plan.new, repository, templates)


def _refuse_changed(edit: Edit) -> None:
    for name, before in edit.before.items():
        path = edit.directory / name
        if files.read(path) != before:
            raise UserError(f"{path} has changed meanwhile; run it again")
