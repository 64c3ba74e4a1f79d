"""Which resources of a state have an address of an older layout, and which one they have today."""

import re

from tests.trees import REPOSITORY
from tools.state.addresses import bucket_address, moved_addresses, names_former

S3 = "shared-infra/s3"


def test_the_buckets_have_the_addresses_that_the_layout_declares() -> None:
    text = (REPOSITORY / S3 / "buckets.tf").read_text()
    declared = re.findall(r'^resource "(aws_s3_bucket)" "(\w+)"', text, re.M)
    assert [".".join(pair) for pair in declared] == [
        bucket_address("datasets"),
        bucket_address("models"),
        bucket_address("features").split("[")[0],
    ]


def test_former_addresses_of_buckets_move_and_no_others() -> None:
    found = moved_addresses(
        S3,
        [
            'aws_s3_bucket.shared["datasets"]',
            'aws_s3_bucket.shared["my-features"]',
            'aws_s3_bucket_versioning.shared["datasets"]',
            "aws_s3_bucket.models",
            'module.m.aws_s3_bucket.shared["models"]',
        ],
    )
    assert found == {
        'aws_s3_bucket.shared["datasets"]': "aws_s3_bucket.datasets",
        'aws_s3_bucket.shared["my-features"]': 'aws_s3_bucket.further["my-features"]',
    }
    assert moved_addresses("shared-infra/own", ['aws_s3_bucket.shared["datasets"]']) == {}


def test_an_error_names_them() -> None:
    assert names_former(S3, 'Resource aws_s3_bucket.shared["datasets"] has lifecycle')
    assert not names_former(S3, "Resource aws_s3_bucket.datasets has lifecycle")
