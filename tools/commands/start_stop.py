"""What `tools start` and `tools stop` share: the selection, the question and the summary."""

from collections.abc import Sequence
from datetime import timedelta

import click

from tools.aws.sagemaker import Instance
from tools.console import progress, table
from tools.console.messages import print_json, say
from tools.console.prompt import require_terminal
from tools.fleet import idle, start_stop
from tools.fleet.fleet import DeclaredNotebook, Fleet, Instances
from tools.fleet.start_stop import StartStop, Verb
from tools.system import signals

Pairs = Sequence[tuple[DeclaredNotebook, Instance]]

_COLOURS = {"started": "green", "stopped": "green", "failed": "red", "skipped": "yellow"}


def select_notebooks(
    fleet: Fleet,
    verb: Verb,
    patterns: Sequence[str],
    conditions: Sequence[str],
    only_idle: bool,
    idle_for: timedelta = timedelta(),
) -> list[DeclaredNotebook]:
    """Returns the notebooks to start or stop. Raises UsageError if the command names none.

    With `only_idle`, to stop those that have been idle for so long, and to start those that their
    auto-stop has stopped.
    """
    if not patterns and not conditions and not only_idle:
        raise click.UsageError(f"name notebooks to {verb}, --where, --idle, or '*' for all of them")
    named = fleet.notebooks(patterns, conditions)
    if not only_idle:
        return named
    instances = fleet.instances(named)
    if verb == "stop":
        selected = _find_idle(fleet, _with_status(named, instances, "InService"), idle_for)
    else:
        selected = _find_stopped(fleet, _with_status(named, instances, "Stopped"))
    say(f"--idle selects {len(selected)} of {len(named)} notebooks")
    return selected


def confirm(fleet: Fleet, notebooks: Sequence[DeclaredNotebook], agreed: bool) -> None:
    """Says what is about to be stopped, and asks unless `agreed`; never for the local cloud.

    Raises UserError if stdin is not a terminal.
    """
    if agreed or fleet.endpoint or not notebooks:
        return
    for region in dict.fromkeys(notebook.region for notebook in notebooks):
        caller = fleet.cloud(region).identity()
        say(f"Stop in AWS account {caller.account}, region {region}, as {caller.arn}:")
        for notebook in notebooks:
            if notebook.region == region:
                say(f"  {notebook.stack.name}")
    require_terminal()
    click.confirm(
        f"Stop these {len(notebooks)} notebooks, and lose what their kernels hold in memory?",
        abort=True,
        err=True,
    )


def run(
    fleet: Fleet, verb: Verb, notebooks: Sequence[DeclaredNotebook], seconds: float, as_json: bool
) -> None:
    """Starts or stops `notebooks`, waits so many `seconds`, and prints the outcomes.

    Exits with 1 if one was skipped or failed, and with 130 if the wait was interrupted.
    """
    instances = fleet.instances(notebooks)
    with signals.count_signals() as interruption, progress.choose(len(notebooks)) as display:
        change = StartStop(fleet, verb, display, interruption, seconds)
        outcomes = change.change(notebooks, instances)
    if as_json:
        print_json([outcome.as_json() for outcome in outcomes])
    else:
        table.show(
            (
                outcome.notebook.stack.name,
                click.style(outcome.result, fg=_COLOURS.get(outcome.result)),
                outcome.detail,
            )
            for outcome in outcomes
        )
        say(start_stop.summarize(outcomes) or "nothing to do")
    if interruption.count:
        raise click.exceptions.Exit(130)
    if not all(outcome.succeeded for outcome in outcomes):
        raise click.exceptions.Exit(1)


def _with_status(notebooks: Sequence[DeclaredNotebook], instances: Instances, status: str) -> Pairs:
    return [
        (notebook, instance)
        for notebook in notebooks
        if (instance := instances[notebook.region].get(notebook.name)) and instance.status == status
    ]


def _find_idle(fleet: Fleet, running: Pairs, idle_for: timedelta) -> list[DeclaredNotebook]:
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


def _find_stopped(fleet: Fleet, stopped: Pairs) -> list[DeclaredNotebook]:
    by_autostop = {}
    for region in _regions(stopped):
        modified = {n.name: instance.modified for n, instance in stopped if n.region == region}
        by_autostop[region] = idle.stopped_by_autostop(fleet.cloud(region), modified)
    return [notebook for notebook, _ in stopped if notebook.name in by_autostop[notebook.region]]


def _regions(pairs: Pairs) -> list[str]:
    return list(dict.fromkeys(notebook.region for notebook, _ in pairs))
