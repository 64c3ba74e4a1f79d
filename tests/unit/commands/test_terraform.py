"""`tools adopt` and `drift` by what Terraform plans, which here plans as it is told."""

import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import boto3
import pytest

from tests.roles import TRUST
from tests.trees import write_stack
from tests.unit.commands.conftest import Checkout
from tests.unit.engine.fake_terraform import Answer, FakeTerraform, planned, write_state
from tools.terraform.binary import Terraform


@pytest.fixture
def terraform(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> FakeTerraform:
    fake = FakeTerraform.at(tmp_path)
    monkeypatch.setattr(Terraform, "find", lambda *_: fake)
    return fake


def plan_to_create(terraform: FakeTerraform, kind: str, **values: Any) -> None:
    change = {
        "address": f"{kind}.this",
        "mode": "managed",
        "type": kind,
        "change": {"actions": ["create"], "after": values},
    }
    terraform.plan_json["resource_changes"] = [change]


@pytest.fixture
def iam(identified: Checkout, moto: str) -> Iterator[Any]:
    """IAM of moto, which has the role `left`."""
    identified.env["AWS_ENDPOINT_URL_IAM"] = moto
    keys = {"aws_access_key_id": "test", "aws_secret_access_key": "test"}
    client = boto3.client("iam", region_name="us-east-1", endpoint_url=moto, **keys)
    client.create_role(RoleName="left", AssumeRolePolicyDocument=json.dumps(TRUST))
    yield client
    client.delete_role(RoleName="left")


def test_what_an_apply_left_is_shown_before_it_is_imported(
    identified: Checkout, terraform: FakeTerraform, iam: Any
) -> None:
    write_stack(identified.root, "notebooks/died", "")
    plan_to_create(terraform, "aws_iam_role", name="left")
    done = identified.tools("adopt", "died", answers="n\n")
    assert (done.returncode, done.stdout) == (1, "")
    account, question = "Import in AWS account 123456789012", "Import this resource? [y/N]"
    assert done.stderr.index(account) < done.stderr.index(question)
    assert "aws_iam_role.this  left\n" in done.stderr
    assert terraform.calls == ["init notebooks/died", "plan notebooks/died", "show notebooks/died"]


def test_of_what_aws_does_not_have_there_is_nothing_to_adopt(
    identified: Checkout, terraform: FakeTerraform, iam: Any
) -> None:
    write_stack(identified.root, "notebooks/died", "")
    plan_to_create(terraform, "aws_iam_role", name="never-made")
    done = identified.tools("adopt", "died", "--yes")
    assert (done.returncode, done.stdout) == (0, ""), done
    assert "Nothing to adopt in notebooks/died." in done.stderr


def test_one_stack_is_adopted_at_a_time(identified: Checkout, terraform: FakeTerraform) -> None:
    done = identified.tools("adopt", "notebook-*")
    assert (done.returncode, done.stdout) == (1, "")
    assert "error: notebook-* names 2 stacks; name one\n" in done.stderr
    assert terraform.calls == []


def test_drift_as_json_tells_outside_changes_from_what_is_not_applied(
    identified: Checkout, terraform: FakeTerraform
) -> None:
    """docs/json.md has the names; the exit code is that of --detailed-exitcode's help."""
    directory = write_stack(identified.root, "notebooks/n", "")
    write_stack(identified.root, "notebooks/never", "")
    write_state(directory)
    change = {"actions": ["update"], "before": {"tags": {}}, "after": {"tags": {"by": "hand"}}}
    told = planned("aws_s3_bucket.this", "update", kind="resource_drift")
    terraform.will("drift notebooks/n", Answer([told]))
    terraform.plan_json["resource_drift"] = [
        {"address": "aws_s3_bucket.this", "type": "aws_s3_bucket", "change": change}
    ]
    done = identified.tools("drift", "n", "never", "--json", "--detailed-exitcode")
    assert done.returncode == 2, done
    drifted, never = json.loads(done.stdout)
    assert (drifted["stack"], drifted["status"]) == ("notebooks/n", "drifted")
    (outside,) = drifted["outside"]
    assert outside == {
        "address": "aws_s3_bucket.this",
        "type": "aws_s3_bucket",
        "action": "update",
        "attributes": ["tags"],
    }
    assert drifted["not_applied"]  # nothing tells what was applied: the state has no record
    assert (never["stack"], never["status"]) == ("notebooks/never", "in sync")
    assert (never["outside"], never["detail"]) == ([], "nothing is deployed")
