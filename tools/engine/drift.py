"""What was changed outside of Terraform, told apart from what the stacks' own applies did.

A computed attribute may show what other resources declare: a role its attachments, a security group
its rules, a bucket its policy. The state had the role before it had the attachments, so that the
next refresh finds a difference. It is explained if what the cloud has now is what the resources in
the states add up to. Whatever is not explained counts as changed outside.
https://developer.hashicorp.com/terraform/cli/commands/plan#planning-modes
"""

import json
import re
from collections.abc import Callable, Collection, Hashable, Iterable, Iterator, Mapping, Sequence
from typing import Any, NamedTuple

from tools.engine.plans import Action, Change
from tools.engine.records import Records
from tools.errors import UserError
from tools.layout.stack import Stack

Values = Mapping[str, Any]

_ACTIONS: dict[str, Action] = {"update": "update", "delete": "destroy"}
_MODULE = re.compile(r'module\.([^.\[]+)(?:\[(?:\d+|"(?:[^"\\]|\\.)*")\])?\.?')


class Declared(NamedTuple):
    """A managed resource in a state; `is_fresh` says that the plan has asked the cloud for it."""

    type: str
    values: Values
    is_fresh: bool


def outside_changes(plan: Values, others: Iterable[Declared] = ()) -> list[Change]:
    """Returns what was changed outside of Terraform, from the JSON of a plan of drift.

    `others` are the resources of other stacks. The first refresh after a resource was made writes
    empty values for missing ones, which Terraform reports as a change and which is none.
    https://developer.hashicorp.com/terraform/internals/json-format#plan-representation
    """
    declared = [*_refreshed(plan), *others]
    changes = []
    for drift in plan.get("resource_drift", []):
        action = _ACTIONS.get(drift["change"]["actions"][0])
        names = tuple(_unexplained(plan, drift, declared)) if action == "update" else ()
        if action and (names or action == "destroy"):
            changes.append(Change(drift["address"], drift["type"], action, names))
    return changes


def resources_of_others(records: Records, stack: Stack) -> list[Declared]:
    """Returns the resources in the states of all stacks but `stack`, as those states have them.

    A state that cannot be read adds nothing: what only it would explain counts as drift.
    """
    declared = []
    for other in records.stacks:
        try:
            state = records.state(other) if other.name != stack.name else None
        except UserError:  # told wherever that stack is worked on
            continue
        declared += [
            Declared(instance.type, instance.attributes, is_fresh=False)
            for instance in (state.resources if state else ())
            if not instance.deposed
        ]
    return declared


def _unexplained(plan: Values, drift: Values, declared: Sequence[Declared]) -> Iterator[str]:
    """The attributes of a resource that differ, and that nothing declared accounts for."""
    before, after = drift["change"]["before"] or {}, drift["change"]["after"] or {}
    configured = _configured(plan, drift)
    for name in sorted({*before, *after}):
        if (before.get(name) or None) != (after.get(name) or None):
            explains = _EXPLANATIONS.get((drift["type"], name))
            if name in configured or not explains or not explains(after, declared):
                yield name


def _refreshed(plan: Values) -> Iterator[Declared]:
    """The stack's own resources as the refresh has found them, without those that are gone."""
    modules = [plan.get("prior_state", {}).get("values", {}).get("root_module", {})]
    while modules:
        module = modules.pop()
        modules += module.get("child_modules", [])
        for resource in module.get("resources", []):
            if resource["mode"] == "managed":
                yield Declared(resource["type"], resource["values"], is_fresh=True)


def _configured(plan: Values, drift: Values) -> Collection[str]:
    """The attributes of a resource that its own block sets, and so no other resource.

    https://developer.hashicorp.com/terraform/internals/json-format#configuration-representation
    """
    module = plan.get("configuration", {}).get("root_module", {})
    for name in _MODULE.findall(drift.get("module_address") or ""):
        module = module.get("module_calls", {}).get(name, {}).get("module", {})
    for resource in module.get("resources", []):
        if all(resource[key] == drift.get(key) for key in ("mode", "type", "name")):
            return dict(resource.get("expressions", {}))
    return ()


Explanation = Callable[[Values, Sequence[Declared]], bool]
Parts = Callable[[Values, Declared], Iterable[Hashable]]


def _shown_by(kind: str, theirs: str, ours: str = "id") -> Explanation:
    """Explains what a resource of type `kind` shows too: the same thing, asked for as freshly.

    If that was changed outside, it is this other resource that has drifted and is reported. Its
    `theirs` names the resource whose `ours` is the same.
    """

    def explains(attributes: Values, declared: Sequence[Declared]) -> bool:
        return any(
            declaration.is_fresh
            and declaration.type == kind
            and declaration.values.get(theirs) == attributes.get(ours)
            for declaration in declared
        )

    return explains


def _sum_of(
    parts: Parts, actual: Callable[[Values], Collection[Hashable]], may_be_empty: bool = True
) -> Explanation:
    """Explains what is, neither more nor less, the sum of what each resource adds in its `parts`.

    Without `may_be_empty` nothing explains that it is empty: it may be set by a `dynamic` block,
    which Terraform's JSON leaves out of the configuration.
    """

    def explains(attributes: Values, declared: Sequence[Declared]) -> bool:
        expected = {part for declaration in declared for part in parts(attributes, declaration)}
        return expected == set(actual(attributes)) and bool(expected or may_be_empty)

    return explains


def _attachments(declaration: Declared) -> Iterator[tuple[str, str, str]]:
    """What a resource attaches: the kind of identity, its name, and the policy's ARN."""
    for kind in ("role", "user", "group"):
        if declaration.type == f"aws_iam_{kind}_policy_attachment":
            yield kind, declaration.values[kind], declaration.values["policy_arn"]
        elif declaration.type == "aws_iam_policy_attachment":
            for name in declaration.values.get(f"{kind}s") or ():
                yield kind, name, declaration.values["policy_arn"]


