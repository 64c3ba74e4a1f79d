"""How many managed policies a role may have."""

import re
from typing import Any

from tests.trees import REPOSITORY
from tools.migration import quota
from tools.migration.legacy import Resource


def one(kind: str, **attributes: Any) -> Resource:
    return Resource(f"{kind}.x", kind, attributes)


def arns(count: int) -> set[str]:
    return {f"arn:aws:iam::aws:policy/p{number}" for number in range(count)}


def test_more_than_ten_are_told_with_the_mending() -> None:
    own = quota.policy_names("acme", has_keys=False, has_fence=False)
    assert quota.note("ml", arns(3), own) == []
    (note,) = quota.note("ml", arns(4), own)
    assert "would have 11, but AWS allows 10" in note
    assert "first detach 1 of arn:aws:iam::aws:policy/p0" in note
    full = quota.policy_names("acme", has_keys=True, has_fence=True)
    assert quota.note("ml", arns(1), full) == []
    assert quota.note("ml", arns(2), full) != []


def test_the_stack_s_own_are_counted_once() -> None:
    own = quota.policy_names("acme", has_keys=True, has_fence=False)
    there = {f"arn:aws:iam::123456789012:policy/{name}" for name in own}
    assert quota.note("ml", there | arns(2), own) == []


def test_a_state_attaches_in_several_ways() -> None:
    role = one("aws_iam_role", name="ml", managed_policy_arns=["a"])
    others = [
        one("aws_iam_role_policy_attachment", role="ml", policy_arn="b"),
        one("aws_iam_role_policy_attachment", role="ci", policy_arn="not"),
        one("aws_iam_policy_attachment", roles=["ci", "ml"], policy_arn="c"),
        one("aws_iam_role_policy_attachments_exclusive", role_name="ml", policy_arns=["c", "d"]),
    ]
    assert quota.attached(role, others) == {"a", "b", "c", "d"}


def test_the_concerns_are_those_of_the_stack() -> None:
    text = (REPOSITORY / "shared-infra/iam/policies.tf").read_text()
    concerns = re.findall(r"^      (\w+) += \{ allows", text, re.MULTILINE)
    assert concerns == [*quota.CONCERNS, quota.WITH_KEYS, quota.WITH_FENCE]
