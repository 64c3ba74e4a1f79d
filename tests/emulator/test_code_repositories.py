"""Code repositories, asked for through boto3."""

from collections.abc import Callable
from typing import Any

import pytest

from .conftest import Account

Refused = Callable[..., str]

GIT = {"RepositoryUrl": "https://example.com/team/repository.git", "Branch": "main"}
SECRET = "arn:aws:secretsmanager:us-east-1:123456789012:secret:git-AbCdEf"


def test_a_repository_is_what_it_was_made_of(sagemaker: Any, name: str, account: Account) -> None:
    arn = sagemaker.create_code_repository(CodeRepositoryName=name, GitConfig=GIT)[
        "CodeRepositoryArn"
    ]
    assert arn == f"arn:aws:sagemaker:us-east-1:{account.id}:code-repository/{name}"
    found = sagemaker.describe_code_repository(CodeRepositoryName=name)
    assert (found["CodeRepositoryArn"], found["GitConfig"]) == (arn, GIT)


def test_an_update_changes_the_secret_alone(sagemaker: Any, name: str) -> None:
    sagemaker.create_code_repository(CodeRepositoryName=name, GitConfig=GIT)
    sagemaker.update_code_repository(CodeRepositoryName=name, GitConfig={"SecretArn": SECRET})
    found = sagemaker.describe_code_repository(CodeRepositoryName=name)
    assert found["GitConfig"] == {**GIT, "SecretArn": SECRET}
    assert found["LastModifiedTime"] > found["CreationTime"]


def test_a_name_can_be_used_once(sagemaker: Any, name: str, refused: Refused) -> None:
    create = sagemaker.create_code_repository
    create(CodeRepositoryName=name, GitConfig=GIT)
    assert "already existing" in refused(create, CodeRepositoryName=name, GitConfig=GIT)


@pytest.mark.parametrize("verb", ["describe", "update", "delete"])
def test_a_missing_repository_is_refused(sagemaker: Any, verb: str, refused: Refused) -> None:
    operation = getattr(sagemaker, f"{verb}_code_repository")
    message = refused(operation, CodeRepositoryName="not-there")
    assert message.startswith("Cannot find CodeRepository")  # Terraform's provider looks for this


def test_a_deleted_repository_is_gone(sagemaker: Any, name: str, refused: Refused) -> None:
    sagemaker.create_code_repository(CodeRepositoryName=name, GitConfig=GIT)
    sagemaker.delete_code_repository(CodeRepositoryName=name)
    refused(sagemaker.describe_code_repository, CodeRepositoryName=name)
