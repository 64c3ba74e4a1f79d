"""A VPC endpoint that shared-infra/vpc-endpoints would take."""

import json
import re
from collections.abc import Sequence
from contextlib import suppress
from typing import Any, NoReturn

from tools.aws.policies import as_list
from tools.errors import UserError, shown
from tools.hcl.reading import Value
from tools.imports.destination import Site, lost_tags, tags
from tools.imports.request import ENDPOINTS, GROUPS, Adoption, Takeover

_GONE = ("deleted", "deleting", "failed", "rejected", "expired")
_ALL = {("Allow", "*", "*", "*")}


def endpoint(
    site: Site, id: str, group: str | None = None, subnets: Sequence[str] = ()
) -> Takeover:
    """The endpoint with this `id`: the gateway for S3, or an interface to a service.

    `group` is the security group of the stacks' endpoints, where it is not deployed yet; `subnets`
    are those of the stack, where nothing says them. Raises UserError where it does not exist, is in
    another VPC, or leads to what the stack cannot have.
    """
    found = described(site, id)
    service = short_name(site, found)
    values = {stack: dict(wanted) for stack, wanted in site.check_vpc(id, found["VpcId"]).items()}
    own: dict[str, Value] = {}
    notes = lost_tags(id, tags(found.get("Tags", [])), kept=["Name"])
    if kind(found) == "Gateway":
        if not site.declared(ENDPOINTS).get("create_s3_gateway"):
            own["create_s3_gateway"] = True
        notes += _settle(site, own, "route_table_ids", found.get("RouteTableIds", []), id)
        if not _in_force(site, "subnet_ids") and not _has_default_subnets(site, found["VpcId"]):
            own["subnet_ids"] = list(subnets) or _no_subnets(id, found["VpcId"])
    else:
        own["interface_services"] = [service]
        own["private_dns_enabled"] = bool(found.get("PrivateDnsEnabled"))
        notes += _settle(site, own, "subnet_ids", found.get("SubnetIds", []), id)
        notes += _groups(site, found, group)
    notes += _policy(site, own, found, service)
    values[ENDPOINTS] = own
    return Takeover((Adoption.at(ENDPOINTS, address(service), id),), values, notes=tuple(notes))


def require_group(site: Site, id: str) -> None:
    """Raises UserError where the stack's endpoints need their security group, and it is not made.

    The stack could not be planned without; `migrate` imports all the same, and says so at its end.
    """
    site.require(GROUPS)
    if site.outputs(GROUPS).get("endpoint_security_group_id"):
        return
    if kind(described(site, id)) != "Gateway" or site.declared(ENDPOINTS).get("interface_services"):
        raise UserError(
            f"{GROUPS} has no group for the endpoints yet; deploy it first: "
            f"tools deploy{site.option} {GROUPS}, or take one that exists: "
            f"tools import security-group ID --as endpoints{site.option}"
        )


def described(site: Site, id: str) -> Any:
    """The endpoint as EC2 describes it. Raises UserError where there is none."""
    if not re.fullmatch(r"vpce-[0-9a-f]{8,17}", id):
        raise UserError(f"{shown(id)} is no endpoint's id, such as vpce-0a1b2c3d4e5f67890")
    found = site.ask(f"look for {id}", "ec2", "describe_vpc_endpoints", VpcEndpointIds=[id])
    there = found["VpcEndpoints"] if found else []
    if not working(there):
        state = f" that works (it is {there[0]['State']})" if there else ""
        raise UserError(f"there is no endpoint {id}{state} in {site.cloud}")
    return there[0]


def working(found: Sequence[Any]) -> list[Any]:
    """Those of EC2's endpoints that have neither failed nor gone."""
    return [one for one in found if one["State"].lower() not in _GONE]


def kind(found: Any) -> str:
    """Gateway, Interface or another, of an endpoint as EC2 describes it.

    What says none was made without one, which makes a gateway:
    https://docs.aws.amazon.com/AWSEC2/latest/APIReference/API_CreateVpcEndpoint.html
    """
    return str(found.get("VpcEndpointType") or "Gateway")


def address(service: str) -> str:
    """Where the stack has the endpoint for a service, by its short name."""
    return (
        "aws_vpc_endpoint.s3[0]" if service == "s3" else f'aws_vpc_endpoint.interface["{service}"]'
    )


def short_name(site: Site, found: Any) -> str:
    """The service as the stack names it, such as s3, ecr.dkr or notebook.

    Raises UserError where the stack has no endpoint of this kind.
    """
    id, type, name = found["VpcEndpointId"], kind(found), found["ServiceName"]
    if found.get("RequesterManaged"):
        raise UserError(f"{id} belongs to an AWS service, which alone may change it")
    short = short_of(name, site.cloud.region)
    fits = type == "Gateway" if short == "s3" else type == "Interface"
    if not short or not fits or short.startswith("vpce."):
        raise UserError(
            f"{id} is an endpoint of type {type} for {name}: the stack has a gateway for S3 and "
            "interfaces to AWS's other services in its region"
        )
    return short


