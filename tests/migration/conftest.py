"""Made once for the tests of a module: applying, importing and deploying take minutes."""

import shutil
import subprocess
from collections.abc import Callable
from typing import Any
from uuid import uuid4

import pytest

from tests.cli.conftest import Checkout, user_env
from tests.migration.legacy import (
    MONOLITH,
    Legacy,
    LetGo,
    Migrated,
    checkout_in,
    let_go,
    migrate,
)
from tests.trees import leave_out_lifecycles
from tools.localcloud.client import environment
from tools.localcloud.process import Running
from tools.terraform.binary import Terraform


@pytest.fixture(scope="module")
def legacy(
    local_cloud: Running,
    kept_terraform: Terraform,
    client: Callable[..., Any],
    tmp_path_factory: pytest.TempPathFactory,
) -> Legacy:
    folder = tmp_path_factory.mktemp("owners") / "legacy"
    shutil.copytree(MONOLITH, folder)
    env = {**user_env(kept_terraform), **environment(local_cloud.endpoint)}
    prefix = f"old{uuid4().hex[:6]}"
    (folder / "terraform.tfvars").write_text(f'prefix = "{prefix}"\n')
    made = Legacy(folder, prefix, Checkout(folder, env), client, kept_terraform.binary)
    made.terraform("init", "-input=false")
    made.terraform("apply", "-input=false", "-auto-approve")
    client("s3").put_object(Bucket=f"{prefix}-data", Key="users/alice/a.csv", Body=b"a,b\n1,2\n")
    return made


@pytest.fixture(scope="module")
def migrated(
    legacy: Legacy,
    local_cloud: Running,
    kept_terraform: Terraform,
    tmp_path_factory: pytest.TempPathFactory,
) -> Migrated:
    # Nothing is destroyed afterwards: what it names is its own, and the emulator ends with the
    # session.
    root = tmp_path_factory.mktemp("repository")
    checkout = checkout_in(root, kept_terraform, local_cloud, f"p{uuid4().hex[:8]}")
    leave_out_lifecycles(root)
    return migrate(legacy, checkout)


@pytest.fixture(scope="module")
def deployed(migrated: Migrated) -> "subprocess.CompletedProcess[str]":
    """The deployment after the migration."""
    assert migrated.done.returncode == 0, migrated.done.stderr
    return migrated.checkout.tools("deploy", "--local")


@pytest.fixture(scope="module")
def gone(migrated: Migrated, tmp_path_factory: pytest.TempPathFactory) -> LetGo:
    return let_go(migrated, tmp_path_factory.mktemp("copies") / "a copy of legacy")


@pytest.fixture(scope="module")
def repository(
    local_cloud: Running, kept_terraform: Terraform, tmp_path_factory: pytest.TempPathFactory
) -> Checkout:
    """One in which nothing is deployed, nor will be."""
    root = tmp_path_factory.mktemp("empty")
    return checkout_in(root, kept_terraform, local_cloud, "acme")
