"""Finds resources that exist, by what Terraform would create."""

import re
from collections.abc import Callable, Iterable, Mapping
from typing import Any

from tools.aws.client import Cloud, RequestError, is_missing
from tools.aws.network import GONE
from tools.aws.sagemaker import NOTEBOOK_TYPE

Values = Mapping[str, Any]


def identifier(cloud: Cloud, resource_type: str, values: Values) -> str | None:
    """What `terraform import` takes for the resource that has these `values` already.

    None if there is none, or if nothing tells resources of this type apart. Identifiers: the
    Import section of each resource at https://registry.terraform.io/providers/hashicorp/aws/latest/docs
    Raises UserError if AWS cannot be asked, and KeyError if that does not tell: a value is missing
    that AWS or an apply gives, several fit, or these credentials may not see it.
    """
    if resource_type in _NAMED:
        service, operation, argument, key = _NAMED[resource_type]
        name = str(values[key])
        answer = cloud.find(f"look for {name}", service, operation, **{argument: name})
        return None if answer is None else name
    search = _SEARCHES.get(resource_type)
    return search(cloud, values) if search else None


def can_tell(resource_type: str) -> bool:
    """Returns whether `identifier` finds every resource of a type that could stay behind alone.

    True also for a part of another resource, which goes with that, and for what is in no cloud.
    """
    is_known = resource_type in _NAMED or resource_type in _SEARCHES
    return is_known or bool(_PARTS.fullmatch(resource_type))


def security_group_rule(cloud: Cloud, is_egress: bool, values: Values) -> str | None:
    """The rule of a group with the same protocol, ports and other side as `values`."""
    group_id = values.get("security_group_id")
    if not group_id:
        return None  # the group is planned too
    filters = {"group-id": group_id}
    rules = _describe(cloud, "describe_security_group_rules", "SecurityGroupRules", filters)
    wanted = (
        is_egress,
        values["ip_protocol"],
        -1 if values.get("from_port") is None else values["from_port"],
        -1 if values.get("to_port") is None else values["to_port"],
        values.get("cidr_ipv4"),
        values.get("cidr_ipv6"),
        values.get("prefix_list_id"),
        values.get("referenced_security_group_id"),
    )
    for rule in rules:
        existing = (
            rule["IsEgress"],
            rule["IpProtocol"],
            rule.get("FromPort", -1),
            rule.get("ToPort", -1),
            rule.get("CidrIpv4"),
            rule.get("CidrIpv6"),
            rule.get("PrefixListId"),
            rule.get("ReferencedGroupInfo", {}).get("GroupId"),
        )
        if existing == wanted:
            return str(rule["SecurityGroupRuleId"])
    return None


def _policy(cloud: Cloud, values: Values) -> str | None:
    caller, name = cloud.identity(), values["name"]
    arn = f"arn:{caller.partition}:iam::{caller.account}:policy{values['path']}{name}"
    answer = cloud.find(f"look for the policy {name}", "iam", "get_policy", PolicyArn=arn)
    return str(answer["Policy"]["Arn"]) if answer else None


def _log_group(cloud: Cloud, values: Values) -> str | None:
    name = str(values["name"])
    what, operation = f"look for the log group {name}", "describe_log_groups"
    answer = cloud.call(what, "logs", operation, logGroupNamePrefix=name)
    names = [log_group["logGroupName"] for log_group in answer["logGroups"]]
    return name if name in names else None


def _schedule(cloud: Cloud, values: Values) -> str | None:
    group_name, name = values["group_name"] or "default", values["name"]
    what = f"look for the schedule {name}"
    answer = cloud.find(what, "scheduler", "get_schedule", GroupName=group_name, Name=name)
    return f"{group_name}/{name}" if answer else None


def _security_group(cloud: Cloud, values: Values) -> str | None:
    filters = {"group-name": values["name"], "vpc-id": values["vpc_id"]}
    groups = _describe(cloud, "describe_security_groups", "SecurityGroups", filters)
    return _only(str(group["GroupId"]) for group in groups)


