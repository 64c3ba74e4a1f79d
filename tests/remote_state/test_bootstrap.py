"""The bucket and the lock table, made by `tools`, and a team that locks with the table."""

import json
import shutil
import subprocess
import sys
from collections.abc import Callable, Iterator
from hashlib import md5
from pathlib import Path
from typing import Any
from uuid import uuid4

import boto3
import pytest

from tests.cli.conftest import attach, user_env
from tests.faults.fleet import await_
from tests.faults.proxy import Proxy
from tests.trees import copy_repository, empty_stacks
from tools.localcloud.process import Running
from tools.terraform.binary import Terraform

from .conftest import (
    NEVER,
    READER,
    RESOURCE,
    UPSTREAM,
    Team,
    deploy_small,
    write,
    write_upstream,
)
from .test_locks import walk_through


@pytest.fixture(scope="module")
def moto(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Running]:
    """moto's server: S3 and a DynamoDB, which LocalStack would have to download."""
    log = tmp_path_factory.mktemp("moto") / "log"
    command = [sys.executable, "-m", "moto.server", "-H", "127.0.0.1", "-p", "0"]
    with log.open("wb") as output:
        process = subprocess.Popen(command, stdout=output, stderr=subprocess.STDOUT)
    try:
        await_(lambda: "Running on http" in log.read_text(), "moto's server to listen")
        port = int(log.read_text().split("Running on http://127.0.0.1:")[1].split()[0])
        yield Running(process.pid, port)
    finally:
        process.terminate()
        process.wait()


@pytest.fixture
def team(
    local_cloud: Running,
    moto: Running,
    client: Callable[..., Any],
    tmp_path: Path,
    terraform: Terraform,
) -> Iterator[Team]:
    """A team without a bucket, in LocalStack with the DynamoDB of moto's server."""
    root = copy_repository(tmp_path / "repository")
    empty_stacks(root)
    dynamodb = boto3.client(
        "dynamodb",
        region_name="us-east-1",
        endpoint_url=moto.endpoint,
        aws_access_key_id="test",
        aws_secret_access_key="test",
    )
    team = Team(
        root,
        user_env(terraform),
        f"states-{uuid4().hex[:8]}",
        lambda service: dynamodb if service == "dynamodb" else client(service),
    )
    with Proxy(local_cloud.endpoint, {"dynamodb": moto.endpoint}) as proxy:
        attach(team, Running(local_cloud.pid, proxy.port))
        deploy_small(team)
        yield team


@pytest.mark.nightly
def test_bootstrap_and_a_team_that_locks_with_the_table(team: Team) -> None:
    """In one test: S3's lifecycle rules alone take the provider a minute."""
    error = team.refused("state", "enable", "--bucket", team.bucket)
    assert f"create it: tools state bootstrap --local --bucket {team.bucket}" in error
    made = team.ok("state", "bootstrap", "--bucket", team.bucket)
    assert "moved to s3://" in made
    check_bucket(team)
    before = team.object("ml-infra/bootstrap/terraform.tfstate")
    assert len(json.loads(before or b"")["resources"]) > 5
    assert not (team.work / "bootstrap/terraform.tfstate").exists()

    # The stacks may have a prefix of their own; the bucket's root stays where it is.
    error = team.refused("state", "enable", "--prefix", "team/x", "--lock", "table")
    assert f"tools state bootstrap --local --bucket {team.bucket} --lock table" in error
    team.ok("state", "bootstrap", "--bucket", team.bucket, "--lock", "table")
    check_table(team)
    # Again, also without the option: the table stays, and nothing changes.
    before = team.object("ml-infra/bootstrap/terraform.tfstate")
    assert "nothing to do" in team.ok("state", "bootstrap", "--bucket", team.bucket)
    assert team.object("ml-infra/bootstrap/terraform.tfstate") == before
    error = team.refused("state", "bootstrap", "--bucket", team.bucket, "--prefix", "team/x")
    assert "the state of bootstrap is below ml-infra, and stays there" in error
    error = team.refused("state", "bootstrap", "--bucket", "another-bucket")
    assert f"names the bucket {team.bucket}, not another-bucket" in error

    # Another checkout, in which nobody has committed what was written: the state is in the bucket.
    shutil.rmtree(team.work / "bootstrap")
    assert "nothing to do" in team.ok("state", "bootstrap", "--bucket", team.bucket)
    locks_with_the_table(team)


def check_bucket(team: Team) -> None:
    s3, name = team.client("s3"), {"Bucket": team.bucket}
    assert s3.get_bucket_versioning(**name)["Status"] == "Enabled"
    rules = s3.get_bucket_encryption(**name)["ServerSideEncryptionConfiguration"]["Rules"]
    assert rules[0]["ApplyServerSideEncryptionByDefault"]["SSEAlgorithm"] == "AES256"
    closed = s3.get_public_access_block(**name)["PublicAccessBlockConfiguration"]
    assert list(closed.values()) == [True] * 4
    (statement,) = json.loads(s3.get_bucket_policy(**name)["Policy"])["Statement"]
    assert statement["Effect"] == "Deny"
    assert statement["Condition"] == {"Bool": {"aws:SecureTransport": "false"}}
    rules = s3.get_bucket_lifecycle_configuration(**name)["Rules"]
    (plans,) = (rule for rule in rules if rule["ID"] == "expire-plans")
    assert (plans["Filter"]["Prefix"], plans["Expiration"]["Days"]) == ("pipeline/", 14)
    old = [
        rule["NoncurrentVersionExpiration"]
        for rule in rules
        if "NoncurrentVersionExpiration" in rule and rule != plans
    ]
    assert old == [{"NoncurrentDays": 90, "NewerNoncurrentVersions": 20}]


