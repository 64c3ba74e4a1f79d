"""Executing an import: what is refused before anything is written, and what is done once."""

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any
from uuid import uuid4

import pytest

from tests.cli.conftest import Checkout, attach, user_env
from tests.keeper import kept_env
from tests.trees import copy_repository, reading, write_stack
from tools.context import Context
from tools.engine.plans import Plan
from tools.errors import UserError
from tools.imports.closing_plan import is_safe
from tools.imports.execute import execute
from tools.imports.pending_import import PendingImport, find_pending
from tools.imports.request import ImportRequest, ResourceImport
from tools.imports.state_import import import_all
from tools.localcloud.process import Running
from tools.runs.session import Session
from tools.scaffold.notebook import Notebook
from tools.terraform.binary import Terraform

Execute = Callable[[ImportRequest], list[Plan]]
STACK = "shared-infra/n"
UPSTREAM = 'output "x" {\n  value = "bucket"\n}\n'
BUCKET = """
provider "aws" {
  region = "us-east-1"
}
variable "suffix" {
  default = ""
}
resource "aws_s3_bucket" "this" {
  bucket = "${data.terraform_remote_state.b.outputs.x}-${var.suffix}"
}
"""

LINK = """
resource "aws_vpc_endpoint" "this" {
  vpc_id             = "vpc-00000000"
  service_name       = "com.amazonaws.us-east-1.sts"
  vpc_endpoint_type  = "Interface"
  security_group_ids = [data.terraform_remote_state.b.outputs.made]
}
"""


@pytest.fixture
def checkout(tmp_path: Path, kept_terraform: Terraform, local_cloud: Running) -> Checkout:
    env = {**user_env(kept_terraform), **kept_env(kept_terraform)}
    made = Checkout(copy_repository(tmp_path / "repository"), env)
    attach(made, local_cloud)
    for stack in made.root.glob("shared-infra/*/*.tf"):
        stack.unlink()
    write_stack(made.root, "shared-infra/b", UPSTREAM)
    write_stack(made.root, STACK, BUCKET + reading("shared-infra/b"))
    return made


@pytest.fixture
def run_import(checkout: Checkout) -> Execute:
    def run(request: ImportRequest) -> list[Plan]:
        session = Session.open(Context(checkout.root, checkout.env), local=True)
        return execute(session, find_pending(session, request))

    return run


def copy(checkout: Checkout, path: str) -> Path:
    return checkout.root / ".tools/local/workspace" / path


def of(name: str, **more: Any) -> ImportRequest:
    values = {STACK: {"suffix": name.removeprefix("bucket-")}}
    return ImportRequest((ResourceImport.at(STACK, "aws_s3_bucket.this", name),), values, **more)


def test_what_is_read_is_worked_out_and_what_is_done_is_not_done_again(
    checkout: Checkout, run_import: Execute, client: Callable[..., Any]
) -> None:
    name, other = (f"bucket-{uuid4().hex[:8]}" for _ in range(2))
    for bucket in (name, other):
        client("s3").create_bucket(Bucket=bucket)
    (plan,) = run_import(of(name))
    assert (plan.stack, plan.status) == (STACK, "unchanged")
    # Its upstream has outputs, and no more: deploying it is still to be done.
    upstream = json.loads(copy(checkout, "shared-infra/b/terraform.tfstate").read_text())
    assert (upstream["outputs"]["x"]["value"], upstream["resources"]) == ("bucket", [])
    planned = json.loads(checkout.tools("plan", "--local", "--json", "b").stdout)
    assert planned[0]["why"] == ["the last apply did not finish"]

    state = copy(checkout, f"{STACK}/terraform.tfstate").read_bytes()
    (again,) = run_import(of(name))
    assert again.status == "unchanged"
    assert copy(checkout, f"{STACK}/terraform.tfstate").read_bytes() == state

    with pytest.raises(UserError, match=f"already has {name} as aws_s3_bucket.this"):
        run_import(of(other))
    elsewhere = ResourceImport.at(STACK, "aws_s3_bucket.that", name)
    with pytest.raises(UserError, match=f"{name} is already in the state of {STACK}"):
        run_import(ImportRequest((elsewhere,)))


