"""A team on a Terraform that does as it is told, with moto's S3, DynamoDB and STS in this process.

tests/remote_state moves the same states with a real Terraform. Here are the faults that it cannot
be made to show at a given moment, and what is refused before any Terraform starts.
"""

import json
import urllib.request
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest

from tests.unit.engine.conftest import Bench
from tests.unit.engine.conftest import leftover as leftover
from tests.unit.engine.fake_terraform import Answer, FakeTerraform, OnEvent, state_of, write_state
from tools.aws import s3
from tools.aws.client import Cloud, shared_client
from tools.context import Context, Target
from tools.engine.records import Records
from tools.layout.repository import Repository
from tools.layout.stack import Stack
from tools.remote_state.enable import enable_states
from tools.remote_state.settings import BackendRequest
from tools.runs.options import Options
from tools.runs.session import Account, Session
from tools.state.place import BucketPlace, locate

BUCKET = "states-of-acme"
REGION = "us-east-1"


@dataclass(frozen=True)
class RemoteTerraform(FakeTerraform):
    """Has the states where the directories' files say, also in a bucket."""

    def pull_state(self, directory: Path) -> bytes:
        self._answer("state pull", directory, lambda event: None)
        place = locate(Stack(directory.parent, directory.name), s3.in_regions_of(None))
        plain = directory / "terraform.tfstate.plain"  # where the files do not say
        return (place.read() if place else plain.read_bytes() if plain.exists() else None) or b""

    def push_state(self, directory: Path, state: Path) -> None:
        super().push_state(directory, state)
        _carry(directory)

    def move_in_state(self, directory: Path, source: str, destination: str) -> None:
        self._answer(f"state mv {source} {destination} in", directory, lambda event: None)

    def import_resource(self, directory: Path, log: Path, address: str, identifier: str) -> None:
        self._answer(f"import {address} {identifier} in", directory, lambda event: None)

    def force_unlock(self, directory: Path, lock_id: str) -> None:
        self._answer(f"force-unlock {lock_id}", directory, lambda event: None)

    def refresh_outputs(self, directory: Path, log: Path, on_event: OnEvent) -> None:
        self._answer("refresh", directory, on_event)

    def outputs(self, directory: Path) -> dict[str, Any]:
        self._note("output", directory)
        outputs = state_of(directory, "terraform.tfstate.plain").get("outputs", {})
        return {name: output["value"] for name, output in outputs.items()}

    def _finish(self, directory: Path, answer: Answer, on_event: OnEvent, *rest: Any) -> None:
        super()._finish(directory, answer, on_event, *rest)
        _carry(directory)


def _carry(directory: Path) -> None:
    """Puts the state that was written in a directory into its bucket, if it has one."""
    place = locate(Stack(directory.parent, directory.name), s3.in_regions_of(None))
    if isinstance(place, BucketPlace):
        written = directory / "terraform.tfstate"
        place.write(written.read_bytes(), "")
        written.unlink()


@dataclass
class Team(Bench):
    """Stacks of a project acme, whose states go into BUCKET."""

    def client(self, service: str) -> Any:
        return Cloud(REGION).client(service)

    def open(self) -> Session:
        """A session of a command: each reads everything again."""
        repository = Repository(self.root)
        return Session(
            Context(self.root, {}),
            Target(repository, self.terraform, REGION, self.root / "logs" / "run"),
            Records(repository, self.terraform),
            Options(yes=True),
            Account("123456789012", "AWS account 123456789012"),
        )

    def make_bucket(self, name: str = BUCKET) -> None:
        client = self.client("s3")
        client.create_bucket(Bucket=name)
        versioning = {"Status": "Enabled"}
        client.put_bucket_versioning(Bucket=name, VersioningConfiguration=versioning)

    def make_table(self, name: str = "terraform-locks") -> None:
        self.client("dynamodb").create_table(
            TableName=name,
            KeySchema=[{"AttributeName": "LockID", "KeyType": "HASH"}],
            AttributeDefinitions=[{"AttributeName": "LockID", "AttributeType": "S"}],
            BillingMode="PAY_PER_REQUEST",
        )

    def deployed(self, name: str, text: str = "") -> Stack:
        """A stack with a state."""
        stack = self.write(name, text=text)
        write_state(stack.path)
        return stack

    def enable(self, **options: Any) -> None:
        enable_states(self.open(), BackendRequest(bucket=BUCKET, **options))

    def remote(self, stack: str, bucket: str = BUCKET) -> bytes | None:
        """The state in the bucket."""
        return s3.in_regions_of(None)(REGION).get(bucket, self.key(stack))

    def put(self, stack: str, content: bytes) -> None:
        self.client("s3").put_object(Bucket=BUCKET, Key=self.key(stack), Body=content)

    def delete(self, stack: str) -> None:
        self.client("s3").delete_object(Bucket=BUCKET, Key=self.key(stack))

    def local(self, stack: str) -> bytes | None:
        """The state in the stack's folder."""
        file = self.root / stack / "terraform.tfstate"
        return file.read_bytes() if file.exists() else None

    def key(self, stack: str) -> str:
        return f"ml-infra/{stack}/terraform.tfstate"


def later(content: bytes | None) -> bytes:
    """A state as the next apply of somebody else would leave it."""
    document = json.loads(content or b"")
    return json.dumps({**document, "serial": document["serial"] + 1}).encode()


@pytest.fixture(scope="module", autouse=True)
def _fresh_clients() -> Iterator[None]:
    """Instead of tests/conftest.py's: all tests here have the same settings of AWS."""
    shared_client.cache_clear()
    yield
    shared_client.cache_clear()


@pytest.fixture
def team(tmp_path: Path, moto: str, monkeypatch: pytest.MonkeyPatch) -> Team:
    urllib.request.urlopen(urllib.request.Request(f"{moto}/moto-api/reset", b"")).close()
    for name, value in {
        "AWS_ENDPOINT_URL": moto,
        "AWS_ACCESS_KEY_ID": "test",
        "AWS_SECRET_ACCESS_KEY": "test",
    }.items():
        monkeypatch.setenv(name, value)
    for folder in ("shared-infra", "modules", "notebooks", "home"):
        (tmp_path / folder).mkdir()
    (tmp_path / "common.auto.tfvars").write_text(f'project = "acme"\nregion = "{REGION}"\n')
    return Team(tmp_path, RemoteTerraform.at(tmp_path / "home"))
