"""The mapping as text and as JSON."""

import pytest

from tools.migration import table
from tools.migration.legacy import Resource
from tools.migration.mapping import LegacyMapping, MappedResource

BUCKET = Resource("aws_s3_bucket.b", "aws_s3_bucket", {"bucket": "acme-data"})
VERSIONING = Resource("aws_s3_bucket_versioning.b", "aws_s3_bucket_versioning", {"id": "acme-data"})
KEY = Resource("aws_kms_key.k", "aws_kms_key", {"id": "0a1b"})
ROWS = [
    MappedResource(BUCKET, "imported", "shared-infra/s3", "datasets"),
    MappedResource(VERSIONING, "inside", BUCKET.address, reason="shared-infra/s3 sets it"),
    MappedResource(KEY, "used", BUCKET.address, reason="it encrypts"),
]
ADDRESSES = {
    "aws_s3_bucket.b": "shared-infra/s3 aws_s3_bucket.datasets",
    "aws_s3_bucket_versioning.b": 'shared-infra/s3 aws_s3_bucket_versioning.shared["datasets"]',
}


def test_what_is_imported_is_a_table_and_the_rest_another_with_reasons(
    capsys: pytest.CaptureFixture[str],
) -> None:
    table.show(LegacyMapping(ROWS), ADDRESSES)
    assert [" ".join(line.split()) for line in capsys.readouterr().out.splitlines()] == [
        "Resource From To Action",
        f"bucket acme-data aws_s3_bucket.b {ADDRESSES['aws_s3_bucket.b']} import",
        "s3 bucket versioning acme-data aws_s3_bucket_versioning.b "
        f"{ADDRESSES['aws_s3_bucket_versioning.b']} import",
        "",
        "Not imported Action Why",
        "aws_kms_key.k let go it encrypts",
    ]


def test_nothing_left_over_has_no_table(capsys: pytest.CaptureFixture[str]) -> None:
    table.show(LegacyMapping(ROWS[:1]), ADDRESSES)
    assert "Not imported" not in capsys.readouterr().out


def test_no_name_in_a_state_steers_the_terminal(capsys: pytest.CaptureFixture[str]) -> None:
    bad = Resource('aws_s3_object.o["\x1b[2J"]', "aws_s3_object", {"id": "\x1b[31m"})
    table.show(LegacyMapping([MappedResource(bad, "stays", reason="x\ny")]), {})
    shown = capsys.readouterr().out
    assert "\x1b" not in shown
    assert shown.splitlines()[-1].endswith("x\\ny")


def test_a_script_gets_a_place_or_none_for_each() -> None:
    assert table.to_json(LegacyMapping(ROWS[1:]), ADDRESSES) == [
        {
            "resource": "s3 bucket versioning acme-data",
            "from": "aws_s3_bucket_versioning.b",
            "to": ADDRESSES["aws_s3_bucket_versioning.b"],
            "action": "import",
            "reason": "shared-infra/s3 sets it",
        },
        {
            "resource": "kms key 0a1b",
            "from": "aws_kms_key.k",
            "to": None,
            "action": "let go",
            "reason": "it encrypts",
        },
    ]
