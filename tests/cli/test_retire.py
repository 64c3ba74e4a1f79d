"""`tools sync --retire`: a notebook from its last row to its end, by what the emulator has."""

import json
import time
from collections.abc import Callable
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
    moment = f"{datetime.now(UTC):%Y-%m-%dT%H:%M:%SZ}"
    done = f"{moment} {moment} 1 4\n4 a.ipynb\n".encode()
    s3.put_object(Bucket=name, Key=f"backups/{name}/done.txt", Body=done)
    assert "0 of 1 files, 0 of 4 bytes" in retire(code=1)
    copied = {"Bucket": name, "Key": f"backups/{name}/home/a.ipynb"}
    s3.put_object(**copied, Body=b"text")
    assert f"{name} stop backup: 1 files, 4 bytes" in retire("--dry-run", name)
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
    s3.delete_object(**copied)
    assert "0 of 1 files, 0 of 4 bytes" in retire(code=1)
    s3.put_object(**copied, Body=b"text")
    assert f"{name} destroy backup: 1 files, 4 bytes" in retire("--dry-run")
    assert f"{name}: kept, though its time has come" in retire()
    assert status() == "Stopped"
    assert f"git rm -r notebooks/{name}" in retire("--allow-destroy")
    listed = sagemaker.list_notebook_instances(NameContains=name)["NotebookInstances"]
    assert listed == []
    assert not path.exists()
    assert f"{name} gone" in retire()
    assert s3.get_object(**copied)["Body"].read() == b"text"
