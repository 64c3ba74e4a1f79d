"""`tools start` and `tools stop` as a person sees them: who is meant, one question, a summary."""

import json
from collections.abc import Sequence
from datetime import timedelta

import click

from tools.console import progress, table
from tools.console.prompt import require_terminal
from tools.fleet import idle, start_stop
from tools.fleet.fleet import DeclaredNotebook, Fleet, Instances
from tools.fleet.start_stop import StartStop, Verb
from tools.system import signals

_COLOURS = {"started": "green", "stopped": "green", "failed": "red", "skipped": "yellow"}


def chosen(
    where: Fleet,
    verb: Verb,
    patterns: Sequence[str],
    conditions: Sequence[str],
    only_idle: bool,
    for_at_least: timedelta = timedelta(),
) -> list[DeclaredNotebook]:
    """The notebooks that are meant. Raises UsageError where none is named in any way."""
    if not patterns and not conditions and not only_idle:
        raise click.UsageError(f"name notebooks to {verb}, --where, --idle, or '*' for all of them")
    named = where.notebooks(patterns, conditions)
    if not only_idle:
        return named
    there = where.instances(named)
    if verb == "stop":
        meant = _idle(where, named, there, for_at_least)
    else:
        meant = _stopped_themselves(where, named, there)
    click.echo(f"{len(meant)} of {len(named)} notebooks are meant by --idle", err=True)
    return meant


def confirm(where: Fleet, notebooks: Sequence[DeclaredNotebook], agreed: bool) -> None:
    """Says what is about to be stopped, and asks unless `agreed`; never for the local cloud.

    Raises UserError where nobody is there to be asked.
    """
    if agreed or where.endpoint or not notebooks:
        return
    for region in dict.fromkeys(notebook.region for notebook in notebooks):
        who = where.cloud(region).identity()
        click.echo(f"Stop in AWS account {who.account}, region {region}, as {who.arn}:", err=True)
        for notebook in notebooks:
            if notebook.region == region:
                click.echo(f"  {notebook.stack.name}", err=True)
    require_terminal()
    click.confirm(
        f"Stop these {len(notebooks)} notebooks, and lose what their kernels hold in memory?",
        abort=True,
        err=True,
    )


def run(
    where: Fleet, verb: Verb, notebooks: Sequence[DeclaredNotebook], seconds: float, as_json: bool
) -> None:
    """Makes the change and prints what became of each.

    Exits with 1 where one was skipped or failed, and with 130 where the wait was interrupted.
    """
    there = where.instances(notebooks)
    with signals.counted() as interrupted, progress.choose(len(notebooks)) as show:
        change = StartStop(where, verb, show, interrupted, seconds)
        outcomes = change.change(notebooks, there)
    if as_json:
        click.echo(json.dumps([outcome.as_json() for outcome in outcomes], indent=2))
    else:
        _summarize(outcomes)
    if interrupted.count:
        raise click.exceptions.Exit(130)
    if not all(outcome.succeeded for outcome in outcomes):
        raise click.exceptions.Exit(1)


def _idle(
    where: Fleet, named: Sequence[DeclaredNotebook], there: Instances, for_at_least: timedelta
) -> list[DeclaredNotebook]:
    running = _with_status(named, there, "InService")
    said = {region: idle.recent_decisions(where.cloud(region)) for region in _regions(running)}
    decided = {
        n.stack.name: idle.since_last_change(
            said[n.region].get(n.name), there[n.region][n.name].modified
        )
        for n in running
    }
    silent = [n.stack.path.name for n in running if not decided[n.stack.name]]
    if silent:
        click.echo(
            f"not known to be idle, since their auto-stop says nothing: {', '.join(silent)}",
            err=True,
        )
    return [n for n in running if idle.is_idle(decided[n.stack.name], for_at_least)]


def _stopped_themselves(
    where: Fleet, named: Sequence[DeclaredNotebook], there: Instances
) -> list[DeclaredNotebook]:
    stopped = _with_status(named, there, "Stopped")
    found = {}
    for region in _regions(stopped):
        modified = {n.name: there[region][n.name].modified for n in stopped if n.region == region}
        found[region] = idle.stopped_by_autostop(where.cloud(region), modified)
    return [notebook for notebook in stopped if notebook.name in found[notebook.region]]


def _with_status(
    named: Sequence[DeclaredNotebook], there: Instances, status: str
) -> list[DeclaredNotebook]:
    return [
        notebook
        for notebook in named
        if (instance := there[notebook.region].get(notebook.name)) and instance.status == status
    ]


def _regions(notebooks: Sequence[DeclaredNotebook]) -> list[str]:
    return list(dict.fromkeys(notebook.region for notebook in notebooks))


def _summarize(outcomes: Sequence[start_stop.NotebookOutcome]) -> None:
    table.show(
        (
            outcome.notebook.stack.name,
            click.style(outcome.result, fg=_COLOURS.get(outcome.result)),
            outcome.detail,
        )
        for outcome in outcomes
    )
    click.echo(start_stop.summarize(outcomes) or "nothing to do", err=True)
