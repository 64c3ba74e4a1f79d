from collections.abc import Iterator

import pytest
from tftest import TerraformPlanOutput

from tests.terraform.harness import Tree, account_env
from tools.localcloud.client import environment
from tools.localcloud.process import Running
from tools.terraform.binary import Terraform

from .jupyter import Jupyter, running_jupyter
from .scripts import CALLS, Rendered, arguments, scripts


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
def lifecycle_plan(tree: Tree) -> TerraformPlanOutput:
    """One plan of all CALLS."""
    return tree.plan(
        tree.write_calls("lifecycle", {call: arguments(call, own) for call, own in CALLS.items()})
    )


@pytest.fixture(scope="session")
def lifecycle(lifecycle_plan: TerraformPlanOutput) -> Rendered:
    """Every script of CALLS."""
    return scripts(lifecycle_plan, CALLS)


@pytest.fixture(scope="session")
def tree(
    local_cloud: Running, kept_terraform: Terraform, tmp_path_factory: pytest.TempPathFactory
) -> Tree:
    """A copy of the repository's Terraform, in an account of its own."""
    env = account_env({**kept_terraform.env, **environment(local_cloud.endpoint)})
    return Tree(tmp_path_factory.mktemp("tree"), kept_terraform.binary, env)
