"""`tools cost --actual` as a user runs it, against moto's Cost Explorer.

That gives back what it is given: https://docs.getmoto.org/en/latest/docs/services/ce.html
"""

import csv
import json
import urllib.request
from datetime import UTC, date, datetime, timedelta
from decimal import Decimal
from subprocess import CompletedProcess
from typing import Any

import pytest

from tests.unit.commands.conftest import Checkout
from tools.commands import cost_actual
from tools.commands.cost_actual import Actual
from tools.cost import billed_costs
from tools.cost.billed_costs import Billed
from tools.cost.groups import Key
from tools.cost.model import Assumptions, Estimate, Quantities, SharedSpec


@pytest.fixture
def explorer(moto: str) -> str:
    """The URL of a Cost Explorer."""
    return moto


def say(explorer: str, path: str, document: Any = None) -> None:
    data = json.dumps(document).encode()
    request = urllib.request.Request(
        f"{explorer}/moto-api/{path}", data, {"Content-Type": "application/json"}
    )
    with urllib.request.urlopen(request):
        pass


def last_month() -> date:
    return (datetime.now(UTC).date().replace(day=1) - timedelta(days=1)).replace(day=1)


def bill(explorer: str, **amounts: str) -> None:
    """Makes Cost Explorer answer the next question with these amounts of last month, by owner."""
    groups = [
        {
            "Keys": [f"Owner${value.replace('_', '-').replace('nothing', '')}"],
            "Metrics": {"UnblendedCost": {"Amount": usd, "Unit": "USD"}},
        }
        for value, usd in amounts.items()
    ]
    month = {
        "TimePeriod": {"Start": last_month().isoformat(), "End": "2099-01-01"},
        "Total": {},
        "Groups": groups,
        "Estimated": False,
    }
    say(explorer, "reset")
    say(explorer, "static/ce/cost-and-usage-results", {"results": [{"ResultsByTime": [month]}]})


@pytest.fixture
def activated(checkout: Checkout) -> Checkout:
    (checkout.root / "common.auto.tfvars").write_text('project = "ml"\nregion = "us-east-1"\n')
    tfvars = checkout.root / "shared-infra/iam/terraform.tfvars"
    tfvars.write_text('cost_allocation_tags = ["Owner", "Project"]\n')
    return checkout


def actual(
    checkout: Checkout,
    explorer: str,
    *arguments: str,
    yes: bool = True,
    answers: str | None = None,
) -> "CompletedProcess[str]":
    there = {
        "AWS_ACCESS_KEY_ID": "test",
        "AWS_SECRET_ACCESS_KEY": "test",
        "AWS_ENDPOINT_URL_COST_EXPLORER": explorer,
    }
    given = ("cost", "--actual", *(["--yes"] * yes), *arguments)
    return checkout.tools(*given, answers=answers, **there)


def test_the_bill_beside_the_estimate(activated: Checkout, explorer: str) -> None:
    bill(explorer, data_science="400", zoe="5", nothing="24.32")
    done = actual(activated, explorer)
    assert done.returncode == 0, done.stderr
    assert "$0.01 a request" in done.stderr
    assert "1 request: $0.01" in done.stderr
    lines = done.stdout.splitlines()
    owner = next(line for line in lines if line.startswith("data-science"))
    assert "$400.00" in owner
    assert "$389.83" in owner  # the estimate of both notebooks: tests/unit/commands/test_cost.py
    assert "+$10.17" in owner
    assert "+$5.00" in next(line for line in lines if line.startswith("zoe"))  # nothing declared
    assert "+$0.00" in next(line for line in lines if line.startswith("shared, or no tag Owner"))
    # 400 + 5 + 24.32, and what it is over the estimate of the whole, $414.15
    whole = next(line for line in lines if line.startswith("all "))
    assert whole.split()[2:] == ["$429.32", "$0.00", "$414.15", "+$15.17"]
    assert f"billed in {last_month():%Y-%m}" in done.stdout


def test_it_is_asked_once_a_day_and_again_on_request(activated: Checkout, explorer: str) -> None:
    bill(explorer, data_science="400")
    first = actual(activated, explorer, "--json")
    bill(explorer, data_science="500")
    second = actual(activated, explorer, "--json", yes=False)
    assert second.returncode == 0, second.stderr
    assert "AWS was asked today" in second.stderr
    assert json.loads(second.stdout) == json.loads(first.stdout)
    third = json.loads(actual(activated, explorer, "--json", "--refresh").stdout)
    (owner,) = (row for row in third["rows"] if row["value"] == "data-science")
    month = f"{last_month():%Y-%m}"
    assert owner["billed"][month] == "500.00"
    assert owner["estimate"] == {"usd": "389.83", "at_least": False}
    assert owner["difference"] == "110.17"
    assert (third["tag"], third["project"], third["compared_with"]) == ("Owner", "ml", month)


