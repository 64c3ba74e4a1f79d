"""A small fleet to break: its stacks, the points at which a run stops, and what must be true after.

A "quick" stack makes files through a built-in resource, so that a run of it costs half a second
and the folder is its cloud; an "aws" stack makes what is soon made in AWS.
"""

import json
import os
import re
import signal
import subprocess
import threading
import time
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Literal

from tests.cli.conftest import Checkout
from tests.faults.proxy import Call, Proxy, Refusal, passing_errors
from tests.trees import write_stack
from tools.system import processes
from tools.terraform.binary import Terraform

STACK = "notebooks/n"
SECONDS = 600  # for what takes a few; a condition that never comes true must not hang the suite

Moment = Literal["before", "after"]
Held = set[tuple[str, str]]  # type and name of what exists


@dataclass(frozen=True)
class Fleet(Checkout):
    """A checkout whose cloud is behind `proxy`; what it makes begins with `name`."""

    proxy: Proxy
    name: str
    client: Callable[..., Any]
    terraform: Terraform

    @property
    def work(self) -> Path:
        return self.root / ".tools/local/workspace" / STACK

    @property
    def logs(self) -> Path:
        return self.root / ".tools/local/logs"

    @property
    def made(self) -> Path:
        """The folder that is a quick stack's cloud."""
        return self.root / "made"

    @property
    def bucket(self) -> str:
        return f"{self.name}-states"

    def write_quick(self, resources: int = 3, in_s3: bool = False, version: int = 1) -> None:
        """One stack that makes files in turn. Another `version` makes them again."""
        self.made.mkdir(exist_ok=True)
        text = "".join(
            f'resource "terraform_data" "r{number}" {{\n'
            f'  input            = "{self.made}/r{number}"\n'
            f"  triggers_replace = {version}\n"
            f"  depends_on       = [{f'terraform_data.r{number - 1}' if number else ''}]\n"
            '  provisioner "local-exec" {\n'
            f'    command = "touch ${{self.input}}; {Barrier(self.root, f"r{number}").pause}"\n'
            "  }\n"
            '  provisioner "local-exec" {\n'
            "    when    = destroy\n"
            '    command = "rm -f ${self.output}"\n'
            "  }\n}\n"
            for number in range(resources)
        )
        write_stack(self.root, STACK, (self._backend() if in_s3 else "") + text)

    def write_other(self) -> None:
        """A second stack, notebooks/z, which holds nothing but an output."""
        write_stack(self.root, "notebooks/z", 'output "x" {\n  value = "x"\n}\n')

    def _backend(self) -> str:
        s3 = self.client("s3")
        if self.bucket not in (found["Name"] for found in s3.list_buckets()["Buckets"]):
            s3.create_bucket(Bucket=self.bucket)
        # Not in a file called backend.tf, which the local cloud's copy of a stack leaves out.
        return (
            'terraform {\n  backend "s3" {\n'
            f'    bucket       = "{self.bucket}"\n'
            f'    key          = "{STACK}/terraform.tfstate"\n'
            '    region       = "us-east-1"\n'
            "    use_lockfile = true\n  }\n}\n"
        )

    def write_aws(self, notebook: bool = False) -> None:
        """One stack of what AWS makes at once; with a `notebook`, one of these too."""
        text = _AWS.replace("NAME", self.name)
        write_stack(self.root, STACK, text + (_NOTEBOOK.replace("NAME", self.name) * notebook))

    def write_instance(self) -> None:
        """One stack of one notebook instance, with somebody's role, that `tools status` knows."""
        service = '"Principal": {"Service": "sagemaker.amazonaws.com"}'
        allow = f'{{"Effect": "Allow", "Action": "sts:AssumeRole", {service}}}'
        trust = f'{{"Version": "2012-10-17", "Statement": [{allow}]}}'
        made = self.client("iam").create_role(
            RoleName=f"of-{self.name}", AssumeRolePolicyDocument=trust
        )
        role = made["Role"]["Arn"]
        head = _AWS[: _AWS.index('resource "aws_iam_role"')]
        body = re.sub(r"aws_iam_role\.\S+", f'"{role}"', _NOTEBOOK)
        text = "\n".join(line for line in body.splitlines() if "lifecycle" not in line)
        directory = write_stack(self.root, STACK, head + text.replace("NAME", self.name) + "\n")
        (directory / "terraform.tfvars").write_text(f'name = "{self.name}"\n')

    def append(self, text: str) -> None:
        """More of the stack."""
        with (self.root / STACK / "main.tf").open("a") as file:
            file.write(text)

    def state(self) -> dict[str, Any]:
        """The state of the stack, wherever it lies; empty where there is none."""
        file = self.work / "terraform.tfstate"
        if file.exists():
            text = file.read_text()
        else:
            s3 = self.client("s3")
            try:
                found = s3.get_object(Bucket=self.bucket, Key=f"{STACK}/terraform.tfstate")
                text = found["Body"].read()
            except s3.exceptions.ClientError:
                return {}
        return dict(json.loads(text)) if text else {}

    def in_state(self) -> Held:
        return {
            _identity(resource["type"], instance["attributes"])
            for resource in self.state().get("resources", [])
            if resource["mode"] == "managed"
            for instance in resource["instances"]
        }

    def in_cloud(self) -> Held:
        """Everything of the fleet's that exists, looked up without Terraform."""
        files = self.made.iterdir() if self.made.exists() else ()
        return {*(("terraform_data", file.name) for file in files), *self._in_aws()}

    def _in_aws(self) -> Iterable[tuple[str, str]]:
        iam, s3, sagemaker = map(self.client, ("iam", "s3", "sagemaker"))
        for role in iam.get_paginator("list_roles").paginate().search("Roles[].RoleName"):
            if role.startswith(self.name):
                yield "aws_iam_role", role
                attached = iam.list_attached_role_policies(RoleName=role)["AttachedPolicies"]
                for policy in attached:
                    yield "aws_iam_role_policy_attachment", f"{role} {policy['PolicyName']}"
        policies = iam.get_paginator("list_policies").paginate(Scope="Local")
        names = {"aws_iam_policy": policies.search("Policies[].PolicyName")}
        names["aws_s3_bucket"] = s3.list_buckets().get("Buckets", [])
        names["aws_s3_bucket"] = [bucket["Name"] for bucket in names["aws_s3_bucket"]]
        configs = sagemaker.get_paginator("list_notebook_instance_lifecycle_configs").paginate()
        names["aws_sagemaker_notebook_instance_lifecycle_configuration"] = configs.search(
            "NotebookInstanceLifecycleConfigs[].NotebookInstanceLifecycleConfigName"
        )
        notebooks = sagemaker.get_paginator("list_notebook_instances").paginate()
        names["aws_sagemaker_notebook_instance"] = notebooks.search(
            "NotebookInstances[].NotebookInstanceName"
        )
        for kind, found in names.items():
            for name in found:
                if name.startswith(self.name) and name != self.bucket:
                    yield kind, name

    def converge(self) -> list[str]:
        """Deploys as a user would who does what each message says; returns what that was.

        Fails where a message says nothing that helps, or the same a second time.
        """
        done: list[str] = []
        while (run := self.tools("deploy", "--local")).returncode:
            assert "Traceback" not in run.stderr
            unlock = re.search(r"tools (state unlock --local \S+)", run.stderr)
            adopt = re.search(r"tools (adopt --local \S+)", run.stderr)
            said = "unlock" if unlock else "adopt" if adopt else ""
            assert said, run.stderr
            assert done.count(said) < 3, run.stderr
            done.append(said)
            for command in filter(None, (unlock, adopt)):
                helped = self.tools(*command[1].split())
                assert helped.returncode == 0, helped.stderr
        return done

    def check(self) -> None:
        """Nothing is left to do, nothing is orphaned, and nothing of the fault is left behind."""
        planned = self.tools("plan", "--local", "--refresh", "--detailed-exitcode")
        assert planned.returncode == 0, planned.stdout + planned.stderr
        again = self.tools("deploy", "--local")
        assert again.returncode == 0, again.stderr
        assert re.search(rf"{STACK} +unchanged", again.stderr), again.stderr
        in_cloud, in_state = self.in_cloud(), self.in_state()
        assert in_cloud == in_state != set(), f"cloud: {in_cloud}, states: {in_state}"
        assert not (self.work / "errored.tfstate").exists()
        assert [file for file in self.logs.glob("*/*.pid") if processes.noted_pid(file)] == []

    def terraform_pid(self) -> int:
        """The Terraform that is at work."""
        newest = max(self.logs.glob("*/notebooks.*.pid"), key=lambda file: file.stat().st_mtime_ns)
        return int(json.loads(newest.read_text())["pid"])


