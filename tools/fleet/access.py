"""What a notebook's role may do, from the policies in the states of the stacks that made them.

Only reads what Terraform rendered: what somebody added by hand, a service control policy or the
policy of an endpoint may allow less, or more.
"""

import json
import re
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import asdict, dataclass
from functools import cache
from typing import Any, Literal

from tools.aws.policies import listed
from tools.errors import UserError
from tools.layout.stack import Stack
from tools.state.file import State
from tools.state.place import Place

Resource = Mapping[str, Any]
Kind = Literal["read", "write", "call"]

# Services that hold data; what is done to others is a call.
_DATA = ("cloudwatch", "codecommit", "ecr", "logs", "s3", "secretsmanager")
_READ_VERBS = ("check", "describe", "filter", "get", "gitpull", "head", "list")
_READS = tuple(batch + verb for batch in ("", "batch") for verb in _READ_VERBS)
# Names of tags do not differ by capitals: https://docs.aws.amazon.com/IAM/latest/UserGuide/id_tags.html
_TAG = re.compile(r"\$\{aws:PrincipalTag/([^},]+?)\s*(?:,\s*'([^']*)'\s*)?\}", re.IGNORECASE)


@dataclass(frozen=True)
class Statement:
    """Actions on resources under conditions; `source` is the policy and the Sid."""

    source: str
    actions: tuple[str, ...]
    resources: tuple[str, ...]
    conditions: tuple[str, ...]


@dataclass(frozen=True)
class Access:
    """What a notebook may read, write and call, and what it is denied whatever else is said."""

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

    def to_json(self) -> dict[str, Any]:
        """As `--json` prints it (docs/json.md)."""
        return asdict(self)


def of(
    stack: Stack, stacks: Iterable[Stack], place: Callable[[Stack], Place | None], option: str
) -> Access:
    """What the notebook `stack` may do, from its state and those of the `stacks` that it reads.

    `option` is what a command in a message needs to reach the same target. Raises UserError where
    it was never applied, its role is made elsewhere, or a state cannot be read.
    """
    own = _resources(stack, place)
    if not own:
        raise UserError(
            f"{stack.name} is not deployed, so it has no role yet; deploy it: "
            f"tools deploy{option} {stack.name}"
        )
    upstream = [other for other in stacks if other.name in stack.upstream]
    return explain(stack.name, own, [found for one in upstream for found in _resources(one, place)])


def _resources(stack: Stack, place: Callable[[Stack], Place | None]) -> list[Resource]:
    where = place(stack)
    if where is None:
        raise UserError(
            f"the files of {stack.name} do not say where its state lies (another backend than "
            "local and s3, or a workspace), so its policies cannot be read"
        )
    text = where.read()
    if text is None:
        return []
    return [
        {"type": resource.type, "values": resource.attributes}
        for resource in State.parse(text, str(where)).resources
    ]


def explain(notebook: str, own: Sequence[Resource], upstream: Sequence[Resource]) -> Access:
    """From the resources of a notebook's state, and of the states that it reads.

    A resource is `{"type": ..., "values": {...}}`. Raises UserError where `own` holds no notebook,
    or its role is in none of them.
    """
    instances = _of("aws_sagemaker_notebook_instance", own)
    if not instances:
        raise UserError(f"{notebook} is not deployed, so that it has no role yet; deploy it first")
    arn = str(instances[0]["role_arn"])
    everything = [*own, *upstream]
    role = next((role for role in _of("aws_iam_role", everything) if role["arn"] == arn), None)
    if role is None:
        raise UserError(
            f"{notebook} works with {arn}, which neither it nor a stack that it reads has made; "
            "ask IAM what it may do: aws iam get-account-authorization-details --filter Role"
        )
    policies = {p["arn"]: (p["name"], json.loads(p["policy"])) for p in _managed(everything)}
    attached = _attached(role, everything)
    bound = role.get("permissions_boundary") or None
    named = [policies[arn] for arn in attached if arn in policies]
    named += _inline(role, everything)
    tags = role.get("tags_all") or role.get("tags") or {}
    allowed, denied = _split(named, tags)
    if bound in policies:
        within, denied_by_bound = _split([policies[bound]], tags)
        allowed = _merged(part for one in allowed for part in _within(one, within))
        denied += denied_by_bound
    buckets = _bucket_policies(everything)
    denied += _split(buckets, tags)[1]
    read = [*named, *([policies[bound]] if bound in policies else []), *buckets]
    return Access(
        notebook,
        arn,
        role in _of("aws_iam_role", own),
        policies[bound][0] if bound in policies else bound,
        tuple(_merged(_of_kind("read", allowed))),
        tuple(_merged(_of_kind("write", allowed))),
        tuple(_merged(_of_kind("call", allowed))),
        tuple(denied),
        tuple(arn for arn in [*attached, *([bound] if bound else [])] if arn not in policies),
        tuple(_unexplained(read)),
    )


