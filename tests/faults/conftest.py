"""A fleet of one stack, in a cloud behind a proxy, for each test."""

import secrets
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

from tests.cli.conftest import attach, user_env
from tests.faults.fleet import Fleet
from tests.faults.proxy import Proxy
from tests.trees import copy_repository, empty_stacks
from tools.localcloud.process import Running
from tools.terraform.binary import Terraform


@pytest.fixture
def fleet(
    tmp_path: Path, terraform: Terraform, local_cloud: Running, client: Callable[..., Any]
) -> Iterator[Fleet]:
    root = copy_repository(tmp_path / "repository")
    empty_stacks(root)
    with Proxy(local_cloud.endpoint) as proxy:
        fleet = Fleet(
            root, user_env(terraform), proxy, f"f{secrets.token_hex(6)}", client, terraform
        )
        attach(fleet, Running(local_cloud.pid, proxy.port))
        yield fleet
