"""A team's repository: a few small stacks, deployed, and a bucket for their states."""

import json
import re
import shutil
import subprocess
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any
from uuid import uuid4

import pytest

from tests import warm
from tests.cli.conftest import (
    Checkout,
    attach,
    attached,
    checkout,
    kept_provider,
    small,
    user_env,
)
from tests.faults.proxy import Call, Proxy, Refusal
from tests.keeper import kept_env
from tests.trees import copy_repository, empty_stacks, write_stack
from tools.localcloud.process import Running
from tools.terraform.binary import Terraform

__all__ = ["attached", "checkout", "kept_provider", "small"]

UPSTREAM = "shared-infra/a"
READER = "notebooks/n"
NEVER = "notebooks/never"

VARIABLES = (
    'variable "state_bucket" {\n  default = null\n}\n'
    'variable "state_prefix" {\n  default = "ml-infra"\n}\n'
    'variable "project" {}\nvariable "region" {}\n'
)
RESOURCE = 'resource "terraform_data" "this" {\n  input = "x"\n}\n'
_READ = (
    'data "terraform_remote_state" "a" {\n'
    '  backend = var.state_bucket == null ? "local" : "s3"\n  config = {\n'
    '    local = { path = "${path.module}/../../shared-infra/a/terraform.tfstate" }\n'
    '    s3    = { bucket = var.state_bucket, key = "${var.state_prefix}/shared-infra/a/'
    'terraform.tfstate", region = var.region }\n'
    '  }[var.state_bucket == null ? "local" : "s3"]\n}\n'
    'output "read" {\n  value = data.terraform_remote_state.a.outputs.value\n}\n'
)


@dataclass(frozen=True)
class Team(Checkout):
    """A checkout whose local cloud holds `bucket`, versioned."""

    bucket: str
    client: Callable[..., Any]

    @property
    def work(self) -> Path:
        """Where Terraform runs."""
        return self.root / ".tools/local/workspace"

    def ok(self, *arguments: str) -> str:
        """Runs `tools`; what it said, on both streams."""
        done = self.tools(*arguments, "--local")
        assert done.returncode == 0, done.stdout + done.stderr
        return done.stdout + done.stderr

    def refused(self, *arguments: str) -> str:
        """Runs `tools`, which has to end in one clear error; the error."""
        done = self.tools(*arguments, "--local")
        assert done.returncode == 1, done.stdout + done.stderr
        assert "Traceback" not in done.stderr
        (error,) = re.findall(r"^error: (.*)$", done.stderr, re.MULTILINE)
        return str(error)

    def killed_at(self, step: int, *arguments: str) -> "subprocess.CompletedProcess[str]":
        """Runs `tools`, killed before its `step` (killed.py), unless it ends first."""
        command = (str(step), *arguments, "--local")
        return warm.run(command, self.root, self.env, "tests.remote_state.killed:main")

    def enable(self, *options: str) -> str:
        return self.ok("state", "enable", "--bucket", self.bucket, *options)

    def key(self, stack: str) -> str:
        return f"ml-infra/{stack}/terraform.tfstate"

    def local(self, stack: str) -> bytes | None:
        """The state in the stack's folder."""
        path = self.work / stack / "terraform.tfstate"
        return path.read_bytes() if path.exists() else None

    def remote(self, stack: str) -> bytes | None:
        """The state in the bucket."""
        return self.object(self.key(stack))

    def object(self, key: str) -> bytes | None:
        s3 = self.client("s3")
        try:
            return bytes(s3.get_object(Bucket=self.bucket, Key=key)["Body"].read())
        except s3.exceptions.NoSuchKey:
            return None

    def stored(self) -> list[str]:
        found = self.client("s3").list_objects_v2(Bucket=self.bucket).get("Contents", [])
        return [one["Key"] for one in found]

    def deploy(self) -> None:
        self.ok("deploy")

    @contextmanager
    def refusing(self, call: Call, refusal: Refusal) -> Iterator[None]:
        """Inside, AWS refuses `call`: the emulator knows no permissions, nor other accounts."""
        noted = self.root / ".tools/local/localstack.json"
        before = noted.read_text()
        with Proxy(f"http://127.0.0.1:{json.loads(before)['port']}") as proxy:
            proxy.before = lambda one: refusal if one == call else None
            noted.write_text(json.dumps({**json.loads(before), "port": proxy.port}))
            yield
            assert call in proxy.calls
        noted.write_text(before)

    def snapshot(self) -> Callable[[], None]:
        """What brings the working copy and the bucket back to what they are now."""
        kept = self.root / f"kept-{uuid4().hex[:8]}"
        shutil.copytree(self.work, kept, symlinks=True)
        objects = {key: self.object(key) for key in self.stored()}

        def restore() -> None:
            shutil.rmtree(self.work)
            shutil.copytree(kept, self.work, symlinks=True)
            for key in self.stored():
                self.client("s3").delete_object(Bucket=self.bucket, Key=key)
            for key, content in objects.items():
                self.client("s3").put_object(Bucket=self.bucket, Key=key, Body=content)

        return restore

    def no_changes(self) -> None:
        """The plan of every stack that was applied, asked of Terraform, is empty."""
        said = self.ok("plan", "--refresh", "--detailed-exitcode", UPSTREAM, READER)
        assert "2 of 2 stacks: no changes" in said

    def output(self, stack: str) -> Any:
        """What the state says that the stack has read of its upstream one."""
        text = self.remote(stack) or self.local(stack)
        assert text
        return json.loads(text)["outputs"]["read"]["value"]


