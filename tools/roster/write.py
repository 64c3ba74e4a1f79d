"""Writes what a roster asks for: all of it or nothing."""

from collections.abc import Sequence
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
    done: list[Edit] = []
    try:
        for edit in plan.edits:
            done.append(edit)
            for name, content in edit.after.items():
                files.write(edit.directory / name, content)
        if plan.new:
            render.write(plan.new, repository, templates)
    except BaseException:
        _undo(done)
        raise


def _refuse_changed(edit: Edit) -> None:
    for name, before in edit.before.items():
        path = edit.directory / name
        if (path.read_bytes() if path.is_file() else None) != before:
            raise UserError(f"{path} has changed meanwhile; run it again")


def _undo(edits: Sequence[Edit]) -> None:
    for edit in edits:
        for name, before in edit.before.items():
            path = edit.directory / name
            if before is None:
                path.unlink(missing_ok=True)
            elif path.read_bytes() != before:
                files.write(path, before)
