"""A VPC endpoint to import into shared-infra/vpc-endpoints."""

import re
from collections.abc import Sequence
from contextlib import suppress
from typing import Any, NoReturn

from tools.aws.network import GONE
from tools.errors import UserError, shorten
from tools.hcl.reading import Value
from tools.imports import endpoint_policies, security_groups, tfvars
from tools.imports.destination import Destination, note_lost_tags, parse_tags
from tools.imports.request import ImportRequest, ResourceImport
from tools.layout.stack import ENDPOINTS, GROUPS

_PRIVATE_DNS = "private_dns_enabled"
# As in shared-infra/vpc-endpoints/services.tf, which says where each is in use.
_PREFIXES = ("com.amazonaws", "cn.com.amazonaws", "eu.amazonaws")


def request_endpoint(
    destination: Destination, id: str, group: str | None = None, subnets: Sequence[str] = ()
) -> ImportRequest:
    """Requests the endpoint `id`: the gateway for S3, or an interface to a service.

    `group` is the security group of the stacks' endpoints, if it is imported too; `subnets` are the
    stack's, if nothing else says them. Raises UserError if the endpoint does not exist, is in
    another VPC, or is for a service that the stack makes no endpoint for.
    """
    endpoint = fetch(destination, id)
    service, vpc = short_name(destination, endpoint), endpoint["VpcId"]
    values: dict[str, Value] = {}
    notes = note_lost_tags(id, parse_tags(endpoint.get("Tags", [])), kept=["Name"])
    if endpoint_type(endpoint) == "Gateway":
        if not destination.declared(ENDPOINTS).get("create_s3_gateway"):
            values["create_s3_gateway"] = True
        notes += _settle(destination, values, "route_table_ids", endpoint, "RouteTableIds")
        if not _settled(destination, "subnet_ids") and not _default_subnets(destination, vpc):
            values["subnet_ids"] = list(subnets) or _refuse_without_subnets(id, vpc)
    else:
        values["interface_services"] = [service]
        notes += _settle_private_dns(destination, values, endpoint)
        notes += _settle(destination, values, "subnet_ids", endpoint, "SubnetIds")
        notes += _group_notes(destination, endpoint, group)
    policies, policy_notes = endpoint_policies.settle(destination, endpoint, service)
    if policies:
        values["endpoint_policies"] = policies
    return ImportRequest(
        (ResourceImport.at(ENDPOINTS, address(service), id),),
        {**destination.vpc_values(id, vpc), ENDPOINTS: values},
        notes=(*notes, *policy_notes),
    )


def require_group(destination: Destination, id: str) -> None:
    """Raises UserError if the stack's endpoints need their security group and it does not exist.

    The stack could not be planned without it. `tools migrate` imports all the same, and says at its
    end what has to be deployed first.
    """
    destination.require(GROUPS)
    if security_groups.deployed(destination, "endpoints"):
        return
    is_interface = endpoint_type(fetch(destination, id)) != "Gateway"
    if is_interface or destination.declared(ENDPOINTS).get("interface_services"):
        raise UserError(
            f"{GROUPS} has no security group for the endpoints yet; deploy it first: "
            f"tools deploy{destination.option} {GROUPS}, or import an existing one: "
            f"tools import security-group ID --as endpoints{destination.option}"
        )


def fetch(destination: Destination, id: str) -> Any:
    """Returns the endpoint as EC2 describes it. Raises UserError if there is none."""
    if not re.fullmatch(r"vpce-[0-9a-f]{8,17}", id):
        raise UserError(f"{shorten(id)} is not an endpoint's id, such as vpce-0a1b2c3d4e5f67890")
    answer = destination.ask(f"look for {id}", "ec2", "describe_vpc_endpoints", VpcEndpointIds=[id])
    endpoints = answer["VpcEndpoints"] if answer else []
    if not _working(endpoints):
        state = f" that works (its state is {endpoints[0]['State']})" if endpoints else ""
        raise UserError(f"there is no endpoint {id}{state} in {destination.cloud}")
    return endpoints[0]


def list_working(destination: Destination, vpc: str) -> list[Any]:
    """Returns the endpoints of a VPC that work, as EC2 describes them."""
    what = f"list the endpoints of {vpc}"
    filters = {"vpc-id": vpc}
    return _working(destination.ask_ec2(what, "describe_vpc_endpoints", "VpcEndpoints", filters))


def _working(endpoints: Sequence[Any]) -> list[Any]:
    return [endpoint for endpoint in endpoints if endpoint["State"].lower() not in GONE]


def endpoint_type(endpoint: Any) -> str:
    """Returns Gateway, Interface or another type, of an endpoint as EC2 describes it.

    A missing type means that none was given when it was made, which makes a gateway:
    https://docs.aws.amazon.com/AWSEC2/latest/APIReference/API_CreateVpcEndpoint.html
    """
    return str(endpoint.get("VpcEndpointType") or "Gateway")


