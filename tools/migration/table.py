"""The mapping as a person reads it, and as a script does."""

from collections.abc import Mapping, Sequence

from tools.console.table import lay_out
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

_SOME = 20  # a bucket may have thousands of objects
# What a destroy costs most, first.
_DATA: dict[str, tuple[str, ...]] = {
    "notebooks with their volumes": (NOTEBOOK,),
    "buckets, with their objects where they have force_destroy": (BUCKET, "aws_s3"),
    "keys, with all that they encrypt": ("aws_kms_",),
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
    others = [
        (row.resource.address, _ACTIONS[row.fate], row.reason)
        for row in rows
        if row.resource.address not in addresses
    ]
    table_lines = lay_out(imported, _HEAD)
    if others:
        table_lines += ["", "not imported", *lay_out(others)]
    return [in_one_line(line) for line in table_lines]  # names in a state may hold anything


def staying(rows: Sequence[Row]) -> list[str]:
    """A note about what a destroy of the old deployment destroys: what holds data first.

    None where nothing stays.
    """
    left = [row.resource for row in rows if row.fate == "stays"]
    if not left:
        return []
    told = []
    for words, prefixes in _DATA.items():
        found = [one.address for one in left if one.type.startswith(prefixes)]
        left = [one for one in left if one.address not in found]
        told += [f"{words}: {_some(found)}"] if found else []
    others = f"and {len(left)} more" if told else f"{len(left)} resources"
    told += [f"{others} (`stays` in the table)"] if left else []
    return [
        in_one_line(
            "a destroy of the old deployment destroys what is not let go of and stays there: "
            + "; ".join(told)
        )
    ]


def _some(addresses: Sequence[str]) -> str:
    more = len(addresses) - _SOME
    return ", ".join(addresses[:_SOME]) + (f" and {more} more" if more > 0 else "")


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