def text(access: Access) -> str:
    """For people."""
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
        lines += [] if statements else ["  nothing"]
    return "\n".join(lines)


def _lines(statement: Statement) -> Iterator[str]:
    yield f"  {', '.join(statement.actions)}  [{statement.source}]"
    for resource in statement.resources:
        yield f"    {resource}"
    for condition in statement.conditions:
        yield f"    if {condition}"


def _of(kind: str, resources: Iterable[Resource]) -> list[Mapping[str, Any]]:
    return [resource["values"] for resource in resources if resource["type"] == kind]


def _managed(resources: Iterable[Resource]) -> list[Mapping[str, Any]]:
    return _of("aws_iam_policy", resources)


def _attached(role: Mapping[str, Any], resources: Sequence[Resource]) -> list[str]:
    """ARNs of managed policies, by attachments and by the role's own list."""
    found = {
        str(attachment["policy_arn"])
        for attachment in _of("aws_iam_role_policy_attachment", resources)
        if attachment["role"] == role["name"]
    }
    return sorted(found | set(role.get("managed_policy_arns") or []))


def _inline(role: Mapping[str, Any], resources: Sequence[Resource]) -> list[tuple[str, Any]]:
    """Inline policies, of which the provider writes some both as resources and into the role."""
    found = {
        str(inline["name"]): inline["policy"]
        for inline in _of("aws_iam_role_policy", resources)
        if inline["role"] == role["name"]
    }
    for inline in role.get("inline_policy") or []:
        if inline.get("policy"):
            found.setdefault(str(inline["name"]), inline["policy"])
    return [(name, json.loads(policy)) for name, policy in found.items()]


def _unexplained(policies: Iterable[tuple[str, Any]]) -> Iterator[str]:
    """Statements by what they leave out, which no list of actions and resources can show."""
    for name, document in policies:
        for statement in listed(document["Statement"]):
            found = [element for element in ("NotAction", "NotResource") if element in statement]
            if found:
                sid = statement.get("Sid", "-")
                yield f"{name}: {sid} ({statement['Effect']} with {' and '.join(found)})"


def _bucket_policies(resources: Iterable[Resource]) -> list[tuple[str, Any]]:
    found = _of("aws_s3_bucket_policy", resources)
    return [(f"bucket {policy['bucket']}", json.loads(policy["policy"])) for policy in found]


def _split(
    policies: Iterable[tuple[str, Any]], tags: Mapping[str, str]
) -> tuple[list[Statement], list[Statement]]:
    """The statements of named policies that allow, and those that deny."""
    found: dict[str, list[Statement]] = {"Allow": [], "Deny": []}
    for name, document in policies:
        for statement in listed(document["Statement"]):
            if "NotAction" in statement or "NotResource" in statement:
                continue  # named by _unexplained
            resources = listed(statement.get("Resource", "*"))
            filled = [_filled(resource, tags) for resource in resources]
            read = Statement(
                f"{name}: {statement.get('Sid', '-')}",
                tuple(sorted(listed(statement["Action"]))),
                tuple(sorted(resource for resource in filled if resource is not None)),
                tuple(_conditions(statement.get("Condition", {}), tags)),
            )
            if read.resources:
                found[statement["Effect"]].append(read)
    return found["Allow"], found["Deny"]


