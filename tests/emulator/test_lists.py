"""List operations of each kind of resource: pages, order, filters."""

import base64
import json
from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

import pytest

from .conftest import Account

Refused = Callable[..., str]

GIT = {"RepositoryUrl": "https://example.com/repository.git"}


@dataclass(frozen=True)
class Family:
    """What differs between the kinds: names of operations, members and default order."""

    list_all: str
    members: str
    name: str
    default_sort: str
    create: Callable[[Account, str], Any]


def create_notebook(account: Account, name: str, **arguments: Any) -> None:
    account.sagemaker.create_notebook_instance(
        NotebookInstanceName=name,
        InstanceType="ml.t3.medium",
        RoleArn=account.role,
        **arguments,
    )


def create_config(account: Account, name: str) -> None:
    account.sagemaker.create_notebook_instance_lifecycle_config(
        NotebookInstanceLifecycleConfigName=name
    )


def create_repository(account: Account, name: str) -> None:
    account.sagemaker.create_code_repository(CodeRepositoryName=name, GitConfig=GIT)


NOTEBOOKS = Family(
    "list_notebook_instances", "NotebookInstances", "NotebookInstanceName", "Name", create_notebook
)
CONFIGS = Family(
    "list_notebook_instance_lifecycle_configs",
    "NotebookInstanceLifecycleConfigs",
    "NotebookInstanceLifecycleConfigName",
    "CreationTime",
    create_config,
)
REPOSITORIES = Family(
    "list_code_repositories",
    "CodeRepositorySummaryList",
    "CodeRepositoryName",
    "Name",
    create_repository,
)
FAMILIES = pytest.mark.parametrize(
    "family", [NOTEBOOKS, CONFIGS, REPOSITORIES], ids=lambda family: family.members
)


def names(account: Account, family: Family, **arguments: Any) -> list[str]:
    """Over all pages."""
    pages = account.sagemaker.get_paginator(family.list_all).paginate(**arguments)
    return [found[family.name] for page in pages for found in page[family.members]]


@FAMILIES
def test_pages_hold_everything_once_in_order(empty_account: Account, family: Family) -> None:
    for number in range(12):
        family.create(empty_account, f"n{number:02}")
    expected = [f"n{number:02}" for number in range(12)]
    for size in (1, 5, 12, 100):
        config = {"PageSize": size}
        assert names(empty_account, family, SortBy="Name", PaginationConfig=config) == expected
    descending = {"SortBy": "Name", "SortOrder": "Descending", "PaginationConfig": {"PageSize": 5}}
    assert names(empty_account, family, **descending) == expected[::-1]
    first = getattr(empty_account.sagemaker, family.list_all)()
    assert len(first[family.members]) == 10  # AWS's page where no size is asked for
    assert first["NextToken"]


@FAMILIES
def test_pages_neither_skip_nor_repeat_while_resources_come_and_go(
    empty_account: Account, family: Family
) -> None:
    for name in ("b", "d", "f", "h"):
        family.create(empty_account, name)
    operation = getattr(empty_account.sagemaker, family.list_all)
    first = operation(SortBy="Name", MaxResults=2)
    for name in ("a", "e"):
        family.create(empty_account, name)
    rest = operation(SortBy="Name", NextToken=first["NextToken"])
    assert [found[family.name] for found in rest[family.members]] == ["e", "f", "h"]


@FAMILIES
def test_the_default_order_is_that_of_aws(empty_account: Account, family: Family) -> None:
    for name in ("b", "c", "a"):
        family.create(empty_account, name)
    expected = {"Name": ["a", "b", "c"], "CreationTime": ["b", "c", "a"]}
    assert names(empty_account, family) == expected[family.default_sort]
    assert names(empty_account, family, SortBy="CreationTime") == expected["CreationTime"]


@pytest.mark.parametrize("family", [CONFIGS, REPOSITORIES], ids=lambda family: family.members)
def test_they_sort_by_their_last_change(empty_account: Account, family: Family) -> None:
    for name in ("a", "b"):
        family.create(empty_account, name)
    if family is CONFIGS:
        empty_account.sagemaker.update_notebook_instance_lifecycle_config(
            NotebookInstanceLifecycleConfigName="a"
        )
    else:
        empty_account.sagemaker.update_code_repository(CodeRepositoryName="a")
    assert names(empty_account, family, SortBy="LastModifiedTime") == ["b", "a"]


@FAMILIES
def test_they_are_found_by_a_part_of_their_name(empty_account: Account, family: Family) -> None:
    for name in ("alice-dev", "alice-prod", "bob-dev"):
        family.create(empty_account, name)
    assert names(empty_account, family, NameContains="-dev") == ["alice-dev", "bob-dev"]
    assert names(empty_account, family, NameContains="carol") == []


