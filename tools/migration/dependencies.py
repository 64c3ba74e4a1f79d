"""What imported resources consist of and need besides, among those that are not imported."""

import re
from collections.abc import Callable, Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Literal

from tools.migration.legacy import Resource

Fate = Literal["inside", "used", "network"]

NETWORK_REASON = "the network is yours: values name it, and no stack here makes one"

# Such as subnet-0a1b2c3d; names are told apart by what names them, see `_needs`.
_ID = re.compile(r"[a-z]+-[0-9a-f]{8,17}")

# Types that are a part of another resource, and the attributes that name that one.
_PARTS: dict[str, tuple[str, ...]] = {
    "aws_iam_policy_attachment": ("roles",),
    "aws_iam_role_policies_exclusive": ("role_name",),
    "aws_iam_role_policy": ("role",),
    "aws_iam_role_policy_attachment": ("role",),
    "aws_iam_role_policy_attachments_exclusive": ("role_name",),
    "aws_kms_alias": ("target_key_id",),
    "aws_kms_grant": ("key_id",),
    "aws_kms_key_policy": ("key_id",),
    "aws_lambda_permission": ("function_name",),
    "aws_s3_bucket": (),  # which names itself
    "aws_s3control_access_point_policy": ("access_point_arn",),
    "aws_security_group_rule": ("security_group_id",),
    "aws_sns_topic_policy": ("arn",),
    "aws_sqs_queue_policy": ("queue_url",),
    "aws_vpc_security_group_egress_rule": ("security_group_id",),
    "aws_vpc_security_group_ingress_rule": ("security_group_id",),
}
_PART_PREFIXES: dict[str, tuple[str, ...]] = {
    "aws_s3": ("bucket", "bucket_name"),  # aws_s3control_ and what is still to come, too
    "aws_vpc_endpoint_": ("vpc_endpoint_id",),
}
# What the stacks' values name, and how it leads somewhere; with what of it names a subnet and the
# like that is in use.
_NETWORK: dict[str, tuple[str, ...]] = {
    "aws_default_network_acl": (),
    "aws_default_route_table": (),
    "aws_default_security_group": (),
    "aws_default_subnet": (),
    "aws_default_vpc": (),
    "aws_ec2_transit_gateway_vpc_attachment": ("subnet_ids",),
    "aws_egress_only_internet_gateway": (),
    "aws_eip": (),
    "aws_internet_gateway": (),
    "aws_internet_gateway_attachment": ("vpc_id",),
    "aws_main_route_table_association": ("vpc_id",),
    "aws_nat_gateway": (),
    "aws_network_acl": ("subnet_ids",),
    "aws_network_acl_association": ("subnet_id",),
    "aws_network_acl_rule": ("network_acl_id",),
    "aws_route": ("route_table_id",),
    "aws_route_table": (),
    "aws_route_table_association": ("subnet_id",),
    "aws_subnet": (),
    "aws_vpc": (),
    "aws_vpc_dhcp_options": (),
    "aws_vpc_dhcp_options_association": ("vpc_id",),
    "aws_vpc_ipv4_cidr_block_association": ("vpc_id",),
}
_OBJECT = "its object stays in the bucket"
_RULE = "the rule stays on the group, and nothing here manages it"
_PERMISSION = "the role keeps it, and nothing here manages it"
_SET_HERE = "shared-infra/s3 sets it from then on"
_REPLACED = "shared-infra/s3 replaces it by its own when it is deployed: add there what is missed"
_INSIDE_REASONS = {
    "aws_s3_access_point": "it leads to the bucket as before, and nothing here manages it",
    "aws_iam_policy_attachment": _PERMISSION,
    "aws_iam_role_policy": _PERMISSION,
    "aws_iam_role_policy_attachment": _PERMISSION,
    "aws_s3_bucket_acl": "ACLs go out of use when shared-infra/s3 is deployed",
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
    "aws_iam_role": "in use, and one role is shared here",
    "aws_kms_key": "it encrypts what is in use; values name it (kms_key_arn, kms_key_id)",
    "aws_s3_bucket": "a setting of a bucket that is imported names it",
    "aws_sagemaker_code_repository": "a notebook opens it",
}


