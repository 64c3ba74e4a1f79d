"""The two roles of a pipeline (bootstrap/ci), applied on the local cloud, by an engine of its own.

What contradicts them: an engine with AWS's data, and the subjects that GitHub and GitLab document
for their tokens (docs/pipelines.md has the addresses).
"""

import json
from pathlib import Path
from typing import Any

import pytest

from tests.terraform.conftest import NewTree
from tests.terraform.harness import Tree
from tests.trees import REPOSITORY
from tools import SCRATCH

from . import engine
from .rendered import Policy

ROOT = "bootstrap/ci"
BUCKET = "acme-states"
PULL_REQUEST = "repo:acme@1/notebooks@2:pull_request"
MAIN = "repo:acme@1/notebooks@2:ref:refs/heads/main"
ENVIRONMENT = "repo:acme@1/notebooks@2:environment:notebooks"
OTHERS = (
    "repo:acme@1/notebooks@2:ref:refs/heads/main2",
    "repo:acme@1/notebooks@2:environment:notebooks2",
    "repo:acme@1/notebooks@3:pull_request",
    "repo:acme/notebooks:pull_request",
    "repo:evil@1/notebooks@2:environment:notebooks",
)


@pytest.fixture(scope="module")
def roles(new_tree: NewTree) -> dict[str, dict[str, Policy]]:
    """Of each role its policies by name, and its trust policy as `trust`."""
    tree: Tree = new_tree()
    values = {"repository": "acme@1/notebooks@2", "state_bucket": BUCKET}
    (tree.root / ROOT / "test.auto.tfvars.json").write_text(json.dumps(values))
    tree.apply(ROOT)
    assert tree.planned(ROOT) == ""
    found: dict[str, dict[str, Policy]] = {"plan": {}, "deploy": {}}
    resources = tree.state(ROOT)["resources"]
    by_arn = {
        values["arn"]: (address.split('"')[1], json.loads(values["policy"]))
        for address, values in resources.items()
        if address.startswith("aws_iam_policy.")
    }
    for address, values in resources.items():
        if address.startswith("aws_iam_role."):
            name = address.split('"')[1]
            found[name]["trust"] = json.loads(values["assume_role_policy"])
        if address.startswith("aws_iam_role_policy_attachment."):
            name, policy = by_arn[values["policy_arn"]]
            found[values["role"].rpartition("-")[2]][name] = policy
    return found


@pytest.fixture(scope="module")
def decide() -> Path:
    return engine.install(REPOSITORY / SCRATCH)


def test_what_each_role_may_do(roles: dict[str, dict[str, Policy]], decide: Path) -> None:
    state = f"arn:aws:s3:::{BUCKET}/ml-infra/notebooks/n/terraform.tfstate"
    plan = f"arn:aws:s3:::{BUCKET}/pipeline/ml-infra/abc/plans/notebooks.n.tfplan"
    other = f"arn:aws:s3:::{BUCKET}/pipeline/other-team/abc/plans/notebooks.n.tfplan"
    expected = {
        ("plan", "s3:GetObject", state): True,
        ("plan", "s3:PutObject", state): False,
        ("plan", "s3:PutObject", f"{state}.tflock"): False,
        ("plan", "s3:DeleteObject", state): False,
        ("plan", "s3:PutObject", plan): True,
        ("plan", "s3:GetObject", plan): True,
        ("plan", "s3:PutObject", other): False,
        ("plan", "s3:GetObject", other): False,
        ("plan", "iam:CreateRole", "arn:aws:iam::123456789012:role/pp-notebook"): False,
        ("deploy", "s3:PutObject", state): True,
        ("deploy", "s3:PutObject", f"{state}.tflock"): True,
        ("deploy", "s3:GetObject", plan): True,
        ("deploy", "s3:GetObject", other): False,
        ("deploy", "s3:DeleteBucket", f"arn:aws:s3:::{BUCKET}"): False,
        ("deploy", "iam:AttachRolePolicy", "arn:aws:iam::123456789012:role/pp-ci-deploy"): False,
        (
            "deploy",
            "iam:UpdateAssumeRolePolicy",
            "arn:aws:iam::123456789012:role/pp-ci-plan",
        ): False,
    }
    policies = {f"{role}/{name}": p for role, all_ in roles.items() for name, p in all_.items()}
    rows = [
        row(action, resource, [f"{role}/{n}" for n in roles[role] if n != "trust"])
        for role, action, resource in expected
    ]
    assert answers(decide, policies, rows) == list(expected.values())


