"""`tools start` and `tools stop` as a person sees them: who is meant, one question, a summary."""

import json
from collections.abc import Sequence
from datetime import timedelta

import click

from tools.aws import client
from tools.console import progress, table
from tools.console.prompt import require_terminal
from tools.fleet import fleet, idle, start_stop
from tools.fleet.fleet import Declared, Fleet
from tools.fleet.start_stop import Verb
from tools.system import signals

_COLOURS = {"started": "green", "stopped": "green", "failed": "red", "skipped": "yellow"}


def chosen(
    where: Fleet,
    verb: Verb,
    patterns: Sequence[str],
    conditions: Sequence[str],
    only_idle: bool,
    for_at_least: timedelta = timedelta(),
) -> list[Declared]:
    """The notebooks that are meant. Raises UsageError where none is named in any way."""
    if not patterns and not conditions and not only_idle:
        raise click.UsageError(f"name notebooks to {verb}, --where, --idle, or '*' for all of them")
    named = fleet.declared(where, patterns, conditions)
    if not only_idle:
        return named
    there = fleet.listed(where, named)
    if verb == "stop":
        meant = _idle(where, named, there, for_at_least)
    else:
        meant = _stopped_themselves(where, named, there)
    click.echo(f"{len(meant)} of {len(named)} notebooks are meant by --idle", err=True)
    return meant


def confirm(where: Fleet, notebooks: Sequence[Declared], agreed: bool) -> None:
    """Says what is about to be stopped, and asks unless `agreed`; never for the local cloud.

    Raises UserError where nobody is there to be asked.
    """
    if agreed or where.endpoint or not notebooks:
        return
    for region in dict.fromkeys(notebook.region for notebook in notebooks):
        who = client.identity(region)
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
    where: Fleet, verb: Verb, notebooks: Sequence[Declared], seconds: float, as_json: bool
) -> None:
    """Makes the change and prints what became of each.

    Exits with 1 where one was skipped or failed, and with 130 where the wait was interrupted.
    """
    there = fleet.listed(where, notebooks)
    with signals.counted() as interrupted, progress.choose(len(notebooks)) as show:
        how = start_stop.Run(where, verb, show, interrupted, seconds)
        outcomes = start_stop.change(how, notebooks, there)
    if as_json:
        click.echo(json.dumps([outcome.as_json() for outcome in outcomes], indent=2))
    else:
        _summarize(outcomes)
    if interrupted.count:
        raise click.exceptions.Exit(130)
    if not all(outcome.good for outcome in outcomes):
        raise click.exceptions.Exit(1)


def _idle(
    where: Fleet, named: Sequence[Declared], there: fleet.Listing, for_at_least: timedelta
) -> list[Declared]:
    running = _with_status(named, there, "InService")
    said = {region: idle.decisions(where.cloud(region)) for region in _regions(running)}
    decided = {
        n.stack.name: idle.of_this_run(said[n.region].get(n.name), there[n.region][n.name].modified)
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
    where: Fleet, named: Sequence[Declared], there: fleet.Listing
) -> list[Declared]:
    stopped = _with_status(named, there, "Stopped")
    found = {}
    for region in _regions(stopped):
        modified = {n.name: there[region][n.name].modified for n in stopped if n.region == region}
        found[region] = idle.stopped_themselves(where.cloud(region), modified)
    return [notebook for notebook in stopped if notebook.name in found[notebook.region]]


def _with_status(named: Sequence[Declared], there: fleet.Listing, status: str) -> list[Declared]:
    return [
        notebook
        for notebook in named
        if (instance := there[notebook.region].get(notebook.name)) and instance.status == status
    ]


def _regions(notebooks: Sequence[Declared]) -> list[str]:
    return list(dict.fromkeys(notebook.region for notebook in notebooks))


def _summarize(outcomes: Sequence[start_stop.Outcome]) -> None:
    table.show(
        (
            outcome.notebook.stack.name,
            click.style(outcome.what, fg=_COLOURS.get(outcome.what)),
            outcome.detail,
        )
        for outcome in outcomes
    )
    click.echo(start_stop.summary(outcomes) or "nothing to do", err=True)
