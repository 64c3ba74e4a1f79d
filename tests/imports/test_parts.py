"""Takeovers put together."""

import pytest

from tools.errors import UserError
from tools.imports.request import ENDPOINTS, S3, Adoption, Takeover, combined


def bucket(name: str, purpose: str) -> Takeover:
    address = f'aws_s3_bucket.shared["{purpose}"]'
    values = {S3: {"bucket_names": {purpose: name}}}
    return Takeover((Adoption.at(S3, address, name),), values, notes=("it had a policy",))


def link(**values: object) -> Takeover:
    return Takeover((), {ENDPOINTS: values})  # type: ignore[dict-item]


def test_the_type_is_told_by_the_address() -> None:
    for address, kind in {
        'aws_s3_bucket.shared["a.b"]': "aws_s3_bucket",
        "module.notebook.aws_sagemaker_notebook_instance.this": "aws_sagemaker_notebook_instance",
    }.items():
        assert Adoption.at("s", address, "i").type == kind


def test_maps_and_services_grow_and_what_is_said_twice_stands_once() -> None:
    both = combined([bucket("a", "datasets"), bucket("b", "models"), bucket("b", "models")])
    assert [one.identifier for one in both.adoptions] == ["a", "b"]
    assert both.values == {S3: {"bucket_names": {"datasets": "a", "models": "b"}}}
    assert both.notes == ("it had a policy",)
    services = combined([link(interface_services=["ec2"]), link(interface_services=["sts", "ec2"])])
    assert services.values == {ENDPOINTS: {"interface_services": ["ec2", "sts"]}}


@pytest.mark.parametrize(
    ("one", "other", "reason"),
    [
        (bucket("a", "datasets"), bucket("b", "datasets"), "a and b would both be aws_s3_bucket"),
        (bucket("a", "datasets"), bucket("a", "models"), "a would be both aws_s3_bucket"),
        (
            link(endpoint_policies={"s3": "x"}),
            link(endpoint_policies={"s3": "y"}),
            'endpoint_policies.s3 would have to be "y", and is "x"',
        ),
        (link(create_s3_gateway=True), link(create_s3_gateway=False), "create_s3_gateway would"),
    ],
)
def test_what_excludes_each_other_is_refused(one: Takeover, other: Takeover, reason: str) -> None:
    with pytest.raises(UserError, match=reason.replace("[", r"\[")):
        combined([one, other])


def test_of_what_aws_changes_in_place_the_first_one_stands() -> None:
    found = combined([link(subnet_ids=["subnet-1"]), link(subnet_ids=["subnet-2"])])
    assert found.values == {ENDPOINTS: {"subnet_ids": ["subnet-1"]}}
    (note,) = found.notes
    assert "subnet_ids is ['subnet-1'], of the first that has it" in note
