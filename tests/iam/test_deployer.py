"""What the deploying role may do: what a deployment asks for, and nothing beyond.

Two things could contradict the policies of modules/deployer-policies: the recorded requests of a
deployment, and an engine with AWS's data that knows nothing of this repository.
"""

import json
import os
import re
import subprocess
from collections.abc import Callable
from dataclasses import dataclass, replace
from fnmatch import fnmatchcase
from pathlib import Path
from typing import Any

import pytest

from tests.terraform.conftest import NewTree
from tests.terraform.harness import clean_env
from tests.trees import REPOSITORY, copy_repository
from tools import SCRATCH
from tools.localcloud.process import REQUESTS_VARIABLE
from tools.terraform.binary import Terraform

from . import engine
from .deployer import life, requests
from .deployer.requests import Check
from .rendered import Policy

ACCOUNT = "123456789012"
PROJECT = "acme-ml"
OTHERS = "arn:aws:iam::aws:policy/AdministratorAccess"
MODULE = "modules/deployer-policies"
LONGEST = {
    "account_id": ACCOUNT,
    "partition": "aws-us-gov",
    "project": "a-project-of-thirty-two-letters0",
    "region": "us-gov-west-1",
    "state_bucket": "a" * 63,
}
CALLS: dict[str, dict[str, Any]] = {
    "usual": {
        "account_id": ACCOUNT,
        "name_suffix": life.SUFFIX,
        "project": PROJECT,
        "region": "us-east-1",
        "state_bucket": f"{PROJECT}-states",
    },
    "unsuffixed": {
        "account_id": ACCOUNT,
        "project": PROJECT,
        "region": "us-east-1",
        "state_bucket": f"{PROJECT}-states",
    },
    "longest": LONGEST,
    "named": {**LONGEST, "notebook_names": ["nlp-*", "vision-*"], "role_name": "ml/old-role"},
}
# As the policy of the key in shared-infra/s3, which leaves it to IAM and bounds grants.
KEY: Policy = {
    "Version": "2012-10-17",
    "Statement": [
        {
            "Effect": "Allow",
            "Principal": {"AWS": f"arn:aws:iam::{ACCOUNT}:root"},
            "Action": "kms:*",
            "Resource": "*",
        },
        {
            "Effect": "Deny",
            "Principal": {"AWS": "*"},
            "Action": "kms:CreateGrant",
            "Resource": "*",
            "Condition": {"Bool": {"kms:GrantIsForAWSResource": "false"}},
        },
    ],
}
READING = ("read", "state-read")
LARGEST = 6144  # https://docs.aws.amazon.com/IAM/latest/UserGuide/reference_iam-quotas.html
ATTACHED = 10


@dataclass(frozen=True)
class Answers:
    """What the engine says to each check: with all policies, with those that read, and changed."""

    policies: dict[str, Policy]
    checks: list[Check]
    strangers: list[Check]
    allowed: list[bool]
    allowed_to_read: list[bool]
    allowed_to_strangers: list[bool]
    levels: dict[str, str]


@pytest.fixture(scope="module")
def rendered(
    terraform: Terraform, tmp_path_factory: pytest.TempPathFactory
) -> dict[str, dict[str, str]]:
    """The module's policies by call and name, as texts; it needs no provider and no cloud."""
    root = copy_repository(tmp_path_factory.mktemp("deployer"), MODULE)
    source = {"source": f"./{MODULE}"}
    calls = {name: {"module": {name: {**source, **values}}} for name, values in CALLS.items()}
    for name, call in calls.items():
        output = {"output": {name: {"value": f"${{module.{name}.policies}}"}}}
        (root / f"{name}.tf.json").write_text(json.dumps({**call, **output}))
    for command in (("init",), ("apply", "-auto-approve"), ("output", "-json")):
        done = subprocess.run(
            [terraform.binary, *command], cwd=root, env=clean_env(), capture_output=True, text=True
        )
        assert done.returncode == 0, done.stderr
    return {name: output["value"] for name, output in json.loads(done.stdout).items()}


