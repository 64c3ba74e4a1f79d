"""What a deployment changes of a month's cost: sums done by hand, at prices of the test.

The stacks are the repository's own; the states have the attributes that the AWS provider leaves.
"""

import json
from collections.abc import Mapping
from datetime import date
from decimal import Decimal
from pathlib import Path
from typing import Any

import pytest

from tests.trees import copy_repository, write_stack
from tools.aws.sagemaker import NOTEBOOK_TYPE
from tools.cost import change, prices
from tools.cost.change import MonthlyChange
from tools.cost.model import Amount
from tools.cost.prices import Price, Table
from tools.engine.plans import Action, Change, Plan, Status
from tools.errors import UserError
from tools.layout.repository import Repository
from tools.layout.stack import Stack
from tools.state.file import State

DEV, ENDPOINTS = "notebooks/notebook-dev", "shared-infra/vpc-endpoints"
PRICES = {
    "ml.t3.medium": "0.05",
    "ml.m5.xlarge": "0.2",
    "volume_gb_month": "0.1",
    "endpoint_hour": "0.01",
    "kms_key_month": "1",
    "nat_hour": "0.04",
    "public_ipv4_hour": "0.005",
}


@pytest.fixture
def root(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path / "cache"))
    known = {name: Price(Decimal(usd), "test", date.today()) for name, usd in PRICES.items()}
    prices.write(Table({"us-east-1": known}), prices.user_path())
    return copy_repository(tmp_path / "r", "shared-infra", "modules", "notebooks")


def state(*resources: tuple[str, Mapping[str, Any]]) -> State:
    managed = [
        {
            "mode": "managed",
            "type": kind,
            "name": f"n{i}",
            "instances": [{"attributes": {"arn": "arn:aws:x:us-east-1:1:y/z", **attributes}}],
        }
        for i, (kind, attributes) in enumerate(resources)
    ]
    text = json.dumps({"lineage": "l", "serial": 1, "outputs": {}, "resources": managed})
    return State.parse(text.encode(), "x")


def notebook(kind: str = "ml.t3.medium", size: int = 20) -> tuple[str, dict[str, Any]]:
    return NOTEBOOK_TYPE, {"instance_type": kind, "volume_size": size}


def schedule(verb: str, expression: str) -> tuple[str, dict[str, Any]]:
    return "aws_scheduler_schedule", {"name": verb, "schedule_expression": expression}


def plan(
    stack: str, action: Action = "update", kind: str = NOTEBOOK_TYPE, status: Status = "changed"
) -> Plan:
    return Plan(stack, status, changes=(Change(f"{kind}.this", kind, action),))


def changed(
    root: Path,
    *plans: Plan,
    states: Mapping[str, State] | None = None,
    stacks: tuple[str, ...] = (DEV,),
    env: Mapping[str, str] | None = None,
) -> MonthlyChange:
    chosen = [stack for stack in Repository(root).stacks() if stack.name in stacks]
    assert len(chosen) == len(stacks)

    def read(stack: Stack) -> State | None:
        return (states or {}).get(stack.name)

    return change.monthly_change("us-east-1", chosen, plans, read, env or {})


def values(root: Path, stack: str, text: str) -> None:
    (root / stack / "zz.auto.tfvars").write_text(f"{text}\n")


def test_a_new_notebook_costs_what_its_values_say(root: Path) -> None:
    found = changed(root, plan(DEV, "create"))
    assert (found.now, found.then) == (Amount(), Amount(Decimal("38.50")))  # 730 x 0.05, 20 x 0.1
    assert str(found) == (
        "Cost: +$38.50 a month ($0.00 now, then $38.50) for this stack, without data, logs and "
        "storage."
    )


def test_another_type_and_size_against_the_state(root: Path) -> None:
    values(root, DEV, 'instance_type = "ml.m5.xlarge"\nvolume_size = 50')
    found = changed(root, plan(DEV), states={DEV: state(notebook())})
    assert found.now.usd == Decimal("38.50")
    assert found.then.usd == Decimal("151.00")  # 730 x 0.2, 50 x 0.1
    assert "+$112.50 a month ($38.50 now, then $151.00)" in str(found)
    back = changed(root, plan(DEV), states={DEV: state(notebook("ml.m5.xlarge", 500))})
    assert "-$45.00 a month ($196.00 now, then $151.00)" in str(back)


