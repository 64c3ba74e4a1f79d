"""The values that every stack takes: one for all of them, wherever Terraform finds it."""

from collections.abc import Mapping
from pathlib import Path

from tools.errors import UserError
from tools.hcl import cache
from tools.hcl.evaluation import Value, first_unknown
from tools.layout.contents import keep_contents
from tools.layout.module import Unset
from tools.layout.neighbours import Neighbours

TYPED_ONCE = ("project", "region", "state_bucket", "state_prefix")


def read_shared_values(root: Path, env: Mapping[str, str]) -> dict[str, Value]:
    """The values of TYPED_ONCE that the stacks in `root` take, by Terraform's precedence.

    Without those that no stack takes, or that none has a value for. Raises UserError if two stacks
    have different ones, or if no stack's is known without Terraform.
    """
    neighbours = Neighbours(root, env)
    owners: dict[str, tuple[str, Value]] = {}
    unknown: dict[str, tuple[str, str]] = {}
    with cache.persisted(root), keep_contents():
        for stack in neighbours.names:
            for name, values in neighbours.variables(stack, TYPED_ONCE).items():
                value = values[0]
                if isinstance(value, Unset):
                    continue
                if len(values) > 1 or (reason := first_unknown(value)):
                    unknown.setdefault(name, (stack, reason.reason if reason else "several values"))
                    continue
                owner, first = owners.setdefault(name, (stack, value))
                if first != value:
                    raise UserError(_disagreement(name, (owner, first), (stack, value)))
    for name, (stack, why) in unknown.items():
        if name not in owners:
            raise UserError(f"{name} of {stack} is not known without Terraform: {why}")
    return {name: value for name, (_, value) in owners.items()}


def _disagreement(name: str, first: tuple[str, Value], second: tuple[str, Value]) -> str:
    said = " and ".join(f"{value} in {stack}" for stack, value in (first, second))
    return (
        f"{name} is {said}; all stacks need the same one: set it in common.auto.tfvars and "
        "nowhere else"
    )
