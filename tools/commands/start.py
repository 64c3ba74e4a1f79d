"""`tools start`."""

from typing import Any

import click

from tools.commands import options, start_stop
from tools.context import Context


@click.command("start", short_help="Start notebooks and wait until they run.")
@options.for_start_and_stop
@click.option("--idle", is_flag=True, help="Notebooks stopped by auto-stop in the last 14 days.")
@click.pass_obj
def command(context: Context, /, idle: bool, **given: Any) -> None:
    """Start NOTEBOOKS in parallel, and wait until each is InService.

    A notebook is named by its directory, its name in AWS, or a glob ('nlp-*', '*'). A notebook
    that runs already is left alone. A notebook that cannot be started is reported and skipped, and
    the exit code is 1. A running notebook costs money by the hour. Ctrl-C ends only the wait.
    """
    start_stop.run(context, "start", idle, **given)
