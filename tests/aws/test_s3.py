"""Objects of a bucket, and what is said of those that AWS does not give."""

from collections.abc import Callable
from typing import Any

import pytest

from tools.aws.client import Cloud, RequestError
from tools.aws.s3 import Objects
from tools.errors import UserError
from tools.localcloud.client import REGION
from tools.localcloud.process import Running

BUCKET = "objects-of-a-test"


@pytest.fixture
def objects(local_cloud: Running) -> Objects:
    return Objects(Cloud(REGION, local_cloud.endpoint))


def test_an_object_from_its_first_version_to_its_end(
    objects: Objects, client: Callable[..., Any]
) -> None:
    client("s3").create_bucket(Bucket=BUCKET)
    versioning = {"Status": "Enabled"}
    client("s3").put_bucket_versioning(Bucket=BUCKET, VersioningConfiguration=versioning)
    assert objects.get(BUCKET, "a/state") is None
    assert not objects.holds_any(BUCKET)
    objects.create(BUCKET, "a/state", b"1")
    with pytest.raises(UserError, match="s3://objects-of-a-test/a/state has been written by"):
        objects.create(BUCKET, "a/state", b"2")
    objects.put(BUCKET, "a/state", b"3")
    objects.put(BUCKET, "a/state.other", b"4")
    newest, oldest = objects.versions(BUCKET, "a/state")
    assert objects.get(BUCKET, "a/state", oldest.id) == b"1"
    assert objects.get(BUCKET, "a/state", newest.id) == objects.get(BUCKET, "a/state") == b"3"
    assert objects.keys(BUCKET, "a/") == ["a/state", "a/state.other"]
    objects.delete(BUCKET, "a/state")
    assert objects.get(BUCKET, "a/state") is None
    assert [version.size for version in objects.versions(BUCKET, "a/state")] == [None, 1, 1]
    assert objects.holds_any(BUCKET)
    objects.check_writable(BUCKET, "check")
    assert objects.versions(BUCKET, "check") == []
    bucket = objects.bucket(BUCKET)
    assert bucket is not None
    assert (bucket.region, bucket.is_versioned) == (REGION, True)


def test_a_bucket_that_does_not_exist(objects: Objects) -> None:
    assert objects.bucket("absent-bucket-of-a-test") is None
    assert not objects.holds_any("absent-bucket-of-a-test")
    words = "cannot {} s3://absent-bucket-of-a-test/k in the local cloud, region us-east-1: NoSuch"
    for verb, request in (
        ("read", lambda: objects.get("absent-bucket-of-a-test", "k")),
        ("write", lambda: objects.put("absent-bucket-of-a-test", "k", b"")),
        ("delete", lambda: objects.delete("absent-bucket-of-a-test", "k")),
        ("list", lambda: objects.keys("absent-bucket-of-a-test", "k")),
    ):
        with pytest.raises(RequestError) as refused:
            request()
        assert str(refused.value).startswith(words.format(verb))
        assert refused.value.code == "NoSuchBucket"


def test_a_cloud_that_does_not_answer() -> None:
    objects = Objects(Cloud(REGION, "http://127.0.0.1:1"))
    with pytest.raises(UserError, match=r"cannot read s3://b/k in the local cloud.*no network"):
        objects.get("b", "k")
