"""Conditions of IAM policies, for a request of which some keys are known.

https://docs.aws.amazon.com/IAM/latest/UserGuide/reference_policies_elements_condition_operators.html
"""

import operator
import re
from collections.abc import Callable, Iterable, Mapping
from typing import Any

from tools.aws.policies import as_list

Truth = bool | None
"""None is unknown."""

_TAG = "aws:principaltag/"
_PREFIX = "s3:prefix"  # the one key of an S3 request that a question says


def all_of(truths: Iterable[Truth]) -> Truth:
    """Whether all of them hold."""
    known_truths = list(truths)
    return False if False in known_truths else None if None in known_truths else True


def any_of(truths: Iterable[Truth]) -> Truth:
    """Whether one of them holds."""
    known_truths = list(truths)
    return True if True in known_truths else None if None in known_truths else False


def matches(pattern: str, text: str, ignore_case: bool = False) -> bool:
    """Whether `text` is one that a pattern of IAM with * and ? names."""
    expression = re.escape(pattern).replace(r"\*", ".*").replace(r"\?", ".")
    flags = re.DOTALL | (re.IGNORECASE if ignore_case else 0)
    return re.fullmatch(expression, text, flags) is not None


def hold(conditions: Mapping[str, Any], keys: Mapping[str, str], tags: Mapping[str, str]) -> Truth:
    """Whether `conditions` hold for a request with these `keys`, of a principal with `tags`.

    The names of `keys` are in lower case. A key that is not among them is unknown, but for a tag
    of the principal and for s3:prefix, which are then not in the request.
    """
    known = {**keys, **{f"{_TAG}{name.lower()}": value for name, value in tags.items()}}
    return all_of(
        _holds(operator_name, key.lower(), [str(value) for value in as_list(values)], known)
        for operator_name, pairs in conditions.items()
        for key, values in pairs.items()
    )


def _holds(operator_name: str, key: str, values: list[str], known: Mapping[str, str]) -> Truth:
    is_absent = key not in known and (key.startswith(_TAG) or key == _PREFIX)
    if key not in known and not is_absent:
        return None
    if operator_name == "Null":
        return str(is_absent).lower() in [value.lower() for value in values]
    name = operator_name.removesuffix("IfExists")
    positive = name.replace("Not", "")
    if positive not in _OPERATORS or any("${" in value for value in values):
        return None
    is_negated = positive != name
    if is_absent:
        return is_negated or name != operator_name
    is_matched = any(_OPERATORS[positive](value, known[key]) for value in values)
    return is_matched != is_negated


def _same_in_any_case(value: str, text: str) -> bool:
    return value.lower() == text.lower()


_OPERATORS: Mapping[str, Callable[[str, str], bool]] = {
    "StringEquals": operator.eq,
    "StringEqualsIgnoreCase": _same_in_any_case,
    "StringLike": matches,
    "ArnEquals": matches,
    "ArnLike": matches,
    "Bool": _same_in_any_case,
}
