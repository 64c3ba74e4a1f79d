"""The migration of an old deployment: what is imported where, and what is refused."""

from collections.abc import Mapping
from dataclasses import dataclass, replace
from pathlib import Path

from tools.errors import UserError
from tools.imports import inventory
from tools.imports.destination import Destination
from tools.imports.request import ImportRequest
from tools.layout.stack import FOLDERS
from tools.migration import destroy_note, request_builder
from tools.migration.legacy import LegacyDeployment, Resource
from tools.migration.mapper import map_resources
from tools.migration.mapping import Choices, EarlierMigration, LegacyMapping, MappingScope
from tools.migration.resource_types import BUCKET, IMPORTABLE


@dataclass(frozen=True)
class Migration:
    """What becomes of an old deployment: the mapping of its resources and the import request.

    `addresses` are the new addresses, after their stacks, by the old ones.
    """

    mapping: LegacyMapping
    request: ImportRequest
    addresses: Mapping[str, str]


def prepare(
    destination: Destination,
    legacy: LegacyDeployment,
    choices: Choices,
    earlier: EarlierMigration,
) -> Migration:
    """Returns the migration of an old deployment to the destination; asks AWS, writes nothing.

    `earlier` is what the scripts of earlier migrations say. Raises UserError if the deployment is a
    stack of this repository, is in another account or region, holds nothing that the stacks could
    import, or if AWS does not have what its state says.
    """
    _refuse_own_stack(destination, legacy)
    identity = destination.ask("ask whose account this is", "sts", "get_caller_identity")
    scope = MappingScope(
        destination.cloud.region,
        str(identity["Account"]),
        choices,
        legacy.state_bucket,
        replace(earlier, managed_here=_managed_here(destination, legacy)),
    )
    mapping = map_resources(legacy.resources, scope)
    if not mapping.imported():
        raise UserError(
            f"{legacy.location} holds no bucket, role, security group, endpoint or notebook "
            "instance that the stacks here could import: nothing to migrate"
        )
    request = request_builder.build(destination, mapping)
    notes = (
        *request.notes,
        *_choices_of_ties(mapping),
        *_note_elsewhere(mapping),
        *destroy_note.compose(mapping),
    )
    request = replace(request, notes=notes)
    return Migration(mapping, request, _new_addresses(mapping, request))


def _choices_of_ties(mapping: LegacyMapping) -> list[str]:
    """A note on each resource that another one would have been as good as."""
    return [f"{row.address}: {row.reason}" for row in mapping.imported() if row.reason]


def _note_elsewhere(mapping: LegacyMapping) -> list[str]:
    """A note for each other region and account of which the old deployment holds something."""
    by_target: dict[str, list[str]] = {}
    for row in mapping.rows:
        if row.disposition == "used" and row.target.startswith(("region ", "account ")):
            by_target.setdefault(row.target, []).append(row.address)
    return [
        f"{', '.join(old_addresses)}: in {target}, so not imported here; the script lets go of it, "
        "so that no destroy takes it. Run tools migrate in a repository for that "
        f"{target.split()[0]}, too, before the script; or keep it in the old deployment: --leave"
        for target, old_addresses in by_target.items()
    ]


def _refuse_own_stack(destination: Destination, legacy: LegacyDeployment) -> None:
    """Raises UserError for a stack of this repository, also if its state was copied elsewhere."""
    records = destination.records
    folder = (legacy.folder or Path(legacy.location)).resolve()
    is_inside = any(
        folder.is_relative_to((records.repository.root / name).resolve()) for name in FOLDERS
    )
    states = ((stack, records.state(stack)) for stack in records.stacks)
    owner = next(
        (stack.name for stack, state in states if state and state.lineage == legacy.lineage), ""
    )
    if is_inside or owner:
        raise UserError(
            f"{legacy.location} is the state of {owner or folder}, which is a stack of this "
            "repository already; give the old deployment's state"
        )


def _managed_here(destination: Destination, legacy: LegacyDeployment) -> list[Resource]:
    """What the stacks hold of the types that are imported, and the old state does not."""
    in_legacy = {(old.type, old.text("id") or _name(old)) for old in legacy.resources}
    managed = inventory.read(destination.records, destination.records.stacks)
    return [
        Resource(
            f"{stack_name} {address}",
            type_name,
            dict.fromkeys(("id", "name", "bucket"), identifier),
        )
        for stack_name, resources in managed.resources_by_stack.items()
        for address, (type_name, identifier) in resources.items()
        if type_name in IMPORTABLE and (type_name, identifier) not in in_legacy
    ]


def _name(resource: Resource) -> str:
    return resource.text("bucket" if resource.type == BUCKET else "name")


def _new_addresses(mapping: LegacyMapping, request: ImportRequest) -> dict[str, str]:
    """The stack and new address of each resource, by its old address: of the same identifier.

    The provider has two types for a security group's rule, with one identifier in AWS.
    """
    new_addresses = {
        (imported.type, imported.identifier): f"{imported.stack} {imported.address}"
        for imported in request.imports
    }
    # aws_security_group_rule has an id of its own, and AWS's as security_group_rule_id:
    # https://registry.terraform.io/providers/hashicorp/aws/latest/docs/resources/security_group_rule
    rules = {
        identifier: address
        for (_, identifier), address in new_addresses.items()
        if identifier.startswith("sgr-")
    }
    addresses = {}
    for row in mapping.rows:
        resource = row.resource
        names = {resource.text(attribute) for attribute in ("id", "name", "bucket")}
        matches = [
            new_addresses[resource.type, name]
            for name in names
            if (resource.type, name) in new_addresses
        ]
        matches += filter(None, [rules.get(resource.text("security_group_rule_id"))])
        if matches and row.disposition in ("imported", "inside"):
            addresses[resource.address] = matches[0]
    return addresses