def test_csv(activated: Checkout, explorer: str) -> None:
    bill(explorer, data_science="400")
    done = actual(activated, explorer, "--csv")
    rows = {row["value"]: row for row in csv.DictReader(done.stdout.splitlines())}
    assert rows["data-science"]["estimate_usd"] == "389.83"
    assert rows["data-science"][f"{last_month():%Y-%m}"] == "400.00"
    assert float(rows["shared, or no tag Owner"]["difference_usd"]) == -24.32  # nothing was billed


def test_nothing_is_asked_without_a_yes(activated: Checkout, explorer: str) -> None:
    done = actual(activated, "http://127.0.0.1:1", yes=False)
    assert done.returncode == 1
    assert "pass --yes" in done.stderr
    assert done.stdout == ""
    assert not (activated.root / ".tools/billed.json").exists()


def test_at_a_terminal_it_is_asked_after_the_price_was_said(
    activated: Checkout, explorer: str
) -> None:
    bill(explorer, data_science="400")
    refused = actual(activated, explorer, yes=False, answers="n\n")
    assert (refused.returncode, refused.stdout) == (1, "")
    assert not (activated.root / ".tools/billed.json").exists()
    said = refused.stderr
    assert said.index("$0.01 a request") < said.index("Ask it? [y/N]")
    agreed = actual(activated, explorer, yes=False, answers="y\n")
    assert agreed.returncode == 0, agreed.stderr
    assert "$400.00" in agreed.stdout


def test_of_many_values_the_ten_with_the_largest_difference_are_shown(
    activated: Checkout, explorer: str
) -> None:
    amounts = {f"owner{number}": str(1000 * number) for number in range(1, 15)}
    bill(explorer, **amounts)
    done = actual(activated, explorer)
    assert done.returncode == 0, done.stderr
    shown = [line.split()[0] for line in done.stdout.splitlines() if line.startswith("owner")]
    assert shown == [f"owner{number}" for number in range(14, 4, -1)]
    others = next(line for line in done.stdout.splitlines() if "others (--csv lists all)" in line)
    # Four owners, and what two rows are estimated at and were not billed: the fleet's $414.15.
    assert others.startswith("6 others")
    assert others.split()[-3:] == ["$0.00", "$414.15", "+$9,585.85"]  # 10,000 less 414.15


def test_a_price_that_is_not_known_is_warned_of_beside_the_bill(
    activated: Checkout, explorer: str
) -> None:
    values = activated.root / "notebooks/notebook-dev/terraform.tfvars"
    values.write_text(values.read_text().replace("ml.t3.medium", "ml.p5.48xlarge"))
    bill(explorer, data_science="400")
    done = actual(activated, explorer)
    assert done.returncode == 0, done.stderr
    assert "warning: no price is known for ml.p5.48xlarge in us-east-1" in done.stderr
    owner = next(line for line in done.stdout.splitlines() if line.startswith("data-science"))
    assert "at least $" in owner
    assert owner.split()[-1] == "-"  # an incomplete estimate has no difference


def test_before_a_month_is_whole_a_part_of_the_estimate_counts(
    capsys: pytest.CaptureFixture[str],
) -> None:
    """On 16 November half of its 30 days have passed: today does not count."""
    this_month = date(2026, 11, 1)
    amounts = {"alice": {this_month: Decimal(30)}}
    known = Billed("Owner", "ml", date(2026, 11, 16), [this_month], amounts)
    nothing = Estimate(Quantities("us-east-1", [], SharedSpec()), Assumptions(), [], [])
    rows = billed_costs.compare(known, nothing, Key.of_tag("Owner"))
    cost_actual.show(Actual(known, rows, billed_costs.against(known), nothing))
    shown = capsys.readouterr().out
    assert "2026-11 so far" in shown
    assert "Difference: billed so far, less 50% of the estimate: the month until now.\n" in shown


def test_a_tag_that_is_not_active_is_told(activated: Checkout, explorer: str) -> None:
    bill(explorer, nothing="24")
    done = actual(activated, explorer)
    assert done.returncode == 0
    assert "If Owner or Project is not active" in done.stderr
    assert "a day later" in done.stderr


def test_the_repository_has_to_activate_a_tag(checkout: Checkout, explorer: str) -> None:
    done = actual(checkout, explorer)
    assert done.returncode == 1
    assert "cost_allocation_tags = [" in done.stderr
    assert "$0.01" not in done.stderr


@pytest.mark.parametrize(
    ("arguments", "code", "words"),
    [
        (["--compare"], 2, "--actual is about the whole fleet in AWS"),
        (["--local"], 2, "--actual is about the whole fleet in AWS"),
        (["notebook-dev"], 2, "--actual is about the whole fleet in AWS"),
        (["--by", "type"], 1, "a bill knows tags alone"),
        (["--region", "cn-north-1"], 1, "AWS bills in CNY"),
        (["--region", "us-gov-west-1"], 1, "its standard account"),
        (["--months", "13"], 2, "13"),
    ],
)
def test_bad_input_is_told(
    activated: Checkout, explorer: str, arguments: list[str], code: int, words: str
) -> None:
    done = actual(activated, explorer, *arguments)
    assert done.returncode == code
    assert words in done.stderr
    assert done.stdout == ""
