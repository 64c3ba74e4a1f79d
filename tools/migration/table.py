"""The mapping as text and as JSON."""

from collections.abc import Mapping, Sequence

from tools.console.table import lay_out
from tools.errors import in_one_line
from tools.migration.mapping import LegacyMapping, MappedResource
from tools.migration.resource_types import BUCKET, ENDPOINT, GROUP, NOTEBOOK, ROLE

_TITLES = ("resource", "from", "to", "action")
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

_MOST_NAMED = 20  # addresses in a note: a bucket may have thousands of objects
# What a destroy costs most, first.
_DATA: dict[str, tuple[str, ...]] = {
    "notebooks with their volumes": (NOTEBOOK,),
    "buckets, with their objects if they have force_destroy": (BUCKET, "aws_s3"),
    "keys, with everything that they encrypt": ("aws_kms_",),
    "tables, databases, file systems and volumes": (
        "aws_db_",
        "aws_docdb_",
        "aws_dynamodb_table",
        "aws_ebs_",
        "aws_ecr_repository",
        "aws_efs_",
        "aws_elasticache_",
        "aws_fsx_",
        "aws_neptune_",
        "aws_opensearch_",
        "aws_rds_",
        "aws_redshift_",
    ),
    "roles": (ROLE,),
}


def describe(row: MappedResource) -> str:
    """Returns what a row is about, such as `bucket acme-data`."""
    resource = row.resource
    words = (resource.type.removeprefix("aws_").replace("_", " "), "id")
    kind, attribute = _WORDS.get(resource.type, words)
    name = resource.text("service_name" if resource.type == ENDPOINT else attribute)
    return f"{kind} {name}".rstrip()


def format_lines(mapping: LegacyMapping, addresses: Mapping[str, str]) -> list[str]:
    """Returns what is imported as a table, and a line with its reason for everything else.

    `addresses` are the new addresses, after their stacks, by the old ones.
    """
    imported = [
        (describe(row), row.address, addresses[row.address], "import")
        for row in mapping.rows
        if row.address in addresses
    ]
    others = [
        (row.address, _ACTIONS[row.disposition], row.reason)
        for row in mapping.rows
        if row.address not in addresses
    ]
    lines = lay_out(imported, _TITLES)
    if others:
        lines += ["", "not imported", *lay_out(others)]
    return [in_one_line(line) for line in lines]  # names in a state may hold anything


def note_staying(mapping: LegacyMapping) -> list[str]:
    """Returns a note on what a destroy of the old deployment destroys: what holds data first.

    Returns an empty list if nothing stays.
    """
    staying = [row.resource for row in mapping.rows if row.disposition == "stays"]
    if not staying:
        return []
    parts = []
    for words, prefixes in _DATA.items():
        addresses = [resource.address for resource in staying if resource.type.startswith(prefixes)]
        staying = [resource for resource in staying if resource.address not in addresses]
        parts += [f"{words}: {_shorten(addresses)}"] if addresses else []
    others = f"and {len(staying)} more" if parts else f"{len(staying)} resources"
    parts += [f"{others} (`stays` in the table)"] if staying else []
    note = "a destroy of the old deployment destroys what is neither let go nor yours: "
    return [in_one_line(note + "; ".join(parts))]


def _shorten(addresses: Sequence[str]) -> str:
    more = len(addresses) - _MOST_NAMED
    return ", ".join(addresses[:_MOST_NAMED]) + (f" and {more} more" if more > 0 else "")


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
