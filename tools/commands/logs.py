"""`tools logs`."""

import json
from contextlib import ExitStack

import click

from tools.aws import logs
from tools.commands import completions, options
from tools.console.messages import say
from tools.context import Context
from tools.errors import in_one_line
from tools.fleet.fleet import Fleet
from tools.system import signals


@click.command("logs", short_help="Print a notebook's lifecycle and Jupyter logs.")
@click.argument("notebook", shell_complete=completions.notebooks)
@options.local
@click.option(
    "--since",
    default="1d",
    show_default=True,
    help="Start of the logs: a duration (15m, 2h, 3d) or a time in UTC (2026-01-31T08:00).",
)
@click.option(
    "--stream",
    "streams",
    multiple=True,
    help="jupyter.log, LifecycleConfigOnStart or LifecycleConfigOnCreate. May be repeated.  "
    "[default: all]",
)
@click.option("--follow", "-f", is_flag=True, help="Also print new lines, until Ctrl-C.")
@click.option("--json", "as_json", is_flag=True, help="Print a JSON object for each line.")
@click.pass_obj
def command(
    context: Context,
    notebook: str,
    local: bool,
    since: str,
    streams: tuple[str, ...],
    follow: bool,
    as_json: bool,
) -> None:
    """Print what NOTEBOOK has logged to CloudWatch, with times in UTC.

    The logs are those of its lifecycle scripts, of Jupyter and of its auto-stop, which says what
    it decided and why. A notebook without internet access needs a VPC endpoint for `logs`.

    \b
    Examples:
      tools logs nlp
      tools logs nlp --since 2h --stream jupyter.log
      tools logs nlp --follow
    """
    start = logs.parse_moment(since)
    fleet = Fleet.open(context, local)
    declared = fleet.notebook(notebook)
    cloud = fleet.cloud(declared.region)
    count = 0
    other_streams: set[str] = set()
    with ExitStack() as following:
        if follow:
            interrupted = following.enter_context(signals.count_signals())
            events = logs.follow(cloud, start, declared.name, lambda: not interrupted.count)
        else:
            events = logs.events(cloud, start, declared.name)
        for event in events:
            if streams and event.stream not in streams:
                other_streams.add(event.stream)
                continue
            count += 1
            click.echo(json.dumps(event.as_json()) if as_json else event.line())
    if not count and other_streams:
        others = ", ".join(map(in_one_line, sorted(other_streams)))
        say(f"{declared.name}: nothing in {' or '.join(streams)} since {since}, only in {others}")
    elif not count:
        why = logs.why_none(cloud)
        say(f"{declared.name} has logged nothing since {since}. {why}.")
