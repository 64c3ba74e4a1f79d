"""Checkov over the Terraform and over a plan of it, in an environment of its own, offline.

It pins an old botocore, so that it cannot share the others' environment: `make setup-dev` makes
one.
"""

import json
import os
import re
import shutil
import subprocess
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest

from tests.trees import REPOSITORY, copy_repository

from .conftest import NewTree
from .harness import as_json, roots
from .readme_tables import parsed

pytestmark = pytest.mark.nightly  # it reads each file and each plan for most of a minute

CHECKOV = REPOSITORY / ".venv-checkov" / "bin" / "checkov"
# Each attempt to reach the network is noted and refused: a scanner may swallow the error.
GUARD = """
import os, sys

def refuse(event, arguments):
    leaves = event in ("socket.connect", "socket.sendto") and not isinstance(arguments[1], str)
    if leaves or event == "socket.getaddrinfo":
        with open(os.environ["NETWORK_LOG"], "a") as log:
            log.write(f"{event} {arguments[1:]}\\n")
        raise OSError("no network in this process")

sys.addaudithook(refuse)
"""
SKIP = re.compile(r"^\s*# checkov:skip=(\w+):(.+)$")

# What the local of shared-infra/s3/buckets.tf refers to, as a plan would name it.
BUCKET_IDS = ",".join(
    f'"aws_s3_bucket.{name}.id","aws_s3_bucket.{name}"'
    for name in ("datasets", "models", "further")
)

KEY = "arn:aws:kms:us-east-1:123456789012:key/1234abcd-12ab-34cd-56ef-1234567890ab"
# What a root's variables turn on besides its defaults.
CHOSEN: dict[str, dict[str, Any]] = {
    "modules/sagemaker-notebook": {
        "name": "chosen",
        "instance_type": "ml.t3.medium",
        "isolation": {
            "bind_trust_to_account": True,
            "bucket_arns": ["arn:aws:s3:::acme-datasets"],
            "permissions_boundary_arn": "arn:aws:iam::123456789012:policy/boundary",
            "policy_arns": {"logs": "arn:aws:iam::123456789012:policy/logs"},
            "project": "acme",
        },
        "kms_key_id": KEY,
        "schedule_start": "08:00",
        "schedule_stop": "19:00",
        "security_group_ids": ["sg-0a1b2c3d"],
        "subnet_id": "subnet-0a1b2c3d",
    },
    "bootstrap": {"bucket": "acme-states", "lock_table": True},
    "bootstrap/ci": {"repository": "acme/notebooks", "state_bucket": "acme-states"},
    "shared-infra/iam": {
        "bind_trust_to_account": True,
        "budget_emails": ["ml-team@example.com"],
        "cost_allocation_tags": ["Owner"],
        "guardrail": {
            "instance_types": ["ml.t3.*"],
            "subnet_ids": ["subnet-0a1b2c3d"],
            "volume_kms_key_arns": [KEY],
        },
        "kms_key_arns": [KEY],
        "monthly_budget_usd": 100,
        "reserve_users": True,
    },
    "shared-infra/s3": {
        "access_log_bucket": "acme-logs",
        "create_kms_key": True,
        "log_groups": ["/aws/sagemaker/TrainingJobs"],
        "only_through_vpc_endpoints": {
            "endpoint_ids": ["vpce-0a1b2c3d"],
            "except_principal_arns": ["arn:aws:iam::123456789012:role/deployer"],
        },
    },
    "shared-infra/security-groups": {
        "allow_internet_egress": True,
        "egress_cidrs": ["10.20.0.0/16"],
        "egress_security_group_ids": ["sg-0a1b2c3d"],
        "vpc_id": "default",
    },
    "shared-infra/vpc-endpoints": {
        "interface_services": ["notebook", "logs", "sts"],
        "nat_subnet": "172.31.255.240/28",
    },
}


@dataclass(frozen=True)
class Skip:
    """A check that is left out: where, of what, and why."""

    check: str
    resource: str
    file: str
    reason: str


@dataclass(frozen=True)
class Report:
    """Of Checkov's results, what the tests look at: (check, resource) of each."""

    passed: set[tuple[str, str]]
    failed: set[tuple[str, str]]
    skipped: set[tuple[str, str]]
    unread: list[str]


def skips() -> list[Skip]:
    """Every skip comment of the repository, in the order of files and lines."""
    return [
        Skip(check, resource, str(path.relative_to(REPOSITORY)), reason.strip())
        for folder in ("bootstrap", "shared-infra", "modules", "notebooks", "templates")
        for path in sorted((REPOSITORY / folder).rglob("*.tf*"))
        if path.is_file() and ".terraform" not in path.parts
        for resource, check, reason in _skips_of(path.read_text())
    ]


def _skips_of(text: str) -> list[tuple[str, str, str]]:
    found = []
    resource = "nothing"
    for line in text.splitlines():
        if block := re.match(r'(?:resource|data) "(\w+)" "(\w+)" \{$', line):
            resource = ".".join(block.groups())
        if line == "}":
            resource = "nothing"
        if "checkov:skip" in line:
            skip = SKIP.match(line)
            found.append((resource, *(skip.groups() if skip else ("unreadable", line))))
    return found


