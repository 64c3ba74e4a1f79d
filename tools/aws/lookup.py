"""Looks resources up by name, as `terraform import` names them."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any

from tools.aws.client import is_missing, shared_client, unreachable


@dataclass(frozen=True)
class Existing:
    """Looks resources up by name: each method returns what `terraform import` takes, or None.

    Import identifiers: the Import section of each resource in the AWS provider's documentation.
    """

    region: str
    endpoint: str | None = None

    def bucket(self, name: str) -> str | None:
        """One that these credentials may list; another account's is not told from none."""
        client = shared_client("s3", self.region, self.endpoint)
        return name if _answer(client.head_bucket, Bucket=name) else None

    def role(self, name: str) -> str | None:
        client = shared_client("iam", self.region, self.endpoint)
        return name if _answer(client.get_role, RoleName=name) else None

    def policy(self, name: str, path: str) -> str | None:
        client = shared_client("iam", self.region, self.endpoint)
        account = shared_client("sts", self.region, self.endpoint).get_caller_identity()
        arn = (
            f"{account['Arn'].split(':sts:')[0].split(':iam:')[0]}:iam::{account['Account']}:policy"
        )
        found = _answer(client.get_policy, PolicyArn=f"{arn}{path}{name}")
        return str(found["Policy"]["Arn"]) if found else None

    def log_group(self, name: str) -> str | None:
        client = shared_client("logs", self.region, self.endpoint)
        found = _answer(client.describe_log_groups, logGroupNamePrefix=name)
        names = [group["logGroupName"] for group in found["logGroups"]] if found else []
        return name if name in names else None

    def kms_alias(self, name: str) -> str | None:
        client = shared_client("kms", self.region, self.endpoint)
        return name if _answer(client.describe_key, KeyId=name) else None

    def schedule_group(self, name: str) -> str | None:
        client = shared_client("scheduler", self.region, self.endpoint)
        return name if _answer(client.get_schedule_group, Name=name) else None

    def schedule(self, group: str | None, name: str) -> str | None:
        group = group or "default"
        client = shared_client("scheduler", self.region, self.endpoint)
        return (
            f"{group}/{name}" if _answer(client.get_schedule, GroupName=group, Name=name) else None
        )

    def notebook(self, name: str) -> str | None:
        client = shared_client("sagemaker", self.region, self.endpoint)
        found = _answer(client.describe_notebook_instance, NotebookInstanceName=name)
        return name if found else None

    def lifecycle_configuration(self, name: str) -> str | None:
        client = shared_client("sagemaker", self.region, self.endpoint)
        found = _answer(
            client.describe_notebook_instance_lifecycle_config,
            NotebookInstanceLifecycleConfigName=name,
        )
        return name if found else None

    def security_group(self, name: str, vpc: str) -> str | None:
        client = shared_client("ec2", self.region, self.endpoint)
        filters = {"group-name": name, "vpc-id": vpc}
        found = _answer(client.describe_security_groups, Filters=_filters(filters))
        groups = found["SecurityGroups"] if found else []
        return str(groups[0]["GroupId"]) if len(groups) == 1 else None

    def security_group_rule(self, egress: bool, values: Mapping[str, Any]) -> str | None:
        """The rule of a group with the same protocol, ports and other side as `values`."""
        if not values.get("security_group_id"):
            return None  # of a group that does not exist either
        client = shared_client("ec2", self.region, self.endpoint)
        filters = _filters({"group-id": values["security_group_id"]})
        found = _answer(client.describe_security_group_rules, Filters=filters)
        wanted = (
            egress,
            values["ip_protocol"],
            -1 if values.get("from_port") is None else values["from_port"],
            -1 if values.get("to_port") is None else values["to_port"],
            values.get("cidr_ipv4"),
            values.get("cidr_ipv6"),
            values.get("prefix_list_id"),
            values.get("referenced_security_group_id"),
        )
        for rule in found["SecurityGroupRules"] if found else []:
            there = (
                rule["IsEgress"],
                rule["IpProtocol"],
                rule.get("FromPort", -1),
                rule.get("ToPort", -1),
                rule.get("CidrIpv4"),
                rule.get("CidrIpv6"),
                rule.get("PrefixListId"),
                rule.get("ReferencedGroupInfo", {}).get("GroupId"),
            )
            if there == wanted:
                return str(rule["SecurityGroupRuleId"])
        return None

    def vpc_endpoint(self, service: str, vpc: str) -> str | None:
        """The only one of its service in the VPC."""
        client = shared_client("ec2", self.region, self.endpoint)
        filters = {"service-name": service, "vpc-id": vpc}
        found = _answer(client.describe_vpc_endpoints, Filters=_filters(filters))
        endpoints = [e for e in found["VpcEndpoints"] if e["State"] != "deleted"] if found else []
        return str(endpoints[0]["VpcEndpointId"]) if len(endpoints) == 1 else None


def _filters(values: Mapping[str, str]) -> list[dict[str, object]]:
    return [{"Name": name, "Values": [value]} for name, value in values.items()]


def _answer(operation: Callable[..., Any], **arguments: Any) -> Any:
    """What `operation` answers, or None where there is no such thing."""
    try:
        return operation(**arguments)
    except Exception as error:
        if is_missing(error):
            return None
        raise unreachable(getattr(operation, "__name__", "AWS"), error) from None
