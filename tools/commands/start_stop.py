"""Runs `tools start` and `tools stop`: selects notebooks, asks, and prints the outcomes."""

from collections.abc import Sequence
from datetime import timedelta
from functools import partial

import click

from tools.aws.sagemaker import Instance
from tools.console import progress, table
from tools.console.messages import print_json, say
from tools.console.prompt import require_terminal
from tools.console.table import Column
from tools.context import Context
from tools.fleet import idle, start_stop
from tools.fleet.fleet import DeclaredNotebook, Fleet
from tools.fleet.start_stop import StartStop, Verb
from tools.system import signals

Pairs = Sequence[tuple[DeclaredNotebook, Instance]]

_COLOURS = {"started": "green", "stopped": "green", "failed": "red", "skipped": "yellow"}


def run(
    context: Context,
    verb: Verb,
    only_idle: bool,
    idle_for: timedelta = timedelta(),
    agreed: bool = True,
    instance_type: str | None = None,
    *,
    notebooks: Sequence[str],
    conditions: Sequence[str],
    local: bool,
    no_wait: bool,
    timeout: float,
    as_json: bool,
) -> None:
    """Starts or stops the notebooks that the command names, waits, and prints the outcomes.

    With `only_idle`, it stops those that have been idle for so long, or starts those that their
    auto-stop has stopped. `timeout` is in minutes. Exits with 1 if a notebook was skipped or
    failed, and with 130 if the wait was interrupted. Raises UsageError if none is named.
    """
    if not notebooks and not conditions and not only_idle:
        raise click.UsageError(f"name notebooks to {verb}, --where, --idle, or '*' for all of them")
    fleet = Fleet.open(context, local)
    selected = fleet.notebooks(notebooks, conditions)
    if only_idle:
        find = partial(_find_idle, idle_for=idle_for) if verb == "stop" else _find_stopped
        count = len(selected)
        selected = find(fleet, selected)
        say(f"--idle selects {len(selected)} of {count} notebooks")
    confirm(fleet, selected, agreed)
    instances = fleet.instances(selected)
    with signals.count_signals() as interruption, progress.choose(len(selected)) as display:
        patience = 0 if no_wait else timeout * 60
        change = StartStop(fleet, verb, display, interruption, patience, instance_type)
        results = change.change(selected, instances)
    if as_json:
        print_json([result.as_json() for result in results])
    else:
        rows = [
            (
                result.notebook.stack.name,
                click.style(result.outcome, fg=_COLOURS.get(result.outcome)),
                result.detail,
            )
            for result in results
        ]
        table.show(rows, ("Notebook", "Outcome", Column("Notes", note=True)))
        say(start_stop.summarize(results) or "nothing to do")
    if interruption.count:
        raise click.exceptions.Exit(130)
    if not all(result.succeeded for result in results):
        raise click.exceptions.Exit(1)


def confirm(fleet: Fleet, to_stop: Sequence[DeclaredNotebook], agreed: bool) -> None:
    """Says what is about to be stopped, and asks unless `agreed`; never for the local cloud.

    Raises UserError if stdin is not a terminal.
    """
    if agreed or fleet.endpoint or not to_stop:
        return
    for region in dict.fromkeys(notebook.region for notebook in to_stop):
        caller = fleet.cloud(region).identity()
        say(f"Stop in AWS account {caller.account}, region {region}, as {caller.arn}:")
        for notebook in to_stop:
            if notebook.region == region:
                say(f"  {notebook.stack.name}")
    require_terminal()
    which = "this notebook" if len(to_stop) == 1 else f"these {len(to_stop)} notebooks"
    memory = f"what {'its' if len(to_stop) == 1 else 'their'} kernels hold in memory"
    click.confirm(f"Stop {which}, and lose {memory}?", abort=True, err=True)


def _with_status(fleet: Fleet, candidates: Sequence[DeclaredNotebook], status: str) -> Pairs:
    instances = fleet.instances(candidates)
    return [
        (notebook, instance)
        for notebook in candidates
        if (instance := instances[notebook.region].get(notebook.name)) and instance.status == status
    ]


def _find_idle(
    fleet: Fleet, candidates: Sequence[DeclaredNotebook], idle_for: timedelta
) -> list[DeclaredNotebook]:
    running = _with_status(fleet, candidates, "InService")
    decisions = {region: idle.recent_decisions(fleet.cloud(region)) for region in _regions(running)}
    selected, silent = [], []
    for notebook, instance in running:
        last = decisions[notebook.region].get(notebook.name)
        decision = idle.since_last_change(last, instance.modified)
        if decision is None:
            silent.append(notebook.stack.path.name)
        elif idle.is_idle(decision, idle_for):
            selected.append(notebook)
    if silent:
        say(f"not known to be idle, since their auto-stop says nothing: {', '.join(silent)}")
    return selected


def _find_stopped(fleet: Fleet, candidates: Sequence[DeclaredNotebook]) -> list[DeclaredNotebook]:
    stopped = _with_status(fleet, candidates, "Stopped")
    by_autostop = {}
    for region in _regions(stopped):
        modified = {n.name: instance.modified for n, instance in stopped if n.region == region}
        by_autostop[region] = idle.stopped_by_autostop(fleet.cloud(region), modified)
    return [notebook for notebook, _ in stopped if notebook.name in by_autostop[notebook.region]]


def _regions(pairs: Pairs) -> list[str]:
    return list(dict.fromkeys(notebook.region for notebook, _ in pairs))
