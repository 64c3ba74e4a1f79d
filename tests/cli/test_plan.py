"""Plans as a person sees them, saved and applied as shown; drift; what takes data away."""

import json
import re
import subprocess
import sys
from collections.abc import Callable
from contextlib import suppress
from pathlib import Path
from typing import Any
from uuid import uuid4
from xml.etree import ElementTree

import ptyprocess
import pytest

from tests.cli.conftest import TOOLS, Checkout
from tests.cli.test_changes import terraforms, work
from tests.cli.test_deploy import BROKEN, RESOURCE, outcomes
from tests.trees import REPOSITORY, reading, write_stack
from tools.localcloud.process import Running

USES = 'output "y" {\n  value = data.terraform_remote_state.b.outputs.x\n}\n'


def bucket(name: str) -> str:
    return (
        f'provider "aws" {{\n  region = "us-east-1"\n}}\nresource "aws_s3_bucket" "this" {{\n'
        f'  bucket = "{name}"\n}}\n'
    )


@pytest.fixture
def stacks(small: Checkout) -> Checkout:
    write_stack(small.root, "shared-infra/b", RESOURCE)
    write_stack(small.root, "notebooks/n", USES + reading("shared-infra/b"))
    return small


def planned(checkout: Checkout, *options: str) -> dict[str, dict[str, Any]]:
    done = checkout.tools("plan", "--local", "--json", *options)
    assert done.returncode == 0, done.stderr
    return {plan["stack"]: plan for plan in json.loads(done.stdout)}


def test_a_stack_waits_for_its_upstream_which_is_no_error(stacks: Checkout) -> None:
    done = stacks.tools("plan", "--local")
    assert done.returncode == 0, done.stderr
    assert re.search(r"^shared-infra/b +1 +- +- +-", done.stdout, re.M)
    assert re.search(r"^notebooks/n .*waiting +waits for shared-infra/b", done.stdout, re.M)
    assert done.stderr.endswith("next: tools deploy --local\n")
    assert not (work(stacks, "shared-infra/b") / "terraform.tfstate").exists()


def test_the_exit_code_tells_changes_where_asked_to(stacks: Checkout) -> None:
    assert stacks.tools("plan", "--local", "--detailed-exitcode").returncode == 2
    assert stacks.tools("deploy", "--local").returncode == 0
    assert stacks.tools("plan", "--local", "--detailed-exitcode").returncode == 0
    write_stack(stacks.root, "shared-infra/b", BROKEN)
    assert stacks.tools("plan", "--local", "--detailed-exitcode").returncode == 1


def test_details_are_terraform_s_own_text(stacks: Checkout) -> None:
    done = stacks.tools("plan", "--local", "--details", "b")
    assert "# terraform_data.this will be created" in done.stdout


def test_saved_plans_are_applied_exactly_as_shown(stacks: Checkout, tmp_path: Path) -> None:
    folder = str(tmp_path / "plans")
    done = stacks.tools("plan", "--local", "--plan-dir", folder)
    assert done.returncode == 0
    assert done.stderr.endswith(f"next: tools deploy --local --plan-dir {folder}\n")
    assert {path.stat().st_mode & 0o077 for path in [Path(folder)]} == {0}
    write_stack(stacks.root, "shared-infra/b", RESOURCE.replace('"x"', '"later"'))
    done = stacks.tools("deploy", "--local", "--plan-dir", folder)
    assert done.returncode == 1
    assert outcomes(done.stderr) == {"shared-infra/b": "applied", "notebooks/n": "not run"}
    assert "there is no plan of it: waits for shared-infra/b" in done.stderr
    state = json.loads((work(stacks, "shared-infra/b") / "terraform.tfstate").read_text())
    assert state["outputs"]["x"]["value"] == "x"
    # What was edited after the plan is still to be applied.
    assert planned(stacks)["shared-infra/b"]["status"] == "changed"


def test_a_plan_whose_state_has_moved_on_is_refused(stacks: Checkout, tmp_path: Path) -> None:
    folder = str(tmp_path / "plans")
    assert stacks.tools("plan", "--local", "--plan-dir", folder).returncode == 0
    assert stacks.tools("deploy", "--local").returncode == 0
    done = stacks.tools("deploy", "--local", "--plan-dir", folder)
    assert done.returncode == 1
    assert "Saved plan is stale" in done.stderr


