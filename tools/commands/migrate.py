"""`tools migrate`."""

from pathlib import Path

import click

from tools.commands import options
from tools.context import Context
from tools.migration import migrate
from tools.migration.mapping import Choices
from tools.runs.options import Options
from tools.runs.session import Session


def _purposes(
    ctx: click.Context, parameter: click.Parameter, given: tuple[str, ...]
) -> dict[str, str]:
    purposes = dict(pair.partition("=")[::2] for pair in given)
    if len(purposes) < len(given) or not all(key and value for key, value in purposes.items()):
        raise click.BadParameter("give NAME=PURPOSE, each name once, such as acme-data=datasets")
    return purposes


@click.command("migrate", short_help="Import an old single-folder deployment.")
@click.argument("source", metavar="FROM", type=click.Path(path_type=Path))
@click.option(
    "--bucket",
    "purposes",
    multiple=True,
    metavar="NAME=PURPOSE",
    callback=_purposes,
    help="What a bucket is for: datasets, models or another purpose; may be repeated.  "
    "[default: guessed from its name or tags]",
)
@click.option(
    "--leave",
    multiple=True,
    metavar="ADDRESS",
    help="Leave this resource with the old deployment: an address or a glob; may be repeated.",
)
@click.option(
    "--script",
    "path",
    type=click.Path(dir_okay=False, path_type=Path),
    metavar="FILE",
    help="File for the script of `terraform state rm` commands.  [default: state-rm-<FROM>.sh]",
)
@click.option("--dry-run", is_flag=True, help="Only show what would become of each resource.")
@options.local
@options.yes
@options.as_json
@click.pass_obj
def command(
    context: Context,
    source: Path,
    purposes: dict[str, str],
    leave: tuple[str, ...],
    path: Path | None,
    dry_run: bool,
    local: bool,
    yes: bool,
    as_json: bool,
) -> None:
    """Import what an old deployment holds into the stacks; recreate nothing.

    FROM is the folder of its Terraform, or its state file. Both are read and never written.

    The command shows which stack imports which resource, and why the others stay. After one
    question it writes values and notebook directories, imports the resources and ends with a plan;
    nothing in AWS changes. If it is interrupted, run it again.

    Last it writes a script that removes what was imported from the old deployment's state. Look at
    the plan, then run the script before you destroy anything there.
    """
    arguments = migrate.Arguments(source, Choices(purposes, leave), path, dry_run, as_json)
    migrate.migrate(Session.open(context, local, Options(yes=yes)), arguments)