def _identity(kind: str, attributes: dict[str, Any]) -> tuple[str, str]:
    if kind == "terraform_data":
        return kind, Path((attributes["input"] or {"value": "none"})["value"]).name
    if kind == "aws_iam_role_policy_attachment":
        policy = str(attributes["policy_arn"]).rpartition("/")[2]
        return kind, f"{attributes['role']} {policy}"
    return kind, str(attributes.get("name") or attributes["bucket"])


@dataclass(frozen=True)
class Barrier:
    """Where a quick stack's Terraform waits, once `set` says so, until `release`."""

    root: Path
    name: str

    @property
    def _files(self) -> tuple[Path, Path]:
        return self.root / f"wait-at-{self.name}", self.root / f"is-at-{self.name}"

    @property
    def pause(self) -> str:
        """A shell command."""
        wait, reached = self._files
        return f"while [ -e {wait} ]; do touch {reached}; sleep 0.05; done"

    def set(self) -> None:
        self._files[0].touch()

    def release(self) -> None:
        for file in self._files:
            file.unlink(missing_ok=True)

    def await_reached(self) -> None:
        await_(self._files[1].exists, f"Terraform to be at {self.name}")


class Gate:
    """Holds a call of `action` in the proxy until opened, before AWS sees it or after.

    It is the first, or the one after so many that are let `through`. One that is lost, as its
    caller is, does not reach AWS any more.
    """

    def __init__(self, proxy: Proxy, moment: Moment, action: str, through: int = 0) -> None:
        self._action = action
        self._through = through
        self._reached = threading.Event()
        self._opened = threading.Event()
        self._answer: Refusal | None = None
        setattr(proxy, moment, self._hold)

    def _hold(self, call: Call) -> Refusal | None:
        if call.action == self._action and self._through:
            self._through -= 1
        elif call.action == self._action and not self._reached.is_set():
            self._reached.set()
            self._opened.wait(SECONDS)
            return self._answer
        return None

    def await_reached(self) -> None:
        assert self._reached.wait(SECONDS), f"waited in vain for {self._action}"

    def open(self, lose: bool = False) -> None:
        self._answer = passing_errors("s3")[0] if lose else None
        self._opened.set()


