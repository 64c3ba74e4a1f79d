"""An old deployment of one folder, applied by Terraform, becomes the stacks' without a change."""

import json
import shutil
import subprocess
from collections.abc import Callable
from pathlib import Path
from typing import Any
from uuid import uuid4

import pytest

from tests.cli.conftest import Checkout
from tests.migration.legacy import MONOLITH, NOTEBOOKS, Legacy, LetGo, Migrated


def test_a_look_shows_what_would_take_what_and_writes_nothing(
    legacy: Legacy, repository: Checkout
) -> None:
    looked = repository.tools("migrate", str(legacy.folder), "--local", "--dry-run")
    assert looked.returncode == 0, looked.stderr
    shown = looked.stdout.splitlines()
    assert shown[0].split() == ["Resource", "From", "To", "Action"]
    bucket = next(line for line in shown if line.startswith(f"bucket {legacy.prefix}-data "))
    assert bucket.split()[2:] == [
        "aws_s3_bucket.data",
        "shared-infra/s3",
        "aws_s3_bucket.datasets",
        "import",
    ]
    others = shown[shown.index("") + 2 :]
    assert any(line.startswith("aws_vpc.main ") and "is yours" in line for line in others)
    patterns = ("**/terraform.tfvars", "**/*.tfstate", "state-rm-*", "notebooks/*/")
    assert [path for pattern in patterns for path in repository.root.glob(pattern)] == []


def test_an_interrupted_migration_goes_on(migrated: Migrated) -> None:
    code, said = migrated.interrupted
    assert code == 130, said
    assert "notebooks/" not in said.partition("[shared-infra/iam] importing")[2]
    assert migrated.done.returncode == 0, migrated.done.stderr
    assert "[shared-infra/s3] importing" not in migrated.done.stderr
    assert "importing module.notebook.aws_sagemaker_notebook_instance.this" in migrated.done.stderr


def test_it_ends_with_a_plan_that_destroys_and_replaces_nothing(migrated: Migrated) -> None:
    plans = {plan["stack"]: plan for plan in migrated.answer["plans"]}
    assert {f"notebooks/{migrated.legacy.prefix}-{name}" for name in NOTEBOOKS} < plans.keys()
    actions = {
        (plan["stack"], change["address"]): change["action"]
        for plan in plans.values()
        for change in plan["changes"]
    }
    assert set(actions.values()) <= {"create", "update"}
    imported = {tuple(one["to"].split(" ", 1)) for one in migrated.answer["resources"] if one["to"]}
    assert {key for key in imported if actions.get(key) == "create"} == set()


_HTTPS_FROM_THE_VPC = "aws_security_group_rule.endpoints"  # tests/migration/monolith/network.tf


def test_what_stays_has_a_reason(migrated: Migrated) -> None:
    assert {
        one["from"]: one["action"] for one in migrated.answer["resources"] if not one["to"]
    } == {
        "aws_cloudwatch_log_group.jobs": "stays",
        "aws_iam_policy.buckets": "let go",
        "aws_iam_role_policy.secrets": "let go",
        "aws_iam_role_policy_attachment.buckets": "let go",
        "aws_iam_role_policy_attachment.full_access": "let go",
        "aws_kms_key.volumes": "let go",
        "aws_route_table.private": "yours",
        "aws_route_table_association.private[0]": "yours",
        "aws_route_table_association.private[1]": "yours",
        "aws_s3_object.readme": "let go",
        "aws_subnet.private[0]": "yours",
        "aws_subnet.private[1]": "yours",
        "aws_vpc.main": "yours",
        **{
            f'module.notebook["{name}"]'
            ".aws_sagemaker_notebook_instance_lifecycle_configuration.this": "let go"
            for name in NOTEBOOKS
        },
    }
    assert all(one["reason"] for one in migrated.answer["resources"] if not one["to"])
    # HTTPS from the VPC's own range: the layout has the same rule, so it is taken over.
    [rule] = (one for one in migrated.answer["resources"] if one["from"] == _HTTPS_FROM_THE_VPC)
    assert "endpoints_from_vpc" in str(rule["to"])


