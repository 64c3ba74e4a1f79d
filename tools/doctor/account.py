"""Checks of the AWS account: credentials, network, endpoints."""

from collections.abc import Mapping
from typing import Any

from tools.aws.client import Cloud
from tools.doctor.check import Check
from tools.fleet.occupants import ENDPOINTS, GROUPS
from tools.hcl.reading import Value

Values = Mapping[str, Value]


def check_credentials(cloud: Cloud) -> Check:
    """Whose credentials these are."""
    caller = cloud.identity()
    where = str(cloud) if cloud.endpoint else f"account {caller.account}"
    return Check("credentials", "ok", f"{where}, as {caller.arn}")


def find_vpc(cloud: Cloud, groups: Values) -> Any:
    """The VPC that `groups`, the values of shared-infra/security-groups, name; None without one."""
    wanted = groups.get("vpc_id")
    if wanted is None:
        return None
    filters = [{"Name": "is-default", "Values": ["true"]}]
    which: Any = {"Filters": filters} if wanted == "default" else {"VpcIds": [wanted]}
    answer = cloud.find(f"look for the VPC {wanted}", "ec2", "describe_vpcs", **which)
    vpcs = answer["Vpcs"] if answer else []
    return vpcs[0] if vpcs else None


def check_vpc(cloud: Cloud, groups: Values, endpoints: Values) -> Check:
    """The VPC: set, there, and fit for private DNS."""
    wanted, file = groups.get("vpc_id"), f"{GROUPS}/terraform.tfvars"
    if wanted is None:
        return Check(
            "vpc",
            "warning",
            "no VPC is chosen",
            f"set vpc_id in {file}: the ID of a VPC, best one without other workloads",
        )
    vpc = find_vpc(cloud, groups)
    if vpc is None:
        return Check(
            "vpc", "error", f"{wanted} does not exist in {cloud}", f"correct vpc_id in {file}"
        )
    found = f"{vpc['VpcId']}, {vpc.get('CidrBlock', 'no address block')}"
    if endpoints.get("private_dns_enabled"):
        off = [
            name
            for name in ("enableDnsSupport", "enableDnsHostnames")
            if not _has(cloud, vpc, name)
        ]
        if off:
            options = " ".join(f"--{_OPTIONS[name]}" for name in off[:1])
            return Check(
                "vpc",
                "error",
                f"{found}: {' and '.join(off)} are off, and endpoints with private DNS need both",
                f"aws ec2 modify-vpc-attribute --vpc-id {vpc['VpcId']} {options}",
            )
    return Check("vpc", "ok", found)


_OPTIONS = {"enableDnsSupport": "enable-dns-support", "enableDnsHostnames": "enable-dns-hostnames"}


def _has(cloud: Cloud, vpc: Any, name: str) -> bool:
    what, operation = f"read {name} of {vpc['VpcId']}", "describe_vpc_attribute"
    answer = cloud.call(what, "ec2", operation, VpcId=vpc["VpcId"], Attribute=name)
    return bool(answer[name[0].upper() + name[1:]]["Value"])


def check_endpoints(cloud: Cloud, project: str, groups: Values, endpoints: Values) -> Check:
    """Endpoints that the VPC has already, of which AWS takes no second with private DNS."""
    vpc = find_vpc(cloud, groups)
    if vpc is None:
        return Check("endpoints", "unknown", "not looked for: there is no VPC to look in")
    filters = [{"Name": "vpc-id", "Values": [vpc["VpcId"]]}]
    what = f"list the endpoints of {vpc['VpcId']}"
    answer = cloud.call(what, "ec2", "describe_vpc_endpoints", Filters=filters)
    existing = [e for e in answer["VpcEndpoints"] if e["State"] not in ("deleted", "failed")]
    wanted = endpoints.get("interface_services")
    services = {str(service) for service in wanted} if isinstance(wanted, list) else set()
    services |= {"s3"} if endpoints.get("create_s3_gateway") else set()
    clashes = [
        e for e in existing if not _is_ours(e, project) and _is_service(e["ServiceName"], services)
    ]
    if clashes:
        ids = [e["VpcEndpointId"] for e in clashes]
        names = ", ".join(f"{e['ServiceName']} ({e['VpcEndpointId']})" for e in clashes)
        return Check(
            "endpoints",
            "warning",
            f"{vpc['VpcId']} has endpoints already that {ENDPOINTS} would create: {names}",
            f"tools import endpoint {ids[0]}, or leave the service out in {ENDPOINTS}",
        )
    others = sum(not _is_ours(e, project) for e in existing)
    return Check("endpoints", "ok", f"{vpc['VpcId']} has none of these services, {others} others")


def _is_ours(endpoint: Any, project: str) -> bool:
    tags = {tag["Key"]: tag["Value"] for tag in endpoint.get("Tags", [])}
    return tags.get("Project") == project and tags.get("Stack") == ENDPOINTS


def _is_service(name: str, services: set[str]) -> bool:
    return any(name.endswith(f".{service}") for service in services)
