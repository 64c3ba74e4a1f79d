"""What every root and module has, read from its files."""

import re
from pathlib import Path
from typing import Any

import pytest

from tests.trees import REPOSITORY
from tools.layout.repository import Repository

from .harness import Tree, roots
from .readme_tables import COMMAND, blocks, documented, parsed, renewed

TYPED_ONCE = ["project", "region", "state_bucket", "state_prefix"]
COMMON = "modules/common"
MODULES = ["bootstrap", "bootstrap/ci", *roots(), "modules/sagemaker-notebook"]
SHARED = [root for root in roots() if root.startswith("shared-infra/")]


def test_the_four_shared_roots() -> None:
    assert {"iam", "s3", "security-groups", "vpc-endpoints"} <= {Path(root).name for root in SHARED}


@pytest.mark.parametrize("root", roots())
def test_every_root_is_complete(root: str) -> None:
    directory = REPOSITORY / root
    files = {
        "main.tf",
        "outputs.tf",
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


def test_the_common_values_are_shown_and_none_is_set() -> None:
    text = (REPOSITORY / "common.auto.tfvars").read_text()
    assert parsed(text) == {}
    shown = parsed("\n".join(re.findall(r"^# (\w+ = .*)$", text, re.M)))
    assert sorted(shown) == TYPED_ONCE


def test_the_order_of_the_shared_stacks() -> None:
    upstream = {stack.name: stack.upstream for stack in Repository(REPOSITORY).stacks()}
    assert {root: upstream[root] for root in SHARED} == {
        "shared-infra/iam": ("shared-infra/s3",),
        "shared-infra/s3": (),
        "shared-infra/security-groups": (),
        "shared-infra/vpc-endpoints": ("shared-infra/security-groups",),
    }


@pytest.mark.parametrize("root", ["bootstrap", "bootstrap/ci", *roots()])
def test_every_root_gives_the_common_values_to_the_module_that_checks_them(root: str) -> None:
    call = blocks(REPOSITORY / root, "module")["common"]
    assert call["source"] == f"{'../' * (1 + root.count('/'))}modules/common"
    assert {name: call[name] for name in TYPED_ONCE} == {
        name: f"${{var.{name}}}" for name in TYPED_ONCE
    }


def test_the_shared_states_are_read_in_the_roots_own_region() -> None:
    """Where the bucket has to be (docs/state.md). The local cloud finds it from any region."""
    shared = blocks(REPOSITORY / COMMON, "data")["terraform_remote_state"]["shared"]
    assert "region = var.region}" in shared["config"]


@pytest.mark.parametrize("module", MODULES)
def test_versions(module: str) -> None:
    (terraform,) = parsed((REPOSITORY / module / "versions.tf").read_text())["terraform"]
    assert terraform["required_version"] == ">= 1.0"
    (providers,) = terraform["required_providers"]
    assert providers == {"aws": {"source": "hashicorp/aws", "version": ">= 5.0, < 7.0"}}


@pytest.mark.parametrize("root", ["bootstrap", "bootstrap/ci", *roots()])
def test_the_provider_reads_the_guard(root: str) -> None:
    """By its tags: what fails in a copy stops whatever configures the provider."""
    (provider,) = parsed((REPOSITORY / root / "main.tf").read_text())["provider"]
    assert provider["aws"]["region"] == "${var.region}"
    (default,) = provider["aws"]["default_tags"]
    assert "module.common.tags" in default["tags"]


def test_the_tags_of_all() -> None:
    tags = blocks(REPOSITORY / COMMON, "output")["tags"]["value"]
    assert tags["Project"] == "${var.project}"
    assert tags["ManagedBy"] == "terraform"
    assert tags["Stack"] == "${local.stack}"


@pytest.mark.parametrize("module", [*MODULES, COMMON])
@pytest.mark.parametrize("kind", ["variable", "output"])
def test_variables_and_outputs_are_described_and_sorted(module: str, kind: str) -> None:
    found = blocks(REPOSITORY / module, kind)
    assert list(found) == sorted(found)
    assert [name for name, body in found.items() if not body.get("description")] == []
    if kind == "variable":
        assert [name for name, body in found.items() if "any" in body["type"].split("(")] == []


@pytest.mark.parametrize("root", [*roots(), "bootstrap", "bootstrap/ci"])
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
