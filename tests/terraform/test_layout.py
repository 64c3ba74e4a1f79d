"""What every root and module has, read from its files."""

import re
from pathlib import Path
from typing import Any

import pytest

from tests.trees import REPOSITORY

from .harness import Tree, roots
from .readme_tables import COMMAND, blocks, documented, parsed, renewed

TYPED_ONCE = ["project", "region", "state_bucket", "state_prefix"]
MODULES = ["bootstrap", *roots(), "modules/sagemaker-notebook"]
SHARED = [root for root in roots() if root.startswith("shared-infra/")]


def test_the_four_shared_roots() -> None:
    assert {"iam", "s3", "security-groups", "vpc-endpoints"} <= {Path(root).name for root in SHARED}


@pytest.mark.parametrize("root", roots())
def test_every_root_is_complete(root: str) -> None:
    directory = REPOSITORY / root
    files = {
        "outputs.tf",
        "providers.tf",
        "variables.tf",
        "versions.tf",
        "terraform.tfvars.example",
    }
    assert files <= {path.name for path in directory.iterdir()}
    link = directory / "common.auto.tfvars"
    assert link.is_symlink()
    assert str(link.readlink()) == "../../common.auto.tfvars"


@pytest.mark.parametrize("root", SHARED)
def test_shared_roots_have_a_readme(root: str) -> None:
    assert (REPOSITORY / root / "README.md").is_file()


@pytest.mark.parametrize("root", roots())
def test_every_root_takes_what_is_typed_once(root: str) -> None:
    assert {*TYPED_ONCE} <= blocks(REPOSITORY / root, "variable").keys()


@pytest.mark.parametrize("name", TYPED_ONCE)
def test_shared_roots_agree_on_what_is_typed_once(name: str) -> None:
    declared = [blocks(REPOSITORY / root, "variable")[name] for root in SHARED]
    assert declared == declared[:1] * len(SHARED)


def test_the_common_example_has_what_is_typed_once() -> None:
    example = parsed((REPOSITORY / "common.auto.tfvars.example").read_text())
    assert sorted(example) == TYPED_ONCE


@pytest.mark.parametrize("root", SHARED)
def test_shared_roots_read_states_in_the_documented_places(root: str) -> None:
    for name, upstream in states(REPOSITORY / root).items():
        stack = f"shared-infra/{name.replace('_', '-')}"
        assert f"${{path.module}}/../{Path(stack).name}/terraform.tfstate" in upstream
        assert f'key = "${{var.state_prefix}}/{stack}/terraform.tfstate"' in upstream
        assert "region = var.region" in upstream
        assert "bucket = var.state_bucket" in upstream


def states(directory: Path) -> dict[str, str]:
    """The text of a root's remote states, by name."""
    upstream = directory / "upstream.tf"
    text = upstream.read_text() if upstream.is_file() else ""
    found = re.findall(r'^data "terraform_remote_state" "(\w+)" \{$(.*?)^}$', text, re.M | re.S)
    return dict(found)


def test_the_order_of_the_shared_stacks() -> None:
    assert {root: sorted(states(REPOSITORY / root)) for root in SHARED} == {
        "shared-infra/iam": ["s3"],
        "shared-infra/s3": [],
        "shared-infra/security-groups": [],
        "shared-infra/vpc-endpoints": ["security_groups"],
    }


@pytest.mark.parametrize("module", MODULES)
def test_versions(module: str) -> None:
    (terraform,) = parsed((REPOSITORY / module / "versions.tf").read_text())["terraform"]
    assert terraform["required_version"] == ">= 1.0"
    (providers,) = terraform["required_providers"]
    assert providers == {"aws": {"source": "hashicorp/aws", "version": ">= 5.0, < 7.0"}}


@pytest.mark.parametrize("root", roots())
def test_default_tags(root: str) -> None:
    (provider,) = parsed((REPOSITORY / root / "providers.tf").read_text())["provider"]
    assert provider["aws"]["region"] == "${var.region}"
    (default,) = provider["aws"]["default_tags"]
    tags = default["tags"]
    assert tags["Project"] == "${var.project}"
    assert tags["ManagedBy"] == "terraform"
    assert tags["Stack"] == "${local.stack}"


@pytest.mark.parametrize("module", MODULES)
@pytest.mark.parametrize("kind", ["variable", "output"])
def test_variables_and_outputs_are_described_and_sorted(module: str, kind: str) -> None:
    found = blocks(REPOSITORY / module, kind)
    assert list(found) == sorted(found)
    assert [name for name, body in found.items() if not body.get("description")] == []
    if kind == "variable":
        assert [name for name, body in found.items() if "any" in body["type"].split("(")] == []


@pytest.mark.parametrize("root", roots())
def test_the_example_shows_every_variable_with_its_default(root: str) -> None:
    example = (REPOSITORY / root / "terraform.tfvars.example").read_text()
    commented = "\n".join(re.findall(r"^# (\w+ += .*)$", example, re.M))
    variables = blocks(REPOSITORY / root, "variable")
    optional = {name: body["default"] for name, body in variables.items() if "default" in body}
    assert own(parsed(commented)) == own(optional)
    assert own(parsed(example)).keys() == own(variables).keys() - optional.keys()


def own(values: dict[str, Any]) -> dict[str, Any]:
    return {name: value for name, value in values.items() if name not in TYPED_ONCE}


@pytest.mark.parametrize("readme", documented(), ids=lambda path: path.parent.name)
def test_readme_tables_are_fresh(readme: Path) -> None:
    assert readme.read_text() == renewed(readme), f"renew them: {COMMAND}"


def test_formatted(planning: Tree) -> None:
    assert planning.format_complaints() == ""
