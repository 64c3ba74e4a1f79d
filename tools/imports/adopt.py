"""Takes into a stack's state what exists in AWS already: an apply that died left it there."""

import tempfile
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import click

from tools.aws import lookup
from tools.engine.init import initialize
from tools.engine.recovery import await_leftover, recover
from tools.engine.run import Run
from tools.layout.stack import Stack
from tools.runs.session import Session


@dataclass(frozen=True)
class Found:
    """A resource that Terraform would create and that exists: its import identifier."""

    address: str
    type: str
    identifier: str


Values = Mapping[str, Any]


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
    existing = lookup.Existing(region, endpoint)
    found = []
    for change in planned.get("resource_changes", []):
        look = _LOOK.get(change["type"])
        if change["mode"] == "managed" and change["change"]["actions"] == ["create"] and look:
            identifier = look(existing, change["change"]["after"])
            if identifier:
                found.append(Found(change["address"], change["type"], identifier))
    return found


def adopt(run: Run, stack: Stack, found: Found) -> None:
    """Imports `found` into the state of `stack`. Raises TerraformError with what Terraform said."""
    run.records.drop(stack)
    run.terraform.import_(stack.path, run.log(stack, "import"), found.address, found.identifier)


_LOOK: dict[str, Callable[[lookup.Existing, Values], str | None]] = {
    "aws_cloudwatch_log_group": lambda existing, values: existing.log_group(values["name"]),
    "aws_iam_policy": lambda existing, values: existing.policy(values["name"], values["path"]),
    "aws_iam_role": lambda existing, values: existing.role(values["name"]),
    "aws_kms_alias": lambda existing, values: existing.kms_alias(values["name"]),
    "aws_s3_bucket": lambda existing, values: existing.bucket(values["bucket"]),
    "aws_sagemaker_notebook_instance": lambda existing, values: existing.notebook(values["name"]),
    "aws_sagemaker_notebook_instance_lifecycle_configuration": (
        lambda existing, values: existing.lifecycle_configuration(values["name"])
    ),
    "aws_scheduler_schedule": (
        lambda existing, values: existing.schedule(values["group_name"], values["name"])
    ),
    "aws_scheduler_schedule_group": lambda existing, values: existing.schedule_group(
        values["name"]
    ),
    "aws_security_group": (
        lambda existing, values: existing.security_group(values["name"], values["vpc_id"])
    ),
    "aws_vpc_security_group_egress_rule": (
        lambda existing, values: existing.security_group_rule(True, values)
    ),
    "aws_vpc_security_group_ingress_rule": (
        lambda existing, values: existing.security_group_rule(False, values)
    ),
    "aws_vpc_endpoint": (
        lambda existing, values: existing.vpc_endpoint(values["service_name"], values["vpc_id"])
    ),
}


def adopt_into(session: Session, stack: Stack) -> None:
    """Imports what `stack` would create and what exists already, after one question."""
    option = session.target.option
    total = 0
    # A second look finds what lies inside of the first one's, such as the rules of a group.
    while existing := _find_existing(session, stack):
        click.echo(f"Import in {session.account}, into the state of {stack.name}:", err=True)
        for resource in existing:
            click.echo(f"  {resource.address}  {resource.identifier}", err=True)
        session.confirm(f"Import these {len(existing)} resources?")
        _adopt(session, stack, existing)
        total += len(existing)
    if total:
        click.echo(f"imported {total}; next: tools deploy{option} {stack.name}", err=True)
    else:
        click.echo(
            f"{stack.name} would create nothing that is known here to exist already; what has no "
            f"name to look for: terraform -chdir={stack.path} import ADDRESS ID",
            err=True,
        )


def _find_existing(session: Session, stack: Stack) -> list[Found]:
    with session.runner().begin(1) as run:
        return find(run, stack, session.target.region, session.target.endpoint)


def _adopt(session: Session, stack: Stack, existing: Sequence[Found]) -> None:
    with session.runner().begin(1) as run:
        for resource in existing:
            run.progress.say(stack.name, f"importing {resource.address}")
            adopt(run, stack, resource)
