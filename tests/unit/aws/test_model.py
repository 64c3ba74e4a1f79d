"""What AWS keeps for itself, by its own lists.

https://docs.aws.amazon.com/AmazonS3/latest/userguide/bucketnamingrules.html
https://docs.aws.amazon.com/sagemaker/latest/dg/nbi-al2.html
"""

import pytest

from tools.aws import model
from tools.errors import UserError

# AWS's page has each as an example of a rule, or as the beginning or the end that it reserves.
REFUSED = [
    "amzn-s3-demo-bucket",
    "sthree-bucket",
    "xn--bucket",
    "bucket-s3alias",
    "bucket--ol-s3",
    "bucket--x-s3",
    "bucket--table-s3",
    "bucket.mrap",
    "192.168.5.4",
    "doc..example",
]
TAKEN = ["s3alias", "acme-datasets", "my.bucket", "acme-111122223333-us-west-2-an", "1.2.3.4.5"]


@pytest.mark.parametrize("name", REFUSED)
def test_names_that_s3_keeps_are_refused(name: str) -> None:
    with pytest.raises(UserError, match="S3 refuses bucket names"):
        model.check_bucket("--bucket", name)


@pytest.mark.parametrize("name", TAKEN)
def test_others_are_taken(name: str) -> None:
    model.check_bucket("--bucket", name)


@pytest.mark.parametrize("suffix", ["an", "x-an", "s3alias", "x-s3alias"])
def test_suffixes_that_s3_keeps_are_refused(suffix: str) -> None:
    with pytest.raises(UserError, match="-s3alias or -an"):
        model.check_bucket_suffix("--bucket-suffix", suffix)


@pytest.mark.parametrize("suffix", ["x", "japan", "eu-west-1", "xs3alias"])
def test_other_suffixes_are_taken(suffix: str) -> None:
    model.check_bucket_suffix("--bucket-suffix", suffix)


def test_every_platform_of_the_model_is_retired_or_the_newest() -> None:
    """The model's pattern names them; the one that AWS's page leaves is Amazon Linux 2023."""
    pattern = str(model.member("PlatformIdentifier").metadata["pattern"])
    platforms = pattern.strip("^$()").split("|")
    assert {name for name in platforms if not model.is_retired_platform(name)} == {model.PLATFORM}


def test_types_by_their_family() -> None:
    retired = {"ml.p2", "ml.p3", "ml.p3dn", "ml.inf1", "ml.g3"}
    types = [*model.member("InstanceType").metadata["enum"], "ml.g3.4xlarge"]
    found = {t.rpartition(".")[0] for t in types if model.is_retired_type(t)}
    assert found == retired
