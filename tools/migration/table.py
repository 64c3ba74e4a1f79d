"""The mapping as a person reads it, and as a script does."""

from collections.abc import Mapping, Sequence

from tools.errors import in_one_line
from tools.migration.mapping import BUCKET, ENDPOINT, GROUP, NOTEBOOK, ROLE, Row

_HEAD = ("resource", "from", "to", "action")
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


def resource(row: Row) -> str:
    """What a row is about, such as `bucket acme-data`."""
    one = row.resource
    kind, attribute = _WORDS.get(one.type, (one.type.removeprefix("aws_").replace("_", " "), "id"))
    name = one.text("service_name") if one.type == ENDPOINT else one.text(attribute)
    return f"{kind} {name}".rstrip()


def lines(rows: Sequence[Row], addresses: Mapping[str, str]) -> list[str]:
    """What is imported as a table, and a line with its reason for everything else.

    `addresses` are the new ones, with their stacks, by the old ones.
    """
    imported = [
        (resource(row), row.resource.address, addresses[row.resource.address], "import")
        for row in rows
        if row.resource.address in addresses
    ]
    widths = [max(map(len, column)) for column in zip(_HEAD, *imported, strict=True)]
    found = [
        "  ".join(f"{cell:<{width}}" for cell, width in zip(cells, widths, strict=True)).rstrip()
        for cells in (_HEAD, *imported)
    ]
    others = [row for row in rows if row.resource.address not in addresses]
    if others:
        width = max(len(row.resource.address) for row in others)
        found += ["", "not imported"]
        found += [
            f"{row.resource.address:<{width}}  {_ACTIONS[row.fate]:<6}  {row.reason}"
            for row in others
        ]
    return [in_one_line(line) for line in found]  # names in a state may hold anything


def as_json(rows: Sequence[Row], addresses: Mapping[str, str]) -> list[dict[str, str | None]]:
    """As `tools migrate --json` prints it (docs/json.md)."""
    return [
        {
            "resource": resource(row),
            "from": row.resource.address,
            "to": addresses.get(row.resource.address),
            "action": "import" if row.resource.address in addresses else _ACTIONS[row.fate],
            "reason": row.reason,
        }
        for row in rows
    ]
