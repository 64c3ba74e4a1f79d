"""`tools sync --retire`: a notebook from its last row to its end, by what the emulator has."""

import json
import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Any
from uuid import uuid4

import pytest

from tests.cli.conftest import Checkout
from tests.roles import TRUST
from tests.trees import write_stack

ROOT = """
variable "name" {{
  default = "{name}"
}}
provider "aws" {{
  region = "us-east-1"
}}
resource "aws_sagemaker_notebook_instance" "this" {{
  name          = var.name
  instance_type = "ml.t3.medium"
  role_arn      = "{role}"
}}
output "bucket_names" {{
  value = {{ datasets = "{name}" }}
}}
"""


OLD = "deleted at home since"


@dataclass(frozen=True)
class Home:
    """A backup in a bucket, put and listed by boto3 alone."""

    s3: Any
    bucket: str
    prefix: str

    def put(self, path: str, text: bytes) -> None:
        self.s3.put_object(Bucket=self.bucket, Key=f"{self.prefix}/home/{path}", Body=text)

    def delete(self, path: str) -> None:
        self.s3.delete_object(Bucket=self.bucket, Key=f"{self.prefix}/home/{path}")

    def list_as_done(self, files: Mapping[str, bytes]) -> None:
        """The list, as the notebook's script writes it (tests/autostop/test_backup.py)."""
        moment = f"{datetime.now(UTC):%Y-%m-%dT%H:%M:%SZ}"
        size = sum(map(len, files.values()))
        lines = [f"{len(text)} {path}" for path, text in files.items()]
        text = "\n".join([f"{moment} {moment} {len(files)} {size}", *lines, ""])
        self.s3.put_object(Bucket=self.bucket, Key=f"{self.prefix}/done.txt", Body=text.encode())

    def sizes(self) -> dict[str, int]:
        """What the bucket itself lists."""
        home = f"{self.prefix}/home/"
        listed = self.s3.list_objects_v2(Bucket=self.bucket, Prefix=home).get("Contents", ())
        return {item["Key"].removeprefix(home): item["Size"] for item in listed}

    def lacking(self, files: Mapping[str, bytes]) -> str:
        """What is to be said of it, by the bucket's listing: how much of `files` it has."""
        there = {path: size for path, size in self.sizes().items() if path in files}
        assert there != {path: len(text) for path, text in files.items()}
        whole = sum(map(len, files.values()))
        return f"{len(there)} of {len(files)} files, {sum(there.values())} of {whole} bytes"


@pytest.mark.usefixtures("kept_provider")
def test_a_notebook_without_a_row_is_stopped_kept_and_destroyed(
    small: Checkout, client: Callable[..., Any]
) -> None:
    name, sagemaker, s3 = f"nb-{uuid4().hex[:8]}", client("sagemaker"), client("s3")
    role = client("iam").create_role(RoleName=name, AssumeRolePolicyDocument=json.dumps(TRUST))
    directory = write_stack(
        small.root, f"notebooks/{name}", ROOT.format(name=name, role=role["Role"]["Arn"])
    )
    mark = f"# Row {name} of notebooks.csv: edit it there, then `tools sync`.\n"
    (directory / "terraform.tfvars").write_text(mark)
    (small.root / "notebooks.csv").write_text("name,profile,owner\nother,dev,alice\n")
    made = small.tools("sync", "--yes")
    assert made.returncode == 0, made.stderr
    made = small.tools("deploy", "--local", name)
    assert made.returncode == 0, made.stderr
    s3.create_bucket(Bucket=name)

    def retire(*options: str, code: int = 0) -> str:
        done = small.tools("sync", "--retire", "--local", *options)
        assert done.returncode == code, done.stdout + done.stderr
        return " ".join((done.stdout + done.stderr).split())

    def status() -> str:
        answer = sagemaker.describe_notebook_instance(NotebookInstanceName=name)
        return str(answer["NotebookInstanceStatus"])

    assert f"there is no backup in s3://{name}/backups/{name}" in retire(code=1)
    time.sleep(1)  # the list's times are in whole seconds, and it has to be of this start
    home = Home(s3, name, f"backups/{name}")
    files = {"a.ipynb": b"text", "data/two words.csv": b"1,2", "empty": b"", "é.md": "é".encode()}
    home.list_as_done(files)
    for path in files:
        assert home.lacking(files) in retire(code=1)
        home.put(path, files[path])
    home.put(OLD, b"x")
    home.put("a.ipynb", b"tex")  # as many files, and another size
    assert home.lacking(files) in retire(code=1)
    home.put("a.ipynb", b"text")
    assert f"{name} stop backup: 4 files, 9 bytes" in retire("--dry-run", name)
    assert status() == "InService"
    assert "stopped, and kept until" in retire("--grace", "3")
    assert status() == "Stopped"

    [path] = small.root.glob(f".tools/**/notebooks/{name}/*.retirement.json")
    note = {key: datetime.fromisoformat(text) for key, text in json.loads(path.read_text()).items()}
    assert note["until"] - note["since"] == timedelta(days=3)
    assert f"{name} wait stopped since" in retire()
    assert status() == "Stopped"

    # The three days have passed.
    past = {**json.loads(path.read_text()), "until": (note["until"] - timedelta(4)).isoformat()}
    path.write_text(json.dumps(past))
    home.delete("a.ipynb")
    assert home.lacking(files) in retire(code=1)
    home.put("a.ipynb", b"text")
    assert f"{name} destroy backup: 4 files, 9 bytes" in retire("--dry-run")
    assert f"{name}: kept, though its time has come" in retire()
    assert status() == "Stopped"
    assert f"git rm -r notebooks/{name}" in retire("--allow-destroy")
    listed = sagemaker.list_notebook_instances(NameContains=name)["NotebookInstances"]
    assert listed == []
    assert not path.exists()
    assert f"{name} gone" in retire()
    assert home.sizes() == {**{path: len(text) for path, text in files.items()}, OLD: 1}
