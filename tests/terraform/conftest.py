"""Temporary copies of the repository's Terraform that reach the session's emulator."""

from collections.abc import Callable

import pytest

from tools.localcloud.client import environment
from tools.localcloud.process import Running
from tools.terraform.binary import Terraform

from .harness import Tree, account_env

NewTree = Callable[..., Tree]


@pytest.fixture(scope="session")
def new_tree(
    local_cloud: Running, kept_terraform: Terraform, tmp_path_factory: pytest.TempPathFactory
) -> NewTree:
    """Makes a copy of the tree with an account of its own, where nothing else exists.

    Its provider keeps running (`tests.keeper` says what that is not for), unless `make` is given
    another Terraform.
    """

    def make(run_with: Terraform = kept_terraform) -> Tree:
        env = account_env({**run_with.env, **environment(local_cloud.endpoint)})
        return Tree(tmp_path_factory.mktemp("tree"), run_with.binary, env)

    return make


@pytest.fixture(scope="session")
def planning(new_tree: NewTree) -> Tree:
    """The copy that plan tests share: nothing is ever applied in its account."""
    return new_tree()
