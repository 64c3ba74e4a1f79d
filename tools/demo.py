"""Everything, deployed to the local cloud, and what runs there afterwards."""

from typing import Any

import click
from rich.box import SIMPLE_HEAD
from rich.console import Console
from rich.table import Table

from tools import requests, runs, scaffold
from tools.aws import client
from tools.context import Context, Target

_PLAIN: Any = {"box": SIMPLE_HEAD, "title_justify": "left", "pad_edge": False}

NOTEBOOK = {
    "name": "nlp-project",
    "profile": "staging",
    "owner": "demo",
    "purpose": "Made by `tools new-notebook` in the demo",
}


def run(context: Context, port: int | None) -> None:
    """Starts the local cloud, deploys every stack and prints what runs.

    Raises UserError where the local cloud does not start; exits with 1 where a stack fails.
    """
    context.require_terraform()
    templates = context.templates  # before the local cloud is there for nothing
    fresh = context.local_cloud.status() is None
    running = context.local_cloud.up(port)
    if fresh:
        context.forget_local_state()
    click.echo(f"local cloud: {running.endpoint}", err=True)
    target = context.target(local=True)
    if NOTEBOOK["name"] not in target.repository.notebook_names():
        click.echo(f"tools new-notebook {NOTEBOOK['name']} --profile staging --local", err=True)
        types = scaffold.variables(templates)
        notebooks = requests.build([NOTEBOOK], {}, target.repository, types)
        scaffold.write(notebooks, target.repository, templates)
    place = runs.where(target)
    stacks = target.repository.stacks()
    known = runs.records(target, place)
    runs.deploy_stacks(context, target, known, place, stacks, runs.Options(yes=True))
    show(target)
    click.echo(
        "To look around:\n"
        "  source .venv/bin/activate\n"
        '  eval "$(tools local env)"\n'
        "  aws sagemaker list-notebook-instances\n"
        f"Its Terraform and states: {target.repository.root}\n"
        "To take it down: tools local down"
    )


def show(target: Target) -> None:
    """Prints the shared infrastructure and the notebooks, from the stacks' outputs."""
    outputs = {stack: target.terraform.outputs(stack.path) for stack in target.repository.stacks()}
    shared = Table("Stack", "Output", "Value", title="Shared infrastructure", **_PLAIN)
    for stack, values in outputs.items():
        if stack.kind == "shared":
            for name, value in values.items():
                shared.add_row(stack.name, name, _text(value))
    statuses = client.notebook_statuses(target.region, target.endpoint)
    notebooks = Table("Notebook", "Instance type", "Status", "URL", title="Notebooks", **_PLAIN)
    for stack, values in outputs.items():
        if stack.kind == "notebook" and values:
            status = statuses.get(values["notebook_name"], "missing")
            notebooks.add_row(stack.name, values["instance_type"], status, values["notebook_url"])
    _print(shared)
    _print(notebooks)


def _print(table: Table) -> None:
    """Prints `table` as wide as its rows: a terminal wraps a long one, and no URL is cut."""
    console = Console(width=1000)
    with console.capture() as captured:
        console.print(table)
    for line in captured.get().splitlines():
        click.echo(line.rstrip())


def _text(value: object) -> str:
    """An output on as few lines as it has entries."""
    if isinstance(value, dict):
        width = max(map(len, value), default=0)
        return "\n".join(f"{key:<{width}}  {item}" for key, item in value.items())
    return ", ".join(map(str, value)) if isinstance(value, list) else str(value)
