"""The note on what a destroy of the old deployment destroys: each type by its own name."""

from collections.abc import Iterable

from tools.errors import first_of, in_one_line
from tools.migration import relations
from tools.migration.legacy import Resource
from tools.migration.mapping import LegacyMapping
from tools.migration.resource_types import BUCKET, NOTEBOOK

_MOST_NAMED = 20  # addresses of a type: a bucket may have thousands of objects
# What goes with a resource of a type that holds data. By the whole name of the type: a role's
# attachment is no role, and a lifecycle configuration has no volume.
_WITH = {
    NOTEBOOK: "with its volume",
    BUCKET: "which AWS deletes only if it is empty",
    "aws_kms_key": "with everything that it encrypts",
    "aws_kms_external_key": "with everything that it encrypts",
    "aws_kms_replica_key": "with what is encrypted in its region",
    "aws_db_instance": "with its data",
    "aws_docdb_cluster": "with its data",
    "aws_dynamodb_table": "with its items",
    "aws_ebs_volume": "with its data",
    "aws_ecr_repository": "with its images",
    "aws_efs_file_system": "with its files",
    "aws_fsx_lustre_file_system": "with its files",
    "aws_fsx_ontap_file_system": "with its files",
    "aws_fsx_openzfs_file_system": "with its files",
    "aws_fsx_windows_file_system": "with its files",
    "aws_neptune_cluster": "with its data",
    "aws_opensearch_domain": "with its indices",
    "aws_rds_cluster": "with its data",
    "aws_redshift_cluster": "with its data",
    "aws_s3_object": "from its bucket",
    "aws_s3_bucket_object": "from its bucket",
    "aws_secretsmanager_secret": "with its value",
    "aws_cloudwatch_log_group": "with its logs",
}
_ALL_OBJECTS = "with all its objects (force_destroy)"
_ORDER = {type: number for number, type in enumerate(_WITH)}


def compose(mapping: LegacyMapping) -> list[str]:
    """Returns a note on what a destroy destroys, what holds data first, and one on what it forgets.

    Returns an empty list if nothing stays.
    """
    staying = [row.resource for row in mapping.rows if row.disposition == "stays"]
    forgotten = [resource for resource in staying if relations.is_only_forgotten(resource)]
    destroyed = [resource for resource in staying if resource not in forgotten]
    notes = []
    if destroyed:
        count = f"{len(destroyed)} resource{'s' if len(destroyed) > 1 else ''}"
        notes.append(
            f"a destroy of the old deployment destroys {count}, neither let go nor yours: "
            f"{_by_type(destroyed)}"
        )
    if forgotten:
        notes.append(f"a destroy only forgets, and AWS keeps: {_by_type(forgotten)}")
    return notes


def _by_type(resources: Iterable[Resource]) -> str:
    groups: dict[tuple[int, str, str], list[str]] = {}
    for resource in resources:
        order = _ORDER.get(resource.type, len(_ORDER))
        key = (order, resource.type, _lost_with(resource))
        groups.setdefault(key, []).append(resource.address)
    # Each part by itself: a long note would lose its middle.
    return "; ".join(
        in_one_line(f"{type}{f' {lost}' if lost else ''}: {first_of(addresses, _MOST_NAMED)}")
        for (_, type, lost), addresses in sorted(groups.items())
    )


def _lost_with(resource: Resource) -> str:
    if relations.is_only_forgotten(resource):
        return ""
    if resource.type == BUCKET and resource.attributes.get("force_destroy") is True:
        return _ALL_OBJECTS
    return _WITH.get(resource.type, "")
