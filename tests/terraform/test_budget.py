"""Budget and cost tags of shared-infra/iam, as planned: the emulator has neither to apply."""

from typing import Any

import pytest
import tftest

from .conftest import NewTree
from .harness import Tree, resources

BASE = {"source": "shared-infra/iam", "project": "acme-ml", "region": "eu-central-1"}
EMAILS = ["ml-team@example.com", "finance@example.com"]
CALLS: dict[str, dict[str, Any]] = {
    "without": BASE,
    "budgeted": {**BASE, "monthly_budget_usd": 1234.5, "budget_emails": EMAILS},
    "tagged": {**BASE, "cost_allocation_tags": ["Owner", "Environment"]},
}
REFUSED: dict[str, tuple[dict[str, Any], str]] = {
    "nothing": (
        {"monthly_budget_usd": 0, "budget_emails": EMAILS},
        "The monthly_budget_usd must be more than 0",
    ),
    "crowd": (
        {"monthly_budget_usd": 100, "budget_emails": EMAILS * 6},
        "The budget_emails are ten at most",
    ),
    "name_only": (
        {"monthly_budget_usd": 100, "budget_emails": ["ml-team"]},
        "The budget_emails must be e-mail addresses",
    ),
    "reserved_tag": (
        {"cost_allocation_tags": ["aws:createdBy"]},
        "The cost_allocation_tags must be keys of tags",
    ),
    "many_tags": (
        {"cost_allocation_tags": [f"T{number}" for number in range(21)]},
        "The cost_allocation_tags are twenty at most",
    ),
    "two_in_one": (
        {"monthly_budget_usd": 100, "budget_emails": ["a@example.com, b@example.com"]},
        "The budget_emails must be e-mail addresses",
    ),
}


@pytest.fixture(scope="module")
def tree(new_tree: NewTree) -> Tree:
    made = new_tree()
    made.write_state("shared-infra/s3", {"bucket_arns": {}, "kms_key_arns": []})
    return made


@pytest.fixture(scope="module")
def plan(tree: Tree) -> tftest.TerraformPlanOutput:
    return tree.plan(tree.write_calls("budget", CALLS))


def test_there_is_none_by_default(plan: tftest.TerraformPlanOutput) -> None:
    assert not [name for name in resources(plan, "without") if "budget" in name]


def test_tags_are_activated_if_they_are_named(plan: tftest.TerraformPlanOutput) -> None:
    def activated(call: str) -> dict[str, Any]:
        planned = resources(plan, call)
        return {name: values for name, values in planned.items() if "cost_allocation" in name}

    assert activated("without") == {}
    assert activated("tagged") == {
        f'aws_ce_cost_allocation_tag.this["{key}"]': {"tag_key": key, "status": "Active"}
        for key in ("Environment", "Owner")
    }


def test_it_counts_what_carries_the_project_s_tag(plan: tftest.TerraformPlanOutput) -> None:
    budget = resources(plan, "budgeted")["aws_budgets_budget.monthly[0]"]
    assert budget["name"] == "acme-ml-monthly"
    assert (budget["budget_type"], budget["time_unit"]) == ("COST", "MONTHLY")
    assert (float(budget["limit_amount"]), budget["limit_unit"]) == (1234.5, "USD")
    # https://docs.aws.amazon.com/cost-management/latest/userguide/budgets-create-filters.html
    assert budget["cost_filter"] == [{"name": "TagKeyValue", "values": ["user:Project$acme-ml"]}]


def test_it_tells_before_at_and_ahead_of_the_limit(plan: tftest.TerraformPlanOutput) -> None:
    budget = resources(plan, "budgeted")["aws_budgets_budget.monthly[0]"]
    told = budget["notification"]
    assert sorted((n["notification_type"], n["threshold"]) for n in told) == [
        ("ACTUAL", 80),
        ("ACTUAL", 100),
        ("FORECASTED", 100),
    ]
    for notification in told:
        assert notification["threshold_type"] == "PERCENTAGE"
        assert notification["comparison_operator"] == "GREATER_THAN"
        assert sorted(notification["subscriber_email_addresses"]) == sorted(EMAILS)


@pytest.fixture(scope="module")
def refusals(tree: Tree) -> dict[str, list[str]]:
    calls = {call: BASE | bad for call, (bad, _) in REFUSED.items()}
    return tree.refusals(tree.write_calls("budget-refused", calls))


@pytest.mark.parametrize("call", REFUSED)
def test_bad_values_are_refused(refusals: dict[str, list[str]], call: str) -> None:
    (refusal,) = refusals[call]
    assert REFUSED[call][1] in refusal


def test_a_budget_that_tells_nobody_is_refused(tree: Tree) -> None:
    calls = {"untold": {**BASE, "monthly_budget_usd": 100}}
    ((refusal,),) = tree.refusals(tree.write_calls("budget-untold", calls)).values()
    assert "monthly_budget_usd needs somebody to tell: set budget_emails" in refusal
