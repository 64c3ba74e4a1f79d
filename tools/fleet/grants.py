"""The policies that decide on a notebook's role, from the states of the stacks that made them."""

import json
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from tools.aws.sagemaker import NOTEBOOK_TYPE
from tools.errors import UserError
from tools.fleet.statements import Policy
from tools.layout.stack import Stack
from tools.state.place import Place, read_state

Resource = Mapping[str, Any]
"""A resource of a state: its `type` and its `values`."""


@dataclass(frozen=True)
class Grants:
    """The role of a notebook and the policies about it that stacks here have made.

    `own_role` is whether the role is this notebook's alone, `boundary` the ARN of its permissions
    boundary. `unknown_policies` are ARNs of the role's policies that no stack here made. `buckets`
    are the policies of each bucket that one made, `keys` the KMS keys that encrypt them, and
    `key_policies` the policies of each key that one made.
    """

    notebook: str
    role_arn: str
    own_role: bool
    tags: Mapping[str, str]
    boundary: str | None
    identity: tuple[Policy, ...]
    boundaries: tuple[Policy, ...]
    unknown_policies: tuple[str, ...]
    buckets: Mapping[str, tuple[Policy, ...]]
    keys: Mapping[str, str]
    key_policies: Mapping[str, tuple[Policy, ...]]


def read_grants(
    stack: Stack, stacks: Iterable[Stack], place: Callable[[Stack], Place | None], option: str
) -> Grants:
    """The policies about the notebook `stack`, from its state and its upstreams' in `stacks`.

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
    return collect(
        stack.name,
        resources,
        [resource for other in upstream for resource in _read_resources(other, place)],
    )


def collect(notebook: str, own: Sequence[Resource], upstream: Sequence[Resource]) -> Grants:
    """The policies about a notebook in the resources of its `own` state and of its upstreams'.

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
    boundary = role.get("permissions_boundary") or None
    named = [*attached, *([boundary] if boundary else [])]
    identity = [policies[arn] for arn in attached if arn in policies] + _inline(role, resources)
    return Grants(
        notebook,
        arn,
        own_role=role in _values(own, "aws_iam_role"),
        tags=role.get("tags_all") or role.get("tags") or {},
        boundary=boundary,
        identity=tuple(identity),
        boundaries=(policies[boundary],) if boundary in policies else (),
        unknown_policies=tuple(arn for arn in named if arn not in policies),
        buckets=_bucket_policies(resources),
        keys=_bucket_keys(resources),
        key_policies={
            str(key["arn"]): ((f"key {key['arn']}", json.loads(key["policy"])),)
            for key in _values(resources, "aws_kms_key")
            if key.get("policy")
        },
    )


def _read_resources(stack: Stack, place: Callable[[Stack], Place | None]) -> list[Resource]:
    location = place(stack)
    if location is None:
        raise UserError(
            f"the files of {stack.name} do not say where its state is (another backend than local "
            "and s3, or a workspace), so its policies cannot be read"
        )
    state = read_state(location)
    return [
        {"type": resource.type, "values": resource.attributes}
        for resource in (state.resources if state else ())
    ]


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
    """The inline policies of a role.

    The provider writes some of them both as resources and into the role.

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


def _bucket_policies(resources: Sequence[Resource]) -> dict[str, tuple[Policy, ...]]:
    found: dict[str, tuple[Policy, ...]] = {
        str(bucket["bucket"]): () for bucket in _values(resources, "aws_s3_bucket")
    }
    for policy in _values(resources, "aws_s3_bucket_policy"):
        bucket = str(policy["bucket"])
        found[bucket] = ((f"bucket {bucket}", json.loads(policy["policy"])),)
    return found


def _bucket_keys(resources: Sequence[Resource]) -> dict[str, str]:
    """The KMS key of each bucket that names one, by whatever it is named.

    https://registry.terraform.io/providers/hashicorp/aws/5.100.0/docs/resources/s3_bucket_server_side_encryption_configuration
    """
    keys = {}
    for chosen in _values(resources, "aws_s3_bucket_server_side_encryption_configuration"):
        for rule in chosen.get("rule") or []:
            for default in rule.get("apply_server_side_encryption_by_default") or []:
                if key := default.get("kms_master_key_id"):
                    keys[str(chosen["bucket"])] = str(key)
    return keys