@FAMILIES
def test_they_are_found_by_their_times(empty_account: Account, family: Family) -> None:
    family.create(empty_account, "a")
    [found] = getattr(empty_account.sagemaker, family.list_all)()[family.members]
    for member in ("CreationTime", "LastModifiedTime"):
        moment: datetime = found[member]
        before, after = moment - timedelta(seconds=60), moment + timedelta(seconds=60)
        assert names(empty_account, family, **{f"{member}After": before}) == ["a"]
        assert names(empty_account, family, **{f"{member}Before": after}) == ["a"]
        assert names(empty_account, family, **{f"{member}After": after}) == []
        assert names(empty_account, family, **{f"{member}Before": before}) == []


def never_given() -> list[str]:
    order = ["ListNotebookInstances", "Name", False]
    written = [
        [],
        "text",
        {},
        [order, "a"],
        [order, [1, 2]],
        [["ListModels", "Name", False], ["a", "a"]],
        [["ListNotebookInstances", "Name", True], ["a", "a"]],
    ]
    tokens = [base64.urlsafe_b64encode(json.dumps(token).encode()).decode() for token in written]
    return ["x", "====", "eyJ", "\u00e9", "A" * 8192, *tokens]


@FAMILIES
@pytest.mark.parametrize("token", never_given())
def test_a_token_that_was_never_given_is_refused(
    account: Account, family: Family, token: str, refused: Refused
) -> None:
    operation = getattr(account.sagemaker, family.list_all)
    assert "Invalid NextToken" in refused(operation, NextToken=token)


def test_a_token_of_another_order_is_refused(empty_account: Account, refused: Refused) -> None:
    for name in ("a", "b"):
        create_repository(empty_account, name)
    operation = empty_account.sagemaker.list_code_repositories
    token = operation(MaxResults=1, SortBy="Name")["NextToken"]
    assert "Invalid NextToken" in refused(operation, SortBy="CreationTime", NextToken=token)


def test_notebooks_are_found_by_what_they_use(empty_account: Account) -> None:
    create_config(empty_account, "idle-60")
    create_repository(empty_account, "team-code")
    url = "https://example.com/other.git"
    create_notebook(empty_account, "plain")
    create_notebook(empty_account, "idle", LifecycleConfigName="idle-60")
    create_notebook(empty_account, "coder", DefaultCodeRepository="team-code")
    create_notebook(empty_account, "reader", AdditionalCodeRepositories=[url, "team-code"])
    for filters, expected in (
        ({"NotebookInstanceLifecycleConfigNameContains": "idle"}, ["idle"]),
        ({"DefaultCodeRepositoryContains": "code"}, ["coder"]),
        ({"AdditionalCodeRepositoryEquals": "team-code"}, ["reader"]),
        ({"AdditionalCodeRepositoryEquals": url}, ["reader"]),
        ({"AdditionalCodeRepositoryEquals": "team"}, []),
        ({}, ["coder", "idle", "plain", "reader"]),
    ):
        assert names(empty_account, NOTEBOOKS, **filters) == expected


def test_notebooks_are_found_and_sorted_by_status(empty_account: Account) -> None:
    sagemaker = empty_account.sagemaker
    wait = {"Delay": 0.1, "MaxAttempts": 300}
    for name in ("a", "b"):
        create_notebook(empty_account, name)
    for name in ("a", "b"):
        waiter = sagemaker.get_waiter("notebook_instance_in_service")
        waiter.wait(NotebookInstanceName=name, WaiterConfig=wait)
    sagemaker.stop_notebook_instance(NotebookInstanceName="a")
    waiter = sagemaker.get_waiter("notebook_instance_stopped")
    waiter.wait(NotebookInstanceName="a", WaiterConfig=wait)
    assert names(empty_account, NOTEBOOKS, StatusEquals="InService") == ["b"]
    assert names(empty_account, NOTEBOOKS, StatusEquals="Stopped") == ["a"]
    assert names(empty_account, NOTEBOOKS, StatusEquals="Failed") == []
    assert names(empty_account, NOTEBOOKS, SortBy="Status") == ["b", "a"]


def test_a_summary_says_what_the_description_says(account: Account, name: str) -> None:
    create_notebook(account, name, DefaultCodeRepository="https://example.com/r.git")
    [summary] = account.sagemaker.list_notebook_instances(NameContains=name)["NotebookInstances"]
    found = account.sagemaker.describe_notebook_instance(NotebookInstanceName=name)
    passing = {"NotebookInstanceStatus", "LastModifiedTime"}
    same = summary.keys() - passing
    assert {key: summary[key] for key in same} == {key: found[key] for key in same}
    assert {"Url", "InstanceType", "CreationTime", "DefaultCodeRepository"} <= same
