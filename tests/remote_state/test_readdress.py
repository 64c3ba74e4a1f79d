"""States with addresses of an older layout: nothing is planned until they move, nothing is lost.

Terraform's own plan says that nothing changes afterwards.
"""

import json
from uuid import uuid4

import pytest

from .conftest import Team, write

S3 = "shared-infra/s3"
# As much of shared-infra/s3 as its addresses need, before and today.
_BEFORE = """
variable "project" {}
variable "region" {}
variable "state_bucket" {
  default = null
}
provider "aws" {
  region = var.region
}
"""
_BUCKET = '  bucket = "%s-%s"\n  force_destroy = true\n'


def former(prefix: str) -> str:
    return (
        f'{_BEFORE}resource "aws_s3_bucket" "shared" {{\n'
        '  for_each = toset(["datasets", "features"])\n'
        f"{_BUCKET % (prefix, '${each.key}')}}}\n"
    )


def today(prefix: str) -> str:
    return (
        f'{_BEFORE}resource "aws_s3_bucket" "datasets" {{\n{_BUCKET % (prefix, "datasets")}}}\n'
        'resource "aws_s3_bucket" "further" {\n  for_each = toset(["features"])\n'
        f"{_BUCKET % (prefix, '${each.key}')}}}\n"
        'resource "aws_s3_bucket" "shared" {\n  count = 0\n  lifecycle {\n'
        "    prevent_destroy = true\n  }\n}\n"
    )


def addresses(team: Team) -> set[str]:
    text = team.remote(S3) or team.local(S3)
    assert text
    return {f"{one['type']}.{one['name']}" for one in json.loads(text)["resources"]}


@pytest.mark.parametrize(
    "in_bucket",
    [
        pytest.param(False, id="on this machine", marks=pytest.mark.nightly),
        pytest.param(True, id="in a bucket"),
    ],
)
def test_buckets_keep_their_data(team: Team, in_bucket: bool) -> None:
    prefix = f"b-{uuid4().hex[:8]}"
    write(team, S3, former(prefix))
    team.ok("deploy", S3)
    team.client("s3").put_object(Bucket=f"{prefix}-datasets", Key="data", Body=b"1")
    if in_bucket:
        team.enable()
    write(team, S3, today(prefix))
    for command in (("plan", S3), ("deploy", S3), ("destroy", S3)):
        said = team.tools(*command, "--local")
        assert said.returncode == 1, said.stdout
        assert f"move them: tools upgrade --local {S3}" in said.stdout + said.stderr
    assert addresses(team) == {"aws_s3_bucket.shared"}

    looked = team.ok("upgrade", "--dry-run")
    assert f'{S3}: aws_s3_bucket.shared["features"] becomes' in looked
    assert addresses(team) == {"aws_s3_bucket.shared"}
    team.ok("upgrade")
    assert addresses(team) == {"aws_s3_bucket.datasets", "aws_s3_bucket.further"}
    assert bool(team.remote(S3)) == in_bucket
    team.ok("plan", S3, "--refresh", "--detailed-exitcode")
    if not in_bucket:
        assert list((team.work / S3).glob("terraform.tfstate.*.backup"))
    assert "nothing to upgrade" in team.ok("upgrade")
    found = team.client("s3").get_object(Bucket=f"{prefix}-datasets", Key="data")
    assert found["Body"].read() == b"1"
    team.ok("destroy", S3)
