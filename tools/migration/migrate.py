"""A migration as a person sees it: a table, one question, imports, a plan, a script to run."""

import json
import shlex
from collections.abc import Sequence
from dataclasses import dataclass
from functools import partial
from pathlib import Path

import click

from tools.aws import s3
from tools.context import Target
from tools.engine.plans import Plan
from tools.imports import execute
from tools.imports.destination import Site
from tools.imports.execute import Work
from tools.migration import legacy, migration, state_rm_script, table
from tools.migration.mapping import Choices
from tools.migration.migration import Migration
from tools.runs.session import Session


@dataclass(frozen=True)
class Asked:
    """What the user asks for: `source` is FROM, `script` where the script goes."""

    source: Path
    choices: Choices
    script: Path | None = None
    dry_run: bool = False
    as_json: bool = False


def migrate(session: Session, asked: Asked) -> None:
    """Shows what becomes of each resource, and after one question takes over what fits.

    Exits with 1 where the plan at its end would destroy or replace something, or failed. Raises
    UserError, before anything is written, for what stands in the way.
    """
    target = session.target
    site = Site.of(session)
    objects = partial(s3.Objects, endpoint=target.endpoint)
    found = legacy.read(asked.source, target.terraform, objects)
    usual = Path(state_rm_script.name(found, asked.source))
    path = asked.script or usual
    state_rm_script.check(path, found)
    moving = migration.of(site, found, asked.choices, state_rm_script.earlier([path, usual], found))
    work = execute.prepared(session, moving.takeover)
    if not asked.as_json:
        click.echo("\n".join(table.lines(moving.rows, moving.addresses)))
    if asked.dry_run:
        _end_of_a_look(moving, work, asked)
        return
    plans = execute.perform(session, work)
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
    for note in moving.takeover.notes:
        click.echo(f"note: {note}", err=True)
    left = len(work.adoptions)
    click.echo(
        f"{left} of {len(moving.takeover.adoptions)} are still to be imported; nothing was written",
        err=True,
    )


def _letting_go(moving: Migration, target: Target) -> str:
    plan = f"tools plan{target.option}"
    return state_rm_script.text(moving.old, moving.rows, target.terraform.program, plan)


def _print_json(moving: Migration, plans: Sequence[Plan] = (), path: Path | None = None) -> None:
    found = {
        "resources": table.as_json(moving.rows, moving.addresses),
        "notes": list(moving.takeover.notes),
        "plans": [plan.to_json() for plan in plans],
        "script": str(path) if path else None,
    }
    click.echo(json.dumps(found, indent=2))


def _say_what_comes_next(path: Path, moving: Migration, target: Target) -> None:
    folder = shlex.quote(str(moving.old.folder)) if moving.old.folder else "FOLDER"
    argument = "" if moving.old.folder else " FOLDER"
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
