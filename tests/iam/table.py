"""decisions.yaml as questions for the engine."""

import json
import re
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import yaml

from .rendered import DEPLOYER, Policy, Rendered

TABLE = Path(__file__).with_name("decisions.yaml")
OUTSIDE = "999999999999"
# The engine drops keys of an encryption context, whose names it cannot know: another key of the
# same type stands for this one, in the policies and in the table.
ENGINE_KEYS = {"kms:EncryptionContext:aws:logs:arn": "aws:SourceArn"}
# The engine splits a resource at its first colon or slash, and takes that of a variable for it
# where no type stands before the name, as in CodeCommit's ARNs: filled in for it.
OWN_REPOSITORY = re.compile(r"(:codecommit:[^\"$]*)\$\{aws:PrincipalTag/Notebook\}")

COLUMNS = {
    "role",
    "action",
    "resource",
    "context",
    "policy",
    "key",
    "endpoint",
    "decision",
    "why",
}

EVERYTHING: Policy = {
    "Version": "2012-10-17",
    "Statement": [{"Sid": "All", "Effect": "Allow", "Action": "*", "Resource": "*"}],
}
ANYBODY: Policy = {
    "Version": "2012-10-17",
    "Statement": [
        {"Sid": "All", "Effect": "Allow", "Principal": "*", "Action": "*", "Resource": "*"}
    ],
}


@dataclass(frozen=True)
class Row:
    """One decision: the row as it stands in the table, and as decide.mjs takes it."""

    text: str
    allowed: bool
    question: Mapping[str, Any]


def policies(rendered: Rendered) -> dict[str, Policy]:
    """The rendered policies and those that the table supposes besides."""
    strict = rendered.policies["strict-bucket"]
    delegating = rendered.policies["key"]["Statement"][:1]
    known = {name: _for_the_engine(policy) for name, policy in rendered.policies.items()}
    return {
        **known,
        "everything": EVERYTHING,
        "anybody": ANYBODY,
        "opened": {**strict, "Statement": [*strict["Statement"], *ANYBODY["Statement"]]},
        "delegating": {**rendered.policies["key"], "Statement": delegating},
    }


def rows(rendered: Rendered) -> list[Row]:
    table = yaml.safe_load(TABLE.read_text())
    words = {"account": rendered.account, "project": rendered.project, "key": rendered.key}
    for name, place in table["places"].items():
        words[name] = _filled(place, words)
    return [_row(row, words, rendered) for row in table["rows"]]


def _row(row: Mapping[str, Any], words: Mapping[str, str], rendered: Rendered) -> Row:
    assert not row.keys() - COLUMNS, row
    assert row["decision"] in ("allowed", "denied"), row
    assert row["why"], row
    identity, boundary, principal, own = _roles(rendered)[row["role"]]
    resource = _filled(row["resource"], words)
    given = {
        ENGINE_KEYS.get(k, k): _each_filled(v, words) for k, v in row.get("context", {}).items()
    }
    context = {**_usual(principal, resource, row["action"], rendered), **own, **given}
    return Row(
        f"{row['role']} {row['action']} {row['resource']} {row.get('context', '')}: {row['why']}",
        row["decision"] == "allowed",
        {
            "allowed": row["decision"] == "allowed",
            "action": row["action"],
            "resource": resource,
            "account": _account(resource, rendered),
            "principal": principal,
            "context": {key: value for key, value in context.items() if value is not None},
            "identity": identity,
            "boundary": boundary,
            "resourcePolicy": _resource_policy(row, resource, rendered),
            "endpoint": [row["endpoint"]] if "endpoint" in row else [],
        },
    )


def _for_the_engine(policy: Policy) -> Policy:
    text = OWN_REPOSITORY.sub(r"\1alice", json.dumps(policy))
    for key, engine_key in ENGINE_KEYS.items():
        text = text.replace(json.dumps(key), json.dumps(engine_key))
    found: Policy = json.loads(text)
    return found


Role = tuple[list[str], list[str], str, dict[str, str]]


def _roles(rendered: Rendered) -> dict[str, Role]:
    """What each role of the table has: policies, boundaries, principal, keys of its requests."""
    names = sorted(rendered.policies)
    fenced = [name for name in names if name.startswith("shared/")]
    shared = [name for name in fenced if name != "shared/fence"]
    isolated = [name for name in names if name.startswith("isolated/")]

    def session(role: str) -> str:
        return f"arn:aws:sts::{rendered.account}:assumed-role/{role}/session"

    of_all = session(f"{rendered.project}-notebook")
    alice = session(f"{rendered.project}-notebook-alice")
    tag = {"aws:PrincipalTag/Notebook": "alice"}
    everything = ["everything"]
    return {
        "shared": (shared, [], of_all, {}),
        "fenced": (fenced, [], of_all, {}),
        "isolated": (isolated, ["boundary"], alice, tag),
        "own-prefixes": (["isolated/own-prefixes"], [], alice, tag),
        "bounded": (everything, ["boundary"], alice, tag),
        "untagged": (everything, ["boundary"], alice, {}),
        "deployer": ([*everything, "guardrail"], [], session("notebook-deployer"), {}),
        "excepted": ([*everything, "guardrail"], [], session(DEPLOYER), {}),
        "opener": (["open"], [], session("alice"), {}),
        "administrator": (everything, [], session("administrator"), {}),
        "terraform": (everything, [], session(DEPLOYER), {}),
        "outsider": (everything, [], f"arn:aws:iam::{OUTSIDE}:user/somebody", {}),
        "sagemaker": ([], [], "sagemaker.amazonaws.com", {}),
        "cloudformation": ([], [], "cloudformation.amazonaws.com", {}),
        "log-delivery": ([], [], "logging.s3.amazonaws.com", {}),
        "logs-service": ([], [], "logs.us-east-1.amazonaws.com", {}),
    }


def _usual(principal: str, resource: str, action: str, rendered: Rendered) -> dict[str, str]:
    """The global keys that AWS sends with every request of a principal."""
    usual = {
        "aws:SecureTransport": "true",
        "aws:ViaAWSService": "false",
        "aws:PrincipalIsAWSService": "false",
    }
    if resource != "*" and action not in ("sts:AssumeRole", "sts:TagSession"):
        usual["aws:ResourceAccount"] = _account(resource, rendered)
    found = re.match(r"arn:aws:(?:sts|iam)::(\d{12}):(?:assumed-role/([^/]+)/|user/)", principal)
    if found:
        usual["aws:PrincipalAccount"] = found[1]
        usual["aws:PrincipalArn"] = (
            f"arn:aws:iam::{found[1]}:role/{found[2]}" if found[2] else principal
        )
    return usual


def _account(resource: str, rendered: Rendered) -> str:
    if "somebody-elses" in resource:
        return OUTSIDE
    found = re.match(r"arn:aws:[^:]*:[^:]*:(\d{12}):", resource)
    return found[1] if found else rendered.account


def _resource_policy(row: Mapping[str, Any], resource: str, rendered: Rendered) -> str | None:
    if "policy" in row:
        return None if row["policy"] == "none" else str(row["policy"])
    if "key" in row:
        return str(row["key"])
    return "bucket" if resource.startswith(f"arn:aws:s3:::{rendered.project}-datasets") else None


def _filled(text: str, words: Mapping[str, str]) -> str:
    return re.sub(r"<([a-z0-9]+)>", lambda found: words[found[1]], text)


def _each_filled(value: Any, words: Mapping[str, str]) -> Any:
    if isinstance(value, list):
        return [_filled(item, words) for item in value]
    return value if value is None else _filled(value, words)
