"""AWS's quota of managed policies of a role, which the stack's and the old ones share."""

from collections.abc import Iterable, Set

from tools.migration.legacy import Resource

# https://docs.aws.amazon.com/IAM/latest/UserGuide/reference_iam-quotas.html
_QUOTA = 10
# As in shared-infra/iam/policies.tf.
CONCERNS = ("code", "ecr", "logs", "network", "s3", "sagemaker", "secrets")
WITH_KEYS = "kms"
WITH_FENCE = "fence"


def attached(role: Resource, resources: Iterable[Resource]) -> set[str]:
    """ARNs of the managed policies that a state attaches to a role."""
    name = role.text("name")
    found = set(role.texts("managed_policy_arns"))
    for one in resources:
        roles = (one.text("role"), one.text("role_name"), *one.texts("roles"))
        if one.type.startswith("aws_iam_") and name in roles:
            found |= {one.text("policy_arn"), *one.texts("policy_arns")}
    return found - {""}


def own(project: str, *, has_keys: bool, has_fence: bool) -> set[str]:
    """Names of the policies that shared-infra/iam attaches."""
    concerns = {*CONCERNS, *([WITH_KEYS] if has_keys else []), *([WITH_FENCE] if has_fence else [])}
    return {f"{project}-notebook-{concern}" for concern in concerns}


def note(role: str, there: Set[str], own: Set[str]) -> list[str]:
    """A note where `there`, the ARNs it has, and the names of the stack's `own` are too many."""
    others = {arn for arn in there if arn.rpartition("/")[2] not in own}
    count = len(others) + len(own)
    if count <= _QUOTA:
        return []
    return [
        f"role {role}: with the {len(own)} managed policies of shared-infra/iam it would have "
        f"{count}, and AWS allows {_QUOTA} by default, so that the deployment would fail; detach "
        f"{count - _QUOTA} of {', '.join(sorted(others))} first, or have the quota raised "
        "(managed policies per role, IAM)"
    ]