def test_plans_in_a_folder_with_other_things_are_refused(stacks: Checkout, tmp_path: Path) -> None:
    (tmp_path / "mine.txt").touch()
    done = stacks.tools("plan", "--local", "--plan-dir", str(tmp_path))
    assert done.returncode == 1
    assert "holds other things than plans" in done.stderr
    (tmp_path / "plans.json").touch()
    assert stacks.tools("plan", "--local", "--plan-dir", str(tmp_path)).returncode == 1
    assert (tmp_path / "mine.txt").exists()
    (tmp_path / "plans.json").unlink()
    done = stacks.tools("deploy", "--local", "--plan-dir", str(tmp_path))
    assert "holds no plans; make them: tools plan --plan-dir" in done.stderr


@pytest.mark.usefixtures("kept_provider")
def test_what_takes_data_away_needs_more_than_yes(
    small: Checkout, client: Callable[..., Any]
) -> None:
    name, other = f"kept-{uuid4().hex[:8]}", f"other-{uuid4().hex[:8]}"
    write_stack(small.root, "shared-infra/b", bucket(name))
    assert small.tools("deploy", "--local").returncode == 0
    write_stack(small.root, "shared-infra/b", bucket(other))

    shown = small.tools("plan", "--local").stdout
    assert "replace aws_s3_bucket.this: loses its data" in shown
    refused = small.tools("deploy", "--local", "--yes")
    assert refused.returncode == 1
    assert "would replace aws_s3_bucket.this" in refused.stderr
    assert "add --allow-destroy" in refused.stderr
    client("s3").head_bucket(Bucket=name)

    client("s3").put_object(Bucket=name, Key="data.csv", Body=b"1")
    full = small.tools("destroy", "--local")
    assert full.returncode == 1
    assert f"bucket {name} holds objects" in full.stderr
    client("s3").delete_object(Bucket=name, Key="data.csv")

    agreed = small.tools("deploy", "--local", "--allow-destroy")
    assert agreed.returncode == 0, agreed.stderr
    names = [found["Name"] for found in client("s3").list_buckets()["Buckets"]]
    assert other in names
    assert name not in names
    assert small.tools("destroy", "--local").returncode == 0


def test_a_loss_is_refused_wherever_terraform_asks_and_keeps_its_state(small: Checkout) -> None:
    """With a built-in resource for one that holds data (tests/cli/holding.py)."""

    def run(*arguments: str, **env: str) -> "subprocess.CompletedProcess[str]":
        command = [sys.executable, "-m", "tests.cli.holding", *arguments, "--local"]
        return small.run(*command, **env)

    def resource() -> Any:
        text = (work(small, "shared-infra/b") / "terraform.tfstate").read_text()
        return json.loads(text)["resources"][0]["instances"][0]["attributes"]["id"]

    text = 'resource "terraform_data" "this" {\n  triggers_replace = 1\n}\n'
    # What it says of itself is printed below the plan, unindented.
    check = (
        'check "c" {\n  assert {\n    condition     = terraform_data.this.triggers_replace == 1\n'
        '    error_message = "x\\n\\nPlan: 0 to add, 0 to change, 0 to destroy.\\n"\n  }\n}\n'
    )
    text += check
    write_stack(small.root, "shared-infra/b", text)
    assert run("deploy").returncode == 0
    before = resource()
    write_stack(small.root, "shared-infra/b", text.replace("= 1", "= 2", 1))
    (plan,) = json.loads(run("plan", "--json").stdout)
    assert plan["loses_data"]
    assert [change["action"] for change in plan["changes"]] == ["replace"]

    unasked = run("deploy", "--yes", TF_CLI_ARGS_apply="-auto-approve")
    assert unasked.returncode == 1
    assert "would replace terraform_data.this" in unasked.stderr
    override = small.root / "shared-infra/b/state_override.tf"
    override.write_text(
        'terraform {\n  backend "local" {\n    path = "terraform.tfstate"\n  }\n}\n'
    )
    hidden = run("deploy", "--yes")
    assert "would replace terraform_data.this" in hidden.stderr
    assert resource() == before


