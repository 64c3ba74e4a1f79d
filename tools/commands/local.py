"""`tools local up | status | down | env | reset`."""

import shlex
from pathlib import Path

import click

from tools.commands import options
from tools.console.messages import print_json, say
from tools.context import Context
from tools.localcloud import workspace
from tools.localcloud.client import environment, variables_set, variables_to_unset
from tools.localcloud.process import Running


@click.group("local", short_help="Run a cloud on this machine.")
def command() -> None:
    """Run LocalStack with SageMaker notebook instances, as a background process.

    It listens on 127.0.0.1 and keeps nothing after it stops. Its files are in .tools/local.

    \b
    Examples:
      tools local up
      eval "$(tools local env)"
      tools local down
    """


@command.command(short_help="Start the local cloud.")
@click.option(
    "--port",
    type=click.IntRange(1, 65535),
    help="Port to listen on.  [default: 4566, or a free port]",
)
@click.pass_obj
def up(context: Context, port: int | None) -> None:
    """Start the local cloud, unless it runs already, and print its endpoint.

    \b
    Examples:
      tools local up
      tools local up --port 4600
    """
    before = context.local_cloud.status()
    running = context.local_cloud.up(port)
    if running != before:
        context.forget_local_state()
    _show(running)


@command.command(short_help="Show whether it runs, and where.")
@options.as_json
@click.pass_obj
def status(context: Context, as_json: bool) -> None:
    """Print the local cloud's endpoint, or that it does not run.

    \b
    Examples:
      tools local status --json
    """
    running = context.local_cloud.status()
    if as_json:
        print_json(
            {
                "running": running is not None,
                "endpoint": running.endpoint if running else None,
                "port": running.port if running else None,
                "pid": running.pid if running else None,
                "log": str(context.local_cloud.log),
            }
        )
    elif running:
        _show(running)
    else:
        say("The local cloud does not run. Start it: tools local up")


@command.command(short_help="Stop it and delete what it holds.")
@click.pass_obj
def down(context: Context) -> None:
    """Stop the local cloud. Everything deployed to it is gone, and so are its states.

    \b
    Examples:
      tools local down
    """
    stopped = context.local_cloud.down()
    context.forget_local_state()
    say("The local cloud has stopped." if stopped else "The local cloud did not run.")


@command.command(short_help="Stop it and start it empty.")
@click.pass_obj
def reset(context: Context) -> None:
    """Stop the local cloud and start it empty, on the same port.

    \b
    Examples:
      tools local reset
    """
    running = context.local_cloud.reset()
    context.forget_local_state()
    _show(running)


@command.command(short_help="Print exports for terraform, aws and boto3.")
@click.option("--unset", is_flag=True, help="Print the commands that undo it.")
@click.pass_obj
def env(context: Context, unset: bool) -> None:
    """Print the exports with which plain terraform, aws and boto3 reach the local cloud.

    Use: eval "$(tools local env)", and to undo it: eval "$(tools local env --unset)". What you had
    set yourself, such as AWS_PROFILE, is yours to set again; stderr names it.

    \b
    Examples:
      eval "$(tools local env)"
      eval "$(tools local env --unset)"
    """
    if unset:
        _show_unset(context)
        return
    running = context.running()
    variables = environment(running.endpoint, workspace.region(context.repository), context.env)
    if config := context.terraform_cli_config:
        variables["TF_CLI_CONFIG_FILE"] = str(config)
    removed = variables_to_unset(context.env)
    for name in removed:
        click.echo(f"unset {name}")
    lost = [*removed, *(name for name in variables if context.env.get(name) and name != "NO_PROXY")]
    if lost and not variables_set(context.env):
        say(f"yours, and not set again by --unset: {', '.join(sorted(lost))}")
    for name, value in variables.items():
        click.echo(f"export {name}={shlex.quote(value)}")


def _show_unset(context: Context) -> None:
    names = variables_set(context.env)
    config = context.env.get("TF_CLI_CONFIG_FILE")
    if config and context.is_ours(Path(config)):
        names.append("TF_CLI_CONFIG_FILE")
    for name in names:
        click.echo(f"unset {name}")
    if not names:
        say("This shell has none of the local cloud's variables.")


def _show(running: Running) -> None:
    click.echo(running.endpoint)
    say(f"process {running.pid}")
