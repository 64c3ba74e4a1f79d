"""`tools import`."""

from collections.abc import Callable
from typing import Any

import click

from tools.context import Context
from tools.imports import (
    buckets,
    closing_plan,
    endpoints,
    notebooks,
    pending,
    roles,
    scan,
    security_groups,
)
from tools.imports.destination import Destination
from tools.imports.execute import execute
from tools.imports.request import S3, ImportRequest, combine
from tools.runs.options import Options
from tools.runs.session import Session

_LOCAL = click.option("--local", is_flag=True, help="The local cloud instead of AWS.")
_YES = click.option("--yes", is_flag=True, help="Do not ask.")

Build = Callable[[Destination], ImportRequest]


@click.group("import", invoke_without_command=True, short_help="Take what exists into the stacks.")
@click.option("--scan", "scans", is_flag=True, help="Show what could be taken, and by what.")
@_LOCAL
@click.option("--json", "as_json", is_flag=True, help="With --scan: for a script (docs/json.md).")
@click.pass_context
def command(ctx: click.Context, scans: bool, local: bool, as_json: bool) -> None:
    """Take what exists in AWS into the states of the stacks, with the values that match it.

    Nothing in AWS changes, and nothing is written before one question. It ends with a plan of the
    stacks concerned; docs/migration.md says what a deployment changes after that.
    """
    if ctx.invoked_subcommand:
        if scans or local or as_json:
            raise click.UsageError("--scan, --json and --local before it go without a command")
        return
    if not scans:
        raise click.UsageError("give --scan, or what to import: tools import --help")
    destination = Destination.open(Session.open(ctx.obj, local))
    found = scan.find_candidates(destination)
    if as_json:
        scan.print_json(found)
    else:
        scan.show(found)
    for stack in scan.unread_stacks(destination):
        click.echo(f"note: what {stack} holds is not known: its files do not say where", err=True)


@command.command("bucket", short_help="A bucket, for shared-infra/s3.")
@click.argument("name")
@click.option(
    "--as",
    "purpose",
    metavar="PURPOSE",
    help="What it is for: datasets, models, or a further shared bucket's purpose.  [default: as "
    "its name tells]",
)
@_LOCAL
@_YES
@click.pass_obj
def bucket(context: Context, /, name: str, purpose: str | None, **options: Any) -> None:
    """Take the bucket NAME into shared-infra/s3, and those of its settings that exist.

    Its objects are not touched.
    """
    _import(
        context,
        lambda destination: buckets.request_bucket(
            destination, name, purpose or buckets.guess_purpose(destination, name)
        ),
        **options,
    )


@command.command("role", short_help="The role of notebooks, for shared-infra/iam.")
@click.argument("name")
@_LOCAL
@_YES
@click.pass_obj
def role(context: Context, /, name: str, **options: Any) -> None:
    """Take the role NAME into shared-infra/iam, as the one that all notebooks share."""

    def build(destination: Destination) -> ImportRequest:
        destination.require(S3)
        return roles.request_role(destination, name)

    _import(context, build, **options)


@command.command("security-group", short_help="A group, for shared-infra/security-groups.")
@click.argument("id")
@click.option(
    "--as",
    "purpose",
    required=True,
    type=click.Choice(security_groups.PURPOSES),
    help="Whose group it becomes.",
)
@_LOCAL
@_YES
@click.pass_obj
def security_group(context: Context, /, id: str, purpose: str, **options: Any) -> None:
    """Take the security group ID into shared-infra/security-groups, with rules that are alike."""
    _import(
        context,
        lambda destination: security_groups.request_group(destination, id, purpose),
        **options,
    )


@command.command("endpoint", short_help="A VPC endpoint, for shared-infra/vpc-endpoints.")
@click.argument("id")
@_LOCAL
@_YES
@click.pass_obj
def endpoint(context: Context, /, id: str, **options: Any) -> None:
    """Take the VPC endpoint ID into shared-infra/vpc-endpoints."""

    def build(destination: Destination) -> ImportRequest:
        endpoints.require_group(destination, id)
        return endpoints.request_endpoint(destination, id)

    _import(context, build, **options)


@command.command("notebook", short_help="A notebook instance, with a directory of its own.")
@click.argument("name")
@click.option("--directory", help="Its directory in notebooks.  [default: NAME]")
@click.option("--owner", help="Who answers for it.  [default: its tag, or your login name]")
@click.option("--purpose", help="What it is for.  [default: its tag, or its name]")
@click.option("--environment", help="As a tag.  [default: its tag, or dev]")
@_LOCAL
@_YES
@click.pass_obj
def notebook(
    context: Context,
    /,
    name: str,
    directory: str | None,
    local: bool,
    yes: bool,
    **given: str | None,
) -> None:
    """Take the notebook instance NAME into a directory of its own, with its values and scripts.

    Needs the shared stacks, whose role, subnet and group it reads.
    """
    values = {key: value for key, value in given.items() if value is not None}

    def build(destination: Destination) -> ImportRequest:
        return notebooks.request_notebook(
            destination, name, notebooks.Shared.deployed(destination), directory, values
        )

    _import(context, build, local, yes)


def _import(context: Context, build: Build, local: bool, yes: bool) -> None:
    session = Session.open(context, local, Options(yes=yes))
    request = combine([build(Destination.open(session))])
    left = pending.find_pending(session, request)
    # Values are written first: if there is nothing left to import, they have been.
    if not (left.imports or left.notebooks):
        one = request.imports[0]
        click.echo(f"{one.identifier} is already in the state of {one.stack}", err=True)
        return
    closing_plan.report(execute(session, left), session.target)
