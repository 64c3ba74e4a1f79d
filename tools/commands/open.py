"""`tools open`."""

import webbrowser

import click

from tools.aws import sagemaker
from tools.commands import completions, options
from tools.console.messages import say
from tools.context import Context
from tools.errors import UserError
from tools.fleet.fleet import Fleet


@click.command("open", short_help="Print or open a notebook's presigned URL.")
@click.argument("notebook", shell_complete=completions.notebooks)
@options.local
@click.option("--browser", is_flag=True, help="Open the URL in a browser instead of printing it.")
@click.option(
    "--session-minutes",
    type=click.IntRange(30, 720),
    default=720,
    show_default=True,
    help="Minutes that a session lasts.",
)
@click.pass_obj
def command(
    context: Context, notebook: str, local: bool, browser: bool, session_minutes: int
) -> None:
    """Print the presigned URL of NOTEBOOK, which has to be running.

    The URL is a credential: whoever opens it within 5 minutes can use the notebook and its role.

    \b
    Examples:
      tools open nlp
      tools open nlp --browser
    """
    fleet = Fleet.open(context, local)
    declared = fleet.notebook(notebook)
    fleet.require_running(declared)
    cloud = fleet.cloud(declared.region)
    url = sagemaker.create_presigned_url(cloud, declared.name, session_minutes * 60)
    if fleet.endpoint:
        say("The local cloud has no Jupyter behind this URL.")
    if browser:
        # Not click.launch, which says nothing if there is none (click 8.5.1, _termui_impl.py).
        if not webbrowser.open(url):
            raise UserError("found no browser; leave out --browser to print the URL")
        return
    say(
        "Treat this URL like a password: whoever opens it within 5 minutes is signed in to the "
        f"notebook for {session_minutes} minutes."
    )
    click.echo(url)