@dataclass(frozen=True)
class Use:
    """How a resource is tied to what is imported; `of` is the address that has or needs it."""

    fate: Fate
    of: str
    reason: str


def of(
    imported: Sequence[Resource],
    network: Sequence[Resource],
    others: Iterable[Resource],
    kept: Sequence[Resource] = (),
) -> dict[str, Use]:
    """Those of `others` that a destroy would take away from what is imported: address to use.

    `network` is what is known to be in use of it, `kept` what else is. What is found needs things
    in turn: a subnet its route table, and that a gateway.
    """
    found: dict[str, Use] = {}
    owners: dict[str, tuple[str, Fate]] = {}
    needed: dict[str, str] = {}
    left = list(others)
    known = {one.text("id") for one in (*imported, *network, *kept, *left)}

    def take(one: Resource, fate: Fate) -> None:
        for name in _owner_names(one):
            owners.setdefault(name, (one.address, fate))
        for name in _needs(one):
            needed.setdefault(name, one.address)

    for one in imported:
        take(one, "inside")
    for one in network:
        take(one, "network")
    for one in kept:
        take(one, "used")

    def told_by(tell: Callable[[Resource], Use | None]) -> dict[str, Use]:
        return {one.address: use for one in left if (use := tell(one))}

    while True:
        new = told_by(lambda one: _use(one, owners, needed))
        # Only then: what the old state holds itself says better what has a part.
        new = new or told_by(lambda one: _part_of_foreign(one, needed))
        new = new or told_by(lambda one: _lets_through(one, owners, known))
        if not new:
            return found
        found |= new
        for one in left:
            if one.address in new:
                take(one, new[one.address].fate)
        left = [one for one in left if one.address not in new]


def is_network(kind: str) -> bool:
    """Whether a type is of the network, which no stack here makes."""
    return kind in _NETWORK


def _use(one: Resource, owners: dict[str, tuple[str, Fate]], needed: dict[str, str]) -> Use | None:
    for attribute in _part_attributes(one.type):
        for name in (one.text(attribute), *one.texts(attribute)):
            if name in owners:
                return _part(one, *owners[name])
    for name in _identities(one):
        if name in needed:
            return _need(one, needed[name])
    return None


def _part_of_foreign(one: Resource, needed: Mapping[str, str]) -> Use | None:
    """How a part of something that is in use, and that the old state does not hold, is tied to it.

    Such as a policy attached to a role that somebody else has made.
    """
    for attribute in _part_attributes(one.type):
        for text in (one.text(attribute), *one.texts(attribute)):
            if one.type.startswith("aws_iam_"):
                name = f"role {text}"
            elif _ID.fullmatch(text) or text.startswith("arn:"):
                name = text
            else:  # another name says nothing without its kind
                continue
            if name in needed:
                what = f"a part of what {needed[name]} names; nothing here manages it"
                return _as_network(one, needed[name]) or Use("used", needed[name], what)
    return None


def _lets_through(
    one: Resource, owners: Mapping[str, tuple[str, Fate]], known: Collection[str]
) -> Use | None:
    """How a rule is tied to the group that it lets through to one of somebody else's.

    A rule of a group that is `known`, as the old state holds it, shares the fate of that.
    """
    for attribute in ("source_security_group_id", "referenced_security_group_id"):
        if one.text(attribute) in owners and one.text("security_group_id") not in known:
            owner, _ = owners[one.text(attribute)]
            return Use("used", owner, f"it lets {owner} through; nothing here manages it")
    return None


def _as_network(one: Resource, user: str) -> Use | None:
    return Use("network", user, NETWORK_REASON) if is_network(one.type) else None


def _part(one: Resource, owner: str, fate: Fate) -> Use:
    if network := _as_network(one, owner):
        return network
    if fate == "inside":
        return Use(fate, owner, _INSIDE_REASONS.get(one.type, "it stays as it is"))
    return Use(fate, owner, f"a part of {owner}, which is in use")


