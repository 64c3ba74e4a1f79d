"""A directory that was copied with its backend.tf: plain Terraform changes nothing in it."""

import shutil
from collections.abc import Callable
from typing import Any
from uuid import uuid4

import pytest

from tests.cli.conftest import Checkout
from tools.localcloud.client import environment

COMMANDS = [
    ("validate",),
    ("plan", "-refresh-only"),
    ("apply", "-auto-approve"),
    ("destroy", "-auto-approve"),
    ("destroy", "-auto-approve", "-refresh=false"),
    ("import", "aws_ssm_parameter.other", "other"),
]


@pytest.fixture
def original(attached: Checkout, client: Callable[..., Any]) -> tuple[Checkout, str]:
    """notebooks/one: the guard and a resource that is soon made, applied with a state in S3."""
    bucket = f"states-{uuid4().hex[:8]}"
    client("s3").create_bucket(Bucket=bucket)
    one = attached.root / "notebooks/one"
    one.mkdir()
    shutil.copy(attached.root / "notebooks/notebook-dev/versions.tf", one)
    (one / "main.tf").write_text(
        'module "common" {\n  source  = "../../modules/common"\n  project = "pp"\n'
        '  region  = "us-east-1"\n}\n'
        'provider "aws" {\n  default_tags {\n    tags = module.common.tags\n  }\n}\n'
        f'resource "aws_ssm_parameter" "one" {{\n  name  = "{bucket}"\n  type  = "String"\n'
        "  value = basename(abspath(path.root))\n}\n"
    )
    (one / "backend.tf").write_text(
        f'terraform {{\n  backend "s3" {{\n    bucket = "{bucket}"\n'
        '    key    = "ml-infra/notebooks/one/terraform.tfstate"\n'
        '    region = "us-east-1"\n  }\n}\n'
    )
    return attached, bucket


def terraform(checkout: Checkout, endpoint: str, stack: str, *command: str) -> str:
    """What it said; with its exit code before that."""
    options = ["-no-color"] if command[0] == "validate" else ["-no-color", "-input=false"]
    done = checkout.run(
        checkout.program, command[0], *options, *command[1:], cwd=stack, **environment(endpoint)
    )
    return f"{done.returncode} {done.stdout}{done.stderr}"


def test_plain_terraform_is_stopped_in_a_copy(
    original: tuple[Checkout, str], client: Callable[..., Any]
) -> None:
    checkout, bucket = original
    endpoint = client("s3").meta.endpoint_url
    assert terraform(checkout, endpoint, "notebooks/one", "init").startswith("0")
    assert terraform(checkout, endpoint, "notebooks/one", "apply", "-auto-approve").startswith("0")
    one, two = (checkout.root / "notebooks" / name for name in ("one", "two"))
    # With what init made: no init stops an apply in such a copy either.
    shutil.copytree(one, two, symlinks=True)
    with (two / "main.tf").open("a") as file:
        file.write(
            'resource "aws_ssm_parameter" "other" {\n  name = "o"\n  type = "String"\n'
            '  value = "v"\n}\n'
        )
    before = state(client, bucket)
    for command in COMMANDS:
        said = terraform(checkout, endpoint, "notebooks/two", *command)
        assert said.startswith("1 "), (command, said)
        said = " ".join(said.replace("│", "").split())
        assert "names the state of notebooks/one" in said, (command, said)
    assert state(client, bucket) == before
    parameter = client("ssm").get_parameter(Name=bucket)["Parameter"]
    assert (parameter["Value"], parameter["Version"]) == ("one", 1)

    # As the message says: without the copied files the copy is a stack of its own.
    (two / "backend.tf").unlink()
    shutil.rmtree(two / ".terraform")
    assert terraform(checkout, endpoint, "notebooks/two", "init").startswith("0")
    assert "2 to add" in terraform(checkout, endpoint, "notebooks/two", "plan")


def state(client: Callable[..., Any], bucket: str) -> tuple[str, bytes]:
    found = client("s3").get_object(Bucket=bucket, Key="ml-infra/notebooks/one/terraform.tfstate")
    return found["ETag"], found["Body"].read()
