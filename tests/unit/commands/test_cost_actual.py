"""`tools cost --actual` as a user runs it, against moto's Cost Explorer.

That gives back what it is given: https://docs.getmoto.org/en/latest/docs/services/ce.html
"""

import csv
import json
import urllib.request
from collections.abc import Iterator
from datetime import UTC, date, datetime, timedelta
from subprocess import CompletedProcess
from typing import Any

import pytest
from moto.server import ThreadedMotoServer

from tests.unit.commands.conftest import Checkout


@pytest.fixture(scope="module")
def explorer() -> Iterator[str]:
    """The URL of a Cost Explorer."""
    server = ThreadedMotoServer("127.0.0.1", 0, verbose=False)
    server.start()
    host, port = server.get_host_and_port()
    yield f"http://{host}:{port}"
    server.stop()


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
    checkout: Checkout, explorer: str, *arguments: str, yes: bool = True
) -> "CompletedProcess[str]":
    there = {
        "AWS_ACCESS_KEY_ID": "test",
        "AWS_SECRET_ACCESS_KEY": "test",
        "AWS_ENDPOINT_URL_COST_EXPLORER": explorer,
    }
    return checkout.tools("cost", "--actual", *(["--yes"] * yes), *arguments, **there)


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
