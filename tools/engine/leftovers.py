"""Finds what an apply that did not finish made in AWS, and that no state holds."""

import tempfile
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any, NamedTuple

from tools.aws import lookup
from tools.aws.client import Cloud
from tools.engine.explain import explain
from tools.engine.preparation import prepare
from tools.engine.retry import retry_transient
from tools.engine.run import Run
from tools.errors import UserError
from tools.layout.stack import Stack
from tools.terraform.diagnostics import TerraformError


class Leftover(NamedTuple):
    """What a plan would create and what exists; `identifier` is what `terraform import` takes."""

    address: str
    type: str
    identifier: str


@dataclass(frozen=True)
class Leftovers:
    """What a plan would create and what exists, and the addresses of what may exist."""

    existing: tuple[Leftover, ...]
    unknown: tuple[str, ...]


def find_leftovers(run: Run, stack: Stack) -> Leftovers:
    """Returns what a plan of `stack` would create but AWS has already, under the same name.

    Rules of a security group and VPC endpoints, which have no name, are told by what they connect.
    Raises TerraformError if the stack cannot be planned, UserError if AWS cannot be asked.
    """
    prepare(run, stack)
    with tempfile.TemporaryDirectory(prefix="plans-") as folder:
        file = Path(folder) / "plan"
        log = run.log(stack, "plan")
        run.terraform.plan(stack.path, log, lambda event: None, run.interruption, file)
        plan = run.terraform.show_json(stack.path, file)
    cloud = Cloud(_region(plan) or run.region, run.records.endpoint)
    existing, unknown = [], []
    for change in plan.get("resource_changes", []):
        if change["mode"] != "managed" or change["change"]["actions"] != ["create"]:
            continue
        resource_type, address = change["type"], change["address"]
        try:
            identifier = lookup.identifier(cloud, resource_type, change["change"]["after"])
        except KeyError:  # AWS or an apply gives it its name, or AWS does not tell
            unknown.append(address)
            continue
        if identifier:
            existing.append(Leftover(address, resource_type, identifier))
        elif not lookup.can_tell(resource_type):
            unknown.append(address)
    return Leftovers(tuple(existing), tuple(unknown))


def refuse_leftovers(run: Run, stack: Stack) -> None:
    """Raises UserError if AWS has, or may have, what `stack` made and no state holds.

    Asks the cloud only if there is a sign of it. To destroy the rest would hide it for good.
    """
    sign = run.records.why_incomplete(stack)
    if not sign:
        return
    run.progress.say(stack.name, f"{sign}: looking for what is in AWS and in no state")
    adopt = f"tools adopt{run.option} {stack.name}"
    try:
        left = retry_transient(run, stack, lambda: find_leftovers(run, stack))
    except UserError as error:
        if run.interruption.count:
            raise
        why = str(error)
        if isinstance(error, TerraformError):
            why = explain(error.diagnostics, stack, run)
        raise UserError(
            f"{sign}, and what is in AWS and in no state cannot be told: {why}; nothing was "
            f"destroyed. Mend that, then: {adopt}"
        ) from None
    if left.existing:
        names = ", ".join(
            f"{leftover.address} ({leftover.identifier})" for leftover in left.existing
        )
        raise UserError(
            f"{sign}, and AWS has what no state holds: {names}; nothing was destroyed. Take it "
            f"into the state, then destroy again: {adopt}"
        )
    if changes := run.records.changes_since_incomplete(stack):
        raise UserError(
            f"{sign}, and nothing tells what it made ({changes[0]}); nothing was destroyed. With "
            f"files and values as they were then: {adopt}. Or look in AWS for what it made, delete "
            "it, deploy, and destroy again"
        )
    if left.unknown:
        names = ", ".join(left.unknown)
        raise UserError(
            f"{sign}, and nothing tells whether AWS has {names}; nothing was destroyed. Look for "
            f"it, import what is there (after {adopt}: {run.terraform.program} "
            f"-chdir={stack.path} import ADDRESS ID), deploy, and destroy again"
        )


def _region(plan: Mapping[str, Any]) -> str:
    """The region of the default AWS provider, empty if its block does not say.

    https://developer.hashicorp.com/terraform/internals/json-format#configuration-representation
    """
    configs = plan.get("configuration", {}).get("provider_config", {})
    region = configs.get("aws", {}).get("expressions", {}).get("region", {})
    for reference in region.get("references", []):
        kind, _, name = reference.partition(".")
        if kind == "var":
            return str(plan.get("variables", {}).get(name, {}).get("value") or "")
    return str(region.get("constant_value") or "")