def _vpc_endpoint(cloud: Cloud, values: Values) -> str | None:
    """The endpoint of its service in the VPC. Raises KeyError if there are several."""
    filters = {"service-name": values["service_name"], "vpc-id": values["vpc_id"]}
    described = _describe(cloud, "describe_vpc_endpoints", "VpcEndpoints", filters)
    endpoints = [endpoint for endpoint in described if endpoint["State"].lower() not in GONE]
    return _only(str(endpoint["VpcEndpointId"]) for endpoint in endpoints)


def _only(identifiers: Iterable[str]) -> str | None:
    """The only one, None if there is none. Raises KeyError if there are several."""
    found = [*identifiers]
    if len(found) > 1:
        raise KeyError(f"one of {found}")
    return found[0] if found else None


def _bucket(cloud: Cloud, values: Values) -> str | None:
    """The bucket, if this account has it. Raises KeyError if that is not known."""
    name = str(values["bucket"])
    try:
        cloud.call(f"look for {name}", "s3", "head_bucket", Bucket=name)
    except RequestError as error:
        if error.code == "403":
            return _find_listed_bucket(cloud, name)
        if is_missing(error):
            return None
        raise
    return name


def _find_listed_bucket(cloud: Cloud, name: str) -> str | None:
    """The bucket if the account's list has it, for one that may not be looked at.

    S3 answers alike for another account's, and for one of this account without s3:ListBucket:
    https://docs.aws.amazon.com/AmazonS3/latest/API/API_HeadBucket.html
    """
    try:
        buckets = cloud.items("list the buckets", "s3", "list_buckets", "Buckets")
        return name if name in {bucket["Name"] for bucket in buckets} else None
    except RequestError:
        raise KeyError(name) from None


def _describe(cloud: Cloud, operation: str, key: str, filters: Mapping[str, str]) -> list[Any]:
    """What EC2 describes under `key`, of that which has the values of `filters`."""
    what = f"look for {' in '.join(filters.values())}"
    try:
        return cloud.describe_ec2(what, operation, key, filters)
    except RequestError as error:
        if is_missing(error):
            return []
        raise


# They are deleted with a bucket, a role or a group, or they are of Terraform alone.
_PARTS = re.compile(
    r"aws_s3_bucket_(?!object)\w+|aws_iam_role_policy(_attachment)?|aws_security_group_rule|"
    r"aws_kms_key_policy|aws_vpc_endpoint_(policy|\w+_association)|"
    r"terraform_data|(null|random|time|tls)_\w+"
)

# Types whose identifier is their name: service, operation, its argument, and the name's variable.
_NAMED = {
    "aws_iam_role": ("iam", "get_role", "RoleName", "name"),
    "aws_kms_alias": ("kms", "describe_key", "KeyId", "name"),
    NOTEBOOK_TYPE: (
        "sagemaker",
        "describe_notebook_instance",
        "NotebookInstanceName",
        "name",
    ),
    "aws_sagemaker_notebook_instance_lifecycle_configuration": (
        "sagemaker",
        "describe_notebook_instance_lifecycle_config",
        "NotebookInstanceLifecycleConfigName",
        "name",
    ),
    "aws_scheduler_schedule_group": ("scheduler", "get_schedule_group", "Name", "name"),
}

_SEARCHES: Mapping[str, Callable[[Cloud, Values], str | None]] = {
    "aws_cloudwatch_log_group": _log_group,
    "aws_iam_policy": _policy,
    "aws_s3_bucket": _bucket,
    "aws_scheduler_schedule": _schedule,
    "aws_security_group": _security_group,
    "aws_vpc_endpoint": _vpc_endpoint,
    "aws_vpc_security_group_egress_rule": lambda cloud, rule: security_group_rule(
        cloud, True, rule
    ),
    "aws_vpc_security_group_ingress_rule": lambda cloud, rule: security_group_rule(
        cloud, False, rule
    ),
}
