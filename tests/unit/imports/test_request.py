"""Requests put together."""

import pytest

from tools.errors import UserError
from tools.imports.request import SSE_S3, Encryption, ImportRequest, ResourceImport, combine
from tools.layout.stack import ENDPOINTS, IAM, S3
from tools.scaffold.notebook import Notebook


def bucket(name: str, purpose: str) -> ImportRequest:
    address = f"aws_s3_bucket.{purpose}"
    values = {S3: {"bucket_names": {purpose: name}}}
    return ImportRequest(
        (ResourceImport.at(S3, address, name),), values, notes=("it had a policy",)
    )


def endpoint(**values: object) -> ImportRequest:
    return ImportRequest((), {ENDPOINTS: values})  # type: ignore[dict-item]


def test_the_type_is_told_by_the_address() -> None:
    for address, kind in {
        'aws_s3_bucket.further["a.b"]': "aws_s3_bucket",
        "module.notebook.aws_sagemaker_notebook_instance.this": "aws_sagemaker_notebook_instance",
    }.items():
        assert ResourceImport.at("s", address, "i").type == kind


def test_maps_and_services_grow_and_what_is_said_twice_stands_once() -> None:
    both = combine([bucket("a", "datasets"), bucket("b", "models"), bucket("b", "models")])
    assert [one.identifier for one in both.imports] == ["a", "b"]
    assert both.values == {S3: {"bucket_names": {"datasets": "a", "models": "b"}}}
    assert both.notes == ("it had a policy",)
    services = combine(
        [endpoint(interface_services=["ec2"]), endpoint(interface_services=["sts", "ec2"])]
    )
    assert services.values == {ENDPOINTS: {"interface_services": ["ec2", "sts"]}}


@pytest.mark.parametrize(
    ("one", "other", "reason"),
    [
        (bucket("a", "datasets"), bucket("b", "datasets"), "a and b would both be aws_s3_bucket"),
        (bucket("a", "datasets"), bucket("a", "models"), "a would be both aws_s3_bucket"),
        (
            endpoint(endpoint_policies={"s3": "x"}),
            endpoint(endpoint_policies={"s3": "y"}),
            'endpoint_policies.s3 must be "y", but is "x"',
        ),
        (
            endpoint(create_s3_gateway=True),
            endpoint(create_s3_gateway=False),
            "create_s3_gateway must",
        ),
        (
            ImportRequest((), notebooks=(Notebook("nlp", {"owner": "a"}),)),
            ImportRequest((), notebooks=(Notebook("nlp", {"owner": "b"}),)),
            "two notebooks want the directory notebooks/nlp",
        ),
    ],
)
def test_what_excludes_each_other_is_refused(
    one: ImportRequest, other: ImportRequest, reason: str
) -> None:
    with pytest.raises(UserError, match=reason.replace("[", r"\[")):
        combine([one, other])


def test_of_what_aws_changes_in_place_the_first_one_stands() -> None:
    found = combine([endpoint(subnet_ids=["subnet-1"]), endpoint(subnet_ids=["subnet-2"])])
    assert found.values == {ENDPOINTS: {"subnet_ids": ["subnet-1"]}}
    (note,) = found.notes
    assert "subnet_ids is ['subnet-1'], from the first resource that sets it" in note


def test_the_role_needs_the_key_of_objects_that_stay_with_it() -> None:
    """A change of a bucket's default encrypts new objects alone."""
    key = "arn:aws:kms:us-east-1:123456789012:key/theirs"
    found = combine([ImportRequest((), encryptions=(Encryption("data", key, SSE_S3),))])
    assert found.notes == (
        f"data: new objects will be encrypted with S3's own keys instead of {key}, older ones stay "
        f"with {key}",
        f"data: the role needs {key} for them: kms_key_arns of {IAM}",
    )
    same = combine([ImportRequest((), encryptions=(Encryption("data", key, key),))])
    assert same.notes == ()