@pytest.fixture(scope="module")
def policies(rendered: dict[str, dict[str, str]]) -> dict[str, Policy]:
    return {name: json.loads(text) for name, text in rendered["usual"].items()}


@pytest.fixture(scope="module")
def answers(policies: dict[str, Policy]) -> Answers:
    checks = requests.checks(requests.recorded(), ACCOUNT, PROJECT)
    strangers = [changed for check in checks for changed in of_strangers(check)]
    reading = [name for name in policies if name in READING]
    asked = [
        *(row(check, [*policies]) for check in checks),
        *(row(check, reading) for check in checks),
        *(row(check, [*policies]) for check in strangers),
    ]
    answer = engine.decide(
        engine.install(REPOSITORY / SCRATCH),
        {
            "policies": {**policies, "key": KEY},
            "rows": asked,
            "mutants": [],
            "keys": [],
            "levels": sorted(allowed_actions(policies) | {check.action for check in checks}),
        },
    )
    failed = {
        f"{one['action']} on {one['resource']}: {said['error']}"
        for one, said in zip(asked, answer["rows"], strict=True)
        if said["error"]
    }
    assert not failed, "\n".join(sorted(failed))
    said = [one["allowed"] for one in answer["rows"]]
    count = len(checks)
    return Answers(
        policies,
        checks,
        strangers,
        said[:count],
        said[count : 2 * count],
        said[2 * count :],
        answer["levels"],
    )


def test_every_recorded_request_is_allowed(answers: Answers) -> None:
    denied = [
        str(check)
        for check, allowed in zip(answers.checks, answers.allowed, strict=True)
        if not allowed
    ]
    assert not denied, "\n".join(denied)
    assert len(answers.checks) >= 150


def test_nothing_is_allowed_that_was_not_asked_for(answers: Answers) -> None:
    asked = {check.action for check in answers.checks}
    listed = requests.table()["unrecorded"].keys()
    assert allowed_actions(answers.policies) - asked == set(listed)
    assert all(
        entry["why"] and entry["source"] for entry in requests.table()["unrecorded"].values()
    )


def test_every_resource_of_a_statement_is_asked_for(answers: Answers) -> None:
    """An unrecorded action has no request that names its resource."""
    listed = requests.table()["unrecorded"]
    idle = [
        f"{name}, {statement['Sid']}: {resource}"
        for name, document in answers.policies.items()
        for statement in document["Statement"]
        for resource in statement["Resource"]
        if not any(
            check.action in statement["Action"] and fnmatchcase(check.resource, resource)
            for check in answers.checks
        )
        and not set(statement["Action"]) <= set(listed)
    ]
    assert not idle, "\n".join(idle)


def test_what_is_of_others_is_denied(answers: Answers) -> None:
    """Another account, region or project, another's tags, a role without its boundary."""
    allowed = [
        str(check)
        for check, allowed in zip(answers.strangers, answers.allowed_to_strangers, strict=True)
        if allowed
    ]
    assert not allowed, "\n".join(allowed)
    assert len(answers.strangers) >= 200


def test_a_role_that_plans_reads_everything_and_changes_nothing(answers: Answers) -> None:
    """By AWS's own access levels: https://docs.aws.amazon.com/IAM/latest/UserGuide/access_policies_understand-policy-summary-access-level-summaries.html"""
    reading = {name: answers.policies[name] for name in READING}
    writing = {
        action
        for action in allowed_actions(reading)
        if not {"Read", "List"} >= set(answers.levels[action].split(", "))
    }
    assert not writing
    denied = [
        str(check)
        for check, allowed in zip(answers.checks, answers.allowed_to_read, strict=True)
        if {"Read", "List"} >= set(answers.levels[check.action].split(", ")) and not allowed
    ]
    assert not [one for one in denied if "-states" not in one], "\n".join(denied)


