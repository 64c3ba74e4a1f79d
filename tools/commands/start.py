"""`tools start`."""

import click

from tools.commands import options, start_stop
from tools.context import Context
from tools.fleet.fleet import Fleet


@click.command("start", short_help="Start notebooks, and wait until they run.")
@options.for_start_and_stop
@click.option(
    "--idle",
    is_flag=True,
    help="Those that their idle stop has stopped, as its last line in CloudWatch's logs says "
    "(14 days back).",
)
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
) -> None:
    """Start NOTEBOOKS, several at once, and wait until each is InService.

    A notebook is named by its directory, by the name that AWS knows or by a glob ('nlp-*', '*').
    One that runs already is left alone; one whose status does not allow a start is told and
    skipped, and the exit code is 1. What runs costs money by the hour. Ctrl-C ends the wait alone.
    """
    where = Fleet.open(context, local)
    chosen = start_stop.chosen(where, "start", notebooks, conditions, idle)
    start_stop.run(where, "start", chosen, 0 if no_wait else timeout * 60, as_json)