def _need(one: Resource, user: str) -> Use:
    if network := _as_network(one, user):
        return network
    if one.type in _INSIDE_REASONS:
        return Use("inside", user, _INSIDE_REASONS[one.type])
    reason = _USED_REASONS.get(one.type, f"{user} names it")
    return Use("used", user, f"{reason}; nothing here manages it")


def _part_attributes(kind: str) -> tuple[str, ...]:
    if kind in _PARTS:
        return _PARTS[kind]
    for prefix, attributes in _PART_PREFIXES.items():
        if kind.startswith(prefix):
            return attributes
    return _NETWORK.get(kind, ())


def _owner_names(one: Resource) -> set[str]:
    """What parts of `one` name it by."""
    names = {
        "aws_iam_role": ("name", "arn"),
        "aws_kms_key": ("key_id", "arn"),
        "aws_lambda_function": ("function_name", "arn"),
        "aws_s3_access_point": ("arn", "id"),
        "aws_s3_bucket": ("arn", "bucket"),
        "aws_vpc": ("id", "main_route_table_id", "default_route_table_id"),
    }.get(one.type, ("id",))
    return {one.text(name) for name in names} - {""}


def _identities(one: Resource) -> set[str]:
    """What others need `one` by."""
    found = {one.text("arn")}
    if _ID.fullmatch(one.text("id")):
        found.add(one.text("id"))
    if one.type == "aws_kms_key":
        found.add(one.text("key_id"))
    elif one.type == "aws_kms_alias":
        found.add(one.text("name"))
    elif one.type in _BY_NAME:
        kind, attribute = _BY_NAME[one.type]
        found.add(f"{kind} {one.text(attribute)}")
    return found - {""}


def _needs(one: Resource) -> set[str]:
    """What `one` names: ARNs and IDs anywhere; by a name alone only where its kind is known."""
    found = set(one.mentions())
    found |= {f"role {text.rpartition('/')[2]}" for text in found if ":role/" in text}
    found |= {f"bucket {name}" for name in log_targets(one)}
    if one.type == "aws_sagemaker_notebook_instance":
        found.add("log group /aws/sagemaker/NotebookInstances")
    if one.type in _RULES:
        found.discard(one.text("security_group_id"))  # which has the rule, and not the other way
    for kind, attribute in _NAMED_BY.get(one.type, ()):
        names = (one.text(attribute), *one.texts(attribute))
        found |= {f"{kind} {name}" for name in names}
    return found


def log_targets(one: Resource) -> set[str]:
    """The buckets to which `one` sends logs."""
    attribute, inner = _LOGS.get(one.type, ("", ""))
    there = one.attributes.get(attribute)
    blocks = there if isinstance(there, list) else [{inner: there}]
    texts = {block.get(inner) for block in blocks if isinstance(block, Mapping)}
    names = {str(text).rpartition(":::")[2].split("/")[0] for text in texts if text}
    return {name for name in names if ":" not in name}  # else the ARN of a group of logs


_RULES = {kind for kind, attributes in _PARTS.items() if attributes == ("security_group_id",)}
_BY_NAME = {
    "aws_cloudwatch_log_group": ("log group", "name"),
    "aws_s3_bucket": ("bucket", "bucket"),
    "aws_sagemaker_code_repository": ("repository", "code_repository_name"),
    "aws_sagemaker_notebook_instance_lifecycle_configuration": ("lifecycle", "name"),
}
_NAMED_BY = {
    "aws_sagemaker_notebook_instance": (
        ("lifecycle", "lifecycle_config_name"),
        ("repository", "default_code_repository"),
        ("repository", "additional_code_repositories"),
    ),
}
# Where a bucket's name, or its ARN, stands: an attribute, or an argument of a block.
_LOGS = {
    "aws_alb": ("access_logs", "bucket"),
    "aws_cloudtrail": ("s3_bucket_name", ""),
    "aws_config_delivery_channel": ("s3_bucket_name", ""),
    "aws_elb": ("access_logs", "bucket"),
    "aws_flow_log": ("log_destination", ""),
    "aws_lb": ("access_logs", "bucket"),
    "aws_s3_bucket": ("logging", "target_bucket"),
    "aws_s3_bucket_logging": ("target_bucket", ""),
}
