"""`tools migrate` step by step: a table, one question, imports, a plan, a script to run."""

import shlex
from collections.abc import Sequence
from pathlib import Path

from tools.aws import s3
from tools.console.messages import print_json, say
from tools.context import Target
from tools.engine.plans import Plan
from tools.errors import UserError
from tools.imports import closing_plan, trial
from tools.imports.destination import Destination
from tools.imports.execute import execute
from tools.imports.pending_import import Conflict, PendingImport, find_conflicts, find_pending
from tools.migration import legacy, migration, state_rm_script, table
from tools.migration.mapping import Choices
from tools.migration.migration import Migration
from tools.migration.resource_types import NOTEBOOK
from tools.runs.session import Session


def migrate(
    session: Session,
    source: Path,
    choices: Choices,
    *,
    script: Path | None,
    dry_run: bool,
    as_json: bool,
) -> None:
    """Shows what becomes of each resource, and after one question imports what fits.

    `source` is the old deployment's folder or state file, `script` the path of the script to write.
    Exits with 1 if the plan at its end would destroy or replace something, or failed. Raises
    UserError, before anything is written, if something stands in the way.
    """
    target = session.target
    destination = Destination.open(session)
    objects = s3.in_regions_of(target.endpoint)
    deployment = legacy.read(source, target.terraform, objects)
    default = Path(state_rm_script.default_name(deployment, source))
    script = script or default
    state_rm_script.check_path(script, deployment)
    earlier = state_rm_script.read_earlier([script, default], deployment)
    migrated = migration.prepare(destination, deployment, choices, earlier)
    try:
        pending = find_pending(session, migrated.request)
    except UserError as error:
        _show_conflicts(session, migrated, error, as_json)
        raise
    if not as_json:
        table.show(migrated.mapping, migrated.addresses)
    trial.check(session, pending, _remedies(migrated))
    if dry_run:
        _end_dry_run(migrated, pending, as_json)
        return
    plans = execute(session, pending)
    is_safe = all(map(closing_plan.is_safe, plans))
    if is_safe:
        command = f"tools plan{target.option}"
        text = state_rm_script.compose(
            deployment, migrated.mapping, target.terraform.program, command
        )
        state_rm_script.write(script, text)
    if as_json:
        _print_json(migrated, plans, script if is_safe else None)
    closing_plan.report(plans, target, err=as_json)
    _say_next_steps(script, deployment.folder, target)


def _show_conflicts(session: Session, migrated: Migration, first: UserError, as_json: bool) -> None:
    """Shows the table with a row for each conflict, of which `first` is one."""
    conflicts = find_conflicts(session, migrated.request)
    if as_json:
        _print_json(migrated, conflicts=conflicts)
    else:
        shown = conflicts or [Conflict("", str(first))]
        table.show(migrated.mapping, migrated.addresses, shown)


def _remedies(migrated: Migration) -> dict[str, str]:
    """What leaves a notebook with the old deployment, by the stack that would import it."""
    return {row.target: f"--leave '{row.address}'" for row in migrated.mapping.imported(NOTEBOOK)}


def _end_dry_run(migrated: Migration, pending: PendingImport, as_json: bool) -> None:
    if as_json:
        _print_json(migrated)
        return
    for note in migrated.request.notes:
        say(f"note: {note}")
    say(
        f"{len(pending.imports)} of {len(migrated.request.imports)} resources are still to be "
        "imported; nothing was written"
    )


def _print_json(
    migrated: Migration,
    plans: Sequence[Plan] = (),
    script: Path | None = None,
    conflicts: Sequence[Conflict] = (),
) -> None:
    document = {
        "resources": table.to_json(migrated.mapping, migrated.addresses),
        "notes": list(migrated.request.notes),
        "plans": [plan.to_json() for plan in plans],
        "script": str(script) if script else None,
        "conflicts": list(conflicts),
    }
    print_json(document)


def _say_next_steps(script: Path, folder: Path | None, target: Target) -> None:
    argument = "" if folder else " FOLDER"
    run = shlex.quote(str(script if script.is_absolute() else f"./{script}"))
    chdir = shlex.quote(str(folder)) if folder else "FOLDER"
    terraform = f"{target.terraform.program} -chdir={chdir}"
    say(
        "The old deployment still has everything in its state: a destroy there would destroy what "
        "was imported. In this order:\n"
        f"  1. look: tools plan{target.option} --details; deploy: tools deploy{target.option}\n"
        f"  2. read and run {run}{argument}; it ends with a list of what a destroy destroys\n"
        f"  3. destroy the rest: {terraform} plan -destroy, then {terraform} destroy"
    )
