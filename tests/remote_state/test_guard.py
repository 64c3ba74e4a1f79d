"""A directory that was copied with another root's state: plain Terraform changes nothing in it."""

import json
import shutil
from collections.abc import Callable, Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any
from uuid import uuid4

import pytest

from tests.cli.conftest import Checkout
from tests.keeper import kept, kept_env
from tests.terraform_1_0 import find_terraform_1_0
from tools.localcloud.client import environment
from tools.terraform.binary import Terraform

COMMANDS = [
    ("validate",),
    ("plan", "-refresh-only"),
    ("apply", "-auto-approve"),
    ("destroy", "-auto-approve"),
    ("destroy", "-auto-approve", "-refresh=false"),
    ("import", "aws_ssm_parameter.other", "other"),
]
COMMON = (
    'module "common" {\n  source  = "../../modules/common"\n  project = "pp"\n'
    '  region  = "us-east-1"\n}\n'
    'provider "aws" {\n  default_tags {\n    tags = module.common.tags\n  }\n}\n'
)
OTHER = (
    'resource "aws_ssm_parameter" "other" {\n  name = "o"\n  type = "String"\n  value = "v"\n}\n'
)
# As a user wrote it, in versions.tf.
BACKEND = """\
terraform {
  backend "s3" {
    bucket         = "my-terraform-state-bucket"
    key            = "ml-infra/notebooks/one/terraform.tfstate"
    region         = "us-east-1"
    encrypt        = true
    dynamodb_table = "terraform-locks"
  }
}
"""
IN_JSON = json.dumps(
    {"terraform": [{"backend": {"s3": {"key": "ml-infra/notebooks/one/terraform.tfstate"}}}]}
)


@pytest.fixture
def one(attached: Checkout) -> tuple[Checkout, str]:
    """notebooks/one: the guard and a parameter that is soon made; the parameter's name."""
    name = f"states-{uuid4().hex[:8]}"
    directory = attached.root / "notebooks/one"
    directory.mkdir()
    shutil.copy(attached.root / "notebooks/notebook-dev/versions.tf", directory)
    (directory / "main.tf").write_text(
        f'{COMMON}resource "aws_ssm_parameter" "one" {{\n  name  = "{name}"\n  type  = "String"\n'
        "  value = basename(abspath(path.root))\n}\n"
    )
    return attached, name


@pytest.fixture(scope="module")
def kept_1_0() -> Iterator[Terraform]:
    with kept(find_terraform_1_0({})) as found:
        yield found


@pytest.fixture(params=[pytest.param("1.0.3", marks=pytest.mark.nightly), "the user's"])
def either(request: pytest.FixtureRequest, one: tuple[Checkout, str]) -> tuple[Checkout, str]:
    """notebooks/one, for the oldest Terraform and for the newest that is here."""
    fixture = "kept_1_0" if request.param == "1.0.3" else "kept_terraform"
    kept = kept_env(request.getfixturevalue(fixture))
    checkout, name = one
    return replace(checkout, env={**checkout.env, **kept}), name


def terraform(checkout: Checkout, endpoint: str, stack: str, *command: str) -> str:
    """What it said; with its exit code before that."""
    options = ["-no-color"] if command[0] == "validate" else ["-no-color", "-input=false"]
    done = checkout.run(
        checkout.program, command[0], *options, *command[1:], cwd=stack, **environment(endpoint)
    )
    said = " ".join(f"{done.stdout}{done.stderr}".replace("│", "").split())
    return f"{done.returncode} {said}"


@pytest.mark.nightly
@pytest.mark.usefixtures("kept_provider")
def test_plain_terraform_is_stopped_in_a_copy_with_the_backend_block(
    one: tuple[Checkout, str], client: Callable[..., Any]
) -> None:
    checkout, name = one
    endpoint = client("s3").meta.endpoint_url
    client("s3").create_bucket(Bucket=name)
    original = checkout.root / "notebooks/one"
    (original / "backend.tf").write_text(
        f'terraform {{\n  backend "s3" {{\n    bucket = "{name}"\n'
        '    key    = "ml-infra/notebooks/one/terraform.tfstate"\n'
        '    region = "us-east-1"\n  }\n}\n'
    )
    assert terraform(checkout, endpoint, "notebooks/one", "init").startswith("0")
    assert terraform(checkout, endpoint, "notebooks/one", "apply", "-auto-approve").startswith("0")
    # With what init made: no init stops an apply in such a copy either.
    two = copied(original, checkout.root / "notebooks/two")
    before = in_bucket(client, name)
    for command in COMMANDS:
        said = terraform(checkout, endpoint, "notebooks/two", *command)
        assert said.startswith("1 "), (command, said)
        assert "two has a backend block that names the state of notebooks/one" in said, said
    assert in_bucket(client, name) == before
    assert parameter(client, name) == ("one", 1)

    # As the message says: without the copied files the copy is a stack of its own.
    (two / "backend.tf").unlink()
    shutil.rmtree(two / ".terraform")
    assert terraform(checkout, endpoint, "notebooks/two", "init").startswith("0")
    assert "2 to add" in terraform(checkout, endpoint, "notebooks/two", "plan")


