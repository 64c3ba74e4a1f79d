"""What a scan of a rich account shows as importable is imported, each by the command it shows."""

import json
import secrets
import shutil
from collections.abc import Callable
from functools import partial
from pathlib import Path
from typing import Any

import pytest

from tests.cli.conftest import Checkout, attach, user_env
from tests.imports.rich import build
from tests.keeper import kept_env
from tests.trees import copy_repository, leave_out_lifecycles
from tools.localcloud.process import Running
from tools.terraform.binary import Terraform

pytestmark = pytest.mark.nightly

AWS = Callable[..., Any]
REGION = "ap-northeast-2"  # where nobody else has anything
# In the place of the words in capitals, which are the user's to choose.
CHOICES = {"PURPOSE": "further", "DIRECTORY": "another"}


def made(client: AWS, name: str) -> dict[str, Any]:
    """What AWS gives once, of the notebooks of the region and the groups and buckets of `name`."""
    pages = client("sagemaker").get_paginator("list_notebook_instances").paginate()
    notebooks = [one for page in pages for one in page["NotebookInstances"]]
    groups = client("ec2").describe_security_groups()["SecurityGroups"]
    buckets = client("s3").list_buckets()["Buckets"]
    return {
        **{one["NotebookInstanceArn"]: one["CreationTime"] for one in notebooks},
        **{one["GroupId"]: one["GroupName"] for one in groups},
        **{one["Name"]: one["CreationDate"] for one in buckets if one["Name"].startswith(name)},
    }


def test_everything_that_is_shown_is_imported_and_deployed_as_it_is(
    tmp_path: Path, kept_terraform: Terraform, local_cloud: Running, client: AWS
) -> None:
    name, here = f"r{secrets.token_hex(4)}", partial(client, region=REGION)
    build(name, here)
    before = made(here, name)
    root = copy_repository(tmp_path / "repository")
    leave_out_lifecycles(root)
    for shipped in (root / "notebooks").glob("notebook-*"):
        shutil.rmtree(shipped)
    (root / "common.auto.tfvars").write_text(f'project = "p-{name}"\nregion = "{REGION}"\n')
    checkout = Checkout(root, {**user_env(kept_terraform), **kept_env(kept_terraform)})
    attach(checkout, local_cloud)

    done = checkout.tools("import", "--scan", "--local", "--json")
    assert done.returncode == 0, done.stderr
    commands = [one["command"] for one in json.loads(done.stdout) if one["command"]]
    assert len(commands) == 14
    # Over HTTP the SDK takes a name with a dot into the host's, also of an IP address, so that the
    # provider does not find it: https://github.com/aws/aws-sdk-go-v2/blob/main/service/s3/endpoints.go
    commands = [command for command in commands if ".datasets" not in command]
    for command in commands:
        for word, choice in CHOICES.items():
            command = command.replace(word, choice)
        done = checkout.tools(*command.split()[1:], "--yes")
        assert done.returncode == 0, f"{command}\n{done.stderr}"

    done = checkout.tools("deploy", "--local")
    assert done.returncode == 0, done.stderr
    done = checkout.tools("plan", "--local", "--refresh", "--detailed-exitcode")
    assert done.returncode == 0, done.stdout + done.stderr
    after = made(here, name)
    assert {key: after.get(key) for key in before} == before