def test_whom_each_role_trusts(roles: dict[str, dict[str, Policy]]) -> None:
    """By the operators' meaning (StringEquals, StringLike without a wildcard): exact subjects."""
    trusted = {}
    for role, policies in roles.items():
        (statement,) = policies["trust"]["Statement"]
        assert statement["Action"] == "sts:AssumeRoleWithWebIdentity"
        issuer = "token.actions.githubusercontent.com"
        assert statement["Principal"]["Federated"].endswith(f":oidc-provider/{issuer}")
        condition = statement["Condition"]
        branch = {f"{issuer}:ref": "refs/heads/main"} if role == "deploy" else {}
        assert condition["StringEquals"] == {f"{issuer}:aud": "sts.amazonaws.com", **branch}
        subjects = condition["StringLike"][f"{issuer}:sub"]
        trusted[role] = {subjects} if isinstance(subjects, str) else set(subjects)
        assert not any(sign in subject for subject in trusted[role] for sign in "*?")
    assert trusted == {"plan": {PULL_REQUEST, MAIN}, "deploy": {ENVIRONMENT}}
    assert not trusted["plan"].union(trusted["deploy"]).intersection(OTHERS)


@pytest.mark.nightly
def test_whom_each_role_trusts_on_gitlab(new_tree: NewTree) -> None:
    """The subject and the audience of a job's token: https://docs.gitlab.com/ci/cloud_services/aws"""
    tree: Tree = new_tree()
    values = {"platform": "gitlab", "repository": "acme/ml/notebooks", "state_bucket": BUCKET}
    (tree.root / ROOT / "test.auto.tfvars.json").write_text(json.dumps(values))
    tree.apply(ROOT)
    subject = "project_path:acme/ml/notebooks:ref_type:branch:ref:"
    for role, branch in (("plan", "*"), ("deploy", "main")):
        resource = tree.state(ROOT)["resources"][f'aws_iam_role.this["{role}"]']
        (statement,) = json.loads(resource["assume_role_policy"])["Statement"]
        assert statement["Principal"]["Federated"].endswith(":oidc-provider/gitlab.com")
        assert statement["Condition"] == {
            "StringEquals": {"gitlab.com:aud": "https://gitlab.com"},
            "StringLike": {"gitlab.com:sub": f"{subject}{branch}"},
        }


def test_a_role_stays_within_what_iam_attaches(roles: dict[str, dict[str, Policy]]) -> None:
    """https://docs.aws.amazon.com/IAM/latest/UserGuide/reference_iam-quotas.html"""
    for policies in roles.values():
        assert len(policies) - 1 <= 10
        assert all(len("".join(json.dumps(p).split())) <= 6144 for p in policies.values())


def row(action: str, resource: str, identity: list[str]) -> dict[str, Any]:
    return {
        "allowed": True,
        "action": action,
        "resource": resource,
        "account": "123456789012",
        "principal": "arn:aws:sts::123456789012:assumed-role/pp-ci/session",
        "context": {},
        "identity": identity,
        "boundary": [],
        "resourcePolicy": None,
        "endpoint": [],
    }


def answers(decide: Path, policies: dict[str, Policy], rows: list[dict[str, Any]]) -> list[bool]:
    question = {"policies": policies, "rows": rows, "mutants": [], "keys": [], "levels": []}
    found = engine.decide(decide, question)["rows"]
    assert [answer["error"] for answer in found if answer["error"]] == []
    return [answer["allowed"] for answer in found]
