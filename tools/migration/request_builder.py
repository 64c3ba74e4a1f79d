"""Builds the import request of a migration: asks AWS for each resource that is imported."""

from collections.abc import Callable, Iterable
from dataclasses import replace

from tools.errors import UserError
from tools.imports import buckets, endpoints, notebooks, roles, security_groups
from tools.imports.destination import Destination
from tools.imports.notebooks import Shared
from tools.imports.request import ImportRequest, combine
from tools.layout.stack import ENDPOINTS, IAM
from tools.migration import endpoint_notes, network, quota
from tools.migration.mapping import LegacyMapping, MappedResource
from tools.migration.resource_types import BUCKET, ENDPOINT, GROUP, NOTEBOOK, ROLE


def build(destination: Destination, mapping: LegacyMapping) -> ImportRequest:
    """Returns the request to import what the mapping imports.

    Raises UserError, about all of them at once, if AWS does not have resources as the state says.
    """
    return _Builder(destination, mapping).build()


class _Builder:
    def __init__(self, destination: Destination, mapping: LegacyMapping) -> None:
        self._destination = destination
        self._mapping = mapping
        self._groups = {row.key: row.resource.text("id") for row in mapping.imported(GROUP)}

    def build(self) -> ImportRequest:
        """Returns the request for all; shared stacks first, since notebooks depend on them."""
        destination, mapping = self._destination, self._mapping
        shared = combine(self._request((BUCKET, ROLE, GROUP, ENDPOINT), self._request_shared))
        shared = network.add(destination, mapping, shared)
        outputs = self._future_outputs(shared)
        of_notebooks = self._request(
            (NOTEBOOK,),
            lambda row: notebooks.request_notebook(destination, row.resource.text("name"), outputs),
        )
        everything = combine([shared, *of_notebooks])
        notes = (
            *everything.notes,
            *endpoint_notes.collect(destination, mapping, everything),
            *quota.notes(destination, mapping, everything),
        )
        return replace(everything, notes=notes)

    def _request_shared(self, row: MappedResource) -> ImportRequest:
        destination, resource = self._destination, row.resource
        if resource.type == BUCKET:
            return buckets.request_bucket(destination, resource.text("bucket"), row.key)
        if resource.type == ROLE:
            return roles.request_role(destination, resource.text("name"))
        id = resource.text("id")
        if resource.type == GROUP:
            other = next((id for purpose, id in self._groups.items() if purpose != row.key), None)
            return security_groups.request_group(destination, id, row.key, other)
        subnets = network.preferred_subnets(self._mapping)
        return endpoints.request_endpoint(destination, id, self._groups.get("endpoints"), subnets)

    def _request(
        self, types: Iterable[str], request: Callable[[MappedResource], ImportRequest]
    ) -> list[ImportRequest]:
        requests = []
        errors: dict[str, str] = {}
        for row in (row for type in types for row in self._mapping.imported(type)):
            try:
                requests.append(request(row))
            except UserError as error:
                errors[row.address] = str(error)
        if errors:
            reasons = "; ".join(f"{address}: {reason}" for address, reason in errors.items())
            leave = " ".join(f"--leave '{address}'" for address in errors)
            raise UserError(f"{reasons}; nothing was written. To migrate the rest: {leave}")
        return requests

    def _future_outputs(self, shared: ImportRequest) -> Shared:
        """What the shared stacks will give to notebooks once they hold what is imported."""
        destination = self._destination
        roles_imported = self._mapping.imported(ROLE)
        subnets = shared.value_list(ENDPOINTS, "subnet_ids") or network.stack_subnets(destination)
        return Shared(
            roles_imported[0].resource.text("arn")
            if roles_imported
            else destination.outputs(IAM).get("role_arn"),
            str(subnets[0]) if subnets else None,
            self._groups.get("notebooks") or security_groups.deployed(destination, "notebooks"),
        )