def check_table(team: Team) -> None:
    dynamodb = team.client("dynamodb")
    table = dynamodb.describe_table(TableName="terraform-locks")["Table"]
    assert table["KeySchema"] == [{"AttributeName": "LockID", "KeyType": "HASH"}]
    assert table["BillingModeSummary"]["BillingMode"] == "PAY_PER_REQUEST"
    assert table["SSEDescription"]["Status"] == "ENABLED"
    backups = dynamodb.describe_continuous_backups(TableName="terraform-locks")
    recovery = backups["ContinuousBackupsDescription"]["PointInTimeRecoveryDescription"]
    assert recovery["PointInTimeRecoveryStatus"] == "ENABLED"


def locks_with_the_table(team: Team) -> None:
    team.enable("--lock", "table")
    backend = (team.work / READER / "backend.tf").read_text()
    assert 'dynamodb_table = "terraform-locks"' in backend
    assert "use_lockfile" not in backend
    team.no_changes()
    noted = json.loads((team.root / ".tools/local/localstack.json").read_text())
    walk_through(team, f"http://127.0.0.1:{noted['port']}")

    # The table notes a checksum of each state, and refuses another in its place.
    team.ok("deploy", NEVER)
    copy_by_hand_and_forget(team)
    assert team.key("notebooks/mine") in checksums(team)
    team.ok("rename-notebook", "mine", "yours")
    assert team.key("notebooks/mine") not in checksums(team)
    team.ok("new-notebook", "mine")
    shutil.rmtree(team.work / "notebooks/yours")
    team.ok("destroy", "--orphan", "notebooks/yours")
    state = team.remote("notebooks/yours") or b""
    assert json.loads(state)["resources"] == []
    assert checksums(team)[team.key("notebooks/yours")] == md5(state).hexdigest()

    team.enable("--lock", "both")
    backend = (team.work / READER / "backend.tf").read_text()
    assert "use_lockfile   = true" in backend
    assert "dynamodb_table" in backend
    write_upstream(team, "two")
    team.ok("deploy", UPSTREAM, READER)
    assert team.output(READER) == "two"

    # While the table is not used, what it notes of the states is left behind.
    team.enable("--lock", "file")
    write_upstream(team, "three")
    team.ok("deploy", UPSTREAM, READER)
    team.enable("--lock", "table")
    team.no_changes()
    takes_a_table_of_the_team_s(team)


def takes_a_table_of_the_team_s(team: Team) -> None:
    team.client("dynamodb").create_table(
        TableName="our-locks",
        KeySchema=[{"AttributeName": "LockID", "KeyType": "HASH"}],
        AttributeDefinitions=[{"AttributeName": "LockID", "AttributeType": "S"}],
        BillingMode="PAY_PER_REQUEST",
    )
    for file in team.work.glob("*/*/backend.tf"):
        file.write_text(file.read_text().replace("terraform-locks", "our-locks"))
        shutil.rmtree(file.with_name(".terraform"), ignore_errors=True)
    assert "nothing to do" in team.ok("state", "enable")
    team.no_changes()
    write(Team(team.work, team.env, team.bucket, team.client), "notebooks/own", RESOURCE)
    team.ok("state", "enable")
    team.ok("deploy", "own")
    team.ok("rename-notebook", "own", "ours")
    assert 'dynamodb_table = "our-locks"' in (team.work / "notebooks/ours/backend.tf").read_text()
    assert team.remote("notebooks/ours")
    assert team.key("notebooks/own") not in checksums(team, "our-locks")


def checksums(team: Team, table: str = "terraform-locks") -> dict[str, str]:
    """Those of the states, by their keys."""
    found = team.client("dynamodb").scan(TableName=table)["Items"]
    noted = {item["LockID"]["S"]: item["Digest"]["S"] for item in found if "Digest" in item}
    return {
        path.removeprefix(f"{team.bucket}/").removesuffix("-md5"): digest
        for path, digest in noted.items()
    }


def copy_by_hand_and_forget(team: Team) -> None:
    """A notebook of the working copy alone, applied."""
    shutil.copytree(team.work / NEVER, team.work / "notebooks/mine", symlinks=True)
    for name in (".from-repository", "backend.tf"):
        (team.work / "notebooks/mine" / name).unlink()
    shutil.rmtree(team.work / "notebooks/mine/.terraform")
    team.ok("state", "enable")
    team.ok("deploy", "mine")