def _policies_of_role(role: Values, declaration: Declared) -> Iterator[Hashable]:
    for kind, name, policy_arn in _attachments(declaration):
        if (kind, name) == ("role", role["name"]):
            yield policy_arn


def _inline_policies(role: Values, declaration: Declared) -> Iterator[Hashable]:
    if declaration.type == "aws_iam_role_policy" and declaration.values["role"] == role["name"]:
        yield declaration.values["name"], _canonical(declaration.values["policy"])


def _is_attached_everywhere(policy: Values, declared: Sequence[Declared]) -> bool:
    attached = {entry for declaration in declared for entry in _attachments(declaration)}
    identities = [name for _, name, arn in attached if arn == policy["arn"]]
    return len(identities) == int(policy["attachment_count"])


def _canonical(policy_json: str) -> str:
    try:
        return json.dumps(json.loads(policy_json), sort_keys=True)
    except ValueError:
        return policy_json


def _rules(direction: str) -> Parts:
    """The rules that a resource adds to a group, each with one other side.

    Without descriptions: the rule's own resource has them.
    """

    def parts(group: Values, declaration: Declared) -> Iterator[Hashable]:
        rule = declaration.values
        if rule.get("security_group_id") != group["id"]:
            return
        if declaration.type == f"aws_vpc_security_group_{direction}_rule":
            ports = _ports(rule["ip_protocol"], rule["from_port"], rule["to_port"])
            for key in ("cidr_ipv4", "cidr_ipv6", "prefix_list_id", "referenced_security_group_id"):
                if rule.get(key):
                    yield *ports, rule[key]
        elif declaration.type == "aws_security_group_rule" and rule["type"] == direction:
            source = rule.get("source_security_group_id")
            yield from _sides(group, {**rule, "security_groups": [source] if source else []})

    return parts


def _sides(group: Values, rule: Values) -> Iterator[Hashable]:
    """A rule as a group shows it, once for each other side."""
    ports = _ports(rule["protocol"], rule["from_port"], rule["to_port"])
    for key in ("cidr_blocks", "ipv6_cidr_blocks", "prefix_list_ids", "security_groups"):
        for side in rule.get(key) or ():
            yield *ports, side
    if rule.get("self"):
        yield *ports, group["id"]


def _ports(protocol: str, first: int | None, last: int | None) -> tuple[Hashable, ...]:
    """The protocol and ports of a rule, without ports if it is for all protocols (-1 or all).

    Ports mean nothing there, and each resource notes others.
    """
    return (protocol,) if protocol in ("-1", "all") else (protocol, first, last)


def _rules_of(direction: str) -> Explanation:
    def actual(group: Values) -> list[Hashable]:
        return [side for rule in group[direction] for side in _sides(group, rule)]

    return _sum_of(_rules(direction), actual, may_be_empty=False)


def _associated(thing: str) -> Explanation:
    """Explains an endpoint's `thing`_ids by its associations."""

    def parts(endpoint: Values, declaration: Declared) -> Iterator[Hashable]:
        is_association = declaration.type == f"aws_vpc_endpoint_{thing}_association"
        if is_association and declaration.values["vpc_endpoint_id"] == endpoint["id"]:
            yield declaration.values[f"{thing}_id"]

    return _sum_of(parts, lambda endpoint: endpoint[f"{thing}_ids"])


# Attribute of a type to what explains it. Which resources set them, and that their own blocks may
# leave them out: https://registry.terraform.io/providers/hashicorp/aws/5.100.0/docs
_EXPLANATIONS: Mapping[tuple[str, str], Explanation] = {
    ("aws_iam_policy", "attachment_count"): _is_attached_everywhere,
    ("aws_iam_role", "managed_policy_arns"): _sum_of(
        _policies_of_role, lambda role: role["managed_policy_arns"]
    ),
    ("aws_iam_role", "inline_policy"): _sum_of(
        _inline_policies,
        lambda role: [(p["name"], _canonical(p["policy"])) for p in role["inline_policy"]],
        may_be_empty=False,
    ),
    ("aws_security_group", "ingress"): _rules_of("ingress"),
    ("aws_security_group", "egress"): _rules_of("egress"),
    ("aws_kms_key", "policy"): _shown_by("aws_kms_key_policy", "key_id"),
    ("aws_sns_topic", "policy"): _shown_by("aws_sns_topic_policy", "arn", "arn"),
    ("aws_sqs_queue", "policy"): _shown_by("aws_sqs_queue_policy", "queue_url"),
    ("aws_vpc_endpoint", "policy"): _shown_by("aws_vpc_endpoint_policy", "vpc_endpoint_id"),
    **{
        ("aws_vpc_endpoint", f"{thing}_ids"): _associated(thing)
        for thing in ("route_table", "security_group", "subnet")
    },
    **{
        ("aws_s3_bucket", attribute): _shown_by(f"aws_s3_bucket_{suffix}", "bucket")
        for attribute, suffix in (
            ("acceleration_status", "accelerate_configuration"),
            ("cors_rule", "cors_configuration"),
            ("grant", "acl"),
            ("lifecycle_rule", "lifecycle_configuration"),
            ("logging", "logging"),
            ("object_lock_configuration", "object_lock_configuration"),
            ("policy", "policy"),
            ("replication_configuration", "replication_configuration"),
            ("request_payer", "request_payment_configuration"),
            ("server_side_encryption_configuration", "server_side_encryption_configuration"),
            ("versioning", "versioning"),
            ("website", "website_configuration"),
        )
    },
}
