from collections.abc import Iterator

import pytest

from tests.terraform.harness import Tree, account_env
from tools.localcloud.client import environment
from tools.localcloud.process import Running
from tools.terraform.binary import Terraform

from .jupyter import Jupyter, running_jupyter
from .scripts import CALLS, Rendered, rendered


@pytest.fixture(scope="session")
def jupyter_server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Jupyter]:
    with running_jupyter(tmp_path_factory.mktemp("jupyter")) as server:
        yield server


@pytest.fixture
def jupyter(jupyter_server: Jupyter) -> Iterator[Jupyter]:
    """The session's Jupyter server, without kernels and terminals."""
    jupyter_server.clear()
    yield jupyter_server
    jupyter_server.clear()


@pytest.fixture(scope="session")
def lifecycle(tree: Tree) -> Rendered:
    """Every script of CALLS, from one plan."""
    return rendered(tree, "lifecycle", CALLS)


@pytest.fixture(scope="session")
def tree(
    local_cloud: Running, kept_terraform: Terraform, tmp_path_factory: pytest.TempPathFactory
) -> Tree:
    """A copy of the repository's Terraform, in an account of its own."""
    env = account_env({**kept_terraform.env, **environment(local_cloud.endpoint)})
    return Tree(tmp_path_factory.mktemp("tree"), kept_terraform.binary, env)
