"""Providers that keep running through a run of `tools`: what is made is what would be without."""

import json
import os
import re
import secrets
import shutil
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import psutil
import pytest

from tests.cli.conftest import Checkout, attach, user_env
from tests.faults.fleet import ended
from tests.faults.proxy import Call, Proxy, Refusal
from tests.trees import copy_repository, empty_stacks, write_stack
from tools.localcloud.process import REQUESTS_VARIABLE, Running
from tools.system.processes import start_time
from tools.terraform.binary import Terraform

# One reads another's output: a chain and a stack beside it, in two regions.
STACKS = {"shared-infra/a": "us-east-1", "notebooks/b": "eu-north-1", "notebooks/c": "us-east-1"}
TEXT = """
terraform {
  required_providers {
    aws = { source = "hashicorp/aws" }
  }
}
provider "aws" {
  region = "REGION"
  default_tags {
    tags = { Stack = "STACK" }
  }
}
resource "aws_ssm_parameter" "one" {
  name  = "/PREFIX/STACK/one"
  type  = "String"
  value = UPSTREAM
}
resource "aws_ssm_parameter" "two" {
  name  = "/PREFIX/STACK/two"
  type  = "String"
  value = aws_ssm_parameter.one.arn
  tags  = { Own = "STACK" }
}
output "tags" {
  value = jsonencode(aws_ssm_parameter.two.tags_all)
}
"""
READS = """
data "terraform_remote_state" "a" {
  backend = "local"
  config  = { path = "${path.module}/../../shared-infra/a/terraform.tfstate" }
}
"""


class Place:
    """A checkout whose cloud is behind a proxy, and the warm providers that were seen at work."""

    def __init__(self, checkout: Checkout, proxy: Proxy) -> None:
        self.checkout = checkout
        self.proxy = proxy
        self.pid = 0
        self.providers: set[int] = set()
        proxy.before = self._look

    def _look(self, call: Call) -> Refusal | None:
        if self.pid and call.action in ("PutParameter", "CreateSecurityGroup"):
            self.providers.update(p.pid for p in self.warm())
        return None

    def warm(self) -> list[psutil.Process]:
        """The providers that `tools` keeps: each is the child of a guard of its own."""
        guards = psutil.Process(self.pid).children()
        children = [child for guard in guards for child in guard.children()]
        return [child for child in children if child.cmdline()[-1:] == ["-debug"]]

    def write(self, prefix: str) -> None:
        for name, region in STACKS.items():
            reads = name == "notebooks/b"
            value = "data.terraform_remote_state.a.outputs.tags" if reads else '"x"'
            text = TEXT.replace("PREFIX", prefix).replace("STACK", name.split("/")[1])
            text = text.replace("REGION", region).replace("UPSTREAM", value)
            write_stack(self.checkout.root, name, text + READS * reads)

    def deploy(self, *options: str) -> str:
        process = self.checkout.start("deploy", "--local", "--jobs", "2", *options)
        self.pid = process.pid
        output = ended(process)
        assert process.returncode == 0, output
        return output

    def states(self, prefix: str) -> dict[str, Any]:
        work = self.checkout.root / ".tools/local/workspace"
        texts = {name: (work / name / "terraform.tfstate").read_text() for name in STACKS}
        states = {name: json.loads(text.replace(prefix, "P")) for name, text in texts.items()}
        return {name: _ordered({**state, "lineage": ""}) for name, state in states.items()}

    def forget(self) -> None:
        shutil.rmtree(self.checkout.root / ".tools/local/workspace")


def requests(prefix: str) -> list[str]:
    """What the emulator was asked about `prefix`, with region and tags, in no order."""
    lines = Path(os.environ[REQUESTS_VARIABLE]).read_text().splitlines()
    about = [json.loads(line.replace(prefix, "P")) for line in lines if prefix in line]
    return sorted(json.dumps(_ordered(request), sort_keys=True) for request in about)


def _ordered(value: Any) -> Any:
    """`value` with its lists sorted: the provider writes tags and the like in any order."""
    if isinstance(value, dict):
        return {key: _ordered(item) for key, item in value.items()}
    if isinstance(value, list):
        return sorted(map(_ordered, value), key=lambda item: json.dumps(item, sort_keys=True))
    return value


@pytest.fixture
def shipped(tmp_path: Path, terraform: Terraform, local_cloud: Running) -> Iterator[Place]:
    """The stacks of the repository."""
    root = copy_repository(tmp_path / "repository")
    with Proxy(local_cloud.endpoint) as proxy:
        checkout = Checkout(root, user_env(terraform))
        attach(checkout, Running(local_cloud.pid, proxy.port))
        yield Place(checkout, proxy)


@pytest.fixture
def place(shipped: Place) -> Place:
    """The stacks that a test writes, and no others."""
    empty_stacks(shipped.checkout.root)
    return shipped


@pytest.mark.nightly
def test_states_and_requests_are_those_of_providers_that_start_anew(place: Place) -> None:
    cold, warm = (f"p{secrets.token_hex(4)}" for _ in range(2))
    place.write(cold)
    place.deploy("--no-warm-providers")
    assert not place.providers
    expected = place.states(cold)
    assert json.loads(expected["notebooks/b"]["outputs"]["tags"]["value"]) == {
        "Own": "b",
        "Stack": "b",
    }
    place.forget()
    place.write(warm)
    place.deploy()
    assert len(place.providers) == 2  # three stacks in two lanes
    assert place.states(warm) == expected
    assert requests(warm) == requests(cold) != []
    assert not any(map(start_time, place.providers))


@pytest.mark.nightly
def test_a_shipped_stack_has_them(shipped: Place) -> None:
    # The oracle is the list of processes, while the emulator is asked. What the other stacks say of
    # files is compared with this in tests/unit/terraform/test_warm.py.
    output = shipped.deploy("shared-infra/security-groups")
    assert len(shipped.providers) == 1, output


def test_a_provider_that_dies_fails_its_stack_and_not_the_run(place: Place) -> None:
    place.write(f"p{secrets.token_hex(4)}")
    killed: list[int] = []

    def kill_once(call: Call) -> Refusal | None:
        # The first is of notebooks/c or shared-infra/a, whose provider is not told from the other.
        if call.action == "PutParameter" and not killed:
            provider = place.warm()[0]
            killed.append(provider.pid)
            provider.kill()
        return None

    place.proxy.after = kill_once
    process = place.checkout.start("deploy", "--local", "--jobs", "2")
    place.pid = process.pid
    output = ended(process)
    assert process.returncode == 1, output
    failed = re.findall(r"^(\S+/\S+) +failed +.*$", output, re.MULTILINE)
    applied = re.findall(r"^(\S+/\S+) +applied", output, re.MULTILINE)
    assert len(failed) == 1
    # The stack beside it, which the other lane worked on, and the reader unless it read the failed.
    assert len(applied) == (1 if failed == ["shared-infra/a"] else 2), output
    assert not any(map(start_time, [*place.providers, *killed]))
