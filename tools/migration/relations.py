"""How AWS's resources name each other in a state: by type, as the provider documents them."""

import re
from collections.abc import Iterator, Mapping

from tools.aws.sagemaker import NOTEBOOK_TYPE
from tools.migration.legacy import Resource

# Such as subnet-0a1b2c3d. Names are told apart by the type that names them, see `references`.
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
    "aws_s3_bucket": (),  # its attribute `bucket` names itself
    "aws_s3control_access_point_policy": ("access_point_arn",),
    "aws_security_group_rule": ("security_group_id",),
    "aws_sns_topic_policy": ("arn",),
    "aws_sqs_queue_policy": ("queue_url",),
    "aws_vpc_security_group_egress_rule": ("security_group_id",),
    "aws_vpc_security_group_ingress_rule": ("security_group_id",),
}
_PART_PREFIXES: dict[str, tuple[str, ...]] = {
    "aws_secretsmanager_secret_": ("secret_id", "secret_arn"),
    "aws_s3": ("bucket", "bucket_name"),  # also aws_s3control_, and types that are still to come
    "aws_vpc_endpoint_": ("vpc_endpoint_id",),
}
# Types of the network, and the attributes that name a part of it which is in use.
_NETWORK: dict[str, tuple[str, ...]] = {
    "aws_default_network_acl": (),
    "aws_default_route_table": (),
    "aws_default_security_group": (),
    "aws_default_subnet": (),
    "aws_default_vpc": (),
    "aws_default_vpc_dhcp_options": (),
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
# Types that AWS makes with an account or a VPC: a destroy takes them out of Terraform's state, and
# no more. The first two are destroyed if they have force_destroy.
# https://registry.terraform.io/providers/hashicorp/aws/latest/docs/resources/default_vpc
_OF_AWS = frozenset(
    {
        "aws_default_subnet",
        "aws_default_vpc",
        "aws_default_network_acl",
        "aws_default_route_table",
        "aws_default_security_group",
        "aws_default_vpc_dhcp_options",
    }
)
_RULES = {type for type, attributes in _PARTS.items() if attributes == ("security_group_id",)}
# The attributes by which parts name a resource, if that is not its id: a state has names, ARNs and
# ids, whichever the configuration used. A VPC's routes may be in its main route table, which no
# resource of the state need stand for.
_OWNER_ATTRIBUTES = {
    "aws_iam_role": ("name", "arn"),
    "aws_kms_key": ("key_id", "arn"),
    "aws_lambda_function": ("function_name", "arn"),
    "aws_s3_access_point": ("arn", "id"),
    "aws_s3_bucket": ("arn", "bucket"),
    "aws_vpc": ("id", "main_route_table_id", "default_route_table_id"),
}
# Types that others name by their name alone: what that is a name of, and the attribute.
_BY_NAME = {
    "aws_cloudwatch_log_group": ("log group", "name"),
    "aws_s3_bucket": ("bucket", "bucket"),
    "aws_sagemaker_code_repository": ("repository", "code_repository_name"),
    "aws_sagemaker_notebook_instance_lifecycle_configuration": ("lifecycle", "name"),
}
_NAMED_BY = {
    NOTEBOOK_TYPE: (
        ("lifecycle", "lifecycle_config_name"),
        ("repository", "default_code_repository"),
        ("repository", "additional_code_repositories"),
    ),
}
# Where the name or ARN of the bucket for logs is: an attribute, or an argument of a block.
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


def is_network(type: str) -> bool:
    """Whether a type is of the network, which no stack here has."""
    return type in _NETWORK


def is_only_forgotten(resource: Resource) -> bool:
    """Whether a destroy takes `resource` out of the state and leaves it in AWS."""
    if resource.type in _OF_AWS:
        return resource.attributes.get("force_destroy") is not True
    # Such as a log group: the provider's argument of this name always means that.
    return resource.attributes.get("skip_destroy") is True


def owner_references(resource: Resource) -> Iterator[str]:
    """Yields the names of what `resource` is a part of; none if it is not a part."""
    for attribute in _part_attributes(resource.type):
        yield from (resource.text(attribute), *resource.texts(attribute))


def foreign_owner_references(resource: Resource) -> Iterator[str]:
    """Yields the names in `owner_references` that tell an owner which is not in the state."""
    for name in owner_references(resource):
        if resource.type.startswith("aws_iam_"):
            yield f"role {name}"
        elif _ID.fullmatch(name) or name.startswith("arn:"):
            yield name  # another name says nothing without its type


def _part_attributes(type: str) -> tuple[str, ...]:
    if type in _PARTS:
        return _PARTS[type]
    for prefix, attributes in _PART_PREFIXES.items():
        if type.startswith(prefix):
            return attributes
    return _NETWORK.get(type, ())


def owner_names(resource: Resource) -> set[str]:
    """Returns the names by which its parts name `resource`."""
    attributes = _OWNER_ATTRIBUTES.get(resource.type, ("id",))
    return {resource.text(attribute) for attribute in attributes} - {""}


def identities(resource: Resource) -> set[str]:
    """Returns what others name `resource` by."""
    names = {resource.text("arn")}
    if _ID.fullmatch(resource.text("id")):
        names.add(resource.text("id"))
    if resource.type == "aws_kms_key":
        names.add(resource.text("key_id"))
    elif resource.type == "aws_kms_alias":
        names.add(resource.text("name"))
    elif resource.type in _BY_NAME:
        kind, attribute = _BY_NAME[resource.type]
        names.add(f"{kind} {resource.text(attribute)}")
    return names - {""}


def references(resource: Resource) -> set[str]:
    """Returns what `resource` names: ARNs and IDs anywhere; names only if their kind is known."""
    names = set(resource.mentions())
    names |= {f"role {text.rpartition('/')[2]}" for text in names if ":role/" in text}
    names |= {f"bucket {name}" for name in log_targets(resource)}
    if resource.type == NOTEBOOK_TYPE:
        names.add("log group /aws/sagemaker/NotebookInstances")
    if resource.type in _RULES:
        names.discard(resource.text("security_group_id"))  # the group has the rule
    for kind, attribute in _NAMED_BY.get(resource.type, ()):
        values = (resource.text(attribute), *resource.texts(attribute))
        names |= {f"{kind} {value}" for value in values}
    return names


def allowed_groups(resource: Resource) -> list[str]:
    """Returns the security groups that a rule allows, none if `resource` is not a rule."""
    names = ("source_security_group_id", "referenced_security_group_id")
    return [group for name in names if (group := resource.text(name))]


def log_targets(resource: Resource) -> set[str]:
    """Returns the names of the buckets to which `resource` sends logs."""
    attribute, inner = _LOGS.get(resource.type, ("", ""))
    value = resource.attributes.get(attribute)
    blocks = value if isinstance(value, list) else [{inner: value}]
    texts = {block.get(inner) for block in blocks if isinstance(block, Mapping)}
    names = {str(text).rpartition(":::")[2].split("/")[0] for text in texts if text}
    return {name for name in names if ":" not in name}  # otherwise the ARN of a log group
