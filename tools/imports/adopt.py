"""Repairs a stack after an apply that died: imports what it left in AWS but not in the state."""

import tempfile
from pathlib import Path

import click

from tools.aws import lookup
from tools.aws.client import Cloud
from tools.console import table
from tools.engine.preparation import prepare
from tools.engine.run import Run
from tools.imports.request import ResourceImport
from tools.imports.state_import import import_resource
from tools.layout.stack import Stack
from tools.runs.session import Session


def find_existing(
    run: Run, stack: Stack, region: str, endpoint: str | None
) -> list[ResourceImport]:
    """Returns what a plan of `stack` would create but AWS has already, under the same name.

    Rules of a security group and VPC endpoints, which have no name, are told by what they connect.
    Raises TerraformError if the stack cannot be planned.
    """
    prepare(run, stack)
    with tempfile.TemporaryDirectory(prefix="plans-") as folder:
        file = Path(folder) / "plan"
        log = run.log(stack, "plan")
        run.terraform.plan(stack.path, log, lambda event: None, run.interruption, file)
        plan = run.terraform.show_json(stack.path, file)
    cloud = Cloud(region, endpoint)
    resources = []
    for change in plan.get("resource_changes", []):
        if change["mode"] == "managed" and change["change"]["actions"] == ["create"]:
            identifier = lookup.identifier(cloud, change["type"], change["change"]["after"])
            if identifier:
                address = change["address"]
                resources.append(ResourceImport(stack.name, address, change["type"], identifier))
    return resources


def adopt(session: Session, stack: Stack) -> None:
    """Imports what `stack` would create and what exists already, after one question."""
    target = session.target
    total = 0
    # A second look finds parts of what the first one imported, such as the rules of a group.
    while existing := _find_existing(session, stack):
        click.echo(f"Import in {session.account}, into the state of {stack.name}:", err=True)
        rows = ((resource.address, resource.identifier) for resource in existing)
        table.show(rows, indent="  ", err=True)
        session.confirm(f"Import these {len(existing)} resources?")
        with session.runner().begin(1) as run:
            for resource in existing:
                import_resource(run, stack, resource)
        total += len(existing)
    if total:
        click.echo(f"imported {total}; next: tools deploy{target.option} {stack.name}", err=True)
    else:
        click.echo(
            f"Nothing to adopt in {stack.name}. To import a resource that has no name to look for: "
            f"{target.terraform.program} -chdir={stack.path} import ADDRESS ID",
            err=True,
        )


def _find_existing(session: Session, stack: Stack) -> list[ResourceImport]:
    with session.runner().begin(1) as run:
        return find_existing(run, stack, session.target.region, session.target.endpoint)
