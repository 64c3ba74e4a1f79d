"""`tools stop`."""

from datetime import timedelta
from typing import Any

import click

from tools.commands import options, start_stop
from tools.context import Context


@click.command("stop", short_help="Stop notebooks and wait until they are stopped.")
@options.for_start_and_stop
@click.option(
    "--idle",
    is_flag=True,
    help="Running notebooks without a busy kernel and without use of a kernel or terminal, as "
    "their auto-stop logs to CloudWatch. Leaves out those that log nothing or are kept alive.",
)
@click.option(
    "--idle-minutes",
    type=click.IntRange(min=0),
    default=15,
    show_default=True,
    help="With --idle: minimum idle time.",
)
@options.yes
@click.pass_obj
def command(context: Context, /, idle: bool, idle_minutes: int, yes: bool, **given: Any) -> None:
    """Stop NOTEBOOKS in parallel, and wait until each is Stopped.

    A notebook is named by its directory, its name in AWS, or a glob ('nlp-*', '*'). Asks once,
    since what kernels and terminals hold in memory is lost. The volume stays, and still costs
    money. A stopped notebook is left alone. A notebook that cannot be stopped is reported and
    skipped, and the exit code is 1. Ctrl-C ends only the wait.

    \b
    Examples:
      tools stop nlp
      tools stop --idle --idle-minutes 60
      tools stop '*' --no-wait
    """
    idle_for = timedelta(minutes=idle_minutes)
    start_stop.run(context, "stop", idle, idle_for, yes, **given)