@pytest.mark.usefixtures("kept_provider")
@pytest.mark.nightly
def test_drift_tells_a_change_outside_from_one_not_applied(
    small: Checkout, client: Callable[..., Any]
) -> None:
    name = f"drift-{uuid4().hex[:8]}"
    write_stack(small.root, "shared-infra/b", bucket(name))
    write_stack(small.root, "notebooks/n", RESOURCE)
    assert small.tools("deploy", "--local").returncode == 0
    assert small.tools("drift", "--local", "--detailed-exitcode").returncode == 0
    (small.root / "notebooks/n/extra.tf").write_text("# edited\n")
    tags = {"TagSet": [{"Key": "by", "Value": "hand"}]}
    client("s3").put_bucket_tagging(Bucket=name, Tagging=tags)

    done = small.tools("drift", "--local", "--detailed-exitcode")
    assert done.returncode == 2, done.stderr
    assert [re.split(r" {2,}", line) for line in done.stdout.splitlines()[1:]] == [
        ["shared-infra/b", "changed outside of Terraform", "aws_s3_bucket.this (tags, tags_all)"],
        ["notebooks/n", "not applied yet", "notebooks/n/extra.tf is new"],
    ]
    found = json.loads(small.tools("drift", "--local", "--json").stdout)
    assert {row["stack"]: row["status"] for row in found} == {
        "shared-infra/b": "drifted",
        "notebooks/n": "in sync",
    }
    # The record cannot know, Terraform does where it is asked.
    assert planned(small)["shared-infra/b"]["status"] == "unchanged"
    assert planned(small, "--refresh")["shared-infra/b"]["status"] == "changed"
    assert small.tools("destroy", "--local").returncode == 0


def test_a_person_sees_the_plan_and_agrees_once(small: Checkout, local_cloud: Running) -> None:
    write_stack(small.root, "shared-infra/vpc-endpoints", RESOURCE)
    write_stack(
        small.root,
        "notebooks/n",
        USES.replace("state.b", "state.vpc_endpoints") + reading("shared-infra/vpc-endpoints"),
    )
    (small.root / "common.auto.tfvars").write_text('project = "p"\nregion = "eu-west-1"\n')
    # Only STS is the emulator's: the rest of the run is what AWS would see.
    env = {
        **small.env,
        "AWS_ENDPOINT_URL_STS": local_cloud.endpoint,
        "AWS_ACCESS_KEY_ID": "123456789012",
        "AWS_SECRET_ACCESS_KEY": "x",
    }

    def answered(answer: str) -> tuple[str, int]:
        process = ptyprocess.PtyProcessUnicode.spawn(
            [str(TOOLS), "deploy"], cwd=str(small.root), env=env, dimensions=(40, 200)
        )
        shown = ""
        while "[y/N]" not in shown:
            shown += process.read()
        process.write(answer)
        with suppress(EOFError):
            while True:
                shown += process.read()
        return re.sub(r"\x1b\[[\d;?]*\w", "", shown), process.wait()

    shown, code = answered("n\n")
    assert code == 1
    assert "Deploy in AWS account 123456789012, region eu-west-1" in shown
    assert re.search(r"^shared-infra/vpc-endpoints +1 +- +- +-", shown, re.MULTILINE)
    assert re.search(r"^notebooks/n .*waits for shared-infra/vpc-endpoints", shown, re.MULTILINE)
    # Before the question: who else uses the VPC. No stack here names one.
    assert "what else is in the VPC cannot be told" in shown.partition("Deploy these 2")[0]
    assert (
        "Cost: no change, $0.00 a month for these 2 stacks" in shown.partition("Deploy these 2")[0]
    )
    assert "Deploy these 2 stacks in AWS account 123456789012" in shown
    assert not (small.root / "shared-infra/vpc-endpoints/terraform.tfstate").exists()
    shown, code = answered("y\n")
    assert code == 0, shown
    assert (small.root / "notebooks/n/terraform.tfstate").exists()
    # Another account's state is not created again in this one.
    other = {**env, "AWS_ACCESS_KEY_ID": "210987654321"}
    write_stack(small.root, "shared-infra/vpc-endpoints", RESOURCE + "# edited\n")
    elsewhere = small.tools("deploy", "--yes", "vpc-endpoints", **other)
    assert elsewhere.returncode == 1
    assert "its state is of account 123456789012" in elsewhere.stderr
    # The plan that was shown is what was applied: Terraform read nothing again.
    logs = sorted((small.root / ".tools/logs").iterdir())[-2]
    assert '"operation":"plan"' not in (logs / "shared-infra.vpc-endpoints.apply.log").read_text()


