"""Whether a notebook's role may do one thing: yes, no, or unknown with the reason.

In the order in which AWS decides:
https://docs.aws.amazon.com/IAM/latest/UserGuide/reference_policies_evaluation-logic.html
"""

import re
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, Literal

from tools.aws.policies import as_list
from tools.errors import UserError, nearest, shorten
from tools.fleet import conditions
from tools.fleet.conditions import Truth, all_of, any_of, matches
from tools.fleet.grants import Grants
from tools.fleet.statements import Policy, fill

Verdict = Literal["yes", "no", "unknown"]

# What a request for an object, or for a bucket's list, is called by IAM, and the request to KMS
# that an encrypted bucket adds: https://docs.aws.amazon.com/AmazonS3/latest/userguide/UsingKMSEncryption.html
_ACTIONS = {
    "read": ("s3:GetObject", "kms:Decrypt"),
    "write": ("s3:PutObject", "kms:GenerateDataKey"),
    "list": ("s3:ListBucket", ""),
    "delete": ("s3:DeleteObject", ""),
}
_URL = re.compile(r"s3://([a-z0-9][a-z0-9.-]+[a-z0-9])(?:/(.*))?", re.DOTALL)


@dataclass(frozen=True)
class Question:
    """A verb of `read`, `write`, `list` and `delete`, a bucket, and an object or a prefix in it."""

    verb: str
    bucket: str
    key: str

    @classmethod
    def parse(cls, text: str) -> "Question":
        """Reads `read s3://bucket/path`. Raises UserError, with the form, for any other text."""
        verb, _, url = text.strip().partition(" ")
        match = _URL.fullmatch(url.strip())
        if verb not in _ACTIONS:
            raise UserError(
                f"{shorten(verb)} is nothing to ask about; {nearest(verb, [*_ACTIONS])}"
            )
        if match is None:
            raise UserError(f'{shorten(text)} is no question; ask "{verb} s3://BUCKET/PATH"')
        bucket, key = match[1], match[2] or ""
        if verb != "list" and not key:
            raise UserError(f'{shorten(text)} names no object; ask "{verb} s3://{bucket}/PATH"')
        if "*" in key or "?" in key:
            raise UserError(
                f"{shorten(text)} is about many objects; ask about one, without * and ?"
            )
        return cls(verb, bucket, key)


@dataclass(frozen=True)
class Answer:
    """A verdict and the statement, or what is not known, that leads to it."""

    verdict: Verdict
    reason: str


@dataclass(frozen=True)
class _Request:
    action: str
    resource: str
    keys: Mapping[str, str]
    grants: Grants


@dataclass
class _Finding:
    """Whether policies say something about a request, and which statement, or what is unknown."""

    truth: Truth
    reason: str = field(default="")


def answer(question: Question, grants: Grants) -> Answer:
    """Whether the role may do it, by the policies that the stacks here have made."""
    action, kms_action = _ACTIONS[question.verb]
    partition, account = grants.role_arn.split(":")[1], grants.role_arn.split(":")[4]
    resource = f"arn:{partition}:s3:::{question.bucket}"
    keys = {
        "aws:securetransport": "true",  # as every SDK asks
        "aws:principalarn": grants.role_arn,
        "aws:principalaccount": account,
        "aws:principalisawsservice": "false",
        "aws:viaawsservice": "false",
    }
    if question.verb != "list":
        resource += f"/{question.key}"
    elif question.key:
        keys["s3:prefix"] = question.key
    bucket_policies = grants.buckets.get(question.bucket)
    if bucket_policies is not None:
        keys["aws:resourceaccount"] = account
    request = _Request(action, resource, keys, grants)
    s3_answer = _decide(
        request, bucket_policies, f"the policy of {question.bucket}, which no stack here makes"
    )
    if s3_answer.verdict == "yes" and kms_action and (kms_key := grants.keys.get(question.bucket)):
        return _with_key(request, s3_answer, kms_action, kms_key)
    return s3_answer


def _with_key(request: _Request, s3_answer: Answer, action: str, kms_key: str) -> Answer:
    """What becomes of a yes in a bucket that a KMS key encrypts."""
    policies = request.grants.key_policies.get(kms_key)
    missing = f"the policy of the bucket's key {kms_key}, which no stack here makes"
    if policies is None:
        return Answer("unknown", f"{s3_answer.reason}; not known: {missing}")
    if not _delegates(policies, request.grants.role_arn.split(":")[4]):
        return Answer(
            "unknown", f"{s3_answer.reason}; not known: whom the policy of {kms_key} allows it"
        )
    keys = {
        **request.keys,
        "kms:viaservice": f"s3.{kms_key.split(':')[3]}.amazonaws.com",
        "aws:resourceaccount": kms_key.split(":")[4],
    }
    by_key = _decide(_Request(action, kms_key, keys, request.grants), policies, missing)
    if by_key.verdict == "yes":
        by = by_key.reason.removeprefix("allowed by ")
        return Answer("yes", f"{s3_answer.reason}; {action} by {by}")
    return Answer(by_key.verdict, f"{action} for the bucket's key {kms_key}: {by_key.reason}")


def _delegates(policies: Sequence[Policy], account: str) -> bool:
    """Whether a key's policy leaves it to the policies of the account who uses it.

    https://docs.aws.amazon.com/kms/latest/developerguide/key-policy-default.html
    """
    return any(
        element["Effect"] == "Allow"
        and not element.get("Condition")
        and "kms:*" in as_list(element.get("Action", []))
        and isinstance(element.get("Principal"), Mapping)
        and _names_account(
            [str(principal) for principal in as_list(element["Principal"].get("AWS", []))], account
        )
        for _, document in policies
        for element in as_list(document["Statement"])
    )


