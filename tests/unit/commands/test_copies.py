"""A directory copied by hand with its backend.tf: every command says so, and how to mend it."""

import shutil
from pathlib import Path

import pytest

from tests.trees import empty_stacks
from tests.unit.commands.conftest import Checkout
from tools import cli
from tools.state.backend import Backend

# What works on no stack of the repository.
WITHOUT_STACKS = {"completion", "init", "local", "merge-reports"}
STARTS_LOCALSTACK = {"demo"}  # tests/cli/test_deploy.py
ARGUMENTS = {
    "adopt": ["one"],
    "ci": ["atlantis"],
    "explain-access": ["one"],
    "import": ["--scan"],
    "logs": ["one"],
    "migrate": ["."],
    "new-notebook": ["three"],
    "open": ["one"],
    "start": ["one"],
    "state": ["list"],
    "stop": ["one"],
}


@pytest.fixture
def copied(checkout: Checkout) -> Checkout:
    (checkout.root / "common.auto.tfvars").write_text('project = "p"\nregion = "us-east-1"\n')
    empty_stacks(checkout.root)
    one = checkout.root / "notebooks/one"
    one.mkdir()
    (one / "main.tf").write_text("")
    there = Backend("states", "us-east-1", "file")
    (one / "backend.tf").write_text(there.text("notebooks/one"))
    shutil.copytree(one, checkout.root / "notebooks/two")
    return checkout


@pytest.mark.parametrize(
    "name", sorted(set(cli.COMMANDS) - WITHOUT_STACKS - STARTS_LOCALSTACK - {"rename-notebook"})
)
def test_every_command_refuses(copied: Checkout, name: str) -> None:
    done = copied.tools(name, *ARGUMENTS.get(name, []))
    assert done.returncode == 1
    assert done.stderr.startswith(
        "error: notebooks/two/backend.tf names the state of notebooks/one: notebooks/two is a copy"
    )
    assert "delete backend.tf and .terraform in notebooks/two, then: tools state enable" in (
        done.stderr
    )
    assert not (copied.root / "notebooks/three").exists()


def test_one_whose_original_has_gone_may_have_been_renamed(copied: Checkout) -> None:
    shutil.rmtree(copied.root / "notebooks/one")
    said = copied.tools("graph").stderr
    assert "if it was renamed: tools rename-notebook one two; if it is a copy: delete" in said


def test_keys_of_no_stack_are_compared_too(copied: Checkout) -> None:
    for name in ("one", "two"):
        write_key(copied.root / "notebooks" / name, "teams/shared.tfstate")
    said = copied.tools("graph").stderr
    assert "notebooks/two and notebooks/one hold the same state: one is a copy, and an" in said
    assert "in the copy, delete backend.tf and .terraform, then: tools state enable (" in said
    write_key(copied.root / "notebooks/two", "teams/two.tfstate")
    assert copied.tools("graph").returncode == 0


def write_key(directory: Path, key: str) -> None:
    text = (
        f'terraform {{\n  backend "s3" {{\n    bucket = "states"\n    key    = "{key}"\n  }}\n}}\n'
    )
    (directory / "backend.tf").write_text(text)
