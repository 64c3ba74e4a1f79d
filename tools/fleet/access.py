"""What a notebook's role may do, from the policies in the states of the stacks that made them.

Reads only what Terraform rendered: a policy that was added by hand may allow more, and a service
control policy or the policy of an endpoint less.
"""

import textwrap
from collections.abc import Iterator
from dataclasses import asdict, dataclass
from typing import Any

from tools.fleet.boundary import limit, merge
from tools.fleet.grants import Grants
from tools.fleet.statements import Kind, Statement, select_kind, split_by_effect, unexplained


@dataclass(frozen=True)
class Access:
    """What a notebook may read, write and call, and what it is denied whatever else allows it.

    `own_role` is whether the role is this notebook's alone, `boundary` the name or ARN of its
    permissions boundary. `unknown_policies` are ARNs of policies that no stack here made,
    `unexplained` the statements that no list can show.
    """

    notebook: str
    role: str
    own_role: bool
    boundary: str | None
    reads: tuple[Statement, ...]
    writes: tuple[Statement, ...]
    calls: tuple[Statement, ...]
    denied: tuple[Statement, ...]
    unknown_policies: tuple[str, ...]
    unexplained: tuple[str, ...]

    def as_json(self) -> dict[str, Any]:
        """As `tools explain-access --json` prints it (docs/json.md)."""
        return asdict(self)


def explain(grants: Grants) -> Access:
    """What a notebook may do by its `grants`."""
    buckets = [policy for policies in grants.buckets.values() for policy in policies]
    allowed, denied = split_by_effect(grants.identity, grants.tags)
    if grants.boundaries:
        allowed_by_boundary, denied_by_boundary = split_by_effect(grants.boundaries, grants.tags)
        allowed = limit(allowed, allowed_by_boundary)
        denied += denied_by_boundary
    denied += split_by_effect(buckets, grants.tags)[1]

    def of_kind(kind: Kind) -> tuple[Statement, ...]:
        return tuple(merge(select_kind(kind, allowed)))

    return Access(
        grants.notebook,
        grants.role_arn,
        own_role=grants.own_role,
        boundary=grants.boundaries[0][0] if grants.boundaries else grants.boundary,
        reads=of_kind("read"),
        writes=of_kind("write"),
        calls=of_kind("call"),
        denied=tuple(denied),
        unknown_policies=grants.unknown_policies,
        unexplained=tuple(unexplained([*grants.identity, *grants.boundaries, *buckets])),
    )


def format_access(access: Access, width: int | None = None) -> str:
    """The access in lines for people, none of them wider than `width`, if it is given."""
    whose = "its own" if access.own_role else "shared with other notebooks"
    lines = [
        f"{access.notebook} works with {access.role} ({whose}),",
        f"bounded by {access.boundary}." if access.boundary else "with no permissions boundary.",
    ]
    lines += [f"Not made here, so not shown: {arn}" for arn in access.unknown_policies]
    lines += [f"Not explained, read it yourself: {what}" for what in access.unexplained]
    for title, statements in (
        ("Reads", access.reads),
        ("Writes", access.writes),
        ("Calls", access.calls),
        ("Is denied, whatever is said above", access.denied),
    ):
        lines += ["", title]
        lines += [line for statement in statements for line in _lines(statement)]
        if not statements:
            lines.append("  nothing")
    return "\n".join(fold(line, width) for line in lines)


def fold(line: str, width: int | None) -> str:
    """`line` in several of `width`, broken between words, or within one that alone is too wide."""
    if width is None:
        return line
    indent = " " * (len(line) - len(line.lstrip()) + 4)
    folded = textwrap.wrap(line, width, subsequent_indent=indent, break_on_hyphens=False)
    return "\n".join(folded) if folded else line


def _lines(statement: Statement) -> Iterator[str]:
    yield f"  {', '.join(statement.actions)}  [{statement.source}]"
    for resource in statement.resources:
        yield f"    {resource}"
    for condition in statement.conditions:
        yield f"    if {condition}"
