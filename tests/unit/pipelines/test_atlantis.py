"""atlantis.yaml, held against the graph and against what git would name in a pull request."""

import os
from pathlib import Path, PurePosixPath
from typing import Any

import pytest
import yaml

from tests.trees import write_stack
from tests.unit.commands.conftest import Checkout
from tests.unit.commands.conftest import checkout as checkout
from tests.unit.engine.fake_terraform import FakeTerraform
from tools.engine.fingerprint import InputsReader
from tools.errors import UserError
from tools.layout.repository import Repository
from tools.pipelines import atlantis


def projects(root: Path) -> dict[str, dict[str, Any]]:
    (root / "home").mkdir(exist_ok=True)
    repository = Repository(root)
    reader = InputsReader(repository, FakeTerraform.at(root / "home"))
    document = yaml.safe_load(atlantis.render(repository, reader))
    assert document["version"] == 3
    return {project["name"]: project for project in document["projects"]}


def plans(project: dict[str, Any], changed: str) -> bool:
    """Whether a change of a file plans the project: Atlantis joins each pattern to its directory.

    https://www.runatlantis.io/docs/autoplanning
    """
    patterns = (
        os.path.normpath(f"{project['dir']}/{pattern}")
        for pattern in project["autoplan"]["when_modified"]
    )
    return any(
        PurePosixPath(changed).match(pattern) and changed.count("/") == pattern.count("/")
        for pattern in patterns
    )


def test_the_order_is_that_of_the_graph(checkout: Checkout) -> None:
    made = projects(checkout.root)
    groups = {name: project["execution_order_group"] for name, project in made.items()}
    assert len(groups) == 6
    for name, project in made.items():
        for upstream in project.get("depends_on", []):
            assert groups[upstream] < groups[name]
    assert made["notebooks/notebook-dev"]["depends_on"] == [
        "shared-infra/iam",
        "shared-infra/s3",
        "shared-infra/security-groups",
        "shared-infra/vpc-endpoints",
    ]


@pytest.mark.parametrize(
    ("changed", "planned"),
    [
        ("notebooks/notebook-dev/main.tf", {"notebooks/notebook-dev"}),
        ("notebooks/notebook-dev/new.tf", {"notebooks/notebook-dev"}),
        ("notebooks/notebook-dev/terraform.tfvars", {"notebooks/notebook-dev"}),
        (
            "modules/sagemaker-notebook/scripts/lifecycle.sh",
            {"notebooks/notebook-dev", "notebooks/notebook-prod"},
        ),
        (
            "modules/sagemaker-notebook/new.tf",
            {"notebooks/notebook-dev", "notebooks/notebook-prod"},
        ),
        ("docs/pipelines.md", set()),
        ("modules/common/README.md", set()),
        ("shared-infra/s3/README.md", set()),
        ("notebooks/notebook-dev/terraform.tfvars.example", set()),
    ],
)
def test_what_a_change_plans(checkout: Checkout, changed: str, planned: set[str]) -> None:
    made = projects(checkout.root)
    assert {name for name, project in made.items() if plans(project, changed)} == planned


@pytest.mark.parametrize(
    "reads",
    [
        'output "notes" {\n  value = file("README.md")\n}\n',
        'output "notes" {\n  value = file("${path.module}/README.md")\n}\n',
        'output "notes" {\n  value = fileset(path.module, "*.md")\n}\n',
        'data "external" "notes" {\n  program = ["cat", "${path.module}/README.md"]\n}\n',
    ],
)
def test_a_document_that_terraform_reads_plans_its_stack(checkout: Checkout, reads: str) -> None:
    stack = checkout.root / "notebooks/notebook-dev"
    (stack / "README.md").write_text("# Notes\n")
    (stack / "notes.tf").write_text(reads)
    made = projects(checkout.root)
    changed = "notebooks/notebook-dev/README.md"
    found = {name for name, project in made.items() if plans(project, changed)}
    assert found == {"notebooks/notebook-dev"}


def test_the_common_values_plan_every_stack(checkout: Checkout) -> None:
    """They are links in each stack: git names what these lead to."""
    made = projects(checkout.root)
    assert all(plans(project, "common.auto.tfvars") for project in made.values())


def test_a_name_that_atlantis_refuses_is_refused_first(checkout: Checkout) -> None:
    write_stack(checkout.root, "notebooks/two words", "")
    with pytest.raises(UserError, match="takes no project with the name 'notebooks/two words'"):
        projects(checkout.root)