def test_the_table_says_where_an_action_has_another_name() -> None:
    for call, entry in requests.table()["operations"].items():
        others = [rule for rule in entry["checks"] if rule["action"] != "same"]
        assert entry.get("source") or not others, call
    assert not requests.unused_rules(requests.recorded())


def test_without_a_suffix_the_names_differ_by_it_alone(rendered: dict[str, dict[str, str]]) -> None:
    """The recording is of a deployment with name_suffix."""
    shorter = {
        name: text.replace(f"-{life.SUFFIX}-", "-") for name, text in rendered["usual"].items()
    }
    assert shorter == rendered["unsuffixed"]
    assert shorter != rendered["usual"]


@pytest.mark.parametrize("call", ["longest", "named"])
def test_the_policies_fit(rendered: dict[str, dict[str, str]], call: str) -> None:
    sizes = {name: len(re.sub(r"\s", "", text)) for name, text in rendered[call].items()}
    assert max(sizes.values()) <= LARGEST, sizes
    assert len(sizes) <= ATTACHED


@pytest.mark.nightly
def test_the_recording_is_what_a_deployment_asks_for(
    new_tree: NewTree, client: Callable[..., Any]
) -> None:
    """With RECORD_REQUESTS set it is written anew instead."""
    tree = new_tree()
    network = life.make_network(tree, client)
    log = Path(os.environ[REQUESTS_VARIABLE])
    start = log.stat().st_size
    life.live(tree, network)
    found = requests.read(log, tree.account, tree.project, start)
    if os.environ.get("RECORD_REQUESTS"):
        requests.write(found)
    assert found == requests.recorded()


def row(check: Check, identity: list[str]) -> dict[str, Any]:
    return {
        **check.question,
        "allowed": True,
        "account": account_of(check.resource),
        "principal": f"arn:aws:sts::{ACCOUNT}:assumed-role/deployer/session",
        "identity": identity,
        "boundary": [],
        "resourcePolicy": "key" if ":key/" in check.resource else None,
        "endpoint": [],
    }


def account_of(resource: str) -> str:
    found = re.match(r"arn:aws:[^:]*:[^:]*:(\d{12}):", resource)
    return found[1] if found else ACCOUNT


def of_strangers(check: Check) -> list[Check]:
    """The check as it would be for what is not the project's, nor this account's or region's."""
    renamed = [
        (f":{ACCOUNT}:", ":999999999999:"),
        (":us-east-1:", ":eu-west-1:"),
        (f"{PROJECT}-{life.SUFFIX}-", f"{PROJECT}-us-"),
        (PROJECT, "payroll"),
    ]
    found = [
        replace(check, resource=check.resource.replace(old, new))
        for old, new in renamed
        if old in check.resource
    ]
    for key in check.context:
        if key in ("aws:ResourceTag/Project", "aws:RequestTag/Project"):
            named = (check.resource, check.context.get("iam:PermissionsBoundary", ""))
            if any(PROJECT in name for name in named):
                continue  # the name says whose it is
            found.append(replace(check, context={**check.context, key: "payroll"}))
        elif key == "iam:PolicyARN":
            found.append(replace(check, context={**check.context, key: OTHERS}))
        elif key == "iam:PassedToService":
            found.append(replace(check, context={**check.context, key: "ec2.amazonaws.com"}))
        elif key == "kms:GrantIsForAWSResource":
            found.append(replace(check, context={**check.context, key: "false"}))
        elif key == "iam:PermissionsBoundary" and "Put" not in check.action:
            left = {name: one for name, one in check.context.items() if name != key}
            found.append(replace(check, context=left))
    return found


def allowed_actions(policies: dict[str, Policy]) -> set[str]:
    return {
        action
        for document in policies.values()
        for statement in document["Statement"]
        for action in statement["Action"]
    }