def short_of(name: str, region: str) -> str:
    """The short name of AWS's service called `name`; empty for one of somebody else's."""
    if name == f"aws.sagemaker.{region}.notebook":
        return "notebook"
    own = f"com.amazonaws.{region}."
    return name.removeprefix(own) if name.startswith(own) else ""


def _settle(
    site: Site, values: dict[str, Value], name: str, there: list[str], id: str
) -> list[str]:
    """Makes `name` what the endpoint has, unless something else is settled: then a note."""
    in_force = _in_force(site, name)
    if not in_force:
        values[name] = list(there)
        return []
    if isinstance(in_force, list) and set(in_force) == set(there):
        return []
    what = name.removesuffix("_ids").replace("_", " ") + "s"
    return [f"{id}: its {what} become the stack's ({in_force}), instead of {there}"]


def _in_force(site: Site, name: str) -> Any:
    """What the stack has, where a file says so or notebooks rely on it; nothing else."""
    declared = site.declared(ENDPOINTS).get(name)
    return declared or (site.is_read(ENDPOINTS) and site.outputs(ENDPOINTS).get(name))


def _has_default_subnets(site: Site, vpc: str) -> bool:
    filters = [
        {"Name": "vpc-id", "Values": [vpc]},
        {"Name": "default-for-az", "Values": ["true"]},
    ]
    what = f"look for subnets in {vpc}"
    return bool(site.every(what, "ec2", "describe_subnets", "Subnets", Filters=filters))


def _no_subnets(id: str, vpc: str) -> NoReturn:
    raise UserError(
        f"{id} is in {vpc}, which has no default subnets: name the notebooks' subnets first, as "
        "subnet_ids in shared-infra/vpc-endpoints/terraform.tfvars, or import an endpoint of type "
        "Interface first, whose subnets they become"
    )


def _groups(site: Site, found: Any, group: str | None) -> list[str]:
    own = group or site.outputs(GROUPS).get("endpoint_security_group_id")
    there = [one["GroupId"] for one in found.get("Groups", [])]
    if there == [own]:
        return []
    return [
        f"{found['VpcEndpointId']}: its security groups ({', '.join(there)}) give way to the "
        f"stack's ({own or 'made first'}), which admits the notebooks alone: name other clients as "
        "endpoint_client_security_group_ids of shared-infra/security-groups"
    ]


def _policy(site: Site, values: dict[str, Value], found: Any, service: str) -> list[str]:
    """A policy that somebody wrote is kept; AWS's own gives way to the stack's."""
    document = found.get("PolicyDocument")
    declared = site.declared(ENDPOINTS).get("endpoint_policies")
    if service == "notebook" or (isinstance(declared, dict) and service in declared):
        return []
    if document and not _allows_all(policy := json.loads(document)):
        values["endpoint_policies"] = {service: json.dumps(policy)}
        return []
    if not _takes_policies(site, found["ServiceName"]):
        values["endpoint_policies"] = {service: None}
        return []
    return [
        f"{found['VpcEndpointId']}: it lets every request through; the stack lets this account's: "
        f"for others, endpoint_policies = {{ {json.dumps(service)} = null }}"
    ]


def _takes_policies(site: Site, service: str) -> bool:
    """Whether an endpoint of AWS's `service` may have a policy; so it is where AWS does not say.

    https://docs.aws.amazon.com/AWSEC2/latest/APIReference/API_ServiceDetail.html
    """
    with suppress(UserError):
        what, names = f"look what {service} takes", [service]
        found = site.ask(what, "ec2", "describe_vpc_endpoint_services", ServiceNames=names)
        details = found["ServiceDetails"] if found else []
        return all(one.get("VpcEndpointPolicySupported", True) for one in details)
    return True


def _allows_all(policy: Any) -> bool:
    statements = as_list(policy.get("Statement", []))
    return {
        (
            one.get("Effect"),
            _one(one.get("Principal")),
            _one(one.get("Action")),
            _one(one.get("Resource")),
        )
        for one in statements
        if not one.get("Condition")
    } == _ALL and len(statements) == 1


def _one(value: Any) -> Any:
    """What stands in a list of one, or is all principals of AWS, as AWS writes it by itself."""
    if isinstance(value, dict) and value.keys() == {"AWS"}:
        value = value["AWS"]
    return value[0] if isinstance(value, list) and len(value) == 1 else str(value)
