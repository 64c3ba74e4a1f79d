"""A security group to import into shared-infra/security-groups, with rules that the stack has."""

import re
from collections.abc import Iterator, Mapping
from typing import Any

from tools.aws import lookup
from tools.errors import UserError, shorten
from tools.imports.destination import Destination, note_lost_tags, parse_tags
from tools.imports.request import ImportRequest, ResourceImport
from tools.layout.stack import GROUPS

PURPOSES = ("notebooks", "endpoints")
_OUTPUTS = {"notebooks": "notebook_security_group_id", "endpoints": "endpoint_security_group_id"}
_EGRESS = "aws_vpc_security_group_egress_rule"
_INGRESS = "aws_vpc_security_group_ingress_rule"
_HTTPS = {"ip_protocol": "tcp", "from_port": 443, "to_port": 443}


def request_group(
    destination: Destination, id: str, purpose: str, other: str | None = None
) -> ImportRequest:
    """Requests the security group `id` as that of the notebooks or of the endpoints.

    `other` is the id of the group for the other purpose, if that is imported too; otherwise it is
    the one that the stack has. Raises UserError if the group does not exist, is in another VPC, or
    is a VPC's default group.
    """
    group = fetch(destination, id)
    # AWS makes it with the VPC and deletes it with the VPC only:
    # https://docs.aws.amazon.com/vpc/latest/userguide/default-security-group.html
    if group["GroupName"] == "default":
        raise UserError(f"{id} is the VPC's default group, which belongs to the VPC")
    vpc_values = destination.vpc_values(id, group["VpcId"])
    values = {stack: dict(settings) for stack, settings in vpc_values.items()}
    declared = destination.declared_map(GROUPS, "security_group_names").get(purpose)
    if (declared or f"{destination.project}-{purpose}") != group["GroupName"]:
        values.setdefault(GROUPS, {})["security_group_names"] = {purpose: group["GroupName"]}
    (other_purpose,) = set(PURPOSES) - {purpose}
    ids_by_purpose = {purpose: id, other_purpose: other or deployed(destination, other_purpose)}
    rules = {
        address: rule_id
        for address, rule in _rules(destination, ids_by_purpose)
        if (
            rule_id := lookup.security_group_rule(
                destination.cloud, address.startswith(_EGRESS), rule
            )
        )
    }
    addresses = {f"aws_security_group.{purpose}": id, **rules}
    notes = _unmanaged_rules(destination, id, set(rules.values()))
    notes += note_lost_tags(id, parse_tags(group.get("Tags", [])), kept=["Name"])
    return ImportRequest(
        tuple(
            ResourceImport.at(GROUPS, address, identifier)
            for address, identifier in addresses.items()
        ),
        values,
        notes=tuple(notes),
    )


def deployed(destination: Destination, purpose: str) -> str | None:
    """Returns the id of the stack's group for a purpose, None if the stack has none yet."""
    return destination.outputs(GROUPS).get(_OUTPUTS[purpose])


def fetch(destination: Destination, id: str) -> Any:
    """Returns the group as EC2 describes it. Raises UserError if there is none."""
    if not re.fullmatch(r"sg-[0-9a-f]{8,17}", id):
        raise UserError(f"{shorten(id)} is not a security group's id, such as sg-0a1b2c3d4e5f67890")
    answer = destination.ask(f"look for {id}", "ec2", "describe_security_groups", GroupIds=[id])
    if not answer or not answer["SecurityGroups"]:
        raise UserError(f"there is no security group {id} in {destination.cloud}")
    return answer["SecurityGroups"][0]


def vpcs_by_group(destination: Destination) -> dict[str, str]:
    """Returns the VPC of every security group of the region, by the group's id."""
    what = "list the security groups"
    groups = destination.ask_ec2(what, "describe_security_groups", "SecurityGroups", {})
    return {group["GroupId"]: group["VpcId"] for group in groups}


