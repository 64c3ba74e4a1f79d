"""A migration as a person sees it: a table, one question, imports, a plan, a script to run."""

import json
import shlex
from collections.abc import Sequence
from dataclasses import dataclass
from functools import partial
from pathlib import Path

import click

from tools.aws import s3
from tools.context import Context, Target
from tools.engine.plans import Plan
from tools.imports import execute
from tools.imports.destination import Destination
from tools.imports.execute import Work
from tools.migration import legacy, migration, state_rm_script, table
from tools.migration.mapping import Choices
from tools.migration.migration import Migration
from tools.runs import session
from tools.runs.session import Options


@dataclass(frozen=True)
class Asked:
    """What the user asks for: `source` is FROM, `script` where the script goes."""

    source: Path
    choices: Choices
    script: Path | None = None
    dry_run: bool = False
    as_json: bool = False


def migrate(context: Context, target: Target, asked: Asked, options: Options) -> None:
    """Shows what becomes of each resource, and after one question takes over what fits.

    Exits with 1 where the plan at its end would destroy or replace something, or failed. Raises
    UserError, before anything is written, for what stands in the way.
    """
    place = session.where(target)
    destination = Destination.of(target, session.records(target, place), context.templates)
    objects = partial(s3.Objects, endpoint=target.endpoint)
    found = legacy.read(asked.source, target.terraform, objects)
    usual = Path(state_rm_script.default_name(found, asked.source))
    path = asked.script or usual
    state_rm_script.check_path(path, found)
    moving = migration.prepare(
        destination, found, asked.choices, state_rm_script.read_earlier([path, usual], found)
    )
    work = execute.prepared(context, target, destination.records, moving.request, options)
    if not asked.as_json:
        click.echo("\n".join(table.format_lines(moving.mapping, moving.addresses)))
    if asked.dry_run:
        _end_of_a_look(moving, work, asked)
        return
    plans = execute.perform(context, target, place, work, options)
    is_safe = all(map(execute.is_safe, plans))
    if is_safe:
        state_rm_script.write(path, _letting_go(moving, target))
    if asked.as_json:
        _print_json(moving, plans, path if is_safe else None)
    execute.leave(plans, target, err=asked.as_json)
    _say_what_comes_next(path, moving, target)


def _end_of_a_look(moving: Migration, work: Work, asked: Asked) -> None:
    if asked.as_json:
        _print_json(moving)
        return
    for note in moving.request.notes:
        click.echo(f"note: {note}", err=True)
    left = len(work.imports)
    click.echo(
        f"{left} of {len(moving.request.imports)} are still to be imported; nothing was written",
        err=True,
    )


def _letting_go(moving: Migration, target: Target) -> str:
    plan = f"tools plan{target.option}"
    return state_rm_script.compose(moving.legacy, moving.mapping, target.terraform.program, plan)


def _print_json(moving: Migration, plans: Sequence[Plan] = (), path: Path | None = None) -> None:
    found = {
        "resources": table.to_json(moving.mapping, moving.addresses),
        "notes": list(moving.request.notes),
        "plans": [plan.to_json() for plan in plans],
        "script": str(path) if path else None,
    }
    click.echo(json.dumps(found, indent=2))


def _say_what_comes_next(path: Path, moving: Migration, target: Target) -> None:
    folder = shlex.quote(str(moving.legacy.folder)) if moving.legacy.folder else "FOLDER"
    argument = "" if moving.legacy.folder else " FOLDER"
    run = shlex.quote(str(path if path.is_absolute() else f"./{path}"))
    terraform = f"{target.terraform.program} -chdir={folder}"
    click.echo(
        "The old deployment still has all of it in its state, and a destroy there would take it "
        "away. In this order:\n"
        f"  1. look: tools plan{target.option} --details; deploy: tools deploy{target.option}\n"
        f"  2. read and run {run}{argument}; its end lists what a destroy destroys\n"
        f"  3. destroy the rest: {terraform} plan -destroy, then {terraform} destroy",
        err=True,
    )