@pytest.mark.nightly
def test_no_resource_is_another_one_afterwards(
    migrated: Migrated, deployed: "subprocess.CompletedProcess[str]"
) -> None:
    legacy = migrated.legacy
    assert migrated.after == migrated.before
    assert deployed.returncode == 0, deployed.stderr
    identities, endpoints, files = migrated.before
    assert legacy.identities() == identities
    assert endpoints < legacy.endpoints()
    assert legacy.files == files


def test_scripts_values_and_objects_are_kept(
    migrated: Migrated, client: Callable[..., Any]
) -> None:
    prefix = migrated.legacy.prefix
    directory = migrated.checkout.root / ".tools/local/workspace/notebooks" / f"{prefix}-bob"
    assert (directory / "on-start.sh").read_text() == (
        f"#!/bin/bash\nset -e\necho 'hello from {prefix}-bob'\n"
    )
    values = (directory / "terraform.tfvars").read_text()
    assert f'kms_key_id        = "{migrated.legacy.outputs()["kms_key_arn"]}"' in values
    assert 'owner             = "bob"' in values
    found = client("s3").get_object(Bucket=f"{prefix}-data", Key="users/alice/a.csv")
    assert found["Body"].read() == b"a,b\n1,2\n"
    client("s3").head_object(Bucket=f"{prefix}-data", Key="shared/README.txt")


def test_the_order_of_what_comes_next_is_said(migrated: Migrated) -> None:
    told = migrated.done.stderr.partition("In this order:")[2]
    steps = ["tools deploy --local", "./state-rm-legacy.sh", "plan -destroy"]
    assert sorted(steps, key=told.index) == steps


@pytest.mark.nightly
def test_the_script_lets_go_of_what_is_in_use_and_warns_of_the_network(
    migrated: Migrated, gone: LetGo
) -> None:
    assert gone.first.returncode == 0, gone.first.stderr
    assert "aws_vpc.main is in use here, and `terraform destroy`" in gone.first.stderr
    assert gone.second.returncode == 0, gone.second.stderr
    assert "is in use here" not in gone.second.stderr
    left = migrated.legacy.terraform("state", "list", folder=gone.folder).split()
    assert left == ["data.aws_caller_identity.current", "aws_cloudwatch_log_group.jobs"]


@pytest.mark.nightly
def test_a_destroy_of_the_rest_takes_nothing_from_the_new_deployment(
    migrated: Migrated,
    deployed: "subprocess.CompletedProcess[str]",
    gone: LetGo,
    client: Callable[..., Any],
) -> None:
    assert deployed.returncode == 0, deployed.stderr
    destroy = ("destroy", "-input=false", "-auto-approve")
    migrated.legacy.terraform(*destroy, folder=gone.folder)
    planned = migrated.checkout.tools("plan", "--local", "--refresh", "--json")
    plans = json.loads(planned.stdout)
    assert len(plans) == 6
    assert {plan["status"] for plan in plans} == {"unchanged"}, plans
    # What no plan looks at, since nothing here manages it.
    legacy, iam = migrated.legacy, client("iam")
    role = f"{legacy.prefix}-sagemaker"
    attached = iam.list_attached_role_policies(RoleName=role)["AttachedPolicies"]
    assert {"AmazonSageMakerFullAccess", f"{legacy.prefix}-buckets"} <= {
        policy["PolicyName"] for policy in attached
    }
    assert "secrets" in iam.list_role_policies(RoleName=role)["PolicyNames"]
    key = client("kms").describe_key(KeyId=legacy.outputs()["kms_key_arn"])["KeyMetadata"]
    assert key["KeyState"] == "Enabled"
    subnets = client("ec2").describe_subnets(SubnetIds=legacy.outputs()["subnet_ids"])["Subnets"]
    assert [subnet["State"] for subnet in subnets] == ["available"] * 2
    groups = client("logs").describe_log_groups(logGroupNamePrefix=f"/{legacy.prefix}/")
    assert groups["logGroups"] == []


def test_a_migration_that_is_done_has_nothing_left(migrated: Migrated) -> None:
    again = migrated.checkout.tools("migrate", str(migrated.legacy.folder), "--local", "--dry-run")
    assert again.returncode == 0, again.stderr
    assert "0 of " in again.stderr


