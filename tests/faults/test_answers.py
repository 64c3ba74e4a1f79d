"""What AWS answers, or does not: a run tries again what passes, and loses nothing."""

import re
import zlib
from collections import Counter
from collections.abc import Callable
from pathlib import Path
from typing import Any

import boto3
import pytest

from tests.cli.conftest import user_env
from tests.faults.fleet import STACK, Fleet, ended
from tests.faults.proxy import Call, Proxy, Refusal, passing_errors
from tests.trees import copy_repository, empty_stacks, write_stack
from tools.localcloud.process import LocalCloud
from tools.terraform.binary import Terraform

KEYS = {"aws_access_key_id": "test", "aws_secret_access_key": "test"}

MOST = 60


class Third:
    """Refuses about a third of all calls, with errors that pass.

    Which ones is told from an action and how often it was called: the order in which Terraform
    makes its calls is another each time.
    """

    def __init__(self) -> None:
        self.refused: list[tuple[str, Refusal]] = []
        self._seen: Counter[Call] = Counter()

    def __call__(self, call: Call) -> Refusal | None:
        self._seen[call] += 1
        number = zlib.crc32(f"{call.action.partition(' ')[0]} {self._seen[call]}".encode())
        if number % 3 or len(self.refused) >= MOST:
            return None
        errors = passing_errors(call.service)
        refusal = errors[len(self.refused) % len(errors)]
        self.refused.append((call.service, refusal))
        return refusal


@pytest.mark.nightly
def test_errors_that_pass_in_a_third_of_all_calls(fleet: Fleet) -> None:
    fleet.write_aws()
    third = fleet.proxy.before = Third()
    assert fleet.converge() == []
    # Else this has shown nothing: every protocol has said an error, and each kind was said.
    assert len(third.refused) > len(fleet.proxy.calls) / 4
    assert {service for service, _ in third.refused} >= {"iam", "s3", "sagemaker"}
    assert {refusal.status for _, refusal in third.refused} == {400, 500, 503}
    fleet.check()


@pytest.mark.nightly
def test_what_terraform_gives_up_is_tried_again(fleet: Fleet) -> None:
    fleet.write_quick(in_s3=True)

    def refuse(call: Call) -> Refusal | None:
        return Refusal(503, "SlowDown") if call.action == f"GET {fleet.bucket}" else None

    fleet.proxy.before = refuse
    process = fleet.start("deploy", "--local")
    assert any("trying again in 5 s" in line for line in process.stdout or ())
    fleet.proxy.before = lambda call: None
    output = ended(process)
    assert process.returncode == 0, output
    fleet.check()


@pytest.mark.parametrize(
    ("action", "helps"),
    [
        pytest.param("CreatePolicy", set(), marks=pytest.mark.nightly),
        pytest.param("PUT terraform.tfstate.tflock", set(), marks=pytest.mark.nightly),
        # Terraform can then neither write the state nor let its lock go.
        ("PUT terraform.tfstate", {"unlock"}),
    ],
)
def test_an_outage_in_the_middle(fleet: Fleet, action: str, helps: set[str]) -> None:
    if action == "CreatePolicy":
        fleet.write_aws()
    else:
        fleet.write_quick(in_s3=True)

    def fall(call: Call) -> None:
        if call.action == action:
            fleet.proxy.before = lambda call: None
            fleet.proxy.down()

    fleet.proxy.before = fall
    process = fleet.start("deploy", "--local")
    for line in process.stdout or ():
        if "trying again in" in line:
            assert "connection refused" in line
            fleet.proxy.up()
            break
    ended(process)
    assert set(fleet.converge()) == helps
    assert process.returncode == bool(helps)
    fleet.check()


@pytest.mark.nightly
def test_answers_that_are_lost(fleet: Fleet) -> None:
    lost: set[str] = set()

    def lose(call: Call) -> Refusal | None:
        """The first answer to each call that makes something, when AWS has made it."""
        is_new = call.action not in lost
        if is_new and (call.action.startswith("Create") or call.action == f"PUT {fleet.name}-data"):
            lost.add(call.action)
            return passing_errors(call.service)[0]
        return None

    fleet.write_aws(notebook=True)
    fleet.proxy.after = lose
    assert set(fleet.converge()) == {"adopt"}
    assert len(lost) == 5
    fleet.check()


@pytest.mark.nightly
def test_localstack_ended_and_started_again(
    tmp_path: Path, terraform: Terraform, client: Callable[..., Any]
) -> None:
    root = copy_repository(tmp_path / "repository")
    empty_stacks(root)
    own = LocalCloud(root / ".tools/local")

    def clients(service: str) -> Any:
        running = own.status()
        assert running
        return boto3.client(service, "us-east-1", endpoint_url=running.endpoint, **KEYS)

    fleet = Fleet(root, user_env(terraform), Proxy("http://127.0.0.1:1"), "own", clients, terraform)
    fleet.write_aws()
    try:
        assert fleet.tools("local", "up").returncode == 0
        running = own.status()
        assert running
        once = root / "once"
        once.touch()
        fleet.append(
            'resource "terraform_data" "end" {\n'
            "  depends_on = [aws_iam_role_policy_attachment.this]\n"
            '  provisioner "local-exec" {\n'
            f'    command = "[ ! -e {once} ] || {{ rm {once}; kill -9 {running.pid}; exit 1; }}"\n'
            "  }\n}\n"
        )
        done = fleet.tools("deploy", "--local")
        assert done.returncode == 1
        assert "LocalStack ended while this ran" in done.stderr
        assert fleet.tools("local", "up").returncode == 0
        assert fleet.converge() == []
        planned = fleet.tools("plan", "--local", "--refresh", "--detailed-exitcode")
        assert planned.returncode == 0, planned.stdout + planned.stderr
        assert fleet.in_cloud() == {
            held for held in fleet.in_state() if held[0] != "terraform_data"
        }
    finally:
        own.down()


def test_a_wrong_value_is_mended_and_only_what_is_left_is_applied(fleet: Fleet) -> None:
    resource = 'resource "terraform_data" "this" {\n  input = var.size\n}\n'
    write_stack(fleet.root, "shared-infra/a", f'variable "size" {{}}\n{resource}')
    validation = (
        "  validation {\n    condition     = var.size >= 5\n"
        '    error_message = "At least 5 GB."\n  }\n'
    )
    write_stack(fleet.root, STACK, f'variable "size" {{\n{validation}}}\n{resource}')
    for stack in ("shared-infra/a", STACK):
        (fleet.root / stack / "terraform.tfvars").write_text("size = 4\n")
    done = fleet.tools("deploy", "--local")
    assert done.returncode == 1
    assert "At least 5 GB." in done.stderr
    (fleet.root / STACK / "terraform.tfvars").write_text("size = 5\n")
    done = fleet.tools("deploy", "--local")
    assert done.returncode == 0, done.stderr
    assert re.search(r"^shared-infra/a +unchanged", done.stderr, re.MULTILINE)
    assert re.search(rf"^{STACK} +applied", done.stderr, re.MULTILINE)
    planned = fleet.tools("plan", "--local", "--refresh", "--detailed-exitcode")
    assert planned.returncode == 0
