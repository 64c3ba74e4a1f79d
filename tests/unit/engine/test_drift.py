"""Which differences the states' own resources account for; any other was made outside.

The shapes are those of the AWS provider 5.100. That the provider writes them, and that the cloud
agrees, is what tests/journey/test_1_first_hour.py shows on the real layout.
"""

import json
from pathlib import Path
from typing import Any

import pytest

from tests.unit.engine.conftest import Bench
from tools.engine.drift import Declared, outside_changes, resources_of_others

NOTHING: list[tuple[str, ...]] = []


def drift(action: str, before: Any, after: Any, kind: str = "a", module: str = "") -> Any:
    change = {"actions": [action], "before": before, "after": after}
    place = {"module_address": module} if module else {}
    names = {"address": f"{kind}.b", "mode": "managed", "type": kind, "name": "b"}
    return {"resource_drift": [{**names, **place, "change": change}]}


def refreshed(*resources: tuple[str, dict[str, Any]]) -> dict[str, Any]:
    """What the refresh has found of the stack's own resources, the last of them in a module."""
    *first, last = [{"mode": "managed", "type": kind, "values": v} for kind, v in resources]
    module = {"resources": first, "child_modules": [{"resources": [last]}]}
    return {"prior_state": {"values": {"root_module": module}}}


def attributes(plan: dict[str, Any], *others: Declared) -> list[tuple[str, ...]]:
    return [change.attributes for change in outside_changes(plan, others)]


@pytest.mark.parametrize(
    ("plan", "changes"),
    [
        ({}, []),
        (drift("update", {"a": 1, "b": 2}, {"a": 1, "b": 3}), [("update", ("b",))]),
        # The first refresh writes empty values for missing ones.
        (drift("update", {"a": None, "tags": None}, {"a": "", "tags": {}}), []),
        (drift("delete", {"a": 1}, None), [("destroy", ())]),
        (drift("no-op", {"a": 1}, {"a": 2}), []),
    ],
)
def test_what_was_changed_outside(plan: dict[str, Any], changes: list[Any]) -> None:
    found = outside_changes(plan)
    assert [(change.action, change.attributes) for change in found] == changes


POLICY, ADMIN = "arn:aws:iam::1:policy/p", "arn:aws:iam::aws:policy/AdministratorAccess"
ATTACHMENT = ("aws_iam_role_policy_attachment", {"role": "r", "policy_arn": POLICY})
TEXT = '{"Version": "2012-10-17", "Statement": []}'
INLINE = ("aws_iam_role_policy", {"role": "r", "name": "n", "policy": TEXT})


def role(arns: list[str], inline: list[dict[str, str]], **before: Any) -> dict[str, Any]:
    now = {"name": "r", "managed_policy_arns": arns, "inline_policy": inline}
    then = {"name": "r", "managed_policy_arns": [], "inline_policy": []}
    return drift("update", then | before, now, "aws_iam_role")


@pytest.mark.parametrize(
    ("arns", "inline", "found"),
    [
        # AWS gives the text back as it likes: the order of its keys means nothing.
        ([POLICY], [{"name": "n", "policy": '{"Statement":[],"Version":"2012-10-17"}'}], NOTHING),
        ([POLICY, ADMIN], [{"name": "n", "policy": TEXT}], [("managed_policy_arns",)]),
        ([POLICY], [{"name": n, "policy": TEXT} for n in "nm"], [("inline_policy",)]),
        ([POLICY], [{"name": "n", "policy": "{}"}], [("inline_policy",)]),
    ],
)
def test_a_role_s_policies(arns: list[str], inline: Any, found: Any) -> None:
    plan = role(arns, inline) | refreshed(ATTACHMENT, INLINE)
    assert attributes(plan) == found


def test_what_is_detached_by_a_stack_is_no_drift_and_an_inline_policy_that_is_gone_is() -> None:
    # No block of Terraform's JSON says whether a `dynamic "inline_policy"` set the latter.
    before = {"managed_policy_arns": [POLICY], "inline_policy": [{"name": "n", "policy": TEXT}]}
    assert attributes(role([], [], **before)) == [("inline_policy",)]


def test_what_its_own_block_sets_is_explained_by_no_other_resource() -> None:
    block = {"mode": "managed", "type": "aws_iam_role", "name": "b"}
    block["expressions"] = {"managed_policy_arns": {}}  # type: ignore[assignment]
    inner = {"module_calls": {"c": {"module": {"resources": [block]}}}}
    configuration = {"configuration": {"root_module": {"module_calls": {"a": {"module": inner}}}}}
    gone = drift(
        "update",
        {"name": "r", "managed_policy_arns": [POLICY]},
        {"name": "r", "managed_policy_arns": []},
        "aws_iam_role",
        'module.a["x.module.y"].module.c[0]',
    )
    assert attributes(gone) == NOTHING
    assert attributes(gone | configuration) == [("managed_policy_arns",)]


