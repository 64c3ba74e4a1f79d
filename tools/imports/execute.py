"""Executes an import: values, directories and imports after one question, then a plan."""

from collections.abc import Collection
from dataclasses import replace

from tools.console import table
from tools.console.messages import say
from tools.engine.plans import Plan
from tools.hcl import writing
from tools.imports import closing_plan, state_import
from tools.imports.pending_import import PendingImport
from tools.imports.request import question
from tools.localcloud import workspace
from tools.runs import deployment
from tools.runs.session import Session
from tools.scaffold import render
from tools.system import files, signals


def execute(session: Session, pending: PendingImport) -> list[Plan]:
    """Does what is left of an import after one question; returns the plans of its stacks.

    Nothing in AWS changes. If something fails, what was imported stays, and the same call goes on
    from there. Exits with 130 if interrupted; raises UserError if Terraform fails.
    """
    repository = session.target.repository
    if not pending.is_done:
        _show(pending, session)
        session.confirm(_question(pending))
        _write(session, pending)
        stacks = {resource.stack for resource in pending.imports}
        with session.moved_to(repository).runner().work(len(stacks)) as run:
            state_import.import_all(run, pending.imports)
    options = replace(session.options, refresh=True, expects_waiting=True)
    after = replace(session.moved_to(repository), options=options)

    def plan(names: Collection[str]) -> list[Plan]:
        stacks = [stack for stack in after.records.stacks if stack.name in names]
        return deployment.plan_stacks(after, stacks)

    plans = plan(pending.stacks)
    return closing_plan.mark_waiting(after.records, plans, plan, session.target.option)


def _show(pending: PendingImport, session: Session) -> None:
    """Says what will be done, on stderr."""
    say(f"Import in {session.account}:")
    rows = ((resource.stack, resource.address, resource.identifier) for resource in pending.imports)
    table.show(rows, ("Stack", "Address", "Imported from"), indent="  ", err=True)
    for notebook in pending.notebooks:
        say(f"New directory notebooks/{notebook.name}:")
        for line in writing.format_assignments(notebook.values).splitlines():
            say(f"  {line}".rstrip())
        for script in notebook.scripts:
            say(f"  and {script}")
    for edit in pending.edits:
        path = edit.path.relative_to(session.target.repository.root)
        for name, value in edit.values.items():
            say(f"{path}: {name} = {writing.dumps(value)}")
    for note in pending.notes:
        say(f"note: {note}")


def _question(pending: PendingImport) -> str:
    return question(len(pending.imports)) if pending.imports else "Write these values?"


def _write(session: Session, pending: PendingImport) -> None:
    """Writes values and directories, all or none. Raises UserError if the disk refuses."""
    # A signal between the two would leave the one without the other.
    texts = {edit.path: edit.after for edit in pending.edits}
    with signals.count_signals() as interrupted, files.writing_all(texts):
        interrupted.check()
        render.write(pending.notebooks, session.target.repository, session.context.templates)
    for edit in pending.edits if session.target.endpoint else ():
        workspace.keep_values(edit.stack.path)
