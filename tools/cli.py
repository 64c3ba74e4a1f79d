"""The `tools` command, which finds and calls the modules of tools.commands."""

import errno
import importlib
import signal
import sys
from pathlib import Path
from types import FrameType
from typing import NoReturn

import click

from tools.errors import UserError, in_one_line

# Name to module in tools.commands: a command's module is loaded when it is called.
COMMANDS = {
    "adopt": "adopt",
    "cost": "cost",
    "demo": "demo",
    "deploy": "deploy",
    "destroy": "destroy",
    "drift": "drift",
    "explain-access": "explain_access",
    "graph": "graph",
    "import": "import_",
    "init": "init",
    "list": "list",
    "local": "local",
    "logs": "logs",
    "migrate": "migrate",
    "new-notebook": "new_notebook",
    "open": "open",
    "plan": "plan",
    "rename-notebook": "rename_notebook",
    "report": "report",
    "start": "start",
    "state": "state",
    "status": "status",
    "stop": "stop",
}


class _Lazy(click.Group):
    def list_commands(self, ctx: click.Context) -> list[str]:
        return sorted(COMMANDS)

    def get_command(self, ctx: click.Context, cmd_name: str) -> click.Command | None:
        if cmd_name not in COMMANDS:
            return None
        module = importlib.import_module(f"tools.commands.{COMMANDS[cmd_name]}")
        command: click.Command = module.command
        return command


@click.group(cls=_Lazy, context_settings={"help_option_names": ["-h", "--help"]})
@click.option(
    "--root",
    type=click.Path(exists=True, file_okay=False, path_type=Path),
    help="The repository.  [default: the one that contains the working directory]",
)
@click.version_option(package_name="sagemaker-notebooks")
@click.pass_context
def group(ctx: click.Context, root: Path | None) -> None:
    """Deploy and operate many SageMaker notebooks on shared Terraform infrastructure.

    Needs Terraform 1.0 or later, or OpenTofu (tofu), on PATH; set TOOLS_TERRAFORM to use another
    binary. Every stack also works with plain `terraform apply` in its folder.
    """
    from tools.context import Context

    ctx.obj = Context(root)


def main() -> None:
    """Runs the command. Prints a UserError as one line on stderr, and exits with 1."""
    signal.signal(signal.SIGTERM, _end)
    try:
        group()
    except UserError as error:
        _fail(in_one_line(str(error)))
    except OSError as error:
        if error.errno != errno.ENOSPC:
            raise
        file = f" ({error.filename})" if error.filename else ""
        _fail(f"the disk is full{file}; free some space, and run the command again")


def _fail(message: str) -> NoReturn:
    click.secho(f"error: {message}", fg="red", err=True)
    sys.exit(1)


def _end(number: int, frame: FrameType | None) -> None:
    sys.exit(128 + number)
