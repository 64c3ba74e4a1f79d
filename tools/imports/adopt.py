"""Takes into a stack's state what exists in AWS already: an apply that died left it there."""

import tempfile
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import click

from tools.aws import lookup
from tools.aws.client import Cloud
from tools.context import Context, Target
from tools.engine.init import initialize
from tools.engine.records import Records
from tools.engine.recovery import await_leftover, recover
from tools.engine.run import Run
from tools.layout.stack import Stack
from tools.runs.questions import agree_to
from tools.runs.runner import Runner
from tools.runs.session import Options, Where


@dataclass(frozen=True)
class Found:
    """A resource that Terraform would create and that exists: its import identifier."""

    address: str
    type: str
    identifier: str


def find(run: Run, stack: Stack, region: str, endpoint: str | None) -> list[Found]:
    """What a plan of `stack` would create and AWS has already, under the same name.

    Rules of a security group and VPC endpoints, which have no name, are told by what they connect.
    Raises TerraformError where the stack cannot be planned.
    """
    await_leftover(run, stack)
    recover(run, stack)
    initialize(run, stack)
    with tempfile.TemporaryDirectory(prefix="plans-") as folder:
        file = Path(folder) / "plan"
        log = run.log(stack, "plan")
        run.terraform.plan(stack.path, log, lambda event: None, run.interruption, file)
        planned = run.terraform.planned_values(stack.path, file)
    cloud = Cloud(region, endpoint)
    found = []
    for change in planned.get("resource_changes", []):
        if change["mode"] == "managed" and change["change"]["actions"] == ["create"]:
            identifier = lookup.identifier(cloud, change["type"], change["change"]["after"])
            if identifier:
                found.append(Found(change["address"], change["type"], identifier))
    return found


def adopt(run: Run, stack: Stack, found: Found) -> None:
    """Imports `found` into the state of `stack`. Raises TerraformError with what Terraform said."""
    run.records.drop(stack)
    run.terraform.import_(stack.path, run.log(stack, "import"), found.address, found.identifier)


def adopt_into(
    context: Context,
    target: Target,
    known: Records,
    place: Where,
    stack: Stack,
    options: Options,
) -> None:
    """Imports what `stack` would create and what exists already, after one question."""
    runner = Runner(context, target, known, options)
    total = 0
    # A second look finds what lies inside of the first one's, such as the rules of a group.
    while found := _find_existing(runner, stack, target):
        click.echo(f"Import in {place}, into the state of {stack.name}:", err=True)
        for one in found:
            click.echo(f"  {one.address}  {one.identifier}", err=True)
        agree_to(f"Import these {len(found)} resources?", target, options.yes)
        _adopt(runner, stack, found)
        total += len(found)
    if total:
        click.echo(f"imported {total}; next: tools deploy{target.option} {stack.name}", err=True)
    else:
        click.echo(
            f"{stack.name} would create nothing that is known here to exist already; what has no "
            f"name to look for: terraform -chdir={stack.path} import ADDRESS ID",
            err=True,
        )


def _find_existing(runner: Runner, stack: Stack, target: Target) -> list[Found]:
    with runner.how(1) as how:
        return find(how, stack, target.region, target.endpoint)


def _adopt(runner: Runner, stack: Stack, found: Sequence[Found]) -> None:
    with runner.how(1) as how:
        for one in found:
            how.progress.say(stack.name, f"importing {one.address}")
            adopt(how, stack, one)
