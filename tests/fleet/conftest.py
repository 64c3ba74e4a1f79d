"""A fleet in a region of its own, so that a listing shows nothing of other tests."""

import contextlib
import json
import os
import time
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest
from click.testing import CliRunner, Result

from tests.roles import TRUST
from tests.trees import REPOSITORY
from tools.aws import model
from tools.aws.client import shared_client
from tools.aws.logs import GROUP
from tools.cli import group
from tools.context import Context
from tools.fleet.fleet import Fleet
from tools.hcl import reading, writing
from tools.localcloud.process import Running
from tools.system.processes import write_note

from .faults import Faults, in_front_of

PATIENCE = 300.0
SETTLED = {"Failed", "InService", "Stopped"}
PROJECT = "acme"

# One for each worker of pytest-xdist; other tests are in us-east-1.
_REGION = [region for region in model.regions() if region[:3] in ("ap-", "eu-")][
    int(os.environ.get("PYTEST_XDIST_WORKER", "gw0").removeprefix("gw"))
]


@dataclass(frozen=True)
class Place:
    """A repository whose local cloud is the session's, in a region of its own."""

    root: Path
    region: str
    client: Callable[..., Any]

    @property
    def sagemaker(self) -> Any:
        return self.client("sagemaker", region=self.region)

    @property
    def fleet(self) -> Fleet:
        return Fleet.open(Context(self.root), local=True)

    def tools(self, *arguments: str, **env: str) -> Result:
        """Runs `tools` within this process: `output` is both streams, `stdout` one of them.

        A UserError is in `exception`, as `tools.cli.main` would print it.
        """
        shared_client.cache_clear()  # as a process of its own has none yet
        return CliRunner(env=env).invoke(group, ["--root", str(self.root), *arguments])

    def declare(self, directory_name: str, **values: reading.Value) -> None:
        """Writes the directory of a notebook."""
        directory = self.root / "notebooks" / directory_name
        directory.mkdir(exist_ok=True)
        variables = REPOSITORY / "notebooks/notebook-dev/variables.tf"
        (directory / "variables.tf").write_text(variables.read_text())
        given = {"instance_type": "ml.t3.medium", "owner": "alice", "environment": "dev", **values}
        lines = (f"{key} = {writing.dumps(value)}\n" for key, value in given.items())
        (directory / "terraform.tfvars").write_text("".join(lines))

    def create(self, *names: str, tags: Mapping[str, str] | None = None, **own: Any) -> None:
        """Makes instances and waits until they run."""
        own = {"InstanceType": "ml.t3.medium", **own}
        for name in names:
            self.sagemaker.create_notebook_instance(
                NotebookInstanceName=name,
                RoleArn="arn:aws:iam::000000000000:role/fleet",
                Tags=[{"Key": key, "Value": value} for key, value in (tags or {}).items()],
                **own,
            )
        until(lambda: {self.status(name) for name in names} == {"InService"})

    def stop(self, *names: str) -> None:
        for name in names:
            self.sagemaker.stop_notebook_instance(NotebookInstanceName=name)
        until(lambda: {self.status(name) for name in names} <= {"Stopped"})

    def clear(self) -> None:
        """Deletes every instance and log of the region."""
        names = [one["NotebookInstanceName"] for one in self.listed()]
        until(lambda: {one["NotebookInstanceStatus"] for one in self.listed()} <= SETTLED)
        self.stop(*(name for name in names if self.status(name) == "InService"))
        for name in names:
            self.sagemaker.delete_notebook_instance(NotebookInstanceName=name)
        until(lambda: not self.listed())
        logs = self.client("logs", region=self.region)
        with contextlib.suppress(logs.exceptions.ResourceNotFoundException):
            logs.delete_log_group(logGroupName=GROUP)

    def listed(self) -> list[Any]:
        pages = self.sagemaker.get_paginator("list_notebook_instances").paginate()
        return [one for page in pages for one in page["NotebookInstances"]]

    def status(self, name: str) -> str:
        answer = self.sagemaker.describe_notebook_instance(NotebookInstanceName=name)
        return str(answer["NotebookInstanceStatus"])

    def behind(self, port: int) -> None:
        """Makes the commands reach the emulator by another port."""
        noted = self.root / ".tools/local/localstack.json"
        noted.write_text(json.dumps({**json.loads(noted.read_text()), "port": port}))


@pytest.fixture(scope="session")
def role(client: Callable[..., Any]) -> None:
    """One for the account, which every worker of pytest-xdist shares."""
    iam = client("iam")
    with contextlib.suppress(iam.exceptions.EntityAlreadyExistsException):
        iam.create_role(RoleName="fleet", AssumeRolePolicyDocument=json.dumps(TRUST))


@pytest.fixture
def place(
    tmp_path: Path, local_cloud: Running, client: Callable[..., Any], role: None
) -> Iterator[Place]:
    root = tmp_path / "repository"
    for folder in ("shared-infra", "modules", "notebooks"):
        (root / folder).mkdir(parents=True)
    (root / "common.auto.tfvars").write_text(f'project = "{PROJECT}"\nregion = "{_REGION}"\n')
    write_note(local_cloud.pid, root / ".tools/local/localstack.json", port=local_cloud.port)
    made = Place(root, _REGION, client)
    yield made
    made.clear()


@pytest.fixture
def faults(place: Place, local_cloud: Running) -> Iterator[Faults]:
    """A server between the commands and the emulator."""
    with in_front_of(local_cloud.endpoint) as server:
        place.behind(server.port)
        yield server


def until(condition: Callable[[], bool]) -> None:
    deadline = time.monotonic() + PATIENCE
    while not condition():
        assert time.monotonic() < deadline, f"in vain for {PATIENCE:g} s"
        time.sleep(0.05)


def put_log(place: Place, notebook: str, stream: str, *lines: str, age: float = 0) -> None:
    """Writes `lines` to CloudWatch as a notebook does; `age` is in seconds."""
    logs = place.client("logs", region=place.region)
    names = {"logGroupName": GROUP, "logStreamName": f"{notebook}/{stream}"}
    for make, arguments in (
        (logs.create_log_group, {"logGroupName": GROUP}),
        (logs.create_log_stream, names),
    ):
        with contextlib.suppress(logs.exceptions.ResourceAlreadyExistsException):
            make(**arguments)
    now = int((time.time() - age) * 1000)
    events = [{"timestamp": now + n, "message": line} for n, line in enumerate(lines)]
    logs.put_log_events(**names, logEvents=events)
