"""A team's repository on a stand-in for GitHub, and LocalStack in the place of AWS."""

import http.client
import json
import os
import subprocess
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any
from uuid import uuid4

import pytest

from tests.cli.conftest import user_env
from tests.faults.proxy import Proxy
from tests.remote_state.conftest import RESOURCE, VARIABLES
from tests.trees import copy_repository, empty_stacks, write_stack
from tools.localcloud.process import Running
from tools.terraform.binary import Terraform

from .api import Api, serving
from .jobs import Hub, link_environment

AUTHOR = {
    "GIT_AUTHOR_NAME": "a",
    "GIT_AUTHOR_EMAIL": "a@example.com",
    "GIT_COMMITTER_NAME": "a",
    "GIT_COMMITTER_EMAIL": "a@example.com",
}
READ = """\
data "terraform_remote_state" "{label}" {{
  backend = "s3"
  config = {{
    bucket = "{bucket}"
    key    = "ml-infra/{stack}/terraform.tfstate"
    region = "us-east-1"
  }}
}}
output "read_{label}" {{
  value = data.terraform_remote_state.{label}.outputs.value
}}
"""


@dataclass
class Team:
    """A working clone, from which commits are pushed, and the hub that runs workflows."""

    root: Path
    hub: Hub
    api: Api
    bucket: str
    client: Any
    front: "Front"

    def git(self, *arguments: str) -> str:
        return subprocess.run(
            ["git", *arguments],
            cwd=self.root,
            env={**os.environ, **AUTHOR},
            capture_output=True,
            text=True,
            check=True,
        ).stdout.strip()

    def write(self, stack: str, value: str, *reads: str) -> None:
        """A stack that reads others, with its state in the bucket."""
        backend = (
            f'terraform {{\n  backend "s3" {{\n    bucket = "{self.bucket}"\n'
            f'    key = "ml-infra/{stack}/terraform.tfstate"\n    region = "us-east-1"\n'
            "    use_lockfile = true\n  }\n}\n"
        )
        texts = [
            READ.format(label=other.split("/")[1], stack=other, bucket=self.bucket)
            for other in reads
        ]
        output = f'output "value" {{\n  value = "{value}"\n}}\n'
        folder = write_stack(self.root, stack, VARIABLES + RESOURCE + output + "".join(texts))
        (folder / "backend.tf").write_text(backend)
        link = folder / "common.auto.tfvars"
        if not link.is_symlink():
            link.symlink_to("../../common.auto.tfvars")

    def push(self, message: str, branch: str = "main") -> str:
        """Commits everything to `branch` on the hub; returns the commit.

        By force: `merge` has amended what the branch of an earlier pull request had.
        """
        self.git("add", "--all")
        self.git("commit", "-q", "--allow-empty", "-m", message)
        self.git("push", "-q", "--force", "origin", f"HEAD:refs/heads/{branch}")
        return self.git("rev-parse", "HEAD")

    def pull_request(self, message: str = "change", repository: str = "acme/notebooks") -> str:
        """Commits as the merge of a pull request, and runs its workflow; returns the commit."""
        commit = self.push(message, "change")
        request = {"number": 7, "head": {"repo": {"full_name": repository}}}
        self.hub.run("notebooks-plan", commit, {"pull_request": request})
        return commit

    def merge(self, **inputs: Any) -> str:
        """Merges by another commit of the same files, and runs the workflow of merges."""
        self.git("commit", "-q", "--amend", "--allow-empty", "-m", "merged")
        self.git("push", "-q", "--force", "origin", "HEAD:refs/heads/main")
        commit = self.git("rev-parse", "HEAD")
        self.hub.run("notebooks-deploy", commit, {}, **inputs)
        return commit

    def value(self, stack: str, name: str = "value") -> Any:
        """An output in the state of a stack; None if there is no state."""
        s3 = self.client("s3")
        try:
            key = f"ml-infra/{stack}/terraform.tfstate"
            text = s3.get_object(Bucket=self.bucket, Key=key)["Body"].read()
        except s3.exceptions.NoSuchKey:
            return None
        return json.loads(text)["outputs"].get(name, {}).get("value")


class Front(Proxy):
    """Passes requests for another host on to the emulator, which refuses them itself."""

    def _forward(
        self, service: str, method: str, path: str, headers: dict[str, str], body: bytes
    ) -> tuple[http.client.HTTPResponse, bytes]:
        headers = {name: v for name, v in headers.items() if name.lower() != "host"}
        headers["Host"] = self._upstream.netloc
        return super()._forward(service, method, path, headers, body)


@pytest.fixture
def front(local_cloud: Running) -> Iterator[Front]:
    with Front(local_cloud.endpoint) as front:
        yield front


@pytest.fixture
def team(
    front: "Front", terraform: Terraform, client: Callable[..., Any], tmp_path: Path
) -> Iterator[Team]:
    """Two stacks in two waves, applied by nobody yet, with the pipeline of GitHub."""
    bucket = f"states-{uuid4().hex[:8]}"
    client("s3").create_bucket(Bucket=bucket)
    client("s3").put_bucket_versioning(Bucket=bucket, VersioningConfiguration={"Status": "Enabled"})
    root = copy_repository(tmp_path / "work")
    empty_stacks(root)
    (root / "common.auto.tfvars").write_text(
        f'project = "acme-ml"\nregion = "us-east-1"\nstate_bucket = "{bucket}"\n'
    )
    env = {
        **user_env(terraform),
        # Leads to this machine, and `tools` does not refuse it as an emulator's.
        "AWS_ENDPOINT_URL": f"http://0.0.0.0:{front.port}",
        "AWS_ACCESS_KEY_ID": "test",
        "AWS_MAX_ATTEMPTS": "3",
        "CHECKPOINT_DISABLE": "1",
    }
    bare, folder = tmp_path / "hub.git", tmp_path / "jobs"
    folder.mkdir()
    subprocess.run(["git", "init", "-q", "--bare", str(bare)], check=True)
    subprocess.run(["git", "init", "-q", "-b", "main", str(root)], check=True)
    link_environment(root)
    with serving() as api:
        made = Team(root, Hub(bare, env, api.url, folder), api, bucket, client, front)
        made.git("remote", "add", "origin", str(bare))
        made.write("shared-infra/a", "one")
        made.write("notebooks/n", "n", "shared-infra/a")
        subprocess.run(
            [".venv/bin/tools", "ci", "github"], cwd=root, env=env, check=True, capture_output=True
        )
        made.push("first")
        yield made
