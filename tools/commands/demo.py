"""`tools demo`."""

import click

from tools import demo
from tools.context import Context


@click.command("demo", short_help="Deploy everything to a cloud on this machine.")
@click.option("--port", type=click.IntRange(1, 65535), help="Port of the local cloud.")
@click.pass_obj
def command(context: Context, port: int | None) -> None:
    """Start the local cloud, deploy the shared stacks and the notebooks to it, and show them.

    Needs no AWS account and costs nothing. A third notebook is made with `tools new-notebook`.
    Everything stays in the git-ignored folder .tools, until `tools local down`.
    """
    demo.run(context, port)
