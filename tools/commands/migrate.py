"""`tools migrate`."""

from pathlib import Path

import click

from tools.commands import options
from tools.context import Context
from tools.errors import shorten
from tools.migration import migrate
from tools.migration.mapping import Choices
from tools.runs.options import Options
from tools.runs.session import Session


def _parse_purposes(
    ctx: click.Context, option: click.Parameter, pairs: tuple[str, ...]
) -> dict[str, str]:
    purposes = options.parse_pairs(ctx, option, pairs)
    if unknown := [name for name, purpose in purposes.items() if not purpose]:
        example = "such as acme-data=datasets"
        raise click.BadParameter(f"{shorten(unknown[0])} has no purpose; give one, {example}")
    return purposes


@click.command("migrate", short_help="Import an old single-folder deployment.")
@click.argument("source", metavar="FROM", type=click.Path(path_type=Path))
@click.option(
    "--bucket",
    "purposes",
    multiple=True,
    metavar="NAME=PURPOSE",
    callback=_parse_purposes,
    help="What a bucket is for: datasets, models or a word of your own. May be repeated.  "
    "[default: from its name or tags]",
)
@click.option(
    "--leave",
    multiple=True,
    metavar="ADDRESS",
    help="Address or glob of what stays in the old deployment. May be repeated.",
)
@click.option(
    "--script",
    type=options.FILE,
    metavar="FILE",
    help="Where to write the script of `terraform state rm`.  [default: state-rm-<FROM>.sh here]",
)
@click.option(
    "--dry-run", is_flag=True, help="Show what would happen to each resource, and write nothing."
)
@options.local
@options.yes
@options.as_json
@click.pass_obj
def command(
    context: Context,
    source: Path,
    purposes: dict[str, str],
    leave: tuple[str, ...],
    script: Path | None,
    dry_run: bool,
    local: bool,
    yes: bool,
    as_json: bool,
) -> None:
    """Import an old single-folder deployment into the stacks here. Recreates nothing.

    FROM is the folder of its Terraform, or its state file. Both are only read. Shows which stack
    imports which resource and why the others stay, and asks once. Then it writes values and
    notebook directories, imports the resources and plans the stacks. Nothing in AWS changes. After
    an interruption, run the same command again to continue.

    Last, it writes a script that removes what was imported from the old deployment's state. Read
    the plan, then run the script, before you destroy anything there.

    \b
    Examples:
      tools migrate ../old --dry-run
      tools migrate ../old --bucket acme-raw=datasets
      tools migrate terraform.tfstate --leave 'aws_instance.*'
    """
    migrate.migrate(
        Session.open(context, local, Options(yes=yes)),
        source,
        Choices(purposes, leave),
        script=script,
        dry_run=dry_run,
        as_json=as_json,
    )