def test_a_schedule_counts_on_both_sides(root: Path) -> None:
    values(root, DEV, 'schedule_start = "08:00"\nschedule_stop = "18:00"')
    on_days = [schedule("start", "cron(0 8 ? * MON-FRI *)"), schedule("stop", "cron(0 18 * * ? *)")]
    # 5 of 7 days, 10 of 24 hours of 730: 217.3 hours
    month = Decimal("217.3") * Decimal("0.05") + 2
    before = changed(
        root, plan(DEV, "create", "aws_scheduler_schedule"), states={DEV: state(notebook())}
    )
    assert (before.now.usd, before.then.usd) == (Decimal("38.50"), month)
    after = changed(root, plan(DEV), states={DEV: state(notebook(), *on_days)})
    assert (after.now.usd, after.then.usd) == (month, month)


def test_what_changes_nothing_that_is_priced_costs_what_it_did(root: Path) -> None:
    # The state has another size than the values: a plan that does not touch it changes no cost.
    found = changed(
        root, plan(DEV, "update", "aws_iam_role"), states={DEV: state(notebook(size=30))}
    )
    assert found.now == found.then == Amount(Decimal("39.50"))
    assert str(found).startswith("Cost: no change, $39.50 a month for this stack")


def test_a_stack_without_a_plan_counts_and_its_state_is_not_read(root: Path) -> None:
    def refuse(stack: Stack) -> State | None:
        assert stack.name == DEV
        return None

    stacks = [s for s in Repository(root).stacks() if s.kind == "notebook"]
    values(root, "notebooks/notebook-prod", 'instance_type = "ml.m5.xlarge"\nvolume_size = 10')
    found = change.monthly_change("us-east-1", stacks, [plan(DEV, "create")], refuse, {})
    assert (found.now.usd, found.then.usd) == (Decimal("147.00"), Decimal("185.50"))
    assert "for these 2 stacks" in str(found)


def test_endpoints_and_a_nat_gateway(root: Path) -> None:
    values(
        root,
        ENDPOINTS,
        'interface_services = ["sts", "ec2"]\nsubnet_ids = ["subnet-a", "subnet-b"]',
    )
    endpoint = ("aws_vpc_endpoint", {"vpc_endpoint_type": "Interface", "subnet_ids": ["a", "b"]})
    gateway = ("aws_vpc_endpoint", {"vpc_endpoint_type": "Gateway", "subnet_ids": []})
    before = state(endpoint, gateway, ("aws_nat_gateway", {}), ("aws_eip", {}))
    found = changed(
        root,
        plan(ENDPOINTS, "destroy", "aws_nat_gateway"),
        states={ENDPOINTS: before},
        stacks=(ENDPOINTS,),
    )
    assert found.now.usd == Decimal("47.45")  # 730 x (2 x 0.01 + 0.04 + 0.005)
    assert found.then.usd == Decimal("29.20")  # 730 x 2 services x 2 zones x 0.01


def test_a_stack_that_waits(root: Path) -> None:
    new = changed(root, plan(DEV, status="waiting"))
    assert new.then.usd == Decimal("38.50")
    there = changed(
        root,
        plan(ENDPOINTS, status="waiting"),
        states={ENDPOINTS: state(("aws_nat_gateway", {}))},
        stacks=(ENDPOINTS,),
    )
    assert there.now == there.then


def test_an_unknown_price_is_said_and_no_difference_made_up(root: Path) -> None:
    values(root, DEV, 'instance_type = "ml.p5.48xlarge"')
    text = str(changed(root, plan(DEV), states={DEV: state(notebook())}))
    assert "the change is not known ($38.50 now, then at least $2.00)" in text
    assert "No price is known for ml.p5.48xlarge in us-east-1; run: tools cost --refresh" in text


def test_what_is_not_counted_is_named(root: Path) -> None:
    write_stack(root, "shared-infra/other", "")
    write_stack(root, "notebooks/own", "")
    stacks = (DEV, "notebooks/own", "shared-infra/other")
    plans = [plan(DEV, status="failed"), plan("notebooks/own"), plan("shared-infra/other")]
    found = changed(root, *plans, stacks=stacks)
    assert found.then == Amount()
    for name in stacks:
        assert name in found.left_out


@pytest.mark.parametrize(
    "env", [{"TF_VAR_instance_type": "ml.m5.xlarge"}, {"TF_CLI_ARGS_plan": "-var volume_size=9"}]
)
def test_what_the_environment_replaces_is_not_known(root: Path, env: dict[str, str]) -> None:
    with pytest.raises(UserError, match=r"is set|sets variables"):
        changed(root, plan(DEV), env=env)
