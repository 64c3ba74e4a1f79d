"""`tools demo`."""

import click

from tools.aws import sagemaker
from tools.aws.client import Cloud
from tools.console.table import lay_out, new_rich_table, show_rich
from tools.context import Context, Target
from tools.runs import deployment
from tools.runs.options import Options
from tools.runs.session import Session
from tools.scaffold import render, rows

NOTEBOOK = {
    "name": "nlp-project",
    "profile": "staging",
    "owner": "demo",
    "purpose": "Made by `tools new-notebook` in the demo",
}


@click.command("demo", short_help="Deploy everything to a cloud on this machine.")
@click.option(
    "--port",
    type=click.IntRange(1, 65535),
    help="Port of the local cloud.  [default: 4566, or a free port]",
)
@click.pass_obj
def command(context: Context, port: int | None) -> None:
    """Start the local cloud, deploy the shared stacks and the notebooks to it, and show them.

    Needs no AWS account and costs nothing. Creates a third notebook with `tools new-notebook`.
    Everything is in the git-ignored folder .tools, until `tools local down`.
    """
    _run(context, port)


def _run(context: Context, port: int | None) -> None:
    """Starts the local cloud, deploys every stack and prints what runs.

    Raises UserError if the local cloud does not start; exits with 1 if a stack fails.
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
        types = render.variables(templates)
        notebooks = rows.build([NOTEBOOK], {}, target.repository, types)
        render.write(notebooks, target.repository, templates)
    session = Session.open(context, local=True, options=Options(yes=True))
    deployment.deploy_stacks(session, session.records.stacks)
    _show(target)
    click.echo(
        "To look around:\n"
        "  source .venv/bin/activate\n"
        '  eval "$(tools local env)"\n'
        "  aws sagemaker list-notebook-instances\n"
        f"Its Terraform and states: {target.repository.root}\n"
        "To stop it: tools local down"
    )


def _show(target: Target) -> None:
    """Prints the shared infrastructure and the notebooks, from the stacks' outputs."""
    outputs = {stack: target.terraform.outputs(stack.path) for stack in target.repository.stacks()}
    shared = new_rich_table("Shared infrastructure", "Stack", "Output", "Value")
    for stack, values in outputs.items():
        if stack.kind == "shared":
            for name, value in values.items():
                shared.add_row(stack.name, name, _text(value))
    instances = sagemaker.instances_by_name(Cloud(target.region, target.endpoint))
    notebooks = new_rich_table("Notebooks", "Notebook", "Instance type", "Status", "URL")
    for stack, values in outputs.items():
        if stack.kind == "notebook" and values:
            instance = instances.get(values["notebook_name"])
            status = instance.status if instance else "missing"
            notebooks.add_row(stack.name, values["instance_type"], status, values["notebook_url"])
    show_rich(shared)
    show_rich(notebooks)


def _text(value: object) -> str:
    """Returns an output in words, with a line for each of its entries."""
    if isinstance(value, dict):
        return "\n".join(lay_out((key, str(item)) for key, item in value.items()))
    return ", ".join(map(str, value)) if isinstance(value, list) else str(value)
