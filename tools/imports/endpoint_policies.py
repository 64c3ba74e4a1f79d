"""The policy of a VPC endpoint to import: one that somebody wrote is kept."""

import json
from contextlib import suppress
from typing import Any

from tools.aws.policies import as_list
from tools.errors import UserError
from tools.hcl.reading import Value
from tools.imports.destination import Destination
from tools.layout.stack import ENDPOINTS


def settle(
    destination: Destination, endpoint: Any, service: str
) -> tuple[dict[str, Value], list[str]]:
    """Returns what to add to endpoint_policies, and notes on the policy that a deployment sets."""
    # SageMaker's notebook endpoint gets no policy from the stack.
    if service == "notebook" or service in destination.declared_map(ENDPOINTS, "endpoint_policies"):
        return {}, []
    document = endpoint.get("PolicyDocument")
    if document and not _allows_all(policy := json.loads(document)):
        return {service: json.dumps(policy)}, []
    if not _supports_policies(destination, endpoint["ServiceName"]):
        return {service: None}, []
    note = (
        f"{endpoint['VpcEndpointId']}: it allows every request; the stack allows only this "
        f"account's. To allow others: endpoint_policies = {{ {json.dumps(service)} = null }}"
    )
    return {}, [note]


def _supports_policies(destination: Destination, service: str) -> bool:
    """Whether an endpoint for AWS's `service` may have a policy; true if AWS does not say.

    https://docs.aws.amazon.com/AWSEC2/latest/APIReference/API_ServiceDetail.html
    """
    with suppress(UserError):
        what, names = f"look what {service} supports", [service]
        answer = destination.ask(what, "ec2", "describe_vpc_endpoint_services", ServiceNames=names)
        details = answer["ServiceDetails"] if answer else []
        return all(detail.get("VpcEndpointPolicySupported", True) for detail in details)
    return True


def _allows_all(policy: Any) -> bool:
    """Whether this is the policy that AWS gives an endpoint which was made without one.

    https://docs.aws.amazon.com/vpc/latest/privatelink/vpc-endpoints-access.html
    """
    statements = as_list(policy.get("Statement", []))
    if len(statements) != 1 or statements[0].get("Condition"):
        return False
    parts = (statements[0].get(key) for key in ("Effect", "Principal", "Action", "Resource"))
    return [_unwrap(part) for part in parts] == ["Allow", "*", "*", "*"]


def _unwrap(value: Any) -> Any:
    """The text of a policy's part that may be a list of one, or AWS's form of all principals."""
    if isinstance(value, dict) and value.keys() == {"AWS"}:
        value = value["AWS"]
    return value[0] if isinstance(value, list) and len(value) == 1 else str(value)
