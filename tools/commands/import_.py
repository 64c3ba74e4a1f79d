"""`tools import`."""

from collections.abc import Callable, Mapping, Sequence
from functools import partial
from typing import Any

import click

from tools.commands import options
from tools.console.messages import print_json, say
from tools.context import Context
from tools.imports import (
    buckets,
    closing_plan,
    endpoints,
    notebooks,
    pending_import,
    roles,
    scan,
    security_groups,
    trial,
)
from tools.imports.destination import Destination
from tools.imports.execute import execute
from tools.imports.request import ImportRequest, combine
from tools.layout.stack import S3
from tools.runs.options import Options
from tools.runs.session import Session
from tools.scaffold.notebook import Notebook

Build = Callable[[Destination], ImportRequest]


@click.group(
    "import",
    invoke_without_command=True,
    short_help="Bring existing AWS resources under management.",
)
@click.option(
    "--scan", "scans", is_flag=True, help="Show what can be imported, and the command for each."
)
@options.local
@click.option("--json", "as_json", is_flag=True, help="With --scan: print JSON (docs/json.md).")
@click.pass_context
def command(ctx: click.Context, scans: bool, local: bool, as_json: bool) -> None:
    """Bring existing AWS resources under management, with the values that match them.

    Nothing in AWS changes, and nothing is written before you confirm. It ends with a plan of the
    stacks. docs/migration.md says what a deployment changes after that.

    \b
    Examples:
      tools import --scan
      tools import bucket acme-data --as datasets
    """
    if ctx.invoked_subcommand:
        if scans or local or as_json:
            raise click.UsageError(
                "put --local after the command; --scan and --json take no command"
            )
        return
    if not scans:
        raise click.UsageError("give --scan, or what to import: tools import --help")
    session = Session.open(ctx.obj, local)
    destination = Destination.open(session)
    candidates = scan.find_candidates(destination, partial(_try_out, session))
    if as_json:
        print_json(candidates)
    else:
        scan.show(candidates)
    for stack in scan.unread_stacks(destination):
        say(f"note: {stack} is left out: its files do not say where its state is")


def _try_out(session: Session, doubtful: Sequence[Notebook]) -> Mapping[str, str]:
    return trial.refusals(session, pending_import.PendingImport((), (), tuple(doubtful), (), ()))


@command.command("bucket", short_help="Import a bucket into shared-infra/s3.")
@click.argument("name")
@click.option(
    "--as",
    "purpose",
    metavar="PURPOSE",
    help="What it is for: datasets, models, or the purpose of another shared bucket.  [default: "
    "from its name]",
)
@options.local
@options.yes
@click.pass_obj
def bucket(context: Context, /, name: str, purpose: str | None, **given: Any) -> None:
    """Import the bucket NAME and its settings into shared-infra/s3. Leaves its objects alone.

    \b
    Examples:
      tools import bucket acme-data --as datasets
    """
    _import(
        context,
        lambda destination: buckets.request_bucket(
            destination, name, purpose or buckets.guess_purpose(destination, name)
        ),
        **given,
    )


@command.command("role", short_help="Import the notebooks' role into shared-infra/iam.")
@click.argument("name")
@options.local
@options.yes
@click.pass_obj
def role(context: Context, /, name: str, **given: Any) -> None:
    """Import the role NAME into shared-infra/iam, as the role that all notebooks share.

    \b
    Examples:
      tools import role acme-notebooks
    """

    def build(destination: Destination) -> ImportRequest:
        destination.require(S3)
        return roles.request_role(destination, name)

    _import(context, build, **given)


@command.command("security-group", short_help="Import a security group.")
@click.argument("id")
@click.option(
    "--as",
    "purpose",
    required=True,
    type=click.Choice(security_groups.PURPOSES),
    help="What the group is for.",
)
@options.local
@options.yes
@click.pass_obj
def security_group(context: Context, /, id: str, purpose: str, **given: Any) -> None:
    """Import the security group ID and its matching rules into shared-infra/security-groups.

    \b
    Examples:
      tools import security-group sg-0123456789abcdef0 --as notebooks
    """
    _import(
        context,
        lambda destination: security_groups.request_group(destination, id, purpose),
        **given,
    )


@command.command("endpoint", short_help="Import a VPC endpoint.")
@click.argument("id")
@options.local
@options.yes
@click.pass_obj
def endpoint(context: Context, /, id: str, **given: Any) -> None:
    """Import the VPC endpoint ID into shared-infra/vpc-endpoints.

    \b
    Examples:
      tools import endpoint vpce-0123456789abcdef0
    """

    def build(destination: Destination) -> ImportRequest:
        endpoints.require_group(destination, id)
        return endpoints.request_endpoint(destination, id)

    _import(context, build, **given)


@command.command("notebook", short_help="Import a notebook instance into a new directory.")
@click.argument("name")
@click.option("--directory", help="Its directory in notebooks.  [default: NAME]")
@click.option("--owner", help="Who is responsible for it.  [default: its tag, or your login name]")
@click.option("--purpose", help="What it is for.  [default: its tag, or its name]")
@click.option("--environment", help="Value of the Environment tag.  [default: its tag, or dev]")
@options.local
@options.yes
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
    """Import the notebook instance NAME, with its values and scripts, into a new directory.

    Needs the shared stacks, since the notebook reads their role, subnet and security group.

    \b
    Examples:
      tools import notebook nlp --owner alice
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
    pending = pending_import.find_pending(session, request)
    # Values are written first: if there is nothing left to import, they have been.
    if not (pending.imports or pending.notebooks):
        first = request.imports[0]
        say(f"{first.identifier} is already in the state of {first.stack}")
        return
    trial.check(session, pending)
    closing_plan.report(execute(session, pending), session.target)