def test_a_plan_that_would_replace_something_ends_in_an_error_and_without_a_script(
    migrated: Migrated,
) -> None:
    """As where somebody has changed a value before the migration went on."""
    name = f"notebooks/{migrated.legacy.prefix}-alice"
    values = migrated.checkout.root / ".tools/local/workspace" / name / "terraform.tfvars"
    kept = values.read_text()
    elsewhere = migrated.legacy.outputs()["subnet_ids"][1]
    values.write_text(f'{kept}subnet_id = "{elsewhere}"\n')
    path = migrated.checkout.root / "not-written.sh"
    others = ("--leave", "aws_*", "--leave", 'module.notebook["bob"].*')  # to plan one stack
    command = ("migrate", str(migrated.legacy.folder), "--local", "--script", str(path))
    refused = migrated.checkout.tools(*command, *others)
    values.write_text(kept)
    assert refused.returncode == 1, refused.stdout
    assert f"{name}: a deployment would replace module.notebook" in refused.stderr
    assert not path.exists()


def test_an_address_that_is_taken_is_refused_before_anything_is_written(
    migrated: Migrated, client: Callable[..., Any], tmp_path: Path
) -> None:
    other = f"{migrated.legacy.prefix}-second"
    client("s3").create_bucket(Bucket=other)
    second = tmp_path / "second.tfstate"
    second.write_text(json.dumps(state(bucket(other))))
    workspace = migrated.checkout.root / ".tools/local/workspace"
    values = (workspace / "shared-infra/s3/terraform.tfvars").read_bytes()
    command = ("migrate", str(second), "--local", "--bucket", f"{other}=datasets")
    refused = migrated.checkout.tools(*command)
    assert refused.returncode == 1
    assert_one_line(refused)
    assert "datasets" in refused.stderr
    rows = [" ".join(line.split()) for line in refused.stdout.splitlines()]
    taken = "shared-infra/s3 aws_s3_bucket.datasets"
    assert f"bucket {other} aws_s3_bucket.b {taken} conflict" in rows
    (row,) = [row for row in rows if row.startswith(f"{taken} conflict ")]
    assert f"already has {migrated.legacy.prefix}" in row
    dry = json.loads(migrated.checkout.tools(*command, "--dry-run", "--json").stdout)
    # And what goes with the bucket: its encryption, its versions.
    assert dry["conflicts"][0]["what"] == taken
    assert all(c["what"].startswith("shared-infra/s3") for c in dry["conflicts"])
    assert (workspace / "shared-infra/s3/terraform.tfvars").read_bytes() == values
    assert not (migrated.checkout.root / "state-rm-second.sh").exists()


def bucket(name: str, region: str = "us-east-1") -> dict[str, Any]:
    values = {"bucket": name, "id": name, "region": region}
    instances = [{"attributes": values}]
    return {"mode": "managed", "type": "aws_s3_bucket", "name": "b", "instances": instances}


def role(account: str) -> dict[str, Any]:
    values = {"name": "r", "id": "r", "arn": f"arn:aws:iam::{account}:role/r"}
    instances = [{"attributes": values}]
    return {"mode": "managed", "type": "aws_iam_role", "name": "r", "instances": instances}


def state(*resources: dict[str, Any], **more: Any) -> dict[str, Any]:
    plain = {"version": 4, "terraform_version": "1.0.0", "serial": 1, "lineage": uuid4().hex}
    return {**plain, "outputs": {}, "resources": list(resources), **more}


def assert_one_line(done: "subprocess.CompletedProcess[str]") -> None:
    assert len(done.stderr.splitlines()) == 1, done.stderr
    assert done.stderr.startswith("error: ")


LAMBDA = {**bucket("x"), "type": "aws_lambda_function"}
REFUSED: dict[str, tuple[Any, str]] = {
    "cut short": (json.dumps(state(bucket("x")))[:-9], "not valid JSON"),
    "older format": (state(version=3), "upgrade it with the Terraform that made it"),
    "newer": (state(bucket("x"), terraform_version="99.1.0"), "written by Terraform 99.1.0, but"),
    "empty": (state(), "holds no resources"),
    "another region": (state(bucket("x", "eu-west-1")), "is in region eu-west-1, but"),
    "another account": (state(role("999999999999")), "is in account 999999999999, but"),
    "nothing that fits": (state(LAMBDA), "nothing to migrate"),
    "not in AWS": (state(bucket("was-deleted-by-hand")), "--leave 'aws_s3_bucket.b'"),
}


