"""One clone of the repository, one local cloud of its own, and the person who types.

The stories in this folder share one demo, since the provider waits a minute for its buckets. They
run in the order of their files, on one worker, and each step stands on those before it.
"""

import json
import os
import re
import shlex
import signal
import subprocess
from collections.abc import Iterator
from dataclasses import dataclass
from functools import cache, cached_property
from pathlib import Path
from typing import IO, Any

import boto3
import pytest

from tests import warm
from tests.children import interruptible
from tests.cli.conftest import TOOLS, user_env
from tests.conftest import SECONDS_OF_A_TRANSITION, free_port
from tests.keeper import kept_env
from tests.trees import copy_repository
from tools.localcloud.client import REGION
from tools.localcloud.process import TRANSITION_VARIABLE
from tools.terraform.binary import Terraform

SHARED = ("s3", "iam", "security-groups", "vpc-endpoints")
DEMO = ("nlp-project", "notebook-dev", "notebook-prod")
STATES = "demo-states"  # the bucket that the team keeps its states in

_FAILED = pytest.StashKey[str]()


@dataclass(frozen=True)
class Done:
    """What a command has answered: its exit code and both its streams."""

    code: int
    out: str
    err: str

    def __str__(self) -> str:
        return f"exit code {self.code}\n{self.out}\n{self.err}"

    def table(self) -> dict[str, str]:
        """The first row about each stack, on either stream: the stack, and the rest of its line.

        After a deployment a table of new notebooks follows, with their URLs.
        """
        rows = re.findall(
            r"^((?:shared-infra|notebooks)/\S+) +(.+)$", f"{self.out}{self.err}", re.M
        )
        return {stack: re.sub(r" {2,}", "  ", rest.strip()) for stack, rest in reversed(rows)}


@dataclass(frozen=True)
class Journey:
    """A clone in `root`, a terminal with the environment `env`, and a local cloud on `port`."""

    root: Path
    env: dict[str, str]
    port: int

    @property
    def work(self) -> Path:
        """Where Terraform runs for the local cloud."""
        return self.root / ".tools/local/workspace"

    def local_states(self) -> dict[str, bytes]:
        """The states in the stacks' own folders, by stack."""
        return {
            state.parent.relative_to(self.work).as_posix(): state.read_bytes()
            for folder in ("shared-infra", "notebooks")
            for state in self.work.glob(f"{folder}/*/terraform.tfstate")
        }

    def outputs(self) -> dict[str, dict[str, Any]]:
        """What the local states hold as outputs, by the stack's name without its folder."""
        return {
            stack.partition("/")[2]: {
                name: output["value"] for name, output in json.loads(text)["outputs"].items()
            }
            for stack, text in self.local_states().items()
        }

    def types(self, command: str) -> Done:
        """Runs `command` in the clone, in a shell, with nobody there to answer a question."""
        return _run(command, self.root, self.env)

    def by_hand(self, command: str, stack: str = ".") -> Done:
        """Runs `command` in the working copy, in a shell that has read `tools local env`."""
        return self.in_shell(command, self.work / stack)

    def in_shell(self, command: str, directory: Path) -> Done:
        """Runs `command` in a directory, in a shell that has read `tools local env`."""
        return _run(command, directory, self._local_env)

    @cached_property
    def _local_env(self) -> dict[str, str]:
        read = _run('eval "$(tools local env)" && env -0', self.root, self.env)
        assert read.code == 0, read
        return dict(pair.split("=", 1) for pair in read.out.split("\0") if pair)

    def no_changes(self, *stacks: str) -> None:
        """Plain Terraform, asked in the directories of `stacks`, would change nothing."""
        for stack in stacks:
            asked = self.by_hand("terraform plan -input=false -no-color -detailed-exitcode", stack)
            assert asked.code == 0, f"{stack}: {asked}"

    def client(self, service: str) -> Any:
        """boto3 on the local cloud: what is there, whatever `tools` says."""
        return _client(service, self.port)

    def instances(self) -> dict[str, dict[str, Any]]:
        """Every notebook instance that the cloud has, by name, as it describes them."""
        sagemaker = self.client("sagemaker")
        pages = sagemaker.get_paginator("list_notebook_instances").paginate()
        names = [found["NotebookInstanceName"] for p in pages for found in p["NotebookInstances"]]
        return {
            name: sagemaker.describe_notebook_instance(NotebookInstanceName=name) for name in names
        }

    def tags(self, instance: dict[str, Any]) -> dict[str, str]:
        arn = instance["NotebookInstanceArn"]
        tags = self.client("sagemaker").list_tags(ResourceArn=arn)["Tags"]
        return {tag["Key"]: tag["Value"] for tag in tags}

    def stored_states(self) -> dict[str, bytes]:
        """The states in the bucket, by stack."""
        s3 = self.client("s3")
        found = s3.list_objects_v2(Bucket=STATES)["Contents"]
        keys = [one["Key"] for one in found if one["Key"].endswith("/terraform.tfstate")]
        return {
            key.removeprefix("ml-infra/").removesuffix("/terraform.tfstate"): s3.get_object(
                Bucket=STATES, Key=key
            )["Body"].read()
            for key in keys
        }

    def git_status(self) -> list[str]:
        """What git sees that was not committed, ignored files too."""
        return self.types("git status --porcelain --ignored").out.splitlines()