@pytest.fixture(scope="module")
def checkov() -> Path:
    assert CHECKOV.is_file(), f"{CHECKOV} is missing; make it: make setup-dev"
    return CHECKOV


@pytest.fixture(scope="module")
def plan(new_tree: NewTree, client: Callable[..., Any]) -> str:
    """The JSON of one plan with every root in it, by its defaults and with all that it can do."""
    tree = new_tree()
    filters = [{"Name": "is-default", "Values": ["true"]}]
    ec2 = client("ec2", account=tree.account)
    vpc = ec2.describe_vpcs(Filters=filters)["Vpcs"][0]["VpcId"]
    internet = ec2.create_internet_gateway()["InternetGateway"]["InternetGatewayId"]
    ec2.attach_internet_gateway(InternetGatewayId=internet, VpcId=vpc)
    buckets = {"datasets": "acme-datasets", "models": "acme-models"}
    arns = {purpose: f"arn:aws:s3:::{name}" for purpose, name in buckets.items()}
    group = "sg-0a1b2c3d"
    for name, outputs in {
        "s3": {"bucket_arns": arns, "bucket_names": buckets, "kms_key_arns": []},
        "iam": {"role_arn": "arn:aws:iam::123456789012:role/acme"},
        "security-groups": {
            "endpoint_security_group_id": group,
            "notebook_security_group_id": group,
            "vpc_id": vpc,
        },
        "vpc-endpoints": {"subnet_ids": ["subnet-0a1b2c3d"]},
    }.items():
        tree.write_state(f"shared-infra/{name}", outputs)
    common = {"project": "acme", "region": "us-east-1"}
    calls: dict[str, dict[str, Any]] = {}
    for root in roots():
        values = tree.root / root / "terraform.tfvars"
        own = parsed(values.read_text()) if values.is_file() else {}
        calls[f"{Path(root).name}-by-default"] = {"source": root, **common, **own}
    for source, values_chosen in CHOSEN.items():
        inherited = common if source in (*roots(), "bootstrap", "bootstrap/ci") else {}
        name = f"{Path(source).name}-chosen"
        calls[name] = {"source": source, **inherited, **values_chosen}
    further = {"bucket_names": {"features": "acme-features"}}
    calls["s3-further"] = {"source": "shared-infra/s3", **common, **further}
    planned = as_json(tree.plan(tree.write_calls("all", calls)))
    assert '"local.bucket_ids"' in planned
    # In files Checkov follows a local, in a plan it follows resources alone.
    return planned.replace('"local.bucket_ids"', BUCKET_IDS)


@pytest.fixture(scope="module")
def reports(
    checkov: Path, plan: str, tmp_path_factory: pytest.TempPathFactory
) -> dict[str, Report]:
    """Checkov's reports: `terraform` of the files, `terraform_plan` of the plan."""
    tree = copy_repository(tmp_path_factory.mktemp("checked"))
    shutil.rmtree(tree / "tests")  # an old deployment that tests take over, with all its faults
    (tree / "common.auto.tfvars").write_text('project = "acme"\nregion = "us-east-1"\n')
    scratch = tmp_path_factory.mktemp("checkov")
    (scratch / "plan.json").write_text(plan)
    scans = {
        "terraform": ["--directory", str(tree)],
        "terraform_plan": [
            *("--file", str(scratch / "plan.json")),
            *("--repo-root-for-plan-enrichment", str(tree)),  # where the skips stand
        ],
    }
    return {kind: _scan(checkov, kind, what, scratch) for kind, what in scans.items()}


def _scan(checkov: Path, kind: str, what: list[str], scratch: Path) -> Report:
    options = ["--framework", kind, "--skip-download", "--compact", "--output", "json"]
    done = guarded([str(checkov), *options, *what], scratch)
    assert "Traceback" not in done.stderr, done.stderr
    assert not network(scratch), network(scratch)
    report = json.loads(done.stdout)
    assert report["check_type"] == kind
    return _report(report)


def _report(report: dict[str, Any]) -> Report:
    def results(kind: str) -> set[tuple[str, str]]:
        return {(r["check_id"], r["resource"]) for r in report["results"][f"{kind}_checks"]}

    unread = report["results"]["parsing_errors"]
    return Report(results("passed"), results("failed"), results("skipped"), unread)


def guarded(command: list[str], scratch: Path) -> "subprocess.CompletedProcess[str]":
    """Runs `command`, a Python one, without a network and without the user's settings."""
    (scratch / "guard").mkdir(exist_ok=True)
    (scratch / "guard" / "sitecustomize.py").write_text(GUARD)
    env = {
        "CKV_SKIP_PACKAGE_UPDATE_CHECK": "true",
        "HOME": str(scratch),
        "LANG": "C.UTF-8",
        "NETWORK_LOG": str(scratch / "network.log"),
        "PATH": os.defpath,
        "PYTHONPATH": str(scratch / "guard"),
    }
    return subprocess.run(
        command, cwd=scratch, env=env, capture_output=True, text=True, check=False
    )