def test_plain_terraform_is_stopped_in_a_copy_with_the_state(
    either: tuple[Checkout, str], client: Callable[..., Any]
) -> None:
    checkout, name = either
    endpoint = client("s3").meta.endpoint_url
    original = checkout.root / "notebooks/one"

    def ok(*command: str) -> None:
        said = terraform(checkout, endpoint, "notebooks/one", *command)
        assert said.startswith("0 "), (command, said)

    # What the guard reads is written meanwhile: a first apply, a saved plan, a change.
    ok("init")
    ok("apply", "-auto-approve")
    with (original / "main.tf").open("a") as file:
        file.write(OTHER.replace("other", "more").replace('"o"', f'"{name}-more"'))
    ok("plan", "-out=saved.tfplan")
    ok("apply", "saved.tfplan")
    state = (original / "terraform.tfstate").read_bytes()

    two = copied(original, checkout.root / "notebooks/two")
    for command in (COMMANDS[0], COMMANDS[2], COMMANDS[4], COMMANDS[5]):
        said = terraform(checkout, endpoint, "notebooks/two", *command)
        assert said.startswith("1 "), (command, said)
        assert "two has terraform.tfstate, the state of notebooks/one" in said, (command, said)
    assert (two / "terraform.tfstate").read_bytes() == state
    assert parameter(client, name) == ("one", 1)

    # As the message says, for a copy:
    for file in (*two.glob("terraform.tfstate*"), two / "saved.tfplan"):
        file.unlink()
    assert "3 to add" in terraform(checkout, endpoint, "notebooks/two", "plan")

    # A directory that was renamed by hand:
    original.rename(checkout.root / "notebooks/three")
    said = terraform(checkout, endpoint, "notebooks/three", "apply", "-auto-approve")
    assert said.startswith("1 "), said
    assert "run `tools rename-notebook one three`" in said, said
    (checkout.root / "notebooks/three").rename(original)
    ok("destroy", "-auto-approve")


@pytest.mark.parametrize(
    ("file", "text"),
    [
        ("versions.tf", BACKEND),
        pytest.param("backend.tf.json", IN_JSON, marks=pytest.mark.nightly),
    ],
)
def test_a_backend_block_counts_in_any_file(
    either: tuple[Checkout, str], client: Callable[..., Any], file: str, text: str
) -> None:
    checkout, _ = either
    endpoint = client("s3").meta.endpoint_url
    assert terraform(checkout, endpoint, "notebooks/one", "init").startswith("0")
    (checkout.root / "notebooks/one" / file).write_text(text)
    assert terraform(checkout, endpoint, "notebooks/one", "validate").startswith("0")
    (checkout.root / "notebooks/one").rename(checkout.root / "notebooks/two")
    said = terraform(checkout, endpoint, "notebooks/two", "validate")
    assert said.startswith("1 "), said
    assert "has a backend block that names the state of notebooks/one" in said, said


def test_a_state_counts_wherever_a_workspace_or_a_block_has_it(
    either: tuple[Checkout, str], client: Callable[..., Any]
) -> None:
    checkout, _ = either
    endpoint = client("s3").meta.endpoint_url
    directory = checkout.root / "notebooks/one"
    assert terraform(checkout, endpoint, "notebooks/one", "init").startswith("0")
    # As Terraform leaves it after `terraform workspace select`, which a copy takes along.
    (directory / ".terraform/environment").write_text("x")
    state = directory / "terraform.tfstate.d/x/terraform.tfstate"
    state.parent.mkdir(parents=True)
    state.write_text('{"tags_all": {"Stack": "shared-infra/other"}}')
    said = terraform(checkout, endpoint, "notebooks/one", "validate")
    assert said.startswith("1 "), said
    assert "has terraform.tfstate.d/x/terraform.tfstate, the state of shared-infra/other" in said
    assert "delete terraform.tfstate.d and .terraform" in said
    # No command renames a shared stack.
    assert "After a renaming, give the directory its old name back" in said

    (directory / ".terraform/environment").unlink()
    assert terraform(checkout, endpoint, "notebooks/one", "validate").startswith("0")
    (directory / "versions.tf").write_text(
        'terraform {\n  backend "local" {\n    path = "../other.tfstate"\n  }\n}\n'
    )
    state.write_text('{"tags_all": {"Stack": "notebooks/other"}}')
    state.rename(checkout.root / "notebooks/other.tfstate")
    said = terraform(checkout, endpoint, "notebooks/one", "validate")
    assert said.startswith("1 "), said
    assert "In a copy, delete that block and .terraform." in said


def copied(directory: Path, target: Path) -> Path:
    shutil.copytree(directory, target, symlinks=True)
    with (target / "main.tf").open("a") as file:
        file.write(OTHER)
    return target


def in_bucket(client: Callable[..., Any], bucket: str) -> tuple[str, bytes]:
    found = client("s3").get_object(Bucket=bucket, Key="ml-infra/notebooks/one/terraform.tfstate")
    return found["ETag"], found["Body"].read()


def parameter(client: Callable[..., Any], name: str) -> tuple[str, int]:
    found = client("ssm").get_parameter(Name=name)["Parameter"]
    return found["Value"], found["Version"]
