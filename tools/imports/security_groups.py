"""A security group that shared-infra/security-groups would take, with the rules that are alike."""

import re
from collections.abc import Iterator, Mapping
from typing import Any

from tools.aws import lookup
from tools.errors import UserError, shown
from tools.imports.destination import Site, lost_tags, tags
from tools.imports.request import GROUPS, Adoption, Takeover

PURPOSES = ("notebooks", "endpoints")
_OUTPUTS = {"notebooks": "notebook_security_group_id", "endpoints": "endpoint_security_group_id"}
_EGRESS = "aws_vpc_security_group_egress_rule"
_INGRESS = "aws_vpc_security_group_ingress_rule"
_HTTPS = {"ip_protocol": "tcp", "from_port": 443, "to_port": 443}


def security_group(site: Site, id: str, purpose: str, other: str | None = None) -> Takeover:
    """The group with this `id` as that of the notebooks or of the endpoints.

    `other` is the id of the group for the other purpose, where that is taken with it; the one that
    the stack has, otherwise. Raises UserError where it does not exist, or is in another VPC.
    """
    group = described(site, id)
    if group["GroupName"] == "default":
        raise UserError(f"{id} is the VPC's default group, which belongs to the VPC")
    values = {stack: dict(wanted) for stack, wanted in site.check_vpc(id, group["VpcId"]).items()}
    names = site.declared(GROUPS).get("security_group_names")
    declared = names.get(purpose) if isinstance(names, dict) else None
    if (declared or f"{site.project}-{purpose}") != group["GroupName"]:
        values.setdefault(GROUPS, {})["security_group_names"] = {purpose: group["GroupName"]}
    (other_purpose,) = set(PURPOSES) - {purpose}
    groups = {
        purpose: id,
        other_purpose: other or site.outputs(GROUPS).get(_OUTPUTS[other_purpose]),
    }
    rules = {
        address: found
        for address, rule in _rules(site, groups)
        if (found := lookup.security_group_rule(site.cloud, address.startswith(_EGRESS), rule))
    }
    adoptions = [
        Adoption.at(GROUPS, f"aws_security_group.{purpose}", id),
        *(Adoption.at(GROUPS, address, rule) for address, rule in rules.items()),
    ]
    notes = _unmanaged(site, id, set(rules.values()))
    notes += lost_tags(id, tags(group.get("Tags", [])), kept=["Name"])
    return Takeover(tuple(adoptions), values, notes=tuple(notes))


def described(site: Site, id: str) -> Any:
    """The group as EC2 describes it. Raises UserError where there is none."""
    if not re.fullmatch(r"sg-[0-9a-f]{8,17}", id):
        raise UserError(f"{shown(id)} is no security group's id, such as sg-0a1b2c3d4e5f67890")
    found = site.ask(f"look for {id}", "ec2", "describe_security_groups", GroupIds=[id])
    if not found or not found["SecurityGroups"]:
        raise UserError(f"there is no security group {id} in {site.cloud}")
    return found["SecurityGroups"][0]


def vpcs(site: Site) -> dict[str, str]:
    """The VPC of every group that there is, by its id."""
    what = "list the security groups"
    found = site.every(what, "ec2", "describe_security_groups", "SecurityGroups")
    return {one["GroupId"]: one["VpcId"] for one in found}


def _rules(site: Site, groups: Mapping[str, str | None]) -> Iterator[tuple[str, Mapping[str, Any]]]:
    """The stack's rules whose groups are known: address to what they are."""
    notebooks, endpoints = groups["notebooks"], groups["endpoints"]
    declared = site.declared(GROUPS)
    if notebooks and endpoints:
        to, source = {"referenced_security_group_id": endpoints}, {"security_group_id": notebooks}
        yield f"{_EGRESS}.notebooks_to_endpoints", {**_HTTPS, **source, **to}
        back = {"security_group_id": endpoints, "referenced_security_group_id": notebooks}
        yield f"{_INGRESS}.endpoints_from_notebooks", {**_HTTPS, **back}
    if notebooks:
        of = {**_HTTPS, "security_group_id": notebooks}
        if prefixes := _prefixes_of_s3(site):
            yield f"{_EGRESS}.notebooks_to_s3", {**of, "prefix_list_id": prefixes}
        if declared.get("allow_internet_egress"):
            yield f"{_EGRESS}.notebooks_to_internet[0]", {**of, "cidr_ipv4": "0.0.0.0/0"}
    clients = declared.get("endpoint_client_security_group_ids")
    for client in clients if endpoints and isinstance(clients, list) else []:
        rule = {"security_group_id": endpoints, "referenced_security_group_id": client}
        yield client_address(client), {**_HTTPS, **rule}


def client_address(client: str) -> str:
    """Where the stack has the rule by which its endpoints admit a further group."""
    return f'{_INGRESS}.endpoints_from_clients["{client}"]'


def rule_from(site: Site, endpoints: str, client: str) -> str | None:
    """The rule of the endpoints' group that admits `client`, None where it has none."""
    rule = {"security_group_id": endpoints, "referenced_security_group_id": client}
    return lookup.security_group_rule(site.cloud, False, {**_HTTPS, **rule})


def _prefixes_of_s3(site: Site) -> str | None:
    name = f"com.amazonaws.{site.cloud.region}.s3"
    filters = [{"Name": "prefix-list-name", "Values": [name]}]
    lists = site.every(
        "find S3's addresses",
        "ec2",
        "describe_managed_prefix_lists",
        "PrefixLists",
        Filters=filters,
    )
    return str(lists[0]["PrefixListId"]) if lists else None


def _unmanaged(site: Site, id: str, taken: set[str]) -> list[str]:
    filters = [{"Name": "group-id", "Values": [id]}]
    rules = site.every(
        f"read the rules of {id}",
        "ec2",
        "describe_security_group_rules",
        "SecurityGroupRules",
        Filters=filters,
    )
    others = [_in_words(rule) for rule in rules if rule["SecurityGroupRuleId"] not in taken]
    if not others:
        return []
    return [f"{id}: its other rules stay, unmanaged: {'; '.join(sorted(others))}"]


def _in_words(rule: Mapping[str, Any]) -> str:
    way = "out to" if rule["IsEgress"] else "in from"
    there = (
        rule.get("CidrIpv4")
        or rule.get("CidrIpv6")
        or rule.get("PrefixListId")
        or rule.get("ReferencedGroupInfo", {}).get("GroupId")
    )
    if rule["IpProtocol"] == "-1":
        return f"everything {way} {there}"
    first, last = rule.get("FromPort"), rule.get("ToPort")
    ports = str(first) if first == last else f"{first}-{last}"
    return f"{rule['IpProtocol']} {ports} {way} {there}"
