"""Lifecycle configurations, asked for through boto3."""

import base64
from collections.abc import Callable
from typing import Any

import pytest

from .conftest import Account

Refused = Callable[..., str]

LONGEST = base64.b64encode(b"#" * 12_288).decode()  # AWS's bound: 16,384 characters


def hook(content: str) -> list[dict[str, str]]:
    return [{"Content": content}]


def test_a_configuration_is_what_it_was_made_of(
    sagemaker: Any, name: str, account: Account
) -> None:
    answer = sagemaker.create_notebook_instance_lifecycle_config(
        NotebookInstanceLifecycleConfigName=name, OnCreate=hook("ZWNobw=="), OnStart=hook(LONGEST)
    )
    arn = answer["NotebookInstanceLifecycleConfigArn"]
    assert arn == (
        f"arn:aws:sagemaker:us-east-1:{account.id}:notebook-instance-lifecycle-config/{name}"
    )
    found = sagemaker.describe_notebook_instance_lifecycle_config(
        NotebookInstanceLifecycleConfigName=name
    )
    assert found["NotebookInstanceLifecycleConfigArn"] == arn
    assert found["OnCreate"] == hook("ZWNobw==")
    assert found["OnStart"] == hook(LONGEST)
    assert found["CreationTime"] == found["LastModifiedTime"]


def test_an_update_replaces_the_scripts_that_it_names(sagemaker: Any, name: str) -> None:
    sagemaker.create_notebook_instance_lifecycle_config(
        NotebookInstanceLifecycleConfigName=name, OnCreate=hook("YQ=="), OnStart=hook("Yg==")
    )
    sagemaker.update_notebook_instance_lifecycle_config(
        NotebookInstanceLifecycleConfigName=name, OnStart=hook("Yw==")
    )
    found = sagemaker.describe_notebook_instance_lifecycle_config(
        NotebookInstanceLifecycleConfigName=name
    )
    assert (found["OnCreate"], found["OnStart"]) == (hook("YQ=="), hook("Yw=="))
    assert found["LastModifiedTime"] > found["CreationTime"]


def test_a_name_can_be_used_once(sagemaker: Any, name: str, refused: Refused) -> None:
    create = sagemaker.create_notebook_instance_lifecycle_config
    create(NotebookInstanceLifecycleConfigName=name)
    assert "already exists" in refused(create, NotebookInstanceLifecycleConfigName=name)


@pytest.mark.parametrize("verb", ["describe", "update", "delete"])
def test_a_missing_configuration_is_refused(sagemaker: Any, verb: str, refused: Refused) -> None:
    operation = getattr(sagemaker, f"{verb}_notebook_instance_lifecycle_config")
    message = refused(operation, NotebookInstanceLifecycleConfigName="not-there")
    assert message.endswith("(Details: Notebook Instance Lifecycle Config does not exist.)")


def test_one_in_use_is_not_deleted(
    sagemaker: Any, name: str, create: Callable[..., str], refused: Refused
) -> None:
    sagemaker.create_notebook_instance_lifecycle_config(NotebookInstanceLifecycleConfigName=name)
    create(LifecycleConfigName=name)
    delete = sagemaker.delete_notebook_instance_lifecycle_config
    assert f"in use by {name}" in refused(delete, NotebookInstanceLifecycleConfigName=name)


def test_a_deleted_configuration_is_gone(sagemaker: Any, name: str, refused: Refused) -> None:
    sagemaker.create_notebook_instance_lifecycle_config(NotebookInstanceLifecycleConfigName=name)
    sagemaker.delete_notebook_instance_lifecycle_config(NotebookInstanceLifecycleConfigName=name)
    refused(
        sagemaker.describe_notebook_instance_lifecycle_config,
        NotebookInstanceLifecycleConfigName=name,
    )


@pytest.mark.parametrize("content", ["echo hello", "YQ", "YQ==\n!"])
@pytest.mark.parametrize("verb", ["create", "update"])
def test_a_script_that_is_not_base64_is_refused(
    sagemaker: Any, name: str, content: str, verb: str, refused: Refused
) -> None:
    if verb == "update":
        sagemaker.create_notebook_instance_lifecycle_config(
            NotebookInstanceLifecycleConfigName=name
        )
    message = refused(
        getattr(sagemaker, f"{verb}_notebook_instance_lifecycle_config"),
        NotebookInstanceLifecycleConfigName=name,
        OnStart=hook(content),
    )
    assert "OnStart" in message


def test_a_script_of_more_than_16384_characters_is_refused(
    sagemaker: Any, name: str, refused: Refused
) -> None:
    message = refused(
        sagemaker.create_notebook_instance_lifecycle_config,
        NotebookInstanceLifecycleConfigName=name,
        OnStart=hook(LONGEST + "AAAA"),
    )
    assert message.startswith("1 validation error detected: Value 'IyMj")
    assert message.endswith(
        "' at 'onStart.1.member.content' failed to satisfy constraint: "
        "Member must have length less than or equal to 16384"
    )


def test_two_scripts_for_one_event_are_refused(sagemaker: Any, name: str, refused: Refused) -> None:
    message = refused(
        sagemaker.create_notebook_instance_lifecycle_config,
        NotebookInstanceLifecycleConfigName=name,
        OnStart=hook("YQ==") * 2,
    )
    assert "'onStart' failed to satisfy constraint" in message