@pytest.mark.parametrize(("count", "found"), [(2, NOTHING), (3, [("attachment_count",)])])
def test_a_policy_is_attached_by_other_stacks_too(count: int, found: Any) -> None:
    before, after = ({"arn": POLICY, "attachment_count": number} for number in (0, count))
    plan = drift("update", before, after, "aws_iam_policy") | refreshed(ATTACHMENT)
    other = Declared("aws_iam_role_policy_attachment", {"role": "q", "policy_arn": POLICY}, False)
    assert attributes(plan, other) == found


def rule(**sides: Any) -> dict[str, Any]:
    """A rule as a group shows it."""
    kinds = ("cidr_blocks", "ipv6_cidr_blocks", "prefix_list_ids", "security_groups")
    ports = {"protocol": "tcp", "from_port": 443, "to_port": 443, "description": "", "self": False}
    return {**ports, **{kind: [] for kind in kinds}, **sides}


HTTPS = {"security_group_id": "sg-1", "ip_protocol": "tcp", "from_port": 443, "to_port": 443}
RULES = (
    ("aws_vpc_security_group_ingress_rule", {**HTTPS, "referenced_security_group_id": "sg-2"}),
    ("aws_vpc_security_group_ingress_rule", {**HTTPS, "referenced_security_group_id": "sg-1"}),
    ("aws_vpc_security_group_egress_rule", {**HTTPS, "cidr_ipv4": "0.0.0.0/0"}),
    (
        "aws_security_group_rule",
        {
            **{"security_group_id": "sg-1", "type": "ingress", "protocol": "-1"},
            **{"from_port": -1, "to_port": -1, "cidr_blocks": ["10.0.0.0/8"]},
        },
    ),
)
DECLARED = [
    rule(security_groups=["sg-2"], self=True),
    rule(protocol="-1", from_port=0, to_port=0, cidr_blocks=["10.0.0.0/8"]),
]


@pytest.mark.parametrize(
    ("rules", "found"),
    [
        (DECLARED, NOTHING),
        ([*DECLARED, rule(from_port=22, to_port=22, cidr_blocks=["0.0.0.0/0"])], [("ingress",)]),
        ([rule(security_groups=["sg-2", "sg-3"], self=True), DECLARED[1]], [("ingress",)]),
        (DECLARED[:1], [("ingress",)]),
        # Of a `dynamic "ingress"`, or of rules that another apply has destroyed.
        ([], [("ingress",)]),
    ],
)
def test_a_group_s_rules(rules: Any, found: Any) -> None:
    before, after = ({"id": "sg-1", "ingress": r} for r in ([rule(self=True)], rules))
    assert attributes(drift("update", before, after, "aws_security_group") | refreshed(*RULES)) == (
        found
    )


def test_a_bucket_s_versioning_is_shown_by_the_resource_that_sets_it() -> None:
    before, after = ({"id": "b", "versioning": [{"enabled": on}]} for on in (False, True))
    plan = drift("update", before, after, "aws_s3_bucket")
    sets = ("aws_s3_bucket_versioning", {"bucket": "b"})
    assert attributes(plan | refreshed(sets)) == NOTHING
    for elsewhere in (("aws_s3_bucket_versioning", {"bucket": "c"}), ("aws_s3_bucket_policy", {})):
        assert attributes(plan | refreshed(elsewhere)) == [("versioning",)]
    # A resource of another stack has not been asked for: what it has become by now is unknown.
    assert attributes(plan, Declared(*sets, is_fresh=False)) == [("versioning",)]


def test_a_tag_is_explained_by_nothing() -> None:
    before, after = ({"id": "b", "tags": {"by": who}} for who in ("us", "hand"))
    plan = drift("update", before, after, "aws_s3_bucket")
    assert attributes(plan | refreshed(("aws_s3_bucket_versioning", {"bucket": "b"}))) == [
        ("tags",)
    ]


def test_the_states_of_other_stacks_are_read_but_for_one_that_cannot_be(bench: Bench) -> None:
    own, other, broken = (bench.write(f"notebooks/{name}") for name in ("own", "other", "broken"))
    for stack in (own, other):
        _write_state(stack.path, ATTACHMENT)
    (broken.path / "terraform.tfstate").write_text("{")
    found = resources_of_others(bench.run().records, own)
    assert found == [Declared(*ATTACHMENT, is_fresh=False)]


def _write_state(folder: Path, resource: tuple[str, dict[str, Any]]) -> None:
    kind, values = resource
    instances = [{"attributes": values}, {"attributes": {}, "deposed": "00000001"}]
    resources = [{"mode": "managed", "type": kind, "name": "this", "instances": instances}]
    state = {"lineage": str(folder), "serial": 1, "outputs": {}, "resources": resources}
    (folder / "terraform.tfstate").write_text(json.dumps(state))
