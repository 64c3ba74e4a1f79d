"""`tools demo`."""

import click

from tools.aws import sagemaker
from tools.aws.client import Cloud
from tools.console import table
from tools.console.messages import say
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

_SHARED = {
    "datasets bucket": "datasets_bucket_name",
    "models bucket": "models_bucket_name",
    "role": "role_arn",
    "VPC": "vpc_id",
    "subnets": "subnet_ids",
    "endpoints": "endpoint_ids",
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

    \b
    Examples:
      tools demo
      tools status --local               # afterwards
      tools local down                   # to end it
    """
    context.require_terraform()
    templates = context.templates  # before the local cloud is there for nothing
    fresh = context.local_cloud.status() is None
    running = context.local_cloud.up(port)
    if fresh:
        context.forget_local_state()
    say(f"local cloud: {running.endpoint}")
    target = context.target(local=True)
    if NOTEBOOK["name"] not in target.repository.notebook_names():
        say(f"tools new-notebook {NOTEBOOK['name']} --profile staging --local")
        types = render.variables(templates)
        notebooks = [rows.build(NOTEBOOK, {}, target.repository, types)]
        render.write(notebooks, target.repository, templates)
    session = Session.open(context, local=True, options=Options(yes=True, says_next=False))
    deployment.deploy_stacks(session, session.records.stacks)
    _show(target)
    click.echo(
        "\nWhat to do next:\n"
        "  source .venv/bin/activate        # once a terminal\n"
        "  tools status --local             # the notebooks as declared and as they are\n"
        "  tools report --local             # the same as a page, with what it would cost\n"
        '  eval "$(tools local env)"        # so that aws and terraform reach this cloud\n'
        "  tools local down                 # stop it; everything in it is gone\n"
        f"Terraform, its states and all outputs: {target.repository.root}"
    )


def _show(target: Target) -> None:
    """Prints the notebooks and what they share, from the stacks' outputs."""
    outputs = {stack: target.terraform.outputs(stack.path) for stack in target.repository.stacks()}
    instances = sagemaker.list_instances(Cloud(target.region, target.endpoint))
    rows: list[tuple[str, str, str]] = []
    urls = []
    for stack, values in outputs.items():
        if stack.kind == "notebook" and values:
            instance = instances.get(values["notebook_name"])
            status = instance.status if instance else "missing"
            rows.append((stack.name, values["instance_type"], status))
            urls.append([values["notebook_url"]])
    table.show(rows, ("Notebook", "Type", "Status"), urls)
    click.echo("The URLs are as AWS forms them; there is no Jupyter behind them here.")
    shared = {name: value for values in outputs.values() for name, value in values.items()}
    shared_outputs = ((label, shared.get(name)) for label, name in _SHARED.items())
    table.show(
        ((label, _text(value)) for label, value in shared_outputs), ("Shared by all", "Value")
    )


def _text(value: object) -> str:
    """Returns an output in a line: of several values all, of several by name the names."""
    return ", ".join(map(str, value)) if isinstance(value, dict | list) else str(value)
