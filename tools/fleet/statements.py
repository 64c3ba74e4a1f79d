"""Statements of IAM policies, as they apply to a principal with tags.

https://docs.aws.amazon.com/IAM/latest/UserGuide/reference_policies_elements.html
"""

import re
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, replace
from typing import Any, Literal

from tools.aws.policies import as_list

Kind = Literal["read", "write", "call"]
Policy = tuple[str, Any]
"""A policy's name and its document."""

# Services that hold data; an action on any other service is a call.
_DATA = ("cloudwatch", "codecommit", "ecr", "logs", "s3", "secretsmanager")
_READ_VERBS = ("check", "describe", "filter", "get", "gitpull", "head", "list")
_READS = tuple(batch + verb for batch in ("", "batch") for verb in _READ_VERBS)

# A policy variable, with its default value if it has one:
# https://docs.aws.amazon.com/IAM/latest/UserGuide/reference_policies_variables.html
_TAG = re.compile(r"\$\{aws:PrincipalTag/([^},]+?)\s*(?:,\s*'([^']*)'\s*)?\}", re.IGNORECASE)


@dataclass(frozen=True)
class Statement:
    """Actions on resources under conditions; `source` is the policy and the Sid."""

    source: str
    actions: tuple[str, ...]
    resources: tuple[str, ...]
    conditions: tuple[str, ...]


def split_by_effect(
    policies: Iterable[Policy], tags: Mapping[str, str]
) -> tuple[list[Statement], list[Statement]]:
    """The statements that allow and those that deny, for a principal with these `tags`.

    Leaves out those that `unexplained` names, and those that no resource can match.
    """
    by_effect: dict[str, list[Statement]] = {"Allow": [], "Deny": []}
    for name, document in policies:
        for element in as_list(document["Statement"]):
            if _exclusions(element):
                continue
            patterns = (fill(text, tags) for text in as_list(element.get("Resource", "*")))
            resources = sorted(pattern for pattern in patterns if pattern is not None)
            if resources:
                statement = Statement(
                    f"{name}: {element.get('Sid', '-')}",
                    tuple(sorted(as_list(element["Action"]))),
                    tuple(resources),
                    tuple(_conditions(element.get("Condition", {}), tags)),
                )
                by_effect[element["Effect"]].append(statement)
    return by_effect["Allow"], by_effect["Deny"]


def unexplained(policies: Iterable[Policy]) -> Iterator[str]:
    """Names the statements that say what they leave out: no list can show what they apply to."""
    for name, document in policies:
        for element in as_list(document["Statement"]):
            if exclusions := _exclusions(element):
                sid, effect = element.get("Sid", "-"), element["Effect"]
                yield f"{name}: {sid} ({effect} with {' and '.join(exclusions)})"


def select_kind(kind: Kind, statements: Iterable[Statement]) -> Iterator[Statement]:
    """The statements with those of their actions that are of this kind."""
    for statement in statements:
        actions = tuple(action for action in statement.actions if kind in _kinds(action))
        if actions:
            yield replace(statement, actions=actions)


def _exclusions(element: Mapping[str, Any]) -> list[str]:
    return [key for key in ("NotAction", "NotResource") if key in element]


def _conditions(condition_block: Mapping[str, Any], tags: Mapping[str, str]) -> Iterator[str]:
    for operator, keys in sorted(condition_block.items()):
        for key, values in sorted(keys.items()):
            filled = [fill(str(value), tags) or str(value) for value in as_list(values)]
            yield f"{operator} {key}: {', '.join(sorted(filled))}"


def fill(text: str, tags: Mapping[str, str]) -> str | None:
    """`text` with the tags' values, or their defaults, in place of the variables.

    None if it names a tag that the principal lacks and gives no default: it matches nothing then.
    Names of tags are alike in any case: https://docs.aws.amazon.com/IAM/latest/UserGuide/id_tags.html
    """
    lower = {key.lower(): value for key, value in tags.items()}
    values = [lower.get(match[1].lower(), match[2]) for match in _TAG.finditer(text)]
    if None in values:
        return None
    remaining = iter(values)
    return _TAG.sub(lambda match: next(remaining), text)


def _kinds(action: str) -> tuple[Kind, ...]:
    service, _, operation = action.lower().partition(":")
    if "*" in service or "?" in service:
        return ("read", "write", "call")
    if service not in _DATA:
        return ("call",)
    if operation.startswith(_READS):
        return ("read",)
    prefix = re.split(r"[*?]", operation)[0]
    may_read = prefix != operation and any(verb.startswith(prefix) for verb in _READS)
    return ("read", "write") if may_read or not operation else ("write",)