def _rules(
    destination: Destination, ids_by_purpose: Mapping[str, str | None]
) -> Iterator[tuple[str, Mapping[str, Any]]]:
    """The stack's rules between groups that are known: address to arguments.

    As in shared-infra/security-groups/notebooks.tf and endpoints.tf.
    """
    notebooks, endpoints = ids_by_purpose["notebooks"], ids_by_purpose["endpoints"]
    if notebooks and endpoints:
        yield f"{_EGRESS}.notebooks_to_endpoints", _between(notebooks, endpoints)
        yield f"{_INGRESS}.endpoints_from_notebooks", _between(endpoints, notebooks)
    if notebooks:
        rule = {**_HTTPS, "security_group_id": notebooks}
        if prefix_list := _s3_prefix_list(destination):
            yield f"{_EGRESS}.notebooks_to_s3", {**rule, "prefix_list_id": prefix_list}
        if destination.declared(GROUPS).get("allow_internet_egress"):
            yield f"{_EGRESS}.notebooks_to_internet[0]", {**rule, "cidr_ipv4": "0.0.0.0/0"}
        for cidr in destination.declared_list(GROUPS, "egress_cidrs"):
            yield f'{_EGRESS}.notebooks_to_cidrs["{cidr}"]', {**rule, "cidr_ipv4": cidr}
        for group in destination.declared_list(GROUPS, "egress_security_group_ids"):
            yield f'{_EGRESS}.notebooks_to_groups["{group}"]', _between(notebooks, group)
    if endpoints and not destination.declared(GROUPS).get("endpoints_for_notebooks_only"):
        for cidr in _vpc_cidrs(destination, endpoints):
            rule = {**_HTTPS, "security_group_id": endpoints, "cidr_ipv4": cidr}
            yield f'{_INGRESS}.endpoints_from_vpc["{cidr}"]', rule


def _between(group: str, other: str) -> Mapping[str, Any]:
    """The arguments of a rule of `group` that allows HTTPS to or from `other`."""
    return {**_HTTPS, "security_group_id": group, "referenced_security_group_id": other}


def _vpc_cidrs(destination: Destination, group: str) -> list[str]:
    """The address ranges of the VPC that `group` is in."""
    vpc = {"vpc-id": fetch(destination, group)["VpcId"]}
    described_vpcs = destination.ask_ec2("read the VPC's ranges", "describe_vpcs", "Vpcs", vpc)
    return [
        str(range["CidrBlock"])
        for described_vpc in described_vpcs
        for range in described_vpc.get("CidrBlockAssociationSet", [])
        if range["CidrBlockState"]["State"] == "associated"
    ]


def _s3_prefix_list(destination: Destination) -> str | None:
    filters = {"prefix-list-name": f"com.amazonaws.{destination.cloud.region}.s3"}
    lists = destination.ask_ec2(
        "find S3's addresses", "describe_managed_prefix_lists", "PrefixLists", filters
    )
    return str(lists[0]["PrefixListId"]) if lists else None


def _unmanaged_rules(destination: Destination, id: str, imported: set[str]) -> list[str]:
    """A note on the group's rules that are not `imported`, or none."""
    described_rules = destination.ask_ec2(
        f"read the rules of {id}",
        "describe_security_group_rules",
        "SecurityGroupRules",
        {"group-id": id},
    )
    others = [
        _in_words(rule) for rule in described_rules if rule["SecurityGroupRuleId"] not in imported
    ]
    return [f"{id}: its other rules stay, unmanaged: {'; '.join(sorted(others))}"] if others else []


def _in_words(rule: Mapping[str, Any]) -> str:
    way = "out to" if rule["IsEgress"] else "in from"
    peer = (
        rule.get("CidrIpv4")
        or rule.get("CidrIpv6")
        or rule.get("PrefixListId")
        or rule.get("ReferencedGroupInfo", {}).get("GroupId")
    )
    if rule["IpProtocol"] == "-1":
        return f"everything {way} {peer}"
    first, last = rule.get("FromPort"), rule.get("ToPort")
    ports = str(first) if first == last else f"{first}-{last}"
    return f"{rule['IpProtocol']} {ports} {way} {peer}"
