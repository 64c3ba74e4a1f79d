"""Runs `tools sync --retire`: shows the next step of each notebook, asks, and takes it."""

from collections.abc import Sequence
from dataclasses import replace
from datetime import timedelta

import click

from tools.commands.start_stop import confirm
from tools.console import progress, table
from tools.console.messages import say
from tools.console.table import Column
from tools.context import Context
from tools.errors import UserError
from tools.fleet.fleet import Fleet
from tools.fleet.start_stop import StartStop
from tools.roster.retire import Retiring, Step
from tools.runs import deployment
from tools.runs.options import Options
from tools.runs.session import Session
from tools.system import signals

_SECONDS = 900.0  # for the stops
_COLOURS = {"stop": "yellow", "destroy": "red", "refused": "red"}


def run(
    context: Context,
    names: Sequence[str],
    grace: float,
    options: Options,
    *,
    local: bool,
    dry_run: bool,
) -> None:
    """Takes the next step with each of the notebooks' directories `names`.

    `grace` is in days. Destroys only if `options` allow that. Exits with 1 if one of them was
    refused, or failed, and with 130 if a wait was interrupted.
    """
    session = Session.open(context, local, options)
    target = session.target
    fleet = Fleet(
        context.repository.root,
        target.repository,
        target.region,
        target.endpoint,
        context.why_other_states(),
    )
    retiring = Retiring(fleet, session.records, timedelta(days=grace))
    steps = retiring.steps(names)
    _show(steps)
    failed = any(step.verb == "refused" for step in steps)
    if not dry_run:
        stopping = [step for step in steps if step.verb == "stop"]
        failed |= not _stop(retiring, stopping, agreed=options.yes)
        for step in steps:
            if step.verb == "gone":
                retiring.forget(step)
        _destroy(session, retiring, [step for step in steps if step.verb == "destroy"])
    if failed:
        raise click.exceptions.Exit(1)


def _show(steps: Sequence[Step]) -> None:
    rows = [
        (step.name, click.style(step.verb, fg=_COLOURS.get(step.verb)), step.detail)
        for step in steps
    ]
    table.show(rows, ("Notebook", "Next", Column("Notes", note=True)))


def _stop(retiring: Retiring, steps: Sequence[Step], agreed: bool) -> bool:
    """Stops notebooks and notes it beside their states; returns whether all went well.

    Exits with 130 if the wait was interrupted.
    """
    notebooks = [step.notebook for step in steps if step.notebook]
    if not notebooks:
        return True
    fleet = retiring.fleet
    say("What changed after a backup, and what backup_excludes names, is on the volume alone.")
    confirm(fleet, notebooks, agreed)
    instances = fleet.instances(notebooks)
    with signals.count_signals() as interruption, progress.choose(len(notebooks)) as display:
        change = StartStop(fleet, "stop", display, interruption, _SECONDS)
        results = change.change(notebooks, instances)
    instances, succeeded = fleet.instances(notebooks), True
    for step, result in zip(steps, results, strict=True):
        instance = instances[result.notebook.region].get(result.notebook.name)
        if not result.succeeded or instance is None or instance.status != "Stopped":
            say(f"{step.name}: not stopped: {result.detail}; repeat it")
            succeeded = False
            continue
        note = retiring.write_note(step, instance)
        say(
            f"{step.name}: stopped, and kept until {note.until:%Y-%m-%d %H:%M} UTC; to keep it, "
            f"add its row and run tools start {step.name}{fleet.option}"
        )
    if interruption.count:
        raise click.exceptions.Exit(130)
    return succeeded


def _destroy(session: Session, retiring: Retiring, steps: Sequence[Step]) -> None:
    """Destroys notebooks after a question, and forgets their notes.

    Raises UserError, before anything is destroyed, if one has changed since it was shown. Exits as
    `deployment.destroy_stacks`.
    """
    if not steps:
        return
    if not session.options.allow_destroy:
        for step in steps:
            say(f"{step.name}: kept, though its time has come; to destroy it, add --allow-destroy")
        return
    stacks = [retiring.stack(step) for step in steps]
    session.announce("Destroy", stacks)
    session.confirm_stacks("Destroy", len(stacks))
    for stack in stacks:
        session.records.forget(stack)
    again = retiring.steps([step.name for step in steps])  # the answer may have taken a while
    if changed := [step.name for step in again if step.verb != "destroy"]:
        raise UserError(f"{changed[0]} has changed meanwhile, and nothing was destroyed; repeat it")
    agreed_session = replace(session, options=replace(session.options, yes=True, says_next=False))
    deployment.destroy_stacks(agreed_session, stacks)
    for step in steps:
        retiring.forget(step)
        say(f"{step.name}: destroyed; remove its directory: git rm -r notebooks/{step.name}")
