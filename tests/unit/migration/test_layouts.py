"""What becomes of the layouts of tests/migration/layouts, from the states that Terraform left.

The expectations follow from the layouts' files and docs/migration.md. The tests of
tests/migration/test_layouts.py apply and migrate them, and say if a state here is out of date.
"""

import json

import pytest

from tests.migration.layouts import FAR, LAYOUTS, REGIONS, STATES
from tools.migration import destroy_note
from tools.migration.legacy import Resource
from tools.migration.mapper import map_resources
from tools.migration.mapping import Disposition, LegacyMapping, MappingScope
from tools.state import file

ACCOUNT = "000000000000"
NETWORK: dict[str, Disposition] = {
    "module.network.aws_vpc.this": "network",
    "module.network.aws_subnet.this": "network",
    "module.network.aws_security_group.this": "imported",
}
ROLE: dict[str, Disposition] = {"aws_iam_role.notebook": "imported"}
INSTANCE = "aws_sagemaker_notebook_instance"
LIFECYCLE = f"{INSTANCE}_lifecycle_configuration"


def _per_notebook() -> dict[str, Disposition]:
    """The first by address is shared where one is as good as the other; each keeps its own."""
    found: dict[str, Disposition] = {
        **NETWORK,
        "module.network.aws_security_group.this": "stays",
    }
    kinds: dict[str, tuple[Disposition, Disposition]] = {
        "aws_iam_role": ("imported", "used"),
        "aws_iam_role_policy_attachment": ("inside", "used"),
        "aws_security_group": ("imported", "used"),
        "aws_vpc_security_group_egress_rule": ("inside", "used"),
        LIFECYCLE: ("inside", "inside"),
        INSTANCE: ("imported", "imported"),
    }
    for kind, dispositions in kinds.items():
        for name, disposition in zip(("ada", "ben"), dispositions, strict=True):
            found[f'module.notebook["{name}"].{kind}.this'] = disposition
    return found


EXPECTED: dict[str, dict[str, Disposition]] = {
    "per_notebook": _per_notebook(),
    "counted": {
        **NETWORK,
        **ROLE,
        f"{INSTANCE}.nb[0]": "imported",
        f"{INSTANCE}.nb[1]": "imported",
        "aws_s3_bucket.team[0]": "imported",
        "aws_s3_bucket.team[1]": "imported",
    },
    "shared_lifecycle": {
        **NETWORK,
        **ROLE,
        **{f'{INSTANCE}.team["{team}"]': "imported" for team in ("red", "blue", "green")},
        f"{LIFECYCLE}.common": "inside",
    },
    "foreign_role": {
        "aws_default_vpc.default": "network",
        "aws_default_subnet.first": "network",
        "aws_iam_role_policy.more": "used",
        f"{INSTANCE}.this": "imported",
    },
    "no_vpc": {
        **ROLE,
        "aws_iam_role_policy_attachment.sagemaker": "inside",
        "aws_s3_bucket.artifacts": "imported",
        "aws_s3_bucket_lifecycle_configuration.artifacts": "inside",
        f"{INSTANCE}.this": "stays",
    },
    "key_by_alias": {
        **NETWORK,
        **ROLE,
        "aws_kms_key.ml": "used",
        "aws_kms_alias.ml": "used",
        f"{INSTANCE}.alias": "imported",
        f"{INSTANCE}.id": "imported",
        "aws_s3_bucket.data": "imported",
        "aws_s3_bucket_server_side_encryption_configuration.data": "inside",
    },
    "code_repositories": {
        **NETWORK,
        **ROLE,
        "aws_iam_role_policy.secret": "inside",
        "aws_sagemaker_code_repository.main": "used",
        "aws_secretsmanager_secret.git": "used",
        "aws_secretsmanager_secret_version.git": "used",
        f"{INSTANCE}.dev": "imported",
    },
    "guarded_buckets": {
        **NETWORK,
        **ROLE,
        'aws_s3_bucket.this["datasets"]': "imported",
        'aws_s3_bucket.this["replica"]': "imported",
        'aws_s3_bucket_versioning.this["datasets"]': "inside",
        'aws_s3_bucket_versioning.this["replica"]': "inside",
        "aws_s3_bucket_object_lock_configuration.this": "inside",
        "aws_s3_bucket_replication_configuration.this": "inside",
        "aws_iam_role.replication": "used",
        "aws_iam_role_policy.replication": "used",
        f"{INSTANCE}.this": "imported",
    },
    "default_tags": {
        **NETWORK,
        **ROLE,
        "aws_s3_bucket.models": "imported",
        "aws_vpc_endpoint.logs": "imported",
        f"{INSTANCE}.this": "imported",
    },
    "two_regions": {
        **NETWORK,
        **ROLE,
        "aws_s3_bucket.here": "imported",
        f"{INSTANCE}.here": "imported",
        "aws_s3_bucket.far": "used",
        "aws_s3_bucket_public_access_block.far": "used",
        f"{LIFECYCLE}.far": "used",
        f"{INSTANCE}.far": "used",
        "module.network_far.aws_vpc.this": "network",
        "module.network_far.aws_subnet.this": "network",
        "module.network_far.aws_security_group.this": "used",
    },
}


def mapped(name: str) -> LegacyMapping:
    state = json.loads((STATES / f"{name}.json").read_text())
    resources = [
        Resource(one.address, one.type, one.attributes)
        for one in file.read_instances(state["resources"])
        if one.mode == "managed"
    ]
    return map_resources(resources, MappingScope(REGIONS[name], ACCOUNT))


@pytest.mark.parametrize("name", REGIONS)
def test_what_becomes_of_each_resource(name: str) -> None:
    assert {row.address: row.disposition for row in mapped(name).rows} == EXPECTED[name]


def test_every_layout_has_its_expectations() -> None:
    folders = {path.name for path in LAYOUTS.iterdir() if path.is_dir()}
    assert folders - {"network"} == EXPECTED.keys() == REGIONS.keys()


def test_only_what_data_a_destroy_takes_is_told() -> None:
    (note,) = destroy_note.compose(mapped("no_vpc"))
    assert note.endswith(f"{INSTANCE} with its volume: {INSTANCE}.this")
    assert destroy_note.compose(mapped("two_regions")) == []


def test_a_tie_of_modules_for_each_notebook_is_told() -> None:
    reasons = {row.address: row.reason for row in mapped("per_notebook").imported() if row.reason}
    assert reasons.keys() == {
        'module.notebook["ada"].aws_iam_role.this',
        'module.notebook["ada"].aws_security_group.this',
    }
    assert all('module.notebook["ben"]' in reason for reason in reasons.values())


def test_another_region_is_named() -> None:
    rows = {row.address: row for row in mapped("two_regions").rows}
    assert rows[f"{INSTANCE}.far"].reason == f"it is in region {FAR}"
