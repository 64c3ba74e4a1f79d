"""Tags of each kind of resource, asked for through boto3."""

from collections.abc import Callable
from typing import Any

import pytest

from .conftest import Account

Refused = Callable[..., str]
Tags = list[dict[str, str]]

GIT = {"RepositoryUrl": "https://example.com/repository.git"}


def tags(count: int, value: str = "v") -> Tags:
    return [{"Key": f"key-{number}", "Value": value} for number in range(count)]


@pytest.fixture(params=["instance", "configuration", "repository"])
def tagged(
    request: pytest.FixtureRequest, sagemaker: Any, name: str, create: Callable[..., str]
) -> Callable[[Tags], str]:
    """Makes a resource with tags; its ARN."""

    def make(given: Tags) -> str:
        if request.param == "instance":
            return create(Tags=given)
        if request.param == "configuration":
            answer = sagemaker.create_notebook_instance_lifecycle_config(
                NotebookInstanceLifecycleConfigName=name, Tags=given
            )
            return str(answer["NotebookInstanceLifecycleConfigArn"])
        answer = sagemaker.create_code_repository(
            CodeRepositoryName=name, GitConfig=GIT, Tags=given
        )
        return str(answer["CodeRepositoryArn"])

    return make


def test_tags_are_given_added_overwritten_and_taken_away(
    sagemaker: Any, tagged: Callable[[Tags], str]
) -> None:
    arn = tagged(tags(2))
    added = sagemaker.add_tags(
        ResourceArn=arn, Tags=[{"Key": "key-1", "Value": "new"}, {"Key": "été", "Value": ""}]
    )["Tags"]
    assert added == [
        {"Key": "key-0", "Value": "v"},
        {"Key": "key-1", "Value": "new"},
        {"Key": "été", "Value": ""},
    ]
    sagemaker.delete_tags(ResourceArn=arn, TagKeys=["key-0", "été", "never-there"])
    assert sagemaker.list_tags(ResourceArn=arn)["Tags"] == [{"Key": "key-1", "Value": "new"}]


def test_fifty_tags_are_allowed_and_fifty_one_are_not(
    sagemaker: Any, tagged: Callable[[Tags], str], refused: Refused
) -> None:
    arn = tagged(tags(50))
    sagemaker.add_tags(ResourceArn=arn, Tags=tags(50, "other"))
    more = [{"Key": "one-more", "Value": ""}]
    assert "50 tags" in refused(sagemaker.add_tags, ResourceArn=arn, Tags=more)
    assert sagemaker.list_tags(ResourceArn=arn)["Tags"] == tags(50, "other")


@pytest.mark.parametrize(
    ("bad", "why"),
    [
        (tags(51), "length less than or equal to 50"),
        (tags(1) * 2, "Duplicate tag keys"),
        ([{"Key": "AWS:mine", "Value": ""}], "aws:"),
        ([{"Key": "new\nline", "Value": ""}], "regular expression pattern"),
        ([{"Key": "k", "Value": "v" * 257}], "length less than or equal to 256"),
    ],
)
def test_bad_tags_are_refused(
    sagemaker: Any, create: Callable[..., str], bad: Tags, why: str, refused: Refused
) -> None:
    assert why in refused(create, Tags=bad)
    assert why in refused(sagemaker.add_tags, ResourceArn=create(), Tags=bad)


@pytest.mark.parametrize("operation", ["list_tags", "add_tags", "delete_tags"])
def test_tags_of_nothing_are_refused(sagemaker: Any, operation: str, refused: Refused) -> None:
    arn = "arn:aws:sagemaker:us-east-1:000000000000:notebook-instance/not-there"
    given: dict[str, Any] = {"add_tags": {"Tags": []}, "delete_tags": {"TagKeys": ["k"]}}
    arguments = given.get(operation, {})
    assert arn in refused(getattr(sagemaker, operation), ResourceArn=arn, **arguments)


def test_a_token_that_was_never_given_is_refused(
    sagemaker: Any, create: Callable[..., str], refused: Refused
) -> None:
    message = refused(sagemaker.list_tags, ResourceArn=create(), NextToken="x")
    assert "Invalid NextToken" in message


@pytest.mark.parametrize(
    ("filters", "found"),
    [
        ([], True),
        ([{"Key": "Project"}], True),
        ([{"Key": "Project", "Values": ["acme", "other"]}, {"Key": "Owner"}], True),
        ([{"Key": "Project", "Values": ["other"]}], False),
        ([{"Key": "Project"}, {"Key": "Team"}], False),
    ],
)
def test_the_tagging_api_knows_notebook_instances(
    account: Account,
    client: Callable[..., Any],
    create: Callable[..., str],
    filters: list[dict[str, Any]],
    found: bool,
) -> None:
    given = [{"Key": "Project", "Value": "acme"}, {"Key": "Owner", "Value": "alice"}]
    arn = create(Tags=given)
    tagging = client("resourcegroupstaggingapi", account=account.id)
    pages = tagging.get_paginator("get_resources").paginate(
        ResourceTypeFilters=["sagemaker:notebook-instance"], TagFilters=filters
    )
    answers = {
        one["ResourceARN"]: one["Tags"] for page in pages for one in page["ResourceTagMappingList"]
    }
    assert answers.get(arn) == (given if found else None)
    others = tagging.get_resources(ResourceTypeFilters=["s3:bucket"])["ResourceTagMappingList"]
    assert arn not in [one["ResourceARN"] for one in others]


@pytest.mark.parametrize("region", ["us-east-1", "ap-northeast-2", "eu-south-2"])
def test_the_tagging_api_answers_in_every_region(client: Callable[..., Any], region: str) -> None:
    """ap-northeast-2 has WorkSpaces and no WorkSpaces Web in botocore's list of endpoints."""
    tagging = client("resourcegroupstaggingapi", region=region)
    assert tagging.get_resources()["ResponseMetadata"]["HTTPStatusCode"] == 200
