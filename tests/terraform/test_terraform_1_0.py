"""Terraform 1.0.3 applies every root and the module, and plans no changes of any of them then.

test_floor.py reads the files for what is newer; this runs a Terraform that knows nothing newer.
"""

import json
from collections.abc import Callable, Mapping, Sequence
from concurrent.futures import Future, ThreadPoolExecutor
from graphlib import TopologicalSorter
from pathlib import Path
from typing import Any

import pytest

from tests.keeper import kept
from tests.terraform_1_0 import find_terraform_1_0
from tests.trees import tracked
from tools.layout.repository import Repository
from tools.terraform.binary import Terraform

from .chain import check_encryption, clients
from .conftest import NewTree
from .harness import Tree, clean_env

BOOTSTRAP = "bootstrap"
PIPELINE = "bootstrap/ci"
DEPLOYER = "modules/deployer-policies"
MODULES = ("modules/common", DEPLOYER, "modules/sagemaker-notebook")
FULL = "notebooks/notebook-prod"
# Besides what is made by default, so that more of each root is evaluated.
VALUES: dict[str, dict[str, Any]] = {
    "shared-infra/s3": {
        "create_kms_key": True,
        "log_groups": ["/aws/sagemaker/NotebookInstances"],
    },
    FULL: {
        "isolated": True,
        "schedule_start": "08:00",
        "schedule_stop": "19:00",
        "use_shared_kms_key": True,
    },
}

Step = tuple[Callable[[str], None], str]


@pytest.fixture(scope="module")
def terraform_1_0() -> Terraform:
    return find_terraform_1_0(clean_env())


def test_every_root_and_the_module_with_terraform_1_0(
    new_tree: NewTree, terraform_1_0: Terraform, client: Callable[..., Any]
) -> None:
    with kept(terraform_1_0) as running:
        tree = new_tree(running)
        upstream = {stack.name: stack.upstream for stack in Repository(tree.root).stacks()}
        # The modules are called by the roots, with all that one can make by a notebook.
        assert directories() == {*upstream, BOOTSTRAP, PIPELINE, *MODULES}
        write_values(tree)
        deployer = {"account_id": tree.account, "project": "pp", "region": "us-east-1"}
        policies = tree.write_calls("deployer", {"deployer": {"source": DEPLOYER, **deployer}})
        carry_out(steps(tree, {**upstream, BOOTSTRAP: (), PIPELINE: (), policies: ()}))
        states = {
            stack: json.loads((tree.root / stack / "terraform.tfstate").read_text())
            for stack in (*upstream, BOOTSTRAP, PIPELINE)
        }
        assert {state["terraform_version"] for state in states.values()} == {"1.0.3"}
        outputs = {
            stack.split("/")[1]: {n: o["value"] for n, o in states[stack]["outputs"].items()}
            for stack in upstream
        }
    # Nothing is destroyed: the emulator, in which the tree has an account, ends with the session.
    check_encryption(outputs, clients(tree, client))


def directories() -> set[str]:
    """Every directory of Terraform that the repository offers, such as `shared-infra/s3`.

    Without the module's examples, which call it as the notebooks do.
    """
    files = map(Path, tracked(BOOTSTRAP, "shared-infra", "notebooks", "modules"))
    return {
        str(path.parent) for path in files if path.suffix == ".tf" and "examples" not in path.parts
    }


def write_values(tree: Tree) -> None:
    bucket = {"bucket": f"{tree.project}-states"}
    pipeline = {"repository": "acme@1/notebooks@2", "state_bucket": f"{tree.project}-states"}
    for root, values in {**VALUES, BOOTSTRAP: bucket, PIPELINE: pipeline}.items():
        (tree.root / root / "chosen.auto.tfvars.json").write_text(json.dumps(values))


def steps(tree: Tree, upstream: Mapping[str, Sequence[str]]) -> dict[Step, list[Step]]:
    """What is done with each stack, to what has to be done before it."""

    applies: dict[Step, list[Step]] = {
        (tree.apply, stack): [(tree.apply, name) for name in upstream[stack]] for stack in upstream
    }

    def check(stack: str) -> None:
        assert tree.planned(stack) == ""

    checks: dict[Step, list[Step]] = {(check, stack): [(tree.apply, stack)] for stack in upstream}
    return applies | checks


def carry_out(steps: Mapping[Step, Sequence[Step]]) -> None:
    """Does each step as soon as those before it are done; none after one that failed.

    Raises BaseExceptionGroup with what failed.
    """
    begun: dict[Step, Future[None]] = {}

    def do(step: Step) -> None:
        for earlier in steps[step]:
            begun[earlier].result()
        act, stack = step
        try:
            act(stack)
        except Exception as error:
            error.add_note(f"in {stack}: {act.__name__}")
            raise

    with ThreadPoolExecutor(len(steps)) as pool:
        for step in TopologicalSorter(steps).static_order():
            begun[step] = pool.submit(do, step)
    # A step that did not come about has the error of the one before it.
    failures = {error for future in begun.values() if (error := future.exception())}
    if failures:
        raise BaseExceptionGroup("not every step was done", [*failures])