def _decide(request: _Request, resource_policies: Sequence[Policy] | None, missing: str) -> Answer:
    """The verdict of the role's policies and the resource's own; `missing` names the latter."""
    grants = request.grants
    unread = [arn for arn in grants.unknown_policies if arn != grants.boundary]
    denied = _find(
        "Deny", [*grants.identity, *grants.boundaries, *(resource_policies or ())], request
    )
    if denied.truth:
        return Answer("no", f"denied by {denied.reason}")
    allowed = _find("Allow", grants.identity, request)
    bounded = _within_boundary(request)
    by_resource = (
        _Finding(None, missing)
        if resource_policies is None
        else _find("Allow", resource_policies, request)
    )
    if by_resource.truth is False:
        if allowed.truth is False and not unread:
            what = f"{request.action} on {request.resource}"
            return Answer("no", f"no policy of its role allows {what}")
        if bounded.truth is False:
            return Answer("no", bounded.reason)
    is_sure = resource_policies is not None and denied.truth is False and not unread
    if is_sure and allowed.truth and bounded.truth:
        return Answer("yes", f"allowed by {allowed.reason}")
    unknown = [
        f"policies made elsewhere: {', '.join(unread)}" if unread else "",
        f"whether it is allowed: {allowed.reason}" if allowed.truth is None else "",
        f"whether it is denied: {denied.reason}" if denied.truth is None else "",
        bounded.reason if not bounded.truth else "",
        by_resource.reason if by_resource.truth is not False else "",
    ]
    return Answer("unknown", "not known: " + "; ".join(filter(None, unknown)))


def _within_boundary(request: _Request) -> _Finding:
    grants = request.grants
    if grants.boundary is None:
        return _Finding(True)
    if not grants.boundaries:
        return _Finding(None, f"its permissions boundary {grants.boundary} is made elsewhere")
    finding = _find("Allow", grants.boundaries, request)
    name = grants.boundaries[0][0]
    if finding.truth is None:
        return _Finding(None, f"whether its permissions boundary allows it: {finding.reason}")
    return _Finding(
        finding.truth, "" if finding.truth else f"its permissions boundary {name} does not allow it"
    )


def _find(effect: str, policies: Iterable[Policy], request: _Request) -> _Finding:
    """Whether a statement of this effect is about the request; of several the surest."""
    findings = [
        _Finding(truth, f"{name}: {element.get('Sid', '-')}{_conditions(element, truth)}")
        for name, document in policies
        for element in as_list(document["Statement"])
        if element["Effect"] == effect and (truth := all_of(_parts(element, request))) is not False
    ]
    truth = any_of(finding.truth for finding in findings)
    return next((finding for finding in findings if finding.truth == truth), _Finding(False))


def _parts(element: Mapping[str, Any], request: _Request) -> Iterator[Truth]:
    """Yields for each part of a statement whether it is about the request."""
    for element_key in ("Action", "NotAction"):
        if element_key in element:
            patterns = as_list(element[element_key])
            is_matched = any(matches(pattern, request.action, True) for pattern in patterns)
            yield is_matched == (element_key == "Action")
    for element_key in ("Resource", "NotResource"):
        if element_key in element:
            named = any_of(_names(pattern, request) for pattern in as_list(element[element_key]))
            yield None if named is None else named == (element_key == "Resource")
    for element_key in ("Principal", "NotPrincipal"):
        if element_key in element:
            whom = _is_principal(element[element_key], request.grants.role_arn, element["Effect"])
            yield None if whom is None or element_key == "NotPrincipal" else whom
    filled_conditions = {
        operator: {
            condition_key: [
                fill(str(value), request.grants.tags) or str(value) for value in as_list(values)
            ]
            for condition_key, values in pairs.items()
        }
        for operator, pairs in element.get("Condition", {}).items()
    }
    yield conditions.hold(filled_conditions, request.keys, request.grants.tags)


def _names(pattern: str, request: _Request) -> Truth:
    """Whether a pattern of resources names the request's; unknown with a variable that is left."""
    filled = fill(pattern, request.grants.tags)
    if filled is None:
        return False
    return None if "${" in filled else matches(filled, request.resource)


def _is_principal(element: Any, role: str, effect: str) -> Truth:
    """Whether a resource's policy means `role`; of another name in its account nobody knows."""
    if element == "*":
        return True
    if not isinstance(element, Mapping):
        return None
    principals = [str(principal) for principal in as_list(element.get("AWS", []))]
    account = role.split(":")[4]
    if "*" in principals or role in principals:
        return True
    # The account stands for all in it; to allow something leaves it to the account's policies,
    # which AWS asks in any case.
    if _names_account(principals, account):
        return effect == "Deny"
    return (
        None
        if any(f":{account}:" in principal or ":" not in principal for principal in principals)
        else False
    )


def _names_account(principals: Sequence[str], account: str) -> bool:
    return any(
        principal == account or principal.endswith(f"::{account}:root") for principal in principals
    )


def _conditions(element: Mapping[str, Any], truth: Truth) -> str:
    """The conditions of a statement of which they leave it open whether it applies."""
    condition_keys = [
        condition_key for pairs in element.get("Condition", {}).values() for condition_key in pairs
    ]
    return (
        f" (depends on {', '.join(sorted(condition_keys))})"
        if truth is None and condition_keys
        else ""
    )
