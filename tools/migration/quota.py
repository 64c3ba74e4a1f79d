"""AWS's quota of managed policies for a role, which the stack's policies and the old ones share."""

from collections.abc import Iterable, Set

from tools.imports import roles
from tools.imports.destination import Destination
from tools.imports.request import ImportRequest
from tools.layout.stack import IAM, S3
from tools.migration.legacy import Resource
from tools.migration.mapping import LegacyMapping
from tools.migration.resource_types import ROLE

# https://docs.aws.amazon.com/IAM/latest/UserGuide/reference_iam-quotas.html
_QUOTA = 10
# As in shared-infra/iam/policies.tf.
CONCERNS = ("code", "ecr", "logs", "network", "s3", "sagemaker", "secrets")
WITH_KEYS = "kms"
WITH_FENCE = "fence"


def notes(destination: Destination, mapping: LegacyMapping, request: ImportRequest) -> list[str]:
    """Returns a note on each imported role that would have more policies than AWS allows.

    AWS would refuse the deployment of shared-infra/iam.
    """
    has_keys = bool(
        destination.outputs(S3).get("kms_key_arns")
        or destination.declared(IAM).get("kms_key_arns")
        or destination.declared(S3).get("kms_key_arn")
        or request.values.get(S3, {}).get("kms_key_arn")
    )
    has_fence = bool(destination.declared(IAM).get("reserve_users"))
    stack_policies = policy_names(destination.name_prefix, has_keys=has_keys, has_fence=has_fence)
    resources = [row.resource for row in mapping.rows]
    lines = []
    for row in mapping.imported(ROLE):
        role_name = row.resource.text("name")
        arns = {
            str(policy["PolicyArn"]) for policy in roles.attached_policies(destination, role_name)
        }
        lines += note(role_name, arns | attached(row.resource, resources), stack_policies)
    return lines


def attached(role: Resource, resources: Iterable[Resource]) -> set[str]:
    """Returns the ARNs of the managed policies that a state attaches to a role."""
    role_name = role.text("name")
    arns = set(role.texts("managed_policy_arns"))
    for resource in resources:
        users = (resource.text("role"), resource.text("role_name"), *resource.texts("roles"))
        if resource.type.startswith("aws_iam_") and role_name in users:
            arns |= {resource.text("policy_arn"), *resource.texts("policy_arns")}
    return arns - {""}


def policy_names(prefix: str, *, has_keys: bool, has_fence: bool) -> set[str]:
    """Returns the names of the policies that shared-infra/iam attaches."""
    concerns = {*CONCERNS, *([WITH_KEYS] if has_keys else []), *([WITH_FENCE] if has_fence else [])}
    return {f"{prefix}-notebook-{concern}" for concern in concerns}


def note(role_name: str, attached_arns: Set[str], stack_policies: Set[str]) -> list[str]:
    """Returns a note if the `attached_arns` and the names of `stack_policies` are too many."""
    others = {arn for arn in attached_arns if arn.rpartition("/")[2] not in stack_policies}
    count = len(others) + len(stack_policies)
    if count <= _QUOTA:
        return []
    return [
        f"role {role_name}: with the {len(stack_policies)} managed policies of shared-infra/iam it "
        f"would have {count}, but AWS allows {_QUOTA} by default, so the deployment would fail; "
        f"first detach {count - _QUOTA} of {', '.join(sorted(others))}, or have the quota raised "
        "(managed policies per role, IAM)"
    ]