class SecondTerminal:
    """A command that runs beside the others, and is waited for when the story comes to it."""

    def __init__(self, journey: Journey, command: str, output: IO[str]) -> None:
        self._file = Path(output.name)
        with interruptible():
            self._process = subprocess.Popen(
                ["bash", "-c", command],
                cwd=journey.root,
                env=journey.env,
                stdin=subprocess.DEVNULL,
                stdout=output,
                stderr=subprocess.STDOUT,
                start_new_session=True,
            )

    def ended(self) -> Done:
        code = self._process.wait()
        return Done(code, self._file.read_text(), "")

    def end(self) -> None:
        """Lets what still runs come to an end, as Ctrl-C does."""
        if self._process.poll() is None:
            os.killpg(self._process.pid, signal.SIGINT)
            self._process.wait()


@dataclass(frozen=True)
class Demo(Journey):
    """A journey that began with `tools demo`, which has answered `ran`."""

    ran: Done
    bootstrap: SecondTerminal
    program: str  # "terraform", or "tofu" where TOOLS_TERRAFORM names that

    def types(self, command: str) -> Done:
        """Runs `command` as before; what is `tools` alone in a process that has its imports."""
        program, *arguments = shlex.split(command)
        if program != "tools" or set("&|;<>$*") & set(command):
            return super().types(command)
        done = warm.run(arguments, self.root, self.env)
        return Done(done.returncode, done.stdout, done.stderr)


@pytest.fixture(scope="session")
def demo(
    pytestconfig: pytest.Config,
    terraform: Terraform,
    kept_terraform: Terraform,
    tmp_path_factory: pytest.TempPathFactory,
) -> Iterator[Demo]:
    if hasattr(pytestconfig, "workerinput"):
        taken = tmp_path_factory.getbasetemp().parent / "journey-is-under-way"
        try:
            taken.touch(exist_ok=False)
        except FileExistsError:
            pytest.fail("these stories go on one worker: TOGETHER in tests/order.py", pytrace=False)
    root = copy_repository(tmp_path_factory.mktemp("journey") / "clone")
    person = user_env(terraform)
    path = f"{TOOLS.parent}{os.pathsep}{person['PATH']}"  # as after `source .venv/bin/activate`
    quick = {TRANSITION_VARIABLE: SECONDS_OF_A_TRANSITION, "GOGC": "400"}  # as `tools` sets it
    env = {**person, **quick, "PATH": path}
    begun = Journey(root, env, free_port())
    identity = "-c user.name=t -c user.email=t@example.com"
    cloned = begun.types(f"git init -q && git add -A && git {identity} commit -qm clone")
    assert cloned.code == 0, cloned
    try:
        ran = begun.types(f"tools demo --port {begun.port}")
        with (root.parent / "bootstrap.log").open("w") as output:
            # Beside the stories, which come to it last: the provider polls a minute for a bucket's
            # lifecycle rules.
            command = f"tools state bootstrap --local --bucket {STATES}"
            bootstrap = SecondTerminal(begun, command, output)
        # From here on the provider keeps running, by hand too: the demo has shown how it starts.
        binary = kept_terraform.binary
        kept = {**kept_env(kept_terraform), "PATH": f"{binary.parent}{os.pathsep}{path}"}
        yield Demo(root, {**env, **kept}, begun.port, ran, bootstrap, terraform.program)
        bootstrap.end()
    finally:
        begun.types("tools local down")


@pytest.hookimpl(tryfirst=True)
def pytest_runtest_makereport(item: pytest.Item, call: pytest.CallInfo[None]) -> None:
    if call.excinfo is None or item.parent is None or item.get_closest_marker("xfail"):
        return
    if not call.excinfo.errisinstance(pytest.skip.Exception):  # for want of time (NIGHTLY_UNTIL)
        item.parent.stash.setdefault(_FAILED, item.name)


def pytest_runtest_setup(item: pytest.Item) -> None:
    """A step after a failed one of its story would only fail for the same reason."""
    failed = item.parent.stash.get(_FAILED, None) if item.parent else None
    if failed:
        pytest.fail(f"{failed}, an earlier step of this story, failed", pytrace=False)


@cache
def _client(service: str, port: int) -> Any:
    return boto3.client(
        service,
        region_name=REGION,
        endpoint_url=f"http://127.0.0.1:{port}",
        aws_access_key_id="test",
        aws_secret_access_key="test",
    )


def _run(command: str, cwd: Path, env: dict[str, str]) -> Done:
    done = subprocess.run(
        ["bash", "-c", command],
        cwd=cwd,
        env=env,
        stdin=subprocess.DEVNULL,
        capture_output=True,
        text=True,
        check=False,
    )
    return Done(done.returncode, done.stdout, done.stderr)
