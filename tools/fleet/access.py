"""What a notebook's role may do, from the policies in the states of the stacks that made them.

Reads only what Terraform rendered: a policy that was added by hand may allow more, and a service
control policy or the policy of an endpoint less.
"""

import json
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import asdict, dataclass
from typing import Any

from tools.aws.sagemaker import NOTEBOOK_TYPE
from tools.errors import UserError
from tools.fleet.boundary import limit, merge
from tools.fleet.statements import (
    Kind,
    Policy,
    Statement,
    select_kind,
    split_by_effect,
    unexplained,
)
from tools.layout.stack import Stack
from tools.state.file import State
from tools.state.place import Place

Resource = Mapping[str, Any]
"""A resource of a state: its `type` and its `values`."""


@dataclass(frozen=True)
class Access:
    """What a notebook may read, write and call, and what it is denied whatever else allows it.

    `own_role` is whether the role is this notebook's alone, `boundary` the name or ARN of its
    permissions boundary. `unknown_policies` are ARNs of policies that no stack here made,
    `unexplained` the statements that no list can show.
    """

    notebook: str
    role: str
    own_role: bool
    boundary: str | None
    reads: tuple[Statement, ...]
    writes: tuple[Statement, ...]
    calls: tuple[Statement, ...]
    denied: tuple[Statement, ...]
    unknown_policies: tuple[str, ...]
    unexplained: tuple[str, ...]

    def as_json(self) -> dict[str, Any]:
        """As `tools explain-access --json` prints it (docs/json.md)."""
        return asdict(self)


def read_access(
    stack: Stack, stacks: Iterable[Stack], place: Callable[[Stack], Place | None], option: str
) -> Access:
    """What the notebook `stack` may do, from its state and those of its upstreams in `stacks`.

    `option` is what a command in a message needs to reach the same target. Raises UserError if the
    notebook is not deployed, its role is made elsewhere, or a state cannot be read.
    """
    resources = _read_resources(stack, place)
    if not resources:
        raise UserError(
            f"{stack.name} is not deployed, so it has no role yet; deploy it: "
            f"tools deploy{option} {stack.name}"
        )
    upstream = [other for other in stacks if other.name in stack.upstream]
    return explain(
        stack.name,
        resources,
        [resource for other in upstream for resource in _read_resources(other, place)],
    )


def _read_resources(stack: Stack, place: Callable[[Stack], Place | None]) -> list[Resource]:
    location = place(stack)
    if location is None:
        raise UserError(
            f"the files of {stack.name} do not say where its state is (another backend than local "
            "and s3, or a workspace), so its policies cannot be read"
        )
    content = location.read()
    if content is None:
        return []
    return [
        {"type": resource.type, "values": resource.attributes}
        for resource in State.parse(content, str(location)).resources
    ]


def explain(notebook: str, own: Sequence[Resource], upstream: Sequence[Resource]) -> Access:
    """What a notebook may do, from the resources of its `own` state and of its upstreams'.

    Raises UserError if `own` holds no notebook, or its role is in none of them.
    """
    instances = _values(own, NOTEBOOK_TYPE)
    if not instances:
        raise UserError(f"{notebook} is not deployed, so it has no role yet; deploy it first")
    arn = str(instances[0]["role_arn"])
    resources = [*own, *upstream]
    role = next((role for role in _values(resources, "aws_iam_role") if role["arn"] == arn), None)
    if role is None:
        raise UserError(
            f"{notebook} works with {arn}, which neither it nor a stack that it reads has made; "
            "ask IAM what it may do: aws iam get-account-authorization-details --filter Role"
        )
    policies: dict[str, Policy] = {
        policy["arn"]: (policy["name"], json.loads(policy["policy"]))
        for policy in _values(resources, "aws_iam_policy")
    }
    attached = _attached(role, resources)
    identity = [policies[arn] for arn in attached if arn in policies] + _inline(role, resources)
    boundary = role.get("permissions_boundary") or None
    boundaries = [policies[boundary]] if boundary in policies else []
    buckets = _bucket_policies(resources)
    tags = role.get("tags_all") or role.get("tags") or {}
    allowed, denied = split_by_effect(identity, tags)
    if boundaries:
        allowed_by_boundary, denied_by_boundary = split_by_effect(boundaries, tags)
        allowed = limit(allowed, allowed_by_boundary)
        denied += denied_by_boundary
    denied += split_by_effect(buckets, tags)[1]

    def of_kind(kind: Kind) -> tuple[Statement, ...]:
        return tuple(merge(select_kind(kind, allowed)))

    return Access(
        notebook,
        arn,
        own_role=role in _values(own, "aws_iam_role"),
        boundary=boundaries[0][0] if boundaries else boundary,
        reads=of_kind("read"),
        writes=of_kind("write"),
        calls=of_kind("call"),
        denied=tuple(denied),
        unknown_policies=tuple(
            arn for arn in [*attached, *([boundary] if boundary else [])] if arn not in policies
        ),
        unexplained=tuple(unexplained([*identity, *boundaries, *buckets])),
    )


def format_access(access: Access) -> str:
    """The access in lines for people."""
    whose = "its own" if access.own_role else "shared with other notebooks"
    lines = [
        f"{access.notebook} works with {access.role} ({whose}),",
        f"bounded by {access.boundary}." if access.boundary else "with no permissions boundary.",
    ]
    lines += [f"Not made here, so not shown: {arn}" for arn in access.unknown_policies]
    lines += [f"Not explained, read it yourself: {what}" for what in access.unexplained]
    for title, statements in (
        ("Reads", access.reads),
        ("Writes", access.writes),
        ("Calls", access.calls),
        ("Is denied, whatever is said above", access.denied),
    ):
        lines += ["", title]
        lines += [line for statement in statements for line in _lines(statement)]
        if not statements:
            lines.append("  nothing")
    return "\n".join(lines)


def _lines(statement: Statement) -> Iterator[str]:
    yield f"  {', '.join(statement.actions)}  [{statement.source}]"
    for resource in statement.resources:
        yield f"    {resource}"
    for condition in statement.conditions:
        yield f"    if {condition}"


def _values(resources: Iterable[Resource], resource_type: str) -> list[Mapping[str, Any]]:
    return [resource["values"] for resource in resources if resource["type"] == resource_type]


def _attached(role: Mapping[str, Any], resources: Sequence[Resource]) -> list[str]:
    """The ARNs of managed policies, from attachments and from the role's own list."""
    attached = {
        str(attachment["policy_arn"])
        for attachment in _values(resources, "aws_iam_role_policy_attachment")
        if attachment["role"] == role["name"]
    }
    return sorted(attached | set(role.get("managed_policy_arns") or []))


def _inline(role: Mapping[str, Any], resources: Sequence[Resource]) -> list[Policy]:
    """Inline policies, of which the provider writes some both as resources and into the role.

    https://registry.terraform.io/providers/hashicorp/aws/5.100.0/docs/resources/iam_role
    """
    policies = {
        str(policy["name"]): policy["policy"]
        for policy in _values(resources, "aws_iam_role_policy")
        if policy["role"] == role["name"]
    }
    for policy in role.get("inline_policy") or []:
        if policy.get("policy"):
            policies.setdefault(str(policy["name"]), policy["policy"])
    return [(name, json.loads(document)) for name, document in policies.items()]


def _bucket_policies(resources: Sequence[Resource]) -> list[Policy]:
    return [
        (f"bucket {policy['bucket']}", json.loads(policy["policy"]))
        for policy in _values(resources, "aws_s3_bucket_policy")
    ]
