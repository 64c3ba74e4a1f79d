"""Checks of the AWS account: credentials, network, endpoints."""

from collections.abc import Mapping

from tools.aws import network
from tools.aws.client import Cloud
from tools.aws.vpcs import Vpc
from tools.doctor.check import Check
from tools.fleet.occupants import clashes, is_ours
from tools.hcl.reading import Value
from tools.layout.stack import ENDPOINTS, GROUPS

Values = Mapping[str, Value]


def check_credentials(cloud: Cloud) -> Check:
    """Whose credentials these are."""
    caller = cloud.identity()
    where = str(cloud) if cloud.endpoint else f"account {caller.account}"
    return Check("credentials", "ok", f"{where}, as {caller.arn}")


def find_vpc(cloud: Cloud, groups: Values) -> Vpc | None:
    """The VPC that `groups`, the values of shared-infra/security-groups, name; None without one."""
    wanted = groups.get("vpc_id")
    return None if wanted is None else network.find_vpc(cloud, str(wanted))


def check_vpc(cloud: Cloud, vpc: Vpc | None, groups: Values, endpoints: Values) -> Check:
    """Whether `vpc`, which `find_vpc` found, is set, there, and fit for private DNS."""
    wanted, file = groups.get("vpc_id"), f"{GROUPS}/terraform.tfvars"
    if wanted is None:
        return Check(
            "vpc",
            "warning",
            "no VPC is chosen",
            f"set vpc_id in {file}: the ID of a VPC, best one without other workloads",
        )
    if vpc is None:
        return Check(
            "vpc", "error", f"{wanted} does not exist in {cloud}", f"correct vpc_id in {file}"
        )
    description = f"{vpc.id}, {', '.join(vpc.cidrs)}"
    if endpoints.get("private_dns_enabled"):
        off = [
            name
            for name in ("enableDnsSupport", "enableDnsHostnames")
            if not _has(cloud, vpc, name)
        ]
        if off:
            options = " ".join(f"--{_OPTIONS[name]}" for name in off[:1])
            are = "is" if len(off) == 1 else "are"
            return Check(
                "vpc",
                "error",
                f"{description}: {' and '.join(off)} {are} off; endpoints with private DNS need "
                "both",
                f"aws ec2 modify-vpc-attribute --vpc-id {vpc.id} {options}",
            )
    return Check("vpc", "ok", description)


_OPTIONS = {"enableDnsSupport": "enable-dns-support", "enableDnsHostnames": "enable-dns-hostnames"}


def _has(cloud: Cloud, vpc: Vpc, name: str) -> bool:
    what, operation = f"read {name} of {vpc.id}", "describe_vpc_attribute"
    answer = cloud.call(what, "ec2", operation, VpcId=vpc.id, Attribute=name)
    return bool(answer[name[0].upper() + name[1:]]["Value"])


def check_endpoints(cloud: Cloud, vpc: Vpc | None, project: str, endpoints: Values) -> Check:
    """Endpoints that `vpc` has already, beside which AWS refuses the stack's."""
    if vpc is None:
        return Check("endpoints", "unknown", "not looked for: there is no VPC to look in")
    existing = network.list_endpoints(cloud, vpc.id)
    clashing = list(clashes(existing, cloud.region, project, endpoints))
    if clashing:
        first = clashing[0]
        return Check(
            "endpoints",
            "warning",
            "; ".join(clash.reason for clash in clashing),
            f"tools import endpoint {first.endpoint.id}, or in {ENDPOINTS} {first.setting}",
        )
    others = sum(not is_ours(endpoint, project) for endpoint in existing)
    others_there = f"{vpc.id} has {others} that this project did not make"
    return Check("endpoints", "ok", f"{others_there}, and none in the way")