def kill(pid: int) -> None:
    os.kill(pid, signal.SIGKILL)


def await_(condition: Callable[[], object], what: str) -> None:
    deadline = time.monotonic() + SECONDS
    while not condition():
        assert time.monotonic() < deadline, f"waited in vain for {what}"
        time.sleep(0.02)


def ended(process: "subprocess.Popen[str]") -> str:
    """What a process said until its end."""
    return process.communicate(timeout=SECONDS)[0]


_AWS = """
terraform {
  required_providers {
    aws = { source = "hashicorp/aws" }
  }
}
provider "aws" {
  region = "us-east-1"
}
resource "aws_iam_role" "this" {
  name = "NAME"
  assume_role_policy = jsonencode({
    Version = "2012-10-17"
    Statement = [{
      Effect    = "Allow"
      Action    = "sts:AssumeRole"
      Principal = { Service = "sagemaker.amazonaws.com" }
    }]
  })
}
resource "aws_iam_policy" "this" {
  name = "NAME"
  policy = jsonencode({
    Version   = "2012-10-17"
    Statement = [{ Effect = "Allow", Action = "logs:PutLogEvents", Resource = "*" }]
  })
}
resource "aws_iam_role_policy_attachment" "this" {
  role       = aws_iam_role.this.name
  policy_arn = aws_iam_policy.this.arn
}
resource "aws_s3_bucket" "this" {
  bucket = "NAME-data"
}
resource "aws_sagemaker_notebook_instance_lifecycle_configuration" "this" {
  name     = "NAME"
  on_start = base64encode("true")
}
"""
_NOTEBOOK = """
resource "aws_sagemaker_notebook_instance" "this" {
  name                  = "NAME"
  instance_type         = "ml.t3.medium"
  role_arn              = aws_iam_role.this.arn
  lifecycle_config_name = aws_sagemaker_notebook_instance_lifecycle_configuration.this.name
}
"""
