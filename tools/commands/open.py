"""`tools open`."""

import click

from tools.aws import sagemaker
from tools.commands import options
from tools.context import Context
from tools.errors import UserError
from tools.fleet.fleet import Fleet


@click.command("open", short_help="Print or open a notebook's address that signs in.")
@click.argument("notebook")
@options.local
@click.option("--browser", is_flag=True, help="Open it instead of printing it.")
@click.option(
    "--session-minutes",
    type=click.IntRange(30, 720),
    default=720,
    show_default=True,
    help="How long whoever opens it stays signed in.",
)
@click.pass_obj
def command(
    context: Context, notebook: str, local: bool, browser: bool, session_minutes: int
) -> None:
    """Print the presigned URL of NOTEBOOK, which has to run, on stdout.

    It is a credential: whoever opens it within 5 minutes works in the notebook, with its role.
    """
    where = Fleet.open(context, local)
    one = where.notebook(notebook)
    where.require_status(one, "InService")
    url = sagemaker.presigned_url(where.cloud(one.region), one.name, session_minutes * 60)
    if where.endpoint:
        click.echo("The local cloud has no Jupyter behind this address.", err=True)
    if browser:
        if click.launch(url):
            raise UserError("no browser to open it with was found; leave --browser out")
        return
    click.echo(
        "Whoever opens this address within 5 minutes is signed in to the notebook for "
        f"{session_minutes} minutes: treat it like a password.",
        err=True,
    )
    click.echo(url)
