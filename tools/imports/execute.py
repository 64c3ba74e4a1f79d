"""Executes an import: values, directories and imports after one question, then a plan."""

from collections.abc import Collection
from dataclasses import replace

import click

from tools.context import Context, Target
from tools.engine.plans import Plan
from tools.hcl import writing
from tools.imports import closing_plan, state_import, tfvars
from tools.imports.pending import PendingImport
from tools.localcloud import workspace
from tools.runs import deployment, questions, runner, session
from tools.runs.session import Options, Where
from tools.scaffold import render
from tools.system import signals


def execute(
    context: Context, target: Target, place: Where, pending: PendingImport, options: Options
) -> list[Plan]:
    """Does what is left of an import after one question; returns the plans of its stacks.

    Nothing in AWS changes. If something fails, what was imported stays, and the same call goes on
    from there. Exits with 130 if interrupted; raises UserError if Terraform fails.
    """
    if not pending.is_done:
        _show(pending, place, target)
        questions.agree_to(_question(pending), target, options.yes)
        _write(context, target, pending)
        known = session.records(target, place)
        stacks = {resource.stack for resource in pending.imports}
        with runner.working(context, target, known, options, len(stacks)) as run:
            state_import.import_all(run, pending.imports)
    known = session.records(target, place)

    def plan(names: Collection[str]) -> list[Plan]:
        stacks = [stack for stack in known.stacks if stack.name in names]
        fresh = replace(options, refresh=True)
        return deployment.plan_stacks(context, target, known, place, stacks, fresh)

    return closing_plan.mark_waiting(known, plan(pending.stacks), plan, target.option)


def _show(pending: PendingImport, place: Where, target: Target) -> None:
    """Says what will be done, on stderr."""
    click.echo(f"Import in {place}:", err=True)
    width = max((len(resource.stack) for resource in pending.imports), default=0)
    for resource in pending.imports:
        line = f"  {resource.stack:<{width}}  {resource.address}  {resource.identifier}"
        click.echo(line, err=True)
    for notebook in pending.notebooks:
        click.echo(f"New directory notebooks/{notebook.name}:", err=True)
        for line in writing.assignments(notebook.values).splitlines():
            click.echo(f"  {line}".rstrip(), err=True)
        for script in notebook.scripts:
            click.echo(f"  and {script}", err=True)
    for edit in pending.edits:
        path = edit.path.relative_to(target.repository.root)
        for name, value in edit.values.items():
            click.echo(f"{path}: {name} = {writing.dumps(value)}", err=True)
    for note in pending.notes:
        click.echo(f"note: {note}", err=True)


def _question(pending: PendingImport) -> str:
    count = len(pending.imports)
    if not count:
        return "Write these values?"
    return "Import this resource?" if count == 1 else f"Import these {count} resources?"


def _write(context: Context, target: Target, pending: PendingImport) -> None:
    """Writes values and directories, all or none. Raises UserError if the disk refuses."""
    # A signal between the two would leave the one without the other.
    with signals.counted() as interrupted:
        tfvars.write(pending.edits)
        try:
            interrupted.check()
            render.write(pending.notebooks, target.repository, context.templates)
        except BaseException:
            tfvars.undo(pending.edits)
            raise
    for edit in pending.edits if target.endpoint else ():
        workspace.keep_values(edit.stack.path)
