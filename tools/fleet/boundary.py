"""What a permissions boundary leaves of statements: what both the role and the boundary allow.

https://docs.aws.amazon.com/IAM/latest/UserGuide/access_policies_boundaries.html
"""

import re
from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import replace
from functools import cache

from tools.fleet.statements import Statement


def limit(statements: Iterable[Statement], boundary: Sequence[Statement]) -> list[Statement]:
    """What the statements of a boundary leave of `statements`."""
    return merge(part for statement in statements for part in _parts(statement, boundary))


def merge(statements: Iterable[Statement]) -> list[Statement]:
    """One statement for those that differ only in their resources.

    Leaves out a statement with conditions if the same one without any is about all resources.
    """
    resources_of: dict[Statement, set[str]] = {}
    for statement in statements:
        key = replace(statement, resources=())
        resources_of.setdefault(key, set()).update(statement.resources)
    return [
        replace(key, resources=("*",) if "*" in resources else tuple(sorted(resources)))
        for key, resources in resources_of.items()
        if not key.conditions or "*" not in resources_of.get(replace(key, conditions=()), set())
    ]


def _parts(statement: Statement, boundary: Sequence[Statement]) -> Iterator[Statement]:
    for bound in boundary:
        actions = _intersect_all(statement.actions, bound.actions, _intersect)
        resources = _intersect_all(statement.resources, bound.resources, _intersect_arns)
        if actions and resources:
            conditions = tuple(dict.fromkeys((*statement.conditions, *bound.conditions)))
            yield Statement(statement.source, actions, resources, conditions)


def _intersect_all(
    left_patterns: Sequence[str],
    right_patterns: Sequence[str],
    intersect: Callable[[str, str], str | None],
) -> tuple[str, ...]:
    patterns = {intersect(left, right) for left in left_patterns for right in right_patterns}
    return tuple(sorted(pattern for pattern in patterns if pattern is not None))


def _intersect_arns(left: str, right: str) -> str | None:
    """What both patterns match, as one pattern if their fields match one by one."""
    if "*" in (left, right):
        return left if right == "*" else right
    fields = [arn.split(":", 5) for arn in (left, right)]
    if len(fields[0]) != len(fields[1]):
        return _intersect(left, right)  # such as arn:aws:s3*
    parts = [_intersect(a, b) for a, b in zip(*fields, strict=True)]
    return None if None in parts else ":".join(part for part in parts if part is not None)


def _intersect(left: str, right: str) -> str | None:
    """The narrower pattern, both of them if they only overlap, or None if no text matches both."""
    if _covers(right, left):
        return left
    if _covers(left, right):
        return right
    return f"{left} and {right}" if _overlap(left.lower(), right.lower()) else None


def _covers(wide: str, narrow: str) -> bool:
    pattern = re.escape(wide).replace(r"\*", ".*").replace(r"\?", "[^*]")
    return re.fullmatch(pattern, narrow, re.IGNORECASE | re.DOTALL) is not None


@cache
def _overlap(left: str, right: str) -> bool:
    """Whether some text matches both patterns."""
    if not left or not right:
        return not (left or right).strip("*")
    if left[0] == "*" or right[0] == "*":
        star, other = (left, right) if left[0] == "*" else (right, left)
        return _overlap(star[1:], other) or _overlap(star, other[1:])
    same = left[0] == right[0] or "?" in (left[0], right[0])
    return same and _overlap(left[1:], right[1:])
