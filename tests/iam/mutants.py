"""Every statement of a policy, made wider: what no row of the table notices is not decided.

A mutant that allows the same by construction is not made: of a `*` that is one already, and of the
actions where a condition stays that no other action can meet.
"""

import copy
import re
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

Statement = dict[str, Any]

# Keys that only these actions send, as test_decisions.py checks: where one has to have a value, a
# statement allows no other action, whatever it names.
ONLY_SENT_BY = {
    "cloudwatch:namespace": ["cloudwatch:PutMetricData"],
    "iam:PassedToService": ["iam:PassRole"],
    "s3:prefix": ["s3:ListBucket", "s3:ListBucketVersions"],
}


@dataclass(frozen=True)
class Mutant:
    """`policy` with one statement changed as `change` says."""

    policy: str
    change: str
    document: dict[str, Any]
    services: list[str]


def mutants(name: str, document: dict[str, Any]) -> Iterator[Mutant]:
    for place, statement in enumerate(document["Statement"]):
        for change, mutated in _widened(statement):
            changed = copy.deepcopy(document)
            changed["Statement"][place : place + 1] = [] if mutated is None else [mutated]
            services = sorted({action.split(":")[0] for action in _listed(statement["Action"])})
            yield Mutant(name, f"{statement['Sid']}: {change}", changed, services)


def _widened(statement: Statement) -> Iterator[tuple[str, Statement | None]]:
    if statement["Effect"] == "Allow":
        yield from _wider_actions(statement)
        yield from _wider_resources(statement)
        yield from _wider_principal(statement)
        yield from _looser_names(statement)
    else:
        yield "left out", None
        for element in ("Action", "Resource"):
            yield from _one_less(statement, element)
    for operator, keys in statement.get("Condition", {}).items():
        for key in keys:
            yield f"without the condition {key}", _without(statement, operator, key)


def _wider_actions(statement: Statement) -> Iterator[tuple[str, Statement]]:
    actions = _listed(statement["Action"])
    every = sorted({action.split(":")[0] + ":*" for action in actions if action != "*"})
    conditions = statement.get("Condition", {}).values()
    sent = [ONLY_SENT_BY[key] for keys in conditions for key in keys if key in ONLY_SENT_BY]
    if every != sorted(actions) and every and sorted(actions) not in sent:
        yield f"with {' and '.join(every)}", {**statement, "Action": every}


def _wider_resources(statement: Statement) -> Iterator[tuple[str, Statement]]:
    resources = _listed(statement.get("Resource", "*"))
    if resources == ["*"]:
        return  # no resource-level permission, or in a key's or endpoint's policy: itself
    yield "on every resource", {**statement, "Resource": "*"}
    for resource in resources:
        wider = _all_of_its_type(resource)
        if wider != resource:
            yield f"on {wider}", {**statement, "Resource": [*resources, wider]}


def _all_of_its_type(arn: str) -> str:
    """The ARN with all after its type: `...:role/*` for a role, `...:bucket/*` for a prefix."""
    return re.sub(r"^((?:[^:]*:){5}[^/:]*[/:]).*$", r"\1*", arn)


def _wider_principal(statement: Statement) -> Iterator[tuple[str, Statement]]:
    if statement.get("Principal", "*") not in ("*", {"AWS": "*"}):
        yield "for everybody", {**statement, "Principal": "*"}


# After the name of an isolated notebook: what ends it, and what would let a longer name follow.
_ENDS = ((re.compile(r"(alice|/Notebook\})/\*$"), r"\1*"), (re.compile(r"--\*$"), "-*"))


def _looser_names(statement: Statement) -> Iterator[tuple[str, Statement]]:
    """Resources and prefixes in buckets where a longer name that begins alike matches too."""
    prefixes = statement.get("Condition", {}).get("StringLike", {}).get("s3:prefix", [])
    for place, looser in _looser(_listed(statement.get("Resource", "*"))):
        yield f"on {looser[place]}", {**statement, "Resource": looser}
    for place, looser in _looser(_listed(prefixes)):
        changed = copy.deepcopy(statement)
        changed["Condition"]["StringLike"]["s3:prefix"] = looser
        yield f"for the prefix {looser[place]}", changed


def _looser(values: list[str]) -> Iterator[tuple[int, list[str]]]:
    for place, value in enumerate(values):
        for end, wider in _ENDS:
            if end.search(value):
                yield place, [*values[:place], end.sub(wider, value), *values[place + 1 :]]


def _one_less(statement: Statement, element: str) -> Iterator[tuple[str, Statement]]:
    values = _listed(statement[element])
    for value in values if len(values) > 1 else []:
        left = [other for other in values if other != value]
        yield f"not for {value}", {**statement, element: left}


def _without(statement: Statement, operator: str, key: str) -> Statement:
    changed = copy.deepcopy(statement)
    del changed["Condition"][operator][key]
    if not changed["Condition"][operator]:
        del changed["Condition"][operator]
    if not changed["Condition"]:
        del changed["Condition"]
    return changed


def _listed(value: str | list[str]) -> list[str]:
    return [value] if isinstance(value, str) else list(value)
