"""`tools logs`."""

import json

import click

from tools.aws import logs
from tools.commands import options
from tools.context import Context
from tools.errors import in_one_line
from tools.fleet.fleet import Fleet
from tools.system import signals


@click.command("logs", short_help="A notebook's lifecycle and Jupyter logs.")
@click.argument("notebook")
@options.local
@click.option(
    "--since",
    default="1d",
    show_default=True,
    help="How long ago (15m, 2h, 3d) or when (2026-01-31T08:00, in UTC).",
)
@click.option(
    "--stream",
    "streams",
    multiple=True,
    help="jupyter.log, LifecycleConfigOnStart or LifecycleConfigOnCreate; all by default.",
)
@click.option("--follow", "-f", is_flag=True, help="Go on with what comes, until Ctrl-C.")
@click.option("--json", "as_json", is_flag=True, help="An object a line, for a script.")
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
    """Print what NOTEBOOK has logged in CloudWatch, times in UTC.

    Its lifecycle scripts write there, Jupyter, and the idle stop what it decided and why. A
    notebook without a way to the internet needs an endpoint for `logs` to do so.
    """
    start = logs.parse_moment(since)
    where = Fleet.open(context, local)
    one = where.notebook(notebook)
    cloud = where.cloud(one.region)
    count = 0
    others: set[str] = set()
    with signals.counted() as interrupted:
        events = logs.events(cloud, start, one.name)
        if follow:
            events = logs.follow(cloud, start, one.name, lambda: not interrupted.count)
        for event in events:
            if streams and event.stream not in streams:
                others.add(event.stream)
                continue
            count += 1
            click.echo(json.dumps(event.as_json()) if as_json else event.line())
    if not count and others:
        asked = " or ".join(streams)
        there = ", ".join(map(in_one_line, sorted(others)))
        click.echo(f"{one.name}: nothing in {asked} since {since}, only in {there}", err=True)
    elif not count:
        why = logs.why_none(cloud)
        click.echo(f"{one.name} has logged nothing since {since}. {why}.", err=True)