@pytest.mark.parametrize("case", REFUSED)
def test_what_cannot_be_migrated_is_refused_in_one_line(
    case: str, repository: Checkout, tmp_path: Path
) -> None:
    content, said = REFUSED[case]
    path = tmp_path / "old.tfstate"
    path.write_text(content if isinstance(content, str) else json.dumps(content))
    done = repository.tools("migrate", str(path), "--local")
    assert done.returncode == 1, done.stdout
    assert done.stdout == ""
    assert_one_line(done)
    assert said in done.stderr
    assert list(repository.root.glob("state-rm-*")) == []


def test_a_folder_without_a_state_is_refused(repository: Checkout, tmp_path: Path) -> None:
    done = repository.tools("migrate", str(tmp_path), "--local")
    assert done.returncode == 1
    assert_one_line(done)
    assert "has no state" in done.stderr


def test_a_stack_of_this_repository_is_no_old_deployment(
    repository: Checkout, tmp_path: Path
) -> None:
    """Neither in its place nor as a copy, which has its lineage."""
    stack = repository.root / ".tools/local/workspace/shared-infra/s3/terraform.tfstate"
    assert repository.tools("list", "--local").returncode == 0  # which makes the working copy
    own = state(bucket("x"))
    stack.write_text(json.dumps(own))
    copy = tmp_path / "copy.tfstate"
    copy.write_text(json.dumps(own))
    for source in (stack.parent, copy):
        done = repository.tools("migrate", str(source), "--local")
        assert done.returncode == 1
        assert_one_line(done)
        assert "a stack of this repository already" in done.stderr
    stack.unlink()


def test_a_state_in_a_bucket_is_found_where_the_files_say(
    legacy: Legacy, repository: Checkout, client: Callable[..., Any], tmp_path: Path
) -> None:
    place, key = f"{legacy.prefix}-states", "old/terraform.tfstate"
    client("s3").create_bucket(Bucket=place)
    text = (legacy.folder / "terraform.tfstate").read_bytes()
    client("s3").put_object(Bucket=place, Key=key, Body=text)
    folder = tmp_path / "remote"
    shutil.copytree(MONOLITH, folder)
    (folder / "backend.tf").write_text(
        f'terraform {{\n  backend "s3" {{\n    bucket = "{place}"\n    key    = "{key}"\n'
        '    region = "us-east-1"\n  }\n}\n'
    )
    done = repository.tools("migrate", str(folder), "--local", "--dry-run", "--json")
    assert done.returncode == 0, done.stderr
    found = {one["from"]: one["to"] for one in json.loads(done.stdout)["resources"]}
    assert found["aws_iam_role.sagemaker"] == "shared-infra/iam aws_iam_role.notebook"


def test_the_users_words_on_buckets_and_what_to_leave(legacy: Legacy, repository: Checkout) -> None:
    done = repository.tools(
        "migrate",
        str(legacy.folder),
        *("--local", "--dry-run", "--json", "--leave", "aws_iam_role.sagemaker"),
        *("--leave", "aws_vpc_endpoint.s3"),
        *("--bucket", f"{legacy.prefix}-data=raw"),
    )
    assert done.returncode == 0, done.stderr
    notes = json.loads(done.stdout)["notes"]
    (gateway,) = [note for note in notes if note.startswith("s3: ")]
    assert "(aws_vpc_endpoint.s3) is left out by --leave" in gateway
    (stays,) = [note for note in notes if note.startswith("a destroy of the old deployment")]
    assert "2 resources" in stays
    found = {one["from"]: one for one in json.loads(done.stdout)["resources"]}
    assert found["aws_s3_bucket.data"]["to"] == 'shared-infra/s3 aws_s3_bucket.further["raw"]'
    left = found["aws_iam_role.sagemaker"]
    assert (left["to"], left["action"]) == (None, "let go")  # the notebooks go on with it


def test_a_foreign_file_in_the_script_s_place_is_kept(legacy: Legacy, repository: Checkout) -> None:
    mine = repository.root / "state-rm-legacy.sh"
    mine.write_text("echo mine\n")
    done = repository.tools("migrate", str(legacy.folder), "--local")
    mine.unlink()
    assert done.returncode == 1
    assert_one_line(done)
    assert "choose another file: --script" in done.stderr