def network(scratch: Path) -> str:
    """What a guarded process tried to reach; empty where it tried nothing."""
    log = scratch / "network.log"
    return log.read_text() if log.exists() else ""


def without_modules(resource: str) -> str:
    """The resource's type and name: no modules before it, no key behind it."""
    return ".".join(re.sub(r"\[.*?\]", "", resource).split(".")[-2:])


def test_the_guard_sees_and_refuses_the_network(checkov: Path, tmp_path: Path) -> None:
    python = str(checkov.with_name("python"))
    reach = "import socket\ntry: socket.create_connection(('127.0.0.1', 9))\nexcept OSError: pass"
    assert guarded([python, "-c", reach], tmp_path).returncode == 0
    assert "socket.getaddrinfo" in network(tmp_path)


@pytest.mark.parametrize("kind", ["terraform", "terraform_plan"])
def test_no_check_fails(reports: dict[str, Report], kind: str) -> None:
    report = reports[kind]
    assert sorted(report.failed) == []
    assert report.unread == []


def test_every_kind_of_resource_that_is_planned_is_checked(
    reports: dict[str, Report], plan: str
) -> None:
    """So that a root which is not read, or planned, is not taken for a clean one."""
    planned = {
        without_modules(change["address"])
        for change in json.loads(plan)["resource_changes"]
        if change["mode"] == "managed"
    }
    declared = {
        ".".join(block)
        for root in ("bootstrap", "bootstrap/ci", *roots(), "modules/sagemaker-notebook")
        for path in (REPOSITORY / root).glob("*.tf")
        for block in re.findall(r'^resource "(\w+)" "(\w+)"', path.read_text(), re.M)
    }
    assert planned == declared - NEVER_PLANNED
    for kind in ("terraform", "terraform_plan"):
        results = reports[kind].passed | reports[kind].skipped
        looked_at = {without_modules(resource) for _, resource in results}
        assert planned - looked_at <= WITHOUT_A_CHECK


# What a state of an older layout has, kept from being destroyed (shared-infra/s3/former.tf).
NEVER_PLANNED = {"aws_s3_bucket.shared"}

# Of these Checkov checks nothing, in the files or in the plan.
WITHOUT_A_CHECK = {
    "aws_budgets_budget.monthly",
    "aws_ce_cost_allocation_tag.this",
    "aws_iam_openid_connect_provider.this",
    "aws_kms_alias.shared",
    "aws_nat_gateway.this",
    "aws_route_table_association.nat",
    "aws_s3_bucket_logging.shared",
    "aws_s3_bucket_server_side_encryption_configuration.shared",
    "aws_s3_bucket_server_side_encryption_configuration.states",
    "aws_s3_bucket_versioning.shared",
    "aws_s3_bucket_versioning.states",
    "aws_sagemaker_notebook_instance_lifecycle_configuration.this",
    "aws_scheduler_schedule_group.this",
    "aws_vpc_endpoint.interface",
    "aws_vpc_endpoint.s3",
    "aws_vpc_security_group_egress_rule.notebooks_to_internet",
}


def test_every_skip_stands_beside_a_resource_with_its_reason() -> None:
    assert skips()
    for skip in skips():
        assert re.fullmatch(r"CKV2?_AWS_\d+", skip.check), skip
        assert skip.resource != "nothing", skip
        assert len(skip.reason.split()) >= 4, skip
        assert skip.reason.endswith("."), skip


def test_every_skip_is_needed(reports: dict[str, Report]) -> None:
    """In a plan Checkov takes a check for skipped where it has failed and a comment stands by."""
    commented = {
        (skip.check, skip.resource) for skip in skips() if skip.resource not in NEVER_PLANNED
    }
    skipped = {(check, without_modules(of)) for check, of in reports["terraform_plan"].skipped}
    assert skipped == commented


def test_a_skip_is_of_one_resource() -> None:
    """Checkov finds the comment for a planned resource by its type and name alone."""
    places = {(skip.resource, skip.file) for skip in skips()}
    assert len(places) == len({resource for resource, _ in places})


@pytest.mark.parametrize(
    ("check", "resource"),
    [
        ("CKV_AWS_18", "module.s3-chosen.aws_s3_bucket.datasets"),
        ("CKV_AWS_145", "module.s3-chosen.aws_s3_bucket.models"),
        ("CKV_AWS_22", "module.sagemaker-notebook-chosen.aws_sagemaker_notebook_instance.this"),
        ("CKV_AWS_187", "module.sagemaker-notebook-chosen.aws_sagemaker_notebook_instance.this"),
    ],
)
def test_what_a_variable_mends_passes_with_it(
    reports: dict[str, Report], check: str, resource: str
) -> None:
    assert (check, resource) in reports["terraform_plan"].passed
