"""Where things are taken over: the cloud that they are in, and the stacks that would take them."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from tools.aws import client
from tools.aws.client import Cloud
from tools.engine import explain
from tools.engine.records import Records
from tools.errors import UserError
from tools.hcl.reading import Value
from tools.imports.request import ENDPOINTS, GROUPS, IAM, S3
from tools.layout import variables
from tools.layout.stack import Stack
from tools.runs.session import Session

# The provider's default_tags of every stack.
_OWN_TAGS = frozenset({"Project", "ManagedBy", "Stack"})


@dataclass(frozen=True)
class Site:
    """A cloud, and what the stacks of a repository declare and hold there.

    `templates` are those of notebooks; `option` is what a command in a message needs to reach the
    same cloud, such as " --local".
    """

    cloud: Cloud
    records: Records
    templates: Path
    option: str = ""
    _declared: dict[str, Mapping[str, Value]] = field(default_factory=dict)

    @classmethod
    def of(cls, session: Session) -> "Site":
        """Returns the cloud and the stacks of a session.

        Raises UserError where one of the stacks that take things is not there.
        """
        target, records = session.target, session.records
        names = {stack.name for stack in records.stacks}
        if missing := [name for name in (S3, IAM, GROUPS, ENDPOINTS) if name not in names]:
            raise UserError(f"{', '.join(missing)} would take what is there, and is missing here")
        cloud = Cloud(target.region, target.endpoint)
        return cls(cloud, records, session.context.templates, target.option)

    @property
    def project(self) -> str:
        return str(self.records.repository.common()["project"])

    def stack(self, name: str) -> Stack:
        return Stack(self.records.repository.root, name)

    def declared(self, stack: str) -> Mapping[str, Value]:
        """The values of the stack's variables, defaults included."""
        if stack not in self._declared:
            self._declared[stack] = variables.declared(self.stack(stack))
        return self._declared[stack]

    def outputs(self, stack: str) -> Mapping[str, Any]:
        """The outputs in the stack's state that have a value; none where it is not deployed."""
        there = self.stack(stack)
        if self.records.place(there) is None:
            outputs: Mapping[str, Any] = self.records.terraform.outputs(there.path)
        else:
            state = self.records.state(there)
            outputs = state.outputs if state else {}
        return {name: value for name, value in outputs.items() if value is not None}

    def is_read(self, stack: str) -> bool:
        """Whether a stack that reads this one holds resources."""
        readers = [reader for reader in self.records.stacks if stack in reader.upstream]
        states = (self.records.state(reader) for reader in readers)
        return any(state is not None and state.resources for state in states)

    @property
    def vpc(self) -> str | None:
        """The stacks' VPC, None where it is not settled yet."""
        declared = self.outputs(GROUPS).get("vpc_id") or self.declared(GROUPS).get("vpc_id")
        return str(declared) if declared else None

    def check_vpc(self, what: str, vpc: str) -> Mapping[str, Mapping[str, Value]]:
        """The values that make `vpc`, in which `what` is, the stacks' one.

        Raises UserError where they have another.
        """
        if self.vpc and self.vpc != vpc:
            raise UserError(
                f"{what} is in {vpc}, and the stacks are in {self.vpc}: they take only what is in "
                "their VPC (vpc_id of shared-infra/security-groups)"
            )
        return {} if self.declared(GROUPS).get("vpc_id") else {GROUPS: {"vpc_id": vpc}}

    def require(self, *stacks: str) -> None:
        """Raises UserError where one of `stacks` has no outputs for those that read it."""
        if missing := [stack for stack in stacks if not self.outputs(stack)]:
            raise UserError(explain.waiting(missing, self.option))

    def ask(self, what: str, service: str, operation: str, **arguments: Any) -> Any:
        """What AWS answers, None where there is no such thing; `what` is asked, in words."""
        return client.answer(self.cloud, what, service, operation, **arguments)

    def every(
        self, what: str, service: str, operation: str, key: str, **arguments: Any
    ) -> list[Any]:
        """The items called `key` of every page that AWS answers."""
        return client.every(self.cloud, what, service, operation, key, **arguments)


def tags(listed: Iterable[Mapping[str, str]]) -> dict[str, str]:
    """AWS's list of tags by key, without those that belong to AWS."""
    return {tag["Key"]: tag["Value"] for tag in listed if not tag["Key"].startswith("aws:")}


def lost_tags(what: str, found: Mapping[str, str], kept: Iterable[str] = ()) -> list[str]:
    """A note about those that the stack takes away, none where it takes none."""
    lost = sorted(set(found) - _OWN_TAGS - set(kept))
    return [f"{what} loses its tags {', '.join(lost)}: the stack sets its own"] if lost else []
