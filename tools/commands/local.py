"""`tools local up | status | down | env | reset`."""

import json
import shlex

import click

from tools.context import Context
from tools.localcloud import workspace
from tools.localcloud.client import environment, variables_to_unset
from tools.localcloud.process import Running


@click.group("local", short_help="The cloud on this machine.")
def command() -> None:
    """Run LocalStack with SageMaker notebook instances, as a background process.

    It listens on 127.0.0.1 and keeps nothing when it ends. Its files are in .tools/local.
    """


@command.command(short_help="Start it; harmless where it runs.")
@click.option("--port", type=click.IntRange(1, 65535), help="4566, or a free port, by default.")
@click.pass_obj
def up(context: Context, port: int | None) -> None:
    """Start the local cloud and print its endpoint."""
    before = context.local_cloud.status()
    running = context.local_cloud.up(port)
    if running != before:
        context.forget_local_state()
    _show(running)


@command.command(short_help="Whether it runs, and where.")
@click.option("--json", "as_json", is_flag=True, help="For a script.")
@click.pass_obj
def status(context: Context, as_json: bool) -> None:
    """Print the local cloud's endpoint, or that it does not run."""
    running = context.local_cloud.status()
    if as_json:
        click.echo(
            json.dumps(
                {
                    "running": running is not None,
                    "endpoint": running.endpoint if running else None,
                    "port": running.port if running else None,
                    "pid": running.pid if running else None,
                    "log": str(context.local_cloud.log),
                }
            )
        )
    elif running:
        _show(running)
    else:
        click.echo("The local cloud does not run; start it: tools local up", err=True)


@command.command(short_help="End it, with all it holds.")
@click.pass_obj
def down(context: Context) -> None:
    """End the local cloud. Everything deployed to it is gone, and the states that name it."""
    ended = context.local_cloud.down()
    context.forget_local_state()
    click.echo("The local cloud has ended." if ended else "The local cloud did not run.", err=True)


@command.command(short_help="Empty it.")
@click.pass_obj
def reset(context: Context) -> None:
    """End the local cloud and start it empty, on the same port."""
    running = context.local_cloud.reset()
    context.forget_local_state()
    _show(running)


@command.command(short_help="Print exports for terraform, aws and boto3.")
@click.pass_obj
def env(context: Context) -> None:
    """Print what makes plain terraform, aws and boto3 reach the local cloud.

    Use it so: eval "$(tools local env)"
    """
    running = context.running()
    variables = environment(running.endpoint, workspace.region(context.repository), context.env)
    if config := context.terraform_cli_config:
        variables["TF_CLI_CONFIG_FILE"] = str(config)
    for name in variables_to_unset(context.env):
        click.echo(f"unset {name}")
    for name, value in variables.items():
        click.echo(f"export {name}={shlex.quote(value)}")


def _show(running: Running) -> None:
    click.echo(running.endpoint)
    click.echo(f"process {running.pid}", err=True)
