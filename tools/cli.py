"""The `tools` command, which finds and calls the modules of tools.commands."""

import errno
import importlib
import inspect
import io
import os
import re
import signal
import sys
from difflib import get_close_matches
from itertools import chain
from pathlib import Path
from types import FrameType
from typing import TYPE_CHECKING, Any, NoReturn

import click

from tools.console.help_format import HelpContext
from tools.errors import UserError, in_one_line

if TYPE_CHECKING:
    from click.shell_completion import CompletionItem

GROUPS = {
    "Set up": ("init", "doctor", "new-notebook", "sync", "lock", "upgrade", "completion"),
    "Deploy": ("plan", "deploy", "destroy", "drift", "adopt"),
    "Look": ("list", "graph", "status", "cost", "report", "explain-access"),
    "Operate": ("start", "stop", "open", "logs", "rename-notebook"),
    "Bring in": ("import", "migrate"),
    "States": ("state",),
    "Pipelines": ("ci", "merge-reports"),
    "Local cloud": ("local", "demo"),
}
COMMANDS = tuple(sorted(chain.from_iterable(GROUPS.values())))


class _Lazy(click.Group):
    """Imports the module of a command when it is called, and adds what every command has."""

    context_class = HelpContext

    def list_commands(self, ctx: click.Context) -> list[str]:
        return list(COMMANDS)

    def get_command(self, ctx: click.Context, cmd_name: str) -> click.Command | None:
        if cmd_name not in COMMANDS:
            return None
        name = "import_" if cmd_name == "import" else cmd_name.replace("-", "_")
        command: click.Command = importlib.import_module(f"tools.commands.{name}").command  # noqa: TID251
        _add_common_options(command)
        return command

    def shell_complete(self, ctx: click.Context, incomplete: str) -> "list[CompletionItem]":
        """Offers commands by their names alone: to import them all would take too long."""
        from click.shell_completion import CompletionItem

        names = [CompletionItem(name) for name in COMMANDS if name.startswith(incomplete)]
        return names + click.Command.shell_complete(self, ctx, incomplete)

    def resolve_command(
        self, ctx: click.Context, args: list[str]
    ) -> tuple[str | None, click.Command | None, list[str]]:
        """Offers the nearest names for a wrong one: click knows of none that are not imported."""
        try:
            return super().resolve_command(ctx, args)
        except click.NoSuchCommand as error:
            raise click.NoSuchCommand(error.command_name, possibilities=COMMANDS, ctx=ctx) from None

    def invoke(self, ctx: click.Context) -> Any:
        """Turns whatever a command does not catch into the one line of a UserError."""
        try:
            return super().invoke(ctx)
        except click.BadParameter as error:
            raise _offer_choice(error) from None
        except (UserError, click.ClickException, click.Abort, click.exceptions.Exit):
            raise
        except Exception as error:
            if isinstance(error, OSError) and error.errno == errno.EPIPE:
                # The reader of a pipe wants no more: `main` of click 8.5.1 (core.py) ends with 1.
                raise
            from tools.runs import crash

            raise UserError(crash.describe(error, ctx.params["root"], os.environ)) from error

    def format_commands(self, ctx: click.Context, formatter: click.HelpFormatter) -> None:
        width = max(map(len, COMMANDS))
        for title, names in GROUPS.items():
            with formatter.section(title):
                commands = ((name, self.get_command(ctx, name)) for name in names)
                formatter.write_dl(
                    [
                        (name.ljust(width), command.short_help or "")
                        for name, command in commands
                        if command
                    ]
                )


@click.group(cls=_Lazy, context_settings={"help_option_names": ["-h", "--help"]})
@click.option(
    "--root",
    type=click.Path(exists=True, file_okay=False, path_type=Path),
    envvar="TOOLS_ROOT",
    help="The repository.  [default: TOOLS_ROOT, or the one that contains the working directory]",
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


def _common_options() -> list[click.Option]:
    """-q and -v, which count before the command's name and after it."""
    return [
        click.Option(
            ["-q", "--quiet"],
            is_flag=True,
            expose_value=False,
            callback=_set_wish,
            help="Print only results, warnings, errors and questions.",
        ),
        click.Option(
            ["-v", "--verbose"],
            is_flag=True,
            expose_value=False,
            callback=_set_wish,
            help="Print every column and every line of Terraform.",
        ),
    ]


def _set_wish(ctx: click.Context, parameter: click.Parameter, value: bool) -> None:
    from tools.console.terminal import wish

    if value:
        setattr(wish, str(parameter.name), True)


def _add_common_options(command: click.Command) -> None:
    if isinstance(command, click.Group):
        for part in command.commands.values():
            _add_common_options(part)
    command.context_class = HelpContext
    if not command.short_help:
        # `_make_default_short_help` of click 8.5.1 (utils.py) cuts the docstring's first sentence
        # where a line of the list ends.
        first = inspect.cleandoc(command.help or "").split("\n\n")[0].replace("\n", " ")
        command.short_help = first.partition(". ")[0].removesuffix(".") + "."
    if all(parameter.name != "verbose" for parameter in command.params):
        command.params += _common_options()


def _offer_choice(error: click.BadParameter) -> click.BadParameter:
    """Adds the nearest of an option's values to the message that there is no such value."""
    # The value is in the message alone: `get_invalid_choice_message` of click 8.5.1 (types.py).
    kind = error.param.type if error.param else None
    given = re.match(r"'(.*)' is not one of ", error.message, re.DOTALL)
    if not isinstance(kind, click.Choice) or not given:
        return error
    near = get_close_matches(given[1], list(map(str, kind.choices)), n=1)
    message = f"{error.message} Did you mean '{near[0]}'?" if near else error.message
    return click.BadParameter(message, error.ctx, error.param, error.param_hint)


group.params += _common_options()


def main() -> None:
    """Runs the command. Prints a UserError as one line on stderr, and exits with 1."""
    from tools.console import messages, terminal

    signal.signal(signal.SIGTERM, _end)
    messages.reset()
    try:
        if isinstance(sys.stdout, io.TextIOWrapper):
            # A file's name may be no UTF-8. Python has stderr so by itself.
            sys.stdout.reconfigure(errors="backslashreplace")
        group(prog_name="tools", color=terminal.colour())
    except UserError as error:
        _fail(in_one_line(str(error)), error.exit_code)
    except OSError as error:  # of what click prints by itself
        _fail(f"cannot write: {error.strerror}")


def _fail(message: str, exit_code: int = 1) -> NoReturn:
    from tools.console.terminal import colour

    click.secho(f"error: {message}", fg="red", err=True, color=colour())
    try:
        sys.stdout.flush()
    except OSError:
        # Python would try again as it ends, and end with 120:
        # https://docs.python.org/3/library/signal.html#note-on-sigpipe
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
    sys.exit(exit_code)


def _end(number: int, frame: FrameType | None) -> None:
    sys.exit(128 + number)
