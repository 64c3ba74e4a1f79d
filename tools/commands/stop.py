"""`tools stop`."""

from datetime import timedelta

import click

from tools.commands import options, start_stop
from tools.context import Context
from tools.fleet.fleet import Fleet


@click.command("stop", short_help="Stop notebooks, and wait until they have.")
@options.for_start_and_stop
@click.option(
    "--idle",
    is_flag=True,
    help="Those that run and are idle: their auto-stop, which asks Jupyter every minute, has seen "
    "no busy kernel and no use of a kernel or terminal. That is read from CloudWatch's logs; one "
    "whose lines do not get there, or with a keep-alive file, is not stopped.",
)
@click.option(
    "--idle-minutes",
    type=click.IntRange(min=0),
    default=15,
    show_default=True,
    help="With --idle: for how long.",
)
@click.option("--yes", is_flag=True, help="Do not ask.")
@click.pass_obj
def command(
    context: Context,
    notebooks: tuple[str, ...],
    conditions: tuple[str, ...],
    local: bool,
    no_wait: bool,
    timeout: float,
    as_json: bool,
    idle: bool,
    idle_minutes: int,
    yes: bool,
) -> None:
    """Stop NOTEBOOKS, several at once, and wait until each is Stopped.

    A notebook is named by its directory, by the name that AWS knows or by a glob ('nlp-*', '*').
    Its volume stays and is paid for; what its kernels and terminals hold in memory is lost, so
    that this asks once, naming account, region and notebooks. One that is stopped already is left
    alone; one whose status does not allow a stop is told and skipped, and the exit code is 1.
    Ctrl-C ends the wait alone.
    """
    where = Fleet.open(context, local)
    minutes = timedelta(minutes=idle_minutes)
    chosen = start_stop.chosen(where, "stop", notebooks, conditions, idle, minutes)
    start_stop.confirm(where, chosen, yes)
    start_stop.run(where, "stop", chosen, 0 if no_wait else timeout * 60, as_json)