def address(service: str) -> str:
    """Returns the stack's address of the endpoint for a service, by its short name."""
    return (
        "aws_vpc_endpoint.s3[0]" if service == "s3" else f'aws_vpc_endpoint.interface["{service}"]'
    )


def short_name(destination: Destination, endpoint: Any) -> str:
    """Returns the service as the stack names it, such as s3, ecr.dkr or notebook.

    Raises UserError if the stack makes no such endpoint.
    """
    id, type, name = endpoint["VpcEndpointId"], endpoint_type(endpoint), endpoint["ServiceName"]
    if endpoint.get("RequesterManaged"):
        raise UserError(f"{id} belongs to an AWS service, and only that can change it")
    short = short_service(name, destination.cloud.region)
    if not is_supported(type, short) or short.startswith("vpce."):
        raise UserError(
            f"{id} is an endpoint of type {type} for {name}: the stack has a gateway for S3, and "
            "interfaces to AWS's other services in its region"
        )
    return short


def is_supported(type: str, short: str) -> bool:
    """Whether the stack makes endpoints of this type for a service, by its short name."""
    return type == ("Gateway" if short == "s3" else "Interface") and bool(short)


def short_service(name: str, region: str) -> str:
    """Returns the short name of AWS's service called `name`; empty if it is not AWS's."""
    if name == f"aws.sagemaker.{region}.notebook":
        return "notebook"
    for prefix in _PREFIXES:
        if name.startswith(f"{prefix}.{region}."):
            return name.removeprefix(f"{prefix}.{region}.")
    return ""


def _settle(
    destination: Destination, values: dict[str, Value], name: str, endpoint: Any, key: str
) -> list[str]:
    """Sets the variable `name` to what the endpoint has, or notes that another value is settled."""
    current = endpoint.get(key, [])
    settled = _settled(destination, name)
    if not settled:
        values[name] = list(current)
        return []
    if isinstance(settled, list) and set(settled) == set(current):
        return []
    plural = name.removesuffix("_ids").replace("_", " ") + "s"
    return [f"{endpoint['VpcEndpointId']}: its {plural} change from {current} to {settled}"]


def _settle_private_dns(
    destination: Destination, values: dict[str, Value], endpoint: Any
) -> list[str]:
    """Sets whether the stack's endpoints have private names, or notes that this is settled."""
    current = bool(endpoint.get("PrivateDnsEnabled"))
    is_local = bool(destination.cloud.endpoint)
    if not tfvars.is_set(destination.stack(ENDPOINTS), _PRIVATE_DNS, is_local=is_local):
        values[_PRIVATE_DNS] = current
        return []
    settled = bool(destination.declared(ENDPOINTS).get(_PRIVATE_DNS))
    if current == settled:
        return []
    change = "gets private names" if settled else "loses its private names"
    return [f"{endpoint['VpcEndpointId']}: it {change}, as {_PRIVATE_DNS} of {ENDPOINTS} says"]


def _settled(destination: Destination, name: str) -> Any:
    """The stack's value, if a file says it or deployed notebooks rely on it."""
    declared = destination.declared(ENDPOINTS).get(name)
    return declared or (destination.is_read(ENDPOINTS) and destination.outputs(ENDPOINTS).get(name))


def _default_subnets(destination: Destination, vpc: str) -> list[Any]:
    what, filters = f"look for subnets in {vpc}", {"vpc-id": vpc, "default-for-az": "true"}
    return destination.ask_ec2(what, "describe_subnets", "Subnets", filters)


def _refuse_without_subnets(id: str, vpc: str) -> NoReturn:
    raise UserError(
        f"{id} is in {vpc}, which has no default subnets: set the notebooks' subnets first, as "
        f"subnet_ids in {ENDPOINTS}/terraform.tfvars, or first import an endpoint of type "
        "Interface, which brings its subnets"
    )


def _group_notes(destination: Destination, endpoint: Any, group: str | None) -> list[str]:
    new = group or security_groups.deployed(destination, "endpoints")
    current = [attached["GroupId"] for attached in endpoint.get("Groups", [])]
    if current == [new]:
        return []
    return [
        f"{endpoint['VpcEndpointId']}: the stack's security group ({new or 'made first'}) replaces "
        f"its own ({', '.join(current)}) and allows HTTPS {_admitted(destination)}"
    ]


def _admitted(destination: Destination) -> str:
    only = destination.declared(GROUPS).get("endpoints_for_notebooks_only")
    return "from the notebooks alone" if only else "from the VPC's own addresses"


def ids_by_service(destination: Destination, vpc: str) -> dict[str, str]:
    """Returns the endpoints of a VPC that the stack could hold: short name to id."""
    ids = {}
    for endpoint in list_working(destination, vpc):
        with suppress(UserError):  # one that the stack cannot hold
            ids[short_name(destination, endpoint)] = str(endpoint["VpcEndpointId"])
    return ids