def _conditions(conditions: Mapping[str, Any], tags: Mapping[str, str]) -> Iterator[str]:
    for operator, keys in sorted(conditions.items()):
        for key, values in sorted(keys.items()):
            filled = [_filled(str(value), tags) or str(value) for value in listed(values)]
            yield f"{operator} {key}: {', '.join(sorted(filled))}"


def _filled(text: str, tags: Mapping[str, str]) -> str | None:
    """`text` with the role's tags, or else their defaults, for their variables.

    None where it lacks one without a default: nothing matches then.
    """
    known = {key.lower(): value for key, value in tags.items()}
    values = [known.get(found[1].lower(), found[2]) for found in _TAG.finditer(text)]
    if None in values:
        return None
    rest = iter(values)
    return _TAG.sub(lambda found: next(rest), text)


def _within(statement: Statement, bounds: Sequence[Statement]) -> Iterator[Statement]:
    """What of `statement` the statements of a boundary leave."""
    for bound in bounds:
        actions = _both(statement.actions, bound.actions, _narrower)
        resources = _both(statement.resources, bound.resources, _narrower_arn)
        if actions and resources:
            conditions = dict.fromkeys((*statement.conditions, *bound.conditions))
            yield Statement(statement.source, actions, resources, tuple(conditions))


def _merged(statements: Iterable[Statement]) -> list[Statement]:
    """What comes of one statement under several of a boundary's, together where it differs only
    by its resources, and without what the same on every resource says already."""
    found: dict[tuple[Any, ...], set[str]] = {}
    for one in statements:
        found.setdefault((one.source, one.actions, one.conditions), set()).update(one.resources)
    return [
        Statement(
            source, actions, ("*",) if "*" in resources else tuple(sorted(resources)), conditions
        )
        for (source, actions, conditions), resources in found.items()
        if not conditions or "*" not in found.get((source, actions, ()), set())
    ]


def _both(these: Sequence[str], those: Sequence[str], narrower: Any) -> tuple[str, ...]:
    found = {narrower(one, other) for one in these for other in those}
    return tuple(sorted(found - {None}))


def _narrower_arn(one: str, other: str) -> str | None:
    """What both patterns match, as a pattern where there is one."""
    if "*" in (one, other):
        return one if other == "*" else other
    if len(_fields(one)) != len(_fields(other)):
        return _narrower(one, other)  # such as arn:aws:s3*
    parts = [_narrower(a, b) for a, b in zip(_fields(one), _fields(other), strict=True)]
    return None if None in parts else ":".join(part for part in parts if part is not None)


def _fields(arn: str) -> list[str]:
    return arn.split(":", 5)


def _narrower(one: str, other: str) -> str | None:
    if _covers(other, one):
        return one
    if _covers(one, other):
        return other
    return f"{one} and {other}" if _overlap(one.lower(), other.lower()) else None


def _covers(wide: str, narrow: str) -> bool:
    pattern = re.escape(wide).replace(r"\*", ".*").replace(r"\?", "[^*]")
    return re.fullmatch(pattern, narrow, re.IGNORECASE | re.DOTALL) is not None


@cache
def _overlap(one: str, other: str) -> bool:
    """Whether some text matches both patterns."""
    if not one or not other:
        return not (one or other).strip("*")
    if one[0] == "*" or other[0] == "*":
        star, rest = (one, other) if one[0] == "*" else (other, one)
        return _overlap(star[1:], rest) or _overlap(star, rest[1:])
    same = one[0] == other[0] or "?" in (one[0], other[0])
    return same and _overlap(one[1:], other[1:])


def _of_kind(kind: Kind, statements: Iterable[Statement]) -> Iterator[Statement]:
    for statement in statements:
        actions = tuple(action for action in statement.actions if kind in _kinds(action))
        if actions:
            yield Statement(statement.source, actions, statement.resources, statement.conditions)


def _kinds(action: str) -> tuple[Kind, ...]:
    service, _, operation = action.lower().partition(":")
    if "*" in service or "?" in service:
        return ("read", "write", "call")
    if service not in _DATA:
        return ("call",)
    if operation.startswith(_READS):
        return ("read",)
    begins = re.split(r"[*?]", operation)[0]
    open_end = begins != operation and any(verb.startswith(begins) for verb in _READS)
    return ("read", "write") if open_end or not operation else ("write",)