@pytest.fixture(scope="session")
def deployed_small(
    local_cloud: Running, terraform: Terraform, tmp_path_factory: pytest.TempPathFactory
) -> Path:
    """A checkout with the stacks of `deploy_small`, for each test to copy."""
    root = copy_repository(tmp_path_factory.mktemp("small") / "repository")
    empty_stacks(root)
    made = Checkout(root, user_env(terraform))
    attach(made, local_cloud)
    deploy_small(made)
    return root


@pytest.fixture
def team(
    deployed_small: Path, terraform: Terraform, client: Callable[..., Any], tmp_path: Path
) -> Team:
    """Two applied stacks, one of which reads the other, and one that was never applied."""
    bucket = f"states-{uuid4().hex[:8]}"
    make_bucket(client, bucket)
    root = shutil.copytree(deployed_small, tmp_path / "repository", symlinks=True)
    return Team(root, user_env(terraform), bucket, client)


@pytest.fixture
def team_with_kept_provider(team: Team, kept_terraform: Terraform) -> Team:
    """For stacks with resources of AWS: the provider keeps running (tests.keeper)."""
    team.env.update(kept_env(kept_terraform))
    return team


def deploy_small(checkout: Checkout) -> None:
    """Two stacks in the local cloud of `checkout`, and one that is not applied."""
    write_upstream(checkout, "one")
    write(checkout, READER, VARIABLES + RESOURCE + _READ)
    deployed = checkout.tools("deploy", "--local")
    assert deployed.returncode == 0, deployed.stderr
    write(checkout, NEVER, VARIABLES + RESOURCE)


def make_bucket(client: Callable[..., Any], name: str, versioned: bool = True) -> None:
    s3 = client("s3")
    s3.create_bucket(Bucket=name)
    if versioned:
        s3.put_bucket_versioning(Bucket=name, VersioningConfiguration={"Status": "Enabled"})


def write_upstream(team: Checkout, value: str) -> None:
    output = f'output "value" {{\n  value = "{value}"\n}}\n'
    write(team, UPSTREAM, VARIABLES + RESOURCE + output)


def write(team: Checkout, stack: str, text: str) -> None:
    """A stack that takes what is typed once."""
    link = write_stack(team.root, stack, text) / "common.auto.tfvars"
    if not link.is_symlink():
        link.symlink_to("../../common.auto.tfvars")


def copy_by_hand(team: Team, old: str, new: str) -> None:
    """As a user copies a notebook in the local cloud's working copy: with all that is in it."""
    shutil.copytree(team.work / old, team.work / new, symlinks=True)
    (team.work / new / ".from-repository").unlink()
