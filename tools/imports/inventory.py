"""What the stacks' states hold already, by address and by what it is in AWS."""

import json
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Any

from tools.engine.preparation import prepare
from tools.engine.records import Records
from tools.engine.run import Run
from tools.errors import UserError
from tools.imports.request import Adoption
from tools.layout.stack import Stack
from tools.state.file import address_of


@dataclass(frozen=True)
class Held:
    """The managed resources of states: stack to address to type and identifier."""

    stacks: Mapping[str, Mapping[str, tuple[str, str]]]

    def has(self, adoption: Adoption) -> bool:
        """Whether the address holds what is to be adopted.

        Raises UserError where it holds something else, and where another address has it.
        """
        there = self.stacks.get(adoption.stack, {}).get(adoption.address)
        if there and there[1] == adoption.identifier:
            return True
        if there:
            raise UserError(
                f"{adoption.stack} has {there[1]} as {adoption.address} already, so that there is "
                f"no room for {adoption.identifier}; where this one is meant to be it, take the "
                "other out of the state first, in that stack's folder: "
                f"terraform state rm '{adoption.address}'"
            )
        if elsewhere := self.find(adoption.type, adoption.identifier):
            raise UserError(
                f"{adoption.identifier} is in the state of {elsewhere[0]} already: {elsewhere[1]}"
            )
        return False

    def find(self, type: str, identifier: str) -> tuple[str, str] | None:
        """The stack and the address that hold a resource."""
        for stack, held in self.stacks.items():
            for address, one in held.items():
                if one == (type, identifier):
                    return stack, address
        return None


def read(records: Records, stacks: Iterable[Stack], run: Run | None = None) -> Held:
    """What the states of `stacks` hold.

    A state that is not told from a stack's files is asked for from Terraform, by `run`; without it
    the stack is left out. Raises UserError where a state cannot be read.
    """
    chosen = list(stacks)
    records.prefetch(chosen)
    return Held({stack.name: _held(_text(records, stack, run)) for stack in chosen})


def _text(records: Records, stack: Stack, run: Run | None) -> bytes:
    records.state(stack)  # which refuses one that is cut short
    if place := records.place(stack):
        return place.read() or b""
    if run is None:
        return b""
    prepare(run, stack)
    return run.terraform.pull_state(stack.path)


def _held(text: bytes) -> dict[str, tuple[str, str]]:
    """https://developer.hashicorp.com/terraform/language/state"""
    found = json.loads(text) if text else {"resources": []}
    return {
        address_of(one, instance): (
            one["type"],
            _identifier(one["type"], instance["attributes"]),
        )
        for one in found["resources"]
        if one["mode"] == "managed"
        for instance in one["instances"]
    }


def _identifier(type: str, attributes: Mapping[str, Any]) -> str:
    """What `terraform import` takes, which is the resource's id but where that is of no meaning."""
    if type == "aws_iam_role_policy_attachment":
        return f"{attributes['role']}/{attributes['policy_arn']}"
    return str(attributes.get("id", ""))