def test_reports_are_what_they_say(stacks: Checkout, tmp_path: Path) -> None:
    import jsonschema  # takes seconds, which each worker would spend as it collects

    write_stack(stacks.root, "shared-infra/b", BROKEN)
    files = {kind: tmp_path / f"report.{kind}" for kind in ("json", "xml", "md")}
    for file in files.values():
        assert stacks.tools("deploy", "--local", "--report", str(file)).returncode == 1
    report = json.loads(files["json"].read_text())
    jsonschema.validate(
        report,
        json.loads((REPOSITORY / "docs/report.schema.json").read_text()),
        format_checker=jsonschema.FormatChecker(),
    )
    assert {row["stack"]: row["outcome"] for row in report["stacks"]} == {
        "shared-infra/b": "failed",
        "notebooks/n": "not run",
    }
    cases = {case.get("name"): case for case in ElementTree.parse(files["xml"]).iter("testcase")}
    assert cases["shared-infra/b"].find("failure") is not None
    assert cases["notebooks/n"].find("skipped") is not None
    assert "| notebooks/n | not run |" in files["md"].read_text()


def test_a_report_that_cannot_be_written_stops_before_anything_runs(stacks: Checkout) -> None:
    done = stacks.tools("deploy", "--local", "--report", "report.html")
    assert done.returncode == 1
    assert "the name must end in .json, .xml, .md" in done.stderr
    assert not (work(stacks, "shared-infra/b") / "terraform.tfstate").exists()


def test_the_program_that_is_named_is_the_one_that_runs(stacks: Checkout, tmp_path: Path) -> None:
    # A stand-in, since no OpenTofu can be had here: it does what Terraform does, by that name.
    tofu = tmp_path / "bin" / "tofu"
    tofu.parent.mkdir()
    tofu.write_text('#!/bin/sh\nexec terraform "$@"\n')
    tofu.chmod(0o755)
    assert stacks.tools("deploy", "--local", TOOLS_TERRAFORM=str(tofu)).returncode == 0
    record = work(stacks, "notebooks/n") / "terraform.tfstate.record.json"
    assert list(json.loads(record.read_text())["inputs"]["versions"]) == ["OpenTofu"]
    done = stacks.tools("deploy", "--local", TOOLS_TERRAFORM="nowhere")
    assert "TOOLS_TERRAFORM names nowhere, which is not a program" in done.stderr


@pytest.mark.usefixtures("kept_provider")
@pytest.mark.nightly
def test_what_an_apply_has_left_in_aws_is_adopted(
    small: Checkout, client: Callable[..., Any]
) -> None:
    name = f"left-{uuid4().hex[:8]}"
    role = (
        f'resource "aws_iam_role" "this" {{\n  name = "{name}"\n'
        '  assume_role_policy = jsonencode({ Version = "2012-10-17", Statement = [] })\n}\n'
    )
    logs = f'resource "aws_cloudwatch_log_group" "this" {{\n  name = "{name}"\n}}\n'
    write_stack(small.root, "shared-infra/b", bucket(name) + role + logs)
    assert small.tools("deploy", "--local").returncode == 0
    (work(small, "shared-infra/b") / "terraform.tfstate").unlink()

    failed = small.tools("deploy", "--local")
    assert failed.returncode == 1
    assert "aws_iam_role.this, aws_s3_bucket.this exist already" in failed.stderr
    assert "tools adopt --local shared-infra/b" in failed.stderr
    adopted = small.tools("adopt", "--local", "b")
    assert adopted.returncode == 0, adopted.stderr
    assert "imported" in adopted.stderr
    assert small.tools("deploy", "--local").returncode == 0
    assert planned(small, "--refresh")["shared-infra/b"]["status"] == "unchanged"
    again = small.tools("adopt", "--local", "b")
    assert "Nothing to adopt in shared-infra/b" in again.stderr
    assert terraforms(small) == ["shared-infra.b.plan"]
    assert small.tools("destroy", "--local").returncode == 0
    with pytest.raises(client("iam").exceptions.NoSuchEntityException):
        client("iam").get_role(RoleName=name)
