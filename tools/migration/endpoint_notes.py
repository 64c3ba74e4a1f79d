"""Notes on endpoints that a deployment would make besides those that a migration imports."""

from collections.abc import Mapping

from tools.imports import endpoints
from tools.imports.destination import Destination
from tools.imports.request import ImportRequest
from tools.layout.stack import ENDPOINTS, GROUPS
from tools.migration.mapping import LegacyMapping, MappedResource
from tools.migration.resource_types import ENDPOINT


def collect(destination: Destination, mapping: LegacyMapping, request: ImportRequest) -> list[str]:
    """Returns a note on each endpoint to be made: it is paid for, or one like it exists."""
    services = {
        *destination.declared_list(ENDPOINTS, "interface_services"),
        *request.value_list(ENDPOINTS, "interface_services"),
    }
    if destination.declared(ENDPOINTS).get("create_s3_gateway"):
        services.add("s3")
    missing = services - {row.key for row in mapping.imported(ENDPOINT)}
    missing -= set(destination.outputs(ENDPOINTS).get("endpoint_ids", {}))
    vpc = request.values.get(GROUPS, {}).get("vpc_id") or destination.vpc
    ids = endpoints.ids_by_service(destination, str(vpc)) if vpc and missing else {}
    rows = {row.resource.text("id"): row for row in mapping.rows}
    return [_note(destination, service, ids.get(service), rows) for service in sorted(missing)]


def _note(
    destination: Destination, service: str, id: str | None, rows: Mapping[str, MappedResource]
) -> str:
    """The note on a service; `id` is the endpoint that it has in the VPC already, if any."""
    if id is None:
        return (
            f"{service}: a deployment makes an endpoint that the old deployment does not have; "
            f"interface_services of {ENDPOINTS} says for which services it does"
        )
    command = f"tools import endpoint{destination.option} {id}"
    row = rows.get(id)
    if row is None:
        return (
            f"{service}: {id} is in the VPC already, but not in the old state; import it before a "
            f"deployment: {command}"
        )
    reason = "left out by --leave" if row.is_left else f"not imported ({row.reason})"
    prevent = (
        "set create_s3_gateway = false"
        if service == "s3"
        else f"remove {service} from interface_services"
    )
    return (
        f"{service}: {id} ({row.address}) is {reason}; a deployment would make a second one in the "
        f"VPC: first {prevent}, or import this one: {command}"
    )
