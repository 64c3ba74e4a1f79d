"""What the stacks' states already hold, by address and by what it is in AWS."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Any

from tools.engine.preparation import prepare
from tools.engine.records import Records
from tools.engine.run import Run
from tools.errors import UserError
from tools.imports.request import ResourceImport
from tools.layout.stack import Stack
from tools.state.file import State


@dataclass(frozen=True)
class Inventory:
    """The managed resources of states: stack to address to type and import identifier.

    `program` is what a person types: terraform or tofu.
    """

    resources_by_stack: Mapping[str, Mapping[str, tuple[str, str]]]
    program: str = "terraform"

    def holds(self, resource: ResourceImport) -> bool:
        """Whether the address holds the resource already.

        Raises UserError if it holds another one, or if another address holds this one.
        """
        _, identifier = self.at(resource.stack, resource.address)
        if identifier == resource.identifier:
            return True
        if identifier:
            raise UserError(
                f"{resource.stack} already has {identifier} as {resource.address}, so "
                f"{resource.identifier} cannot be imported there; to replace the one in the state, "
                f"run in that stack's directory: {self.program} state rm '{resource.address}'"
            )
        if owner := self.find(resource.type, resource.identifier):
            raise UserError(
                f"{resource.identifier} is already in the state of {owner[0]}: {owner[1]}"
            )
        return False

    def at(self, stack_name: str, address: str) -> tuple[str, str]:
        """Returns the type and identifier of what an address holds; empty if it holds nothing."""
        return self.resources_by_stack.get(stack_name, {}).get(address, ("", ""))

    def find(self, type_name: str, identifier: str) -> tuple[str, str] | None:
        """Returns the stack and the address that hold a resource, None if no state does."""
        for stack_name, resources_of_stack in self.resources_by_stack.items():
            for address, type_and_id in resources_of_stack.items():
                if type_and_id == (type_name, identifier):
                    return stack_name, address
        return None


def read(records: Records, stacks: Iterable[Stack], run: Run | None = None) -> Inventory:
    """Returns what the states of `stacks` hold.

    If a stack's files do not say where its state lies, `run` asks Terraform for it; without `run`
    that stack is left out. Raises UserError if a state cannot be read.
    """
    chosen = list(stacks)
    records.prefetch(chosen)
    resources = {stack.name: _resources(records, stack, run) for stack in chosen}
    return Inventory(resources, records.terraform.program)


def _resources(records: Records, stack: Stack, run: Run | None) -> dict[str, tuple[str, str]]:
    """The managed resources of a stack's state: address to type and identifier."""
    state = records.state(stack)
    if run and records.place(stack) is None:
        prepare(run, stack)
        text = run.terraform.pull_state(stack.path)
        state = State.parse(text, f"the state of {stack.name}") if text else None
    return {
        resource.address: (resource.type, _identifier(resource.type, resource.attributes))
        for resource in (state.resources if state else ())
    }


def _identifier(type_name: str, attributes: Mapping[str, Any]) -> str:
    """What `terraform import` takes: the id, unless the provider generates one without meaning.

    https://registry.terraform.io/providers/hashicorp/aws/latest/docs/resources/iam_role_policy_attachment#import
    """
    if type_name == "aws_iam_role_policy_attachment":
        return f"{attributes['role']}/{attributes['policy_arn']}"
    return str(attributes.get("id", ""))