def test_what_a_killed_run_s_terraform_has_imported_meanwhile_is_not_imported_again(
    checkout: Checkout, run_import: Execute, client: Callable[..., Any]
) -> None:
    name = f"bucket-{uuid4().hex[:8]}"
    client("s3").create_bucket(Bucket=name)
    session = Session.open(Context(checkout.root, checkout.env), local=True)
    before = find_pending(session, of(name))
    run_import(of(name))
    state = copy(checkout, f"{STACK}/terraform.tfstate").read_bytes()
    (plan,) = execute(session, before)
    assert plan.status == "unchanged"
    assert copy(checkout, f"{STACK}/terraform.tfstate").read_bytes() == state


def test_an_interruption_ends_it_before_further_stacks(checkout: Checkout) -> None:
    session = Session.open(Context(checkout.root, checkout.env), local=True)
    pending = PendingImport(of("bucket-x").imports, (), (), (), (STACK,))
    with session.runner().work(1) as run:
        run.interruption.count = 1
        import_all(run, pending.imports)
        run.interruption.count = 0
    assert not copy(checkout, "shared-infra/b/terraform.tfstate").exists()
    assert not copy(checkout, f"{STACK}/terraform.tfstate").exists()


@pytest.mark.parametrize(
    ("refused", "reason"),
    [
        (
            ImportRequest((ResourceImport.at("notebooks/none", "aws_s3_bucket.this", "bucket-x"),)),
            "notebooks/none is not in this repository",
        ),
        (
            of("bucket-x", notebooks=(Notebook("notebook-dev", {"name": "another"}),)),
            "notebooks/notebook-dev exists already",
        ),
    ],
)
def test_a_refusal_writes_nothing(
    checkout: Checkout, run_import: Execute, refused: ImportRequest, reason: str
) -> None:
    with pytest.raises(UserError, match=reason):
        run_import(refused)
    assert not copy(checkout, f"{STACK}/terraform.tfvars").exists()
    assert not copy(checkout, f"{STACK}/terraform.tfstate").exists()


def test_a_plan_that_needs_what_is_still_to_be_made_upstream_waits(
    checkout: Checkout,
    run_import: Execute,
    client: Callable[..., Any],
    capfd: pytest.CaptureFixture[str],
) -> None:
    """As the endpoints' stack reads a group that a deployment makes first."""
    made = 'resource "terraform_data" "made" {\n  input = "x"\n}\n'
    made += 'output "made" {\n  value = terraform_data.made.output\n}\n'
    write_stack(checkout.root, "shared-infra/b", UPSTREAM + made)
    write_stack(checkout.root, STACK, BUCKET + LINK + reading("shared-infra/b"))
    name = f"bucket-{uuid4().hex[:8]}"
    client("s3").create_bucket(Bucket=name)
    upstream, waiting = run_import(of(name))
    assert (upstream.stack, upstream.status) == ("shared-infra/b", "changed")
    assert (waiting.stack, waiting.status) == (STACK, "waiting")
    said = "its plan can be made only after: tools deploy --local shared-infra/b"
    assert waiting.detail == said
    assert is_safe(waiting)
    # Terraform's own words for that are no error to read.
    assert "error" not in capfd.readouterr().err.lower()


def test_a_plan_that_fails_whatever_is_deployed_is_told_with_its_errors(
    checkout: Checkout, run_import: Execute, client: Callable[..., Any]
) -> None:
    name = f"bucket-{uuid4().hex[:8]}"
    client("s3").create_bucket(Bucket=name)
    run_import(of(name))
    wrong = LINK.replace("data.terraform_remote_state.b.outputs.made", "null")
    write_stack(checkout.root, STACK, BUCKET + wrong + reading("shared-infra/b"))
    (plan,) = run_import(of(name))
    assert plan.status == "failed"
    assert any("Null value found in list" in line for line in plan.errors)


def test_what_terraform_says_comes_with_the_stack_s_name(run_import: Execute) -> None:
    name = f"bucket-{uuid4().hex[:8]}"
    with pytest.raises(UserError, match=f"{STACK}: .*(?s:.)*the same command goes on"):
        run_import(of(name))
