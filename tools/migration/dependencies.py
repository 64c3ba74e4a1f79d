"""What imported resources consist of and need besides, among those that are not imported."""

from collections.abc import Callable, Iterable, Sequence

from tools.migration import relations
from tools.migration.legacy import Resource
from tools.migration.mapping import Disposition, MappedResource

NETWORK_REASON = "the network is yours: values name it, and no stack here has one"

_OBJECT = "its object stays in the bucket"
_RULE = "the rule stays on the group, unmanaged"
_PERMISSION = "the role keeps it, unmanaged"
_SET_HERE = "shared-infra/s3 sets it from then on"
_REPLACED = "a deployment of shared-infra/s3 replaces it: add there what is missing"
_INSIDE_REASONS = {
    "aws_s3_access_point": "it leads to the bucket as before, unmanaged",
    "aws_iam_policy_attachment": _PERMISSION,
    "aws_iam_role_policy": _PERMISSION,
    "aws_iam_role_policy_attachment": _PERMISSION,
    "aws_s3_bucket_acl": "a deployment of shared-infra/s3 turns ACLs off",
    "aws_s3_bucket_lifecycle_configuration": _REPLACED,
    "aws_s3_bucket_object": _OBJECT,
    "aws_s3_bucket_ownership_controls": _SET_HERE,
    "aws_s3_bucket_policy": _REPLACED,
    "aws_s3_bucket_public_access_block": _SET_HERE,
    "aws_s3_bucket_server_side_encryption_configuration": _SET_HERE,
    "aws_s3_bucket_versioning": _SET_HERE,
    "aws_s3_object": _OBJECT,
    "aws_s3_object_copy": _OBJECT,
    "aws_sagemaker_notebook_instance_lifecycle_configuration": (
        "its scripts become files of the notebook's directory"
    ),
    "aws_security_group_rule": _RULE,
    "aws_vpc_security_group_egress_rule": _RULE,
    "aws_vpc_security_group_ingress_rule": _RULE,
}
_USED_REASONS = {
    "aws_cloudwatch_log_group": "notebooks write their logs to it",
    "aws_iam_policy": "a role that is in use has it",
    "aws_iam_role": "it is in use, and one role is shared here",
    "aws_kms_key": "it encrypts what is in use; values name it (kms_key_arn, kms_key_id)",
    "aws_s3_bucket": "a setting of a bucket that is imported names it",
    "aws_sagemaker_code_repository": "a notebook opens it",
}


def find(
    seeds: Iterable[tuple[Resource, Disposition]], others: Sequence[Resource]
) -> list[MappedResource]:
    """Returns those of `others` that a destroy would take away from the `seeds`.

    The disposition of a seed is that of its parts. What is found needs things in turn: a subnet
    needs its route table, and that a gateway. The target is the address that has or needs it.
    """
    search = _Search(seeds, others)
    rows: list[MappedResource] = []
    while new := search.next():
        rows += new
    return rows


class _Search:
    """Finds dependencies, one step from what is known to be in use to what that needs."""

    def __init__(
        self, seeds: Iterable[tuple[Resource, Disposition]], others: Sequence[Resource]
    ) -> None:
        self._left = list(others)
        self._ids = {resource.text("id") for resource in others}
        # Names of what has parts, and what is named: to the address, and its parts' disposition.
        self._owners: dict[str, tuple[str, Disposition]] = {}
        self._users: dict[str, tuple[str, Disposition]] = {}
        for resource, disposition in seeds:
            self._ids.add(resource.text("id"))
            self._take(resource, disposition)

    def _take(self, resource: Resource, disposition: Disposition) -> None:
        for name in relations.owner_names(resource):
            self._owners.setdefault(name, (resource.address, disposition))
        for name in relations.references(resource):
            self._users.setdefault(name, (resource.address, disposition))

    def next(self) -> list[MappedResource]:
        """Returns the next dependencies, none at the end."""
        # In this order: what the state holds itself says better what a part belongs to.
        new = (
            self._tell(self._part_or_need)
            or self._tell(self._part_of_foreign)
            or self._tell(self._rule_on_foreign)
        )
        for dependency in new:
            self._take(dependency.resource, dependency.disposition)
        taken = {dependency.resource.address for dependency in new}
        self._left = [resource for resource in self._left if resource.address not in taken]
        return new

    def _tell(self, tell: Callable[[Resource], MappedResource | None]) -> list[MappedResource]:
        return [row for resource in self._left if (row := tell(resource))]

    def _part_or_need(self, resource: Resource) -> MappedResource | None:
        for name in relations.owner_references(resource):
            if name in self._owners:
                return _part(resource, *self._owners[name])
        for name in relations.identities(resource):
            if name in self._users:
                return _need(resource, *self._users[name])
        return None

    def _part_of_foreign(self, resource: Resource) -> MappedResource | None:
        """A part of something in use that is not in the state, such as another one's role."""
        for name in relations.foreign_owner_references(resource):
            if name in self._users:
                user, _ = self._users[name]
                return _used(resource, user, f"a part of what {user} names")
        return None

    def _rule_on_foreign(self, resource: Resource) -> MappedResource | None:
        """A rule that allows a group in use, on a group that is not in the state.

        A rule on a group in the state shares that one's disposition.
        """
        for group in relations.allowed_groups(resource):
            if group in self._owners and resource.text("security_group_id") not in self._ids:
                owner, _ = self._owners[group]
                return _used(resource, owner, f"it allows {owner}")
        return None


def _part(resource: Resource, owner: str, disposition: Disposition) -> MappedResource:
    if relations.is_network(resource.type):
        return MappedResource(resource, "network", owner, reason=NETWORK_REASON)
    reason = f"a part of {owner}, which is in use"
    if disposition == "inside":
        reason = _INSIDE_REASONS.get(resource.type, "it stays as it is")
    return MappedResource(resource, disposition, owner, reason=reason)


def _need(resource: Resource, user: str, disposition: Disposition) -> MappedResource:
    if resource.type in _INSIDE_REASONS and disposition == "inside":
        return MappedResource(resource, "inside", user, reason=_INSIDE_REASONS[resource.type])
    return _used(resource, user, _USED_REASONS.get(resource.type, f"{user} names it"))


def _used(resource: Resource, user: str, reason: str) -> MappedResource:
    if relations.is_network(resource.type):
        return MappedResource(resource, "network", user, reason=NETWORK_REASON)
    return MappedResource(resource, "used", user, reason=f"{reason}; nothing here manages it")
