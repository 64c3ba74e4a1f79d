"""What else is in the VPC that the endpoints go into, in words."""

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from typing import Any

from tools.aws import network
from tools.aws.client import Cloud
from tools.aws.network import DEFAULT_VPC, Endpoint, Occupants
from tools.errors import UserError
from tools.layout import variables
from tools.layout.repository import Repository
from tools.layout.stack import ENDPOINTS, GROUPS, Stack


@dataclass(frozen=True)
class Clash:
    """An endpoint beside which AWS refuses one that the stack makes.

    `setting` says what to set in the stack instead of importing the endpoint.
    """

    endpoint: Endpoint
    reason: str
    setting: str


def describe(cloud: Cloud, vpc: str, project: str, values: Mapping[str, Any]) -> list[str]:
    """Sentences about what is in `vpc` besides the endpoints of `project`.

    `values` are those of the endpoints' stack. What AWS does not tell is said to be unknown.
    """
    try:
        vpc_occupants = network.read_occupants(cloud, vpc)
    except UserError as error:
        which = "default VPC" if vpc == DEFAULT_VPC else f"VPC {vpc}"
        return [f"what else is in the {which} cannot be told: {error}"]
    return list(_sentences(vpc_occupants, cloud.region, project, values))


def describe_declared(cloud: Cloud, repository: Repository) -> list[str]:
    """Sentences about what else is in the VPC that the stacks' files name; see `describe`."""
    vpc = _values(repository, GROUPS).get("vpc_id")
    if not isinstance(vpc, str):
        return [f"what else is in the VPC cannot be told: {GROUPS} names none in its files"]
    project = str(repository.common()["project"])
    return describe(cloud, vpc, project, _values(repository, ENDPOINTS))


def _values(repository: Repository, name: str) -> Mapping[str, Any]:
    """The values of a stack; none if there is no such stack."""
    stack = Stack(repository.root, name)
    return variables.read_values(stack) if stack.path.is_dir() else {}


def _sentences(
    vpc_occupants: Occupants, region: str, project: str, values: Mapping[str, Any]
) -> Iterator[str]:
    services = sorted(map(str, values.get("interface_services") or []))
    private_dns = values.get("private_dns_enabled", True)
    counts = ", ".join(
        f"{number} {kind}" for kind, number in sorted(vpc_occupants.interfaces.items())
    )
    yield f"network interfaces in {vpc_occupants.id}, by AWS's kinds: {counts or 'none'}"
    if vpc_occupants.interfaces and services and private_dns:
        yield (
            f"all of them reach {', '.join(services)} through the stack's endpoints from then on "
            "(private DNS)"
        )
    for clash in clashes(vpc_occupants.endpoints, region, project, values):
        way_out = f"import it: tools import endpoint {clash.endpoint.id}"
        yield f"{clash.reason}: {clash.setting}, or {way_out}"


def clashes(
    endpoints: Iterable[Endpoint], region: str, project: str, values: Mapping[str, Any]
) -> Iterator[Clash]:
    """Those of `endpoints` that are in the way of what the endpoints' stack of `project` makes.

    `values` are those of that stack.
    """
    services = {str(service) for service in values.get("interface_services") or []}
    private_dns = values.get("private_dns_enabled", True)
    for endpoint in endpoints:
        if is_ours(endpoint, project):
            continue
        # com.amazonaws.<region>.<service>, or aws.sagemaker.<region>.notebook
        service = endpoint.service.partition(f".{region}.")[2]
        if endpoint.is_gateway and service == "s3" and values.get("create_s3_gateway", True):
            yield Clash(
                endpoint,
                f"{endpoint.id} is a gateway for S3 already, and a route table takes one",
                "set create_s3_gateway = false",
            )
        if service in services and endpoint.private_dns and private_dns:
            yield Clash(
                endpoint,
                f"{endpoint.id} is an endpoint for {service} with private DNS already, and AWS "
                "refuses a second",
                f"remove {service} from interface_services",
            )


def is_ours(endpoint: Endpoint, project: str) -> bool:
    """Whether the endpoints' stack of `project` made it, by its tags."""
    return {"Project": project, "Stack": ENDPOINTS}.items() <= endpoint.tags.items()
