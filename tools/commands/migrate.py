"""`tools migrate`."""

from pathlib import Path

import click

from tools.context import Context
from tools.migration import migrate
from tools.migration.mapping import Choices
from tools.runs.options import Options
from tools.runs.session import Session


def _purposes(
    ctx: click.Context, parameter: click.Parameter, given: tuple[str, ...]
) -> dict[str, str]:
    found = dict(pair.partition("=")[::2] for pair in given)
    if len(found) < len(given) or not all(key and value for key, value in found.items()):
        raise click.BadParameter("give NAME=PURPOSE, each name once, such as acme-data=datasets")
    return found


@click.command("migrate", short_help="Take over an old deployment of one folder.")
@click.argument("source", metavar="FROM", type=click.Path(path_type=Path))
@click.option(
    "--bucket",
    "purposes",
    multiple=True,
    metavar="NAME=PURPOSE",
    callback=_purposes,
    help="What a bucket is for: datasets, models or a word of your own; may be repeated.  "
    "[default: as its name or tags tell]",
)
@click.option(
    "--leave",
    multiple=True,
    metavar="ADDRESS",
    help="Leave this with the old deployment; an address there or a glob; may be repeated.",
)
@click.option(
    "--script",
    "path",
    type=click.Path(dir_okay=False, path_type=Path),
    metavar="FILE",
    help="Where the script of `terraform state rm` goes.  [default: state-rm-<FROM>.sh here]",
)
@click.option("--dry-run", is_flag=True, help="Show what would become of each resource, and end.")
@click.option("--local", is_flag=True, help="The local cloud instead of AWS.")
@click.option("--yes", is_flag=True, help="Do not ask.")
@click.option("--json", "as_json", is_flag=True, help="For a script (docs/json.md).")
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
    """Take what an old deployment holds into the stacks here.

    FROM is the folder of its Terraform, or its state file; both are read and never written. Shows
    which stack takes which resource and why the others stay, and asks once; then values, notebook
    directories and imports are written, nothing in AWS changes, and a plan of the stacks ends it.
    After an interruption the same command goes on. Last it writes a script that lets the old
    deployment go of what was taken: run it when you have seen the plan, before anything is
    destroyed there.
    """
    arguments = migrate.Arguments(source, Choices(purposes, leave), path, dry_run, as_json)
    migrate.migrate(Session.open(context, local, Options(yes=yes)), arguments)
