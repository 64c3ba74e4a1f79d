"""What screens show that need a cloud or Terraform: the values that these would have given."""

from datetime import UTC, datetime
from pathlib import Path

from tools.aws.sagemaker import Instance
from tools.engine.plans import Change, Plan
from tools.engine.run import Result
from tools.fleet.fleet import DeclaredNotebook
from tools.fleet.status import FleetStatus, NotebookStatus, UndeclaredInstance
from tools.imports.scan import Candidate
from tools.layout.stack import Stack
from tools.remote_state.listing import StateRow
from tools.remote_state.versions import VersionRow
from tools.runs.listing import StackRow
from tools.state.place import Lock

WHEN = datetime(2026, 1, 31, 8, 15, tzinfo=UTC)
_NLP = "notebooks/natural-language-processing"
_BUCKET = "s3://acme-terraform-states/ml-infra"

STACKS = [
    StackRow("shared-infra/s3", "shared", "applied", "2026-01-30T17:04:11Z", 28, (), "local"),
    StackRow(
        "shared-infra/vpc-endpoints",
        "shared",
        "changed since",
        "2026-01-30T17:05:42Z",
        5,
        ("shared-infra/vpc-endpoints/terraform.tfvars changed",),
        "local",
    ),
    StackRow("notebooks/vision", "notebook", "never applied", None, 0, ("never applied",), ""),
    StackRow(
        _NLP,
        "notebook",
        "unknown",
        "2026-01-31T08:15:00Z",
        4,
        ("unknown: data.terraform_remote_state.extra reads a key that only an apply tells",),
        "local",
    ),
    StackRow(
        "notebooks/old",
        "notebook",
        "orphan",
        None,
        4,
        ("its root module is gone, but its resources still exist (cost: about $39.30 a month)",),
        "local",
    ),
]
PLANS = [
    Plan(
        "shared-infra/iam",
        "changed",
        changes=(Change("aws_iam_role.this", "aws_iam_role", "update"),),
    ),
    Plan(
        _NLP,
        "changed",
        changes=(
            Change(
                "module.notebook.aws_sagemaker_notebook_instance.this",
                "aws_sagemaker_notebook_instance",
                "replace",
            ),
        ),
    ),
    Plan("notebooks/vision", "waiting", detail="waits for shared-infra/vpc-endpoints"),
    Plan("shared-infra/s3", "unchanged"),
]
DRIFT = [
    Plan(
        "shared-infra/s3",
        "changed",
        outside=(
            Change(
                'aws_s3_bucket_versioning.shared["datasets"]',
                "aws_s3_bucket_versioning",
                "update",
                ("versioning_configuration",),
            ),
        ),
    ),
    Plan(_NLP, "unchanged", why=("notebooks/natural-language-processing/main.tf changed",)),
]
RESULTS = [
    Result("shared-infra/s3", "applied", 61.4),
    Result(
        "shared-infra/vpc-endpoints",
        "failed",
        12.0,
        "creating EC2 VPC Endpoint (com.amazonaws.eu-central-1.sagemaker.api): the limit of 50 "
        "endpoints is reached; raise it: https://console.aws.amazon.com/servicequotas",
    ),
    Result(_NLP, "not run", 0.0, "shared-infra/vpc-endpoints failed or was not run"),
]
STATES = [
    StateRow("shared-infra/s3", f"{_BUCKET}/shared-infra/s3/terraform.tfstate", 12, 28, 48_213),
    StateRow(
        _NLP,
        f"{_BUCKET}/{_NLP}/terraform.tfstate",
        3,
        4,
        9_871,
        Lock("0d1f", "alice@laptop", "OperationTypeApply", "2026-01-31T08:15:00Z", None),
    ),
    StateRow("notebooks/vision", f"{_BUCKET}/notebooks/vision/terraform.tfstate"),
]
VERSIONS = [
    VersionRow("3sL4kqtJlcpXroDTDmJ1rmSpXd3dIbrHY", "2026-01-31T08:15:00Z", 12, 28, 48_213),
    VersionRow("LcpXroDTDmJ1rmSpXd3dIbrHY3sL4kqtJ", "2026-01-30T17:04:11Z", 11, 27, 47_020),
    VersionRow("UIORUnfndfiufdisojhr398493jfdkjFJ", "2026-01-30T17:00:00Z", None, 0, 0),
]
CANDIDATES = [
    Candidate(
        "bucket",
        "acme-datasets",
        "",
        "shared-infra/s3",
        "tools import bucket acme-datasets --as datasets",
    ),
    Candidate(
        "security-group",
        "sg-0123456789abcdef0",
        "of 3 of these notebooks",
        why="it is in vpc-0aaaaaaaaaaaaaaaa, but the stacks are in vpc-0bbbbbbbbbbbbbbbb",
    ),
]


def _instance(name: str, status: str, kind: str = "ml.t3.medium") -> Instance:
    return Instance(
        name, f"arn:aws:sagemaker:eu-central-1:123456789012:x/{name}", status, kind, WHEN
    )


def fleet_status() -> FleetStatus:
    """Three notebooks, of which one differs and one is not deployed, and an instance of others."""

    def declared(name: str, kind: str, environment: str, owner: str) -> DeclaredNotebook:
        values = {
            "name": name,
            "instance_type": kind,
            "volume_size": 20,
            "environment": environment,
            "owner": owner,
        }
        return DeclaredNotebook(Stack(Path(), f"notebooks/{name}"), values, "eu-central-1")

    nlp = "natural-language-processing"
    return FleetStatus(
        [
            NotebookStatus(
                declared(nlp, "ml.m5.2xlarge", "prod", "alice"), _instance(nlp, "InService")
            ),
            NotebookStatus(
                declared("vision", "ml.t3.medium", "dev", "bob"), _instance("vision", "Stopped")
            ),
            NotebookStatus(declared("forecast", "ml.t3.medium", "dev", "carol"), None),
        ],
        [UndeclaredInstance("eu-central-1", _instance("scratch", "InService"))],
    )
