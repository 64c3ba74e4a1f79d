"""The mapping as text and as JSON."""

from collections.abc import Mapping, Sequence

import click

from tools.console import table
from tools.console.table import Column
from tools.errors import in_one_line
from tools.imports.pending_import import Conflict
from tools.migration.mapping import LegacyMapping, MappedResource
from tools.migration.resource_types import BUCKET, ENDPOINT, GROUP, NOTEBOOK, ROLE

_IMPORTED = ("Resource", Column("From", rank=1), "To", Column("Action", rank=2))
_OTHERS = ("Not imported", "Action", Column("Why", note=True))
_ACTIONS = {
    "imported": "import",
    "inside": "let go",
    "used": "let go",
    "network": "yours",
    "stays": "stays",
}
_WORDS = {
    BUCKET: ("bucket", "bucket"),
    ENDPOINT: ("endpoint", "id"),
    GROUP: ("security group", "id"),
    NOTEBOOK: ("notebook", "name"),
    ROLE: ("role", "name"),
}


def describe(row: MappedResource) -> str:
    """Returns what a row is about, such as `bucket acme-data`."""
    resource = row.resource
    words = (resource.type.removeprefix("aws_").replace("_", " "), "id")
    kind, attribute = _WORDS.get(resource.type, words)
    name = resource.text("service_name" if resource.type == ENDPOINT else attribute)
    return f"{kind} {name}".rstrip()


def show(
    mapping: LegacyMapping, addresses: Mapping[str, str], conflicts: Sequence[Conflict] = ()
) -> None:
    """Prints what is imported as a table, and everything else with its reason as another.

    `addresses` are the new addresses, after their stacks, by the old ones. A row that one of
    `conflicts` is about is a conflict, and each of them has a line.
    """
    taken = {conflict.what for conflict in conflicts}
    imported = [
        (
            describe(row),
            row.address,
            addresses[row.address],
            "conflict" if addresses[row.address] in taken else "import",
        )
        for row in mapping.rows
        if row.address in addresses
    ]
    others = [
        (row.address, _ACTIONS[row.disposition], row.reason)
        for row in mapping.rows
        if row.address not in addresses
    ]
    others += [(conflict.what, "conflict", conflict.reason) for conflict in conflicts]
    table.show(map(_printable, imported), _IMPORTED)
    if imported and others:
        click.echo()
    table.show(map(_printable, others), _OTHERS)


def _printable(cells: tuple[str, ...]) -> list[str]:
    """The cells of a row; names in a state may hold anything."""
    return [in_one_line(cell) for cell in cells]


def to_json(mapping: LegacyMapping, addresses: Mapping[str, str]) -> list[dict[str, str | None]]:
    """Returns the resources as `tools migrate --json` prints them (docs/json.md)."""
    return [
        {
            "resource": describe(row),
            "from": row.address,
            "to": addresses.get(row.address),
            "action": "import" if row.address in addresses else _ACTIONS[row.disposition],
            "reason": row.reason,
        }
        for row in mapping.rows
    ]
