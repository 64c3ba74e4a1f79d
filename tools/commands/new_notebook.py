"""`tools new-notebook`."""

import textwrap
from collections.abc import Mapping, Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any

import click

from tools.commands import completions, options, wrong_rows
from tools.console import terminal
from tools.console.messages import say
from tools.context import Context
from tools.hcl.reading import VALUES
from tools.layout import variables
from tools.layout.repository import COMMON, Repository
from tools.layout.stack import IAM, Stack
from tools.runs import deployment
from tools.runs.options import Options
from tools.runs.session import Session
from tools.scaffold import render, rows
from tools.scaffold.notebook import PROFILES, Notebook
from tools.state import backend


@click.command("new-notebook", short_help="Create a notebook's directory.")
@click.argument("name", required=False)
@click.option(
    "--profile",
    type=click.Choice(list(PROFILES)),
    help="Instance type and environment: dev (ml.t3.medium), staging (ml.m5.xlarge), "
    "prod (ml.m5.2xlarge).  [default: dev]",
)
@click.option("--instance-type", help="Instance type, such as ml.t3.medium.")
@click.option(
    "--volume-size", type=int, help="Size of the volume in GB, 5 to 16384.  [default: 20]"
)
@click.option("--owner", help="Who is responsible for it.  [default: your login name]")
@click.option("--purpose", help="What it is for.  [default: its name]")
@click.option("--environment", help="Value of the Environment tag.  [default: the profile's]")
@click.option("--subnet", "subnet_id", help="ID of its subnet.  [default: the first shared subnet]")
@click.option(
    "--idle-minutes",
    "idle_stop_minutes",
    type=int,
    help="Stop the notebook after this many idle minutes; 0 is never.  [default: 60]",
)
@click.option(
    "--isolated",
    is_flag=True,
    default=None,
    help="Give it a role of its own, limited to users/NAME/ and shared/ in the buckets.",
)
@click.option(
    "--tag",
    "tags",
    multiple=True,
    callback=options.parse_pairs,
    metavar="KEY=VALUE",
    help="Tag. May be repeated.",
)
@click.option(
    "--from",
    "source",
    metavar="NOTEBOOK",
    shell_complete=completions.notebooks,
    help="Copy the values of another notebook.",
)
@click.option(
    "--from-file",
    type=click.Path(path_type=Path),
    help="CSV or YAML file with a notebook in each row. Options fill in what a row leaves out.",
)
@click.option(
    "--set",
    "sets",
    multiple=True,
    callback=options.parse_pairs,
    metavar="KEY=VALUE",
    help="Any other variable of terraform.tfvars.example. May be repeated.",
)
@click.option(
    "--dry-run",
    is_flag=True,
    help="Print terraform.tfvars and the names of the other files, with -v all of them, and write "
    "nothing.",
)
@click.option("--apply", is_flag=True, help="Also deploy it.")
@click.option("--local", is_flag=True, help="Create it in the local cloud's working copy.")
@click.option("--yes", is_flag=True, help="With --apply: do not ask for confirmation.")
@click.pass_obj
def command(
    context: Context,
    /,
    name: str | None,
    source: str | None,
    from_file: Path | None,
    tags: dict[str, str],
    sets: dict[str, str],
    dry_run: bool,
    apply: bool,
    local: bool,
    yes: bool,
    **given: Any,
) -> None:
    """Create the directory of the notebook NAME, or of every notebook in a file.

    Writes all of them or none. The directory is a Terraform root module: `terraform init` and
    `terraform apply` work in it, and in a copy of it with another terraform.tfvars.

    \b
    Examples:
      tools new-notebook nlp --owner alice --purpose "text models"
      tools new-notebook gpu --profile prod --set imds_version=2 --apply
      tools new-notebook --from-file team.csv --dry-run
    """
    if (name is None) == (from_file is None):
        raise click.UsageError("give either NAME or --from-file")
    common = {key: value for key, value in given.items() if value is not None}
    common |= {"from": source} if source else {}
    common |= {"tags": tags} if tags else {}
    common |= sets
    target = context.target(local) if apply or local else None
    repository = target.repository if target else context.repository
    types = render.variables(context.templates)
    if from_file:
        with wrong_rows.show():
            notebooks = rows.build_file(from_file, common, repository, types)
    else:
        notebooks = [rows.build({"name": name}, common, repository, types)]
    if dry_run:
        render.check_new(notebooks, repository)
        state_backend = backend.configured_backend(repository)
        for notebook in notebooks:
            files = render.files(notebook, context.templates, state_backend)
            _show(notebook.name, files)
        return
    open_to_others = _is_open_to_others(notebooks, repository)
    names = [f"notebooks/{notebook.name}" for notebook in notebooks]
    if target and apply:
        # Before anything is written: a refusal must not leave directories behind.
        render.check_new(notebooks, repository)
        session = Session.on(context, target, Options(yes=yes))
        if session.asks:  # otherwise the deploy says it
            session.announce("Deploy", [Stack(repository.root, name) for name in names])
            session.confirm_stacks("Deploy", len(names))
    for directory in render.write(notebooks, repository, context.templates):
        click.echo(directory.relative_to(repository.root))
    if open_to_others:
        say(
            "note: other notebooks can read and write what an isolated notebook owns until you set "
            "reserve_users = true in shared-infra/iam/terraform.tfvars"
        )
    if target and apply:
        agreed = replace(session.moved_to(repository), options=Options(yes=True))
        deployment.deploy_stacks(agreed, repository.select(names))
    else:
        say("next: terraform init && terraform apply in it, or tools deploy")


def _show(name: str, files: Mapping[str, bytes]) -> None:
    """Prints the values of a notebook and the names of its other files; with -v all of them."""
    for file, content in files.items():
        if terminal.wish.verbose or file == VALUES:
            click.echo(f"# --- notebooks/{name}/{file}")
            click.echo(content)
    if not terminal.wish.verbose:
        others = ", ".join([*(file for file in files if file != VALUES), COMMON])
        lead = f"# --- notebooks/{name} also: "
        click.echo(textwrap.fill(others, 79, initial_indent=lead, subsequent_indent="#     "))


def _is_open_to_others(notebooks: Sequence[Notebook], repository: Repository) -> bool:
    if not any(notebook.values.get("isolated") for notebook in notebooks):
        return False
    return not variables.read_values(Stack(repository.root, IAM)).get("reserve_users")
