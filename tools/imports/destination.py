"""The destination of an import: the cloud that resources are in, and the stacks to import to."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from tools.aws.client import Cloud
from tools.aws.network import DEFAULT_VPC
from tools.engine import explain
from tools.engine.records import Records
from tools.errors import UserError
from tools.hcl.reading import Value
from tools.imports.request import Values
from tools.layout import variables
from tools.layout.stack import ENDPOINTS, GROUPS, IAM, S3, Stack
from tools.localcloud import workspace
from tools.runs.session import Session

# The provider's default_tags in every stack.
_DEFAULT_TAGS = frozenset({"Project", "ManagedBy", "Stack"})


@dataclass(frozen=True)
class Destination:
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
    def open(cls, session: Session) -> "Destination":
        """Returns the cloud and the stacks of a session.

        Raises UserError if one of the shared stacks is missing.
        """
        target, records = session.target, session.records
        names = {stack.name for stack in records.stacks}
        if missing := [name for name in (S3, IAM, GROUPS, ENDPOINTS) if name not in names]:
            raise UserError(
                f"this repository has no {', '.join(missing)}, which resources are imported to"
            )
        cloud = Cloud(target.region, target.endpoint)
        return cls(cloud, records, session.context.templates, target.option)

    @property
    def project(self) -> str:
        return str(self.records.repository.common()["project"])

    @property
    def name_prefix(self) -> str:
        """What the names of the stacks' roles and policies begin with."""
        suffix = self.declared(IAM).get("name_suffix")
        return f"{self.project}-{suffix}" if suffix else self.project

    def stack(self, name: str) -> Stack:
        return Stack(self.records.repository.root, name)

    def declared(self, stack: str) -> Mapping[str, Value]:
        """The values of the stack's variables, defaults included."""
        if stack not in self._declared:
            self._declared[stack] = variables.read_values(self.stack(stack))
        return self._declared[stack]

    def declared_list(self, stack: str, name: str) -> list[Any]:
        """The value of a list; empty if it is null."""
        value = self.declared(stack).get(name)
        return value if isinstance(value, list) else []

    def declared_map(self, stack: str, name: str) -> Mapping[str, Any]:
        """The value of a map; empty if it is null."""
        value = self.declared(stack).get(name)
        return value if isinstance(value, dict) else {}

    def outputs(self, stack: str) -> Mapping[str, Any]:
        """The outputs in the stack's state that have a value; none if it is not deployed."""
        reader = self.stack(stack)
        if self.records.place(reader) is None:
            outputs: Mapping[str, Any] = self.records.terraform.outputs(reader.path)
        else:
            state = self.records.state(reader)
            outputs = state.outputs if state else {}
        return {name: value for name, value in outputs.items() if value is not None}

    def is_read(self, stack: str) -> bool:
        """Whether a stack that reads this one, or may, holds resources."""
        stacks = self.records.stacks
        readers = [r for r in stacks if stack in r.upstream or r.may_read(stack)]
        states = (self.records.state(reader) for reader in readers)
        return any(state is not None and state.resources for state in states)

    @property
    def vpc(self) -> str | None:
        """The stacks' VPC, None if it is not settled yet."""
        vpc = self.outputs(GROUPS).get("vpc_id") or self._declared_vpc
        return self.default_vpc() if vpc == DEFAULT_VPC else str(vpc) if vpc else None

    @property
    def _declared_vpc(self) -> Value:
        """The VPC that the stacks' values name; none if only the local cloud's stand-ins do."""
        declared = self.declared(GROUPS).get("vpc_id")
        stand_in = workspace.stand_ins(self.stack(GROUPS).path).get("vpc_id")
        return None if declared == stand_in else declared

    def default_vpc(self) -> str | None:
        """The region's default VPC, None if there is none."""
        filters = {"is-default": "true"}
        vpcs = self.ask_ec2("find the default VPC", "describe_vpcs", "Vpcs", filters)
        return str(vpcs[0]["VpcId"]) if vpcs else None

    def vpc_values(self, label: str, vpc: str) -> Values:
        """Returns the values that make `vpc` the stacks' VPC, none if a file sets it already.

        `label` names what is in `vpc`. Raises UserError if the stacks have another VPC.
        """
        if self.vpc and self.vpc != vpc:
            raise UserError(
                f"{label} is in {vpc}, but the stacks are in {self.vpc}, and only resources in "
                f"their VPC can be imported (vpc_id of {GROUPS})"
            )
        return {} if self._declared_vpc else {GROUPS: {"vpc_id": vpc}}

    def require(self, *stacks: str) -> None:
        """Raises UserError if one of `stacks` has no outputs yet for the stacks that read it."""
        if missing := [stack for stack in stacks if not self.outputs(stack)]:
            raise UserError(explain.describe_missing_upstreams(missing, self.option))

    def ask(self, what: str, service: str, operation: str, **arguments: Any) -> Any:
        """Returns AWS's answer, None if there is no such thing; `what` is asked, in words."""
        return self.cloud.find(what, service, operation, **arguments)

    def ask_pages(
        self, what: str, service: str, operation: str, key: str, **arguments: Any
    ) -> list[Any]:
        """Returns the items called `key` of every page of AWS's answer."""
        return list(self.cloud.items(what, service, operation, key, **arguments))

    def ask_ec2(self, what: str, operation: str, key: str, filters: Mapping[str, str]) -> list[Any]:
        """Returns the items called `key` of what EC2 describes; `filters` is name to value."""
        return self.cloud.describe_ec2(what, operation, key, filters)


def parse_tags(tag_list: Iterable[Mapping[str, str]]) -> dict[str, str]:
    """Returns AWS's list of tags by key, without those that AWS itself sets."""
    return {tag["Key"]: tag["Value"] for tag in tag_list if not tag["Key"].startswith("aws:")}


def note_lost_tags(label: str, tags: Mapping[str, str], kept: Iterable[str] = ()) -> list[str]:
    """Returns a note on the tags that the stack removes, or none."""
    lost = sorted(set(tags) - _DEFAULT_TAGS - set(kept))
    return [f"{label} loses its tags {', '.join(lost)}: the stack sets its own"] if lost else []
