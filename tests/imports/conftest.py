"""A checkout and a monolith that the tests of a module share: each import takes seconds."""

import secrets
import shutil
from collections.abc import Callable
from functools import partial
from typing import Any

import pytest

from tests.cli.conftest import Checkout, attach, user_env
from tests.imports.monolith import REGION, Monolith, build
from tests.keeper import kept_env
from tests.trees import copy_repository
from tools.localcloud.process import Running
from tools.terraform.binary import Terraform


@pytest.fixture(scope="module")
def monolith(client: Callable[..., Any]) -> Monolith:
    return build(f"old{secrets.token_hex(4)}", partial(client, region=REGION))


@pytest.fixture(scope="module")
def receiving(
    tmp_path_factory: pytest.TempPathFactory,
    kept_terraform: Terraform,
    local_cloud: Running,
    monolith: Monolith,
) -> Checkout:
    """A checkout without notebooks, whose local cloud has the monolith in it."""
    root = copy_repository(tmp_path_factory.mktemp("receiving") / "repository")
    env = {**user_env(kept_terraform), **kept_env(kept_terraform)}
    checkout = Checkout(root, env)
    shutil.rmtree(root / "notebooks")
    (root / "notebooks").mkdir()
    (root / "common.auto.tfvars").write_text(
        f'project = "new-{monolith.name}"\nregion  = "{REGION}"\n'
    )
    attach(checkout, local_cloud)
    return checkout
