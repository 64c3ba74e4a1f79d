"""The bill: Cost Explorer's answers as botocore's model has them, and what is made of them.

The stubber checks each request and answer by the model, so a wrong name or shape fails. The sums
are done by hand below.
"""

from collections.abc import Iterator
from dataclasses import replace
from datetime import date, timedelta
from decimal import Decimal
from pathlib import Path
from typing import Any

import pytest
from botocore.stub import Stubber

from tools.aws import cost_explorer
from tools.cost import billed_costs
from tools.cost.billed_costs import Billed
from tools.cost.groups import Key
from tools.cost.model import (
    Assumptions,
    Estimate,
    NotebookSpec,
    Quantities,
    SharedSpec,
    estimate_month,
)
from tools.cost.prices import Price, Table
from tools.errors import UserError
from tools.layout.repository import Repository

TODAY = date(2026, 11, 16)
SEPTEMBER, OCTOBER, NOVEMBER = (date(2026, month, 1) for month in (9, 10, 11))
OWNER = Key.parse("owner")


@pytest.fixture
def explorer(monkeypatch: pytest.MonkeyPatch) -> Iterator[Stubber]:
    monkeypatch.setenv("AWS_ACCESS_KEY_ID", "test")
    monkeypatch.setenv("AWS_SECRET_ACCESS_KEY", "test")
    with Stubber(cost_explorer.cloud().client("ce")) as stubber:
        yield stubber
        stubber.assert_no_pending_responses()


@pytest.fixture
def repository(tmp_path: Path) -> Repository:
    """A repository that activates two tags."""
    iam = tmp_path / "shared-infra/iam"
    iam.mkdir(parents=True)
    (tmp_path / "notebooks").mkdir()
    (tmp_path / "common.auto.tfvars").write_text('project = "ml"\nregion = "us-east-1"\n')
    (iam / "main.tf").write_text('variable "cost_allocation_tags" {\n  default = []\n}\n')
    activate(tmp_path, "Owner", "Project")
    return Repository(tmp_path)


def activate(root: Path, *tags: str) -> None:
    listed = ", ".join(f'"{tag}"' for tag in tags)
    tfvars = root / "shared-infra/iam/terraform.tfvars"
    tfvars.write_text(f"cost_allocation_tags = [{listed}]\n")


def answer(*months: tuple[date, dict[str, str]], tag: str = "Owner", unit: str = "USD") -> Any:
    """An answer of GetCostAndUsage, with the amounts by value of a tag."""
    return {
        "GroupDefinitions": [{"Type": "TAG", "Key": tag}],
        "ResultsByTime": [
            {
                "TimePeriod": {"Start": month.isoformat(), "End": "2026-12-01"},
                "Total": {},
                "Groups": [
                    {
                        "Keys": [f"{tag}${value}"],
                        "Metrics": {"UnblendedCost": {"Amount": usd, "Unit": unit}},
                    }
                    for value, usd in amounts.items()
                ],
                "Estimated": month == NOVEMBER,
            }
            for month, amounts in months
        ],
        "DimensionValueAttributes": [],
    }


REQUEST = {
    "TimePeriod": {"Start": "2026-09-01", "End": "2026-12-01"},
    "Granularity": "MONTHLY",
    "Metrics": ["UnblendedCost"],
    "GroupBy": [{"Type": "TAG", "Key": "Owner"}],
    "Filter": {"Tags": {"Key": "Project", "Values": ["ml"], "MatchOptions": ["EQUALS"]}},
}


def ask(repository: Repository, tag: str = "Owner") -> Billed:
    return billed_costs.ask(cost_explorer.cloud(), repository, tag, TODAY)


def test_every_page_is_read_and_counted(explorer: Stubber, repository: Repository) -> None:
    first = answer((OCTOBER, {"alice": "40.5", "": "20"}), (NOVEMBER, {"alice": "0.0000000021"}))
    explorer.add_response("get_cost_and_usage", {**first, "NextPageToken": "2"}, REQUEST)
    second = answer((OCTOBER, {"bob": "7"}))
    explorer.add_response("get_cost_and_usage", second, {**REQUEST, "NextPageToken": "2"})
    found = ask(repository)
    assert found.requests == 2
    assert found.months == [SEPTEMBER, OCTOBER, NOVEMBER]
    assert found.amounts == {
        "alice": {OCTOBER: Decimal("40.5"), NOVEMBER: Decimal("0.0000000021")},
        "": {OCTOBER: Decimal(20)},
        "bob": {OCTOBER: Decimal(7)},
    }
    assert found.project == "ml"
    assert found.total(OCTOBER) == Decimal("67.5")


def test_pages_have_an_end(explorer: Stubber, repository: Repository) -> None:
    page = {**answer((OCTOBER, {"alice": "1"})), "NextPageToken": "n"}
    for _ in range(cost_explorer.MOST_REQUESTS):
        explorer.add_response("get_cost_and_usage", page)
    with pytest.raises(UserError, match="more than 10 pages of values of the tag Owner"):
        ask(repository)


def test_without_the_tag_project_the_whole_account_is_counted(
    explorer: Stubber, repository: Repository
) -> None:
    activate(repository.root, "Owner")
    without = {key: value for key, value in REQUEST.items() if key != "Filter"}
    explorer.add_response("get_cost_and_usage", answer((OCTOBER, {"": "900"})), without)
    assert ask(repository).project == ""


@pytest.mark.parametrize(
    ("today", "before", "first", "end"),
    [
        (date(2026, 1, 1), 2, "2025-11-01", "2026-02-01"),
        (date(2026, 12, 31), 0, "2026-12-01", "2027-01-01"),
        (date(2026, 3, 5), 12, "2025-03-01", "2026-04-01"),
    ],
)
def test_the_months_go_over_the_turn_of_a_year(
    explorer: Stubber, repository: Repository, today: date, before: int, first: str, end: str
) -> None:
    expected = {**REQUEST, "TimePeriod": {"Start": first, "End": end}}
    explorer.add_response("get_cost_and_usage", answer(), expected)
    found = billed_costs.ask(cost_explorer.cloud(), repository, "Owner", today, before)
    assert len(found.months) == before + 1


@pytest.mark.parametrize(
    ("code", "words"),
    [
        ("AccessDeniedException", "allow ce:GetCostAndUsage"),
        ("DataUnavailableException", "open it once in the console"),
        ("LimitExceededException", "ask again in a few minutes"),
        ("BillExpirationException", "cannot ask what was billed"),
    ],
)
def test_a_refusal_says_what_to_do_and_keeps_nothing(
    explorer: Stubber, repository: Repository, code: str, words: str
) -> None:
    explorer.add_client_error("get_cost_and_usage", code, "said the test")
    with pytest.raises(UserError, match=words) as raised:
        ask(repository)
    assert "said the test" in str(raised.value)
    assert billed_costs.cached(repository) is None


def test_another_currency_is_refused(explorer: Stubber, repository: Repository) -> None:
    explorer.add_response("get_cost_and_usage", answer((OCTOBER, {"alice": "1"}), unit="CNY"))
    with pytest.raises(UserError, match="in CNY"):
        ask(repository)


def test_answers_are_kept_by_tag_and_read_without_asking(
    explorer: Stubber, repository: Repository
) -> None:
    for tag, value in (("Owner", "alice"), ("Stack", "notebooks/a")):
        explorer.add_response("get_cost_and_usage", answer((OCTOBER, {value: "1.5"}), tag=tag))
        ask(repository, tag)
    explorer.assert_no_pending_responses()
    owner = billed_costs.cached(repository, "Owner")
    assert owner
    assert owner.amounts == {"alice": {OCTOBER: Decimal("1.5")}}
    assert (owner.asked, owner.project, owner.months[-1]) == (TODAY, "ml", NOVEMBER)
    stack = billed_costs.cached(repository, "Stack")
    assert stack
    assert list(stack.amounts) == ["notebooks/a"]
    assert billed_costs.cached(repository, "Team") is None


@pytest.mark.parametrize(
    "text", ["", "{", "[]", '{"format": 2}', '{"format": 1, "tags": {"a": {}}}']
)
def test_a_corrupt_answer_is_none(repository: Repository, text: str) -> None:
    kept = repository.root / ".tools/billed.json"
    kept.parent.mkdir()
    kept.write_text(text)
    assert billed_costs.cached(repository) is None


def estimate(*owners: str, price: str = "0.1") -> Estimate:
    """Notebooks of 100 hours and no volume to speak of, and endpoints for $7.30."""
    specs = [
        NotebookSpec(f"n{i}", "us-east-1", "ml.t3.medium", 0, Decimal(100), owner)
        for i, owner in enumerate(owners)
    ]
    known = {"ml.t3.medium": price, "volume_gb_month": "1", "endpoint_hour": "0.01"}
    prices = {name: Price(Decimal(usd), "test", TODAY) for name, usd in known.items() if usd}
    assumed = Assumptions(Decimal(0), Decimal(0), Decimal(0), Decimal(0))
    quantities = Quantities("us-east-1", specs, SharedSpec(1, 1))
    return estimate_month(quantities, Table({"us-east-1": prices}), assumed)


def bill(tag: str = "Owner", project: str = "ml", **amounts: dict[date, str]) -> Billed:
    return Billed(
        tag,
        project,
        TODAY,
        [SEPTEMBER, OCTOBER, NOVEMBER],
        {
            value.replace("nothing", ""): {month: Decimal(usd) for month, usd in by.items()}
            for value, by in amounts.items()
        },
    )


def test_the_last_whole_month_is_held_against_the_estimate_largest_difference_first() -> None:
    known = bill(alice={OCTOBER: "11", NOVEMBER: "90"}, bob={OCTOBER: "55"}, nothing={OCTOBER: "7"})
    rows = billed_costs.compare(known, estimate("alice", "bob", "bob", "carol"), OWNER)
    assert [(row.name, row.difference) for row in rows] == [
        ("bob", Decimal(35)),
        ("carol", Decimal(-10)),
        ("alice", Decimal(1)),
        ("shared, or no owner", Decimal("-0.3")),
    ]
    assert rows[0].usd_by_month == {OCTOBER: Decimal(55)}
    assert rows[1].usd_by_month == {}


def test_before_a_whole_month_was_billed_the_share_of_this_one_counts() -> None:
    known = bill(alice={NOVEMBER: "8"})
    basis = billed_costs.against(known)
    assert basis
    assert not basis.is_whole
    rows = {row.name: row for row in billed_costs.compare(known, estimate("alice"), OWNER)}
    assert rows["alice"].difference == Decimal(3)  # 15 of 30 days are over: $5 of $10
    first_day = Billed("Owner", "ml", NOVEMBER, known.months, known.amounts)
    assert billed_costs.against(first_day) is None


def test_what_is_not_declared_was_not_expected_and_an_unknown_price_is_no_difference() -> None:
    known = bill(zoe={OCTOBER: "9"}, alice={OCTOBER: "1"})
    rows = {
        row.name: row for row in billed_costs.compare(known, estimate("alice", price=""), OWNER)
    }
    assert rows["zoe"].difference == Decimal(9)
    assert rows["alice"].estimated
    assert rows["alice"].difference is None


def test_the_whole_account_is_not_held_against_what_is_shared() -> None:
    known = bill(project="", nothing={OCTOBER: "9000"}, zoe={OCTOBER: "9"})
    rows = {row.name: row for row in billed_costs.compare(known, estimate("alice"), OWNER)}
    assert rows["no owner (whole account)"].estimated is None
    assert rows["zoe"].estimated is None  # somebody of another project
    assert rows["zoe"].difference is None


def test_by_stack_the_shared_stacks_are_one_row() -> None:
    known = Billed(
        "Stack",
        "ml",
        TODAY,
        [OCTOBER, NOVEMBER],
        {
            "shared-infra/s3": {OCTOBER: Decimal(2)},
            "shared-infra/vpc-endpoints": {OCTOBER: Decimal(6)},
            "": {OCTOBER: Decimal(1)},
        },
    )
    rows = {row.name: row for row in billed_costs.compare(known, estimate(), Key.of_tag("Stack"))}
    assert rows["shared stacks"].difference == Decimal("0.7")
    assert rows["no tag Stack"].difference == Decimal(1)


def test_the_report_gets_what_is_kept_and_asks_nothing(
    explorer: Stubber, repository: Repository
) -> None:
    declared = estimate("alice")
    tagged = [
        replace(cost, spec=replace(cost.spec, tags={"Owner": "alice"}))
        for cost in declared.notebooks
    ]
    declared = replace(declared, notebooks=tagged)
    assert billed_costs.kept_beside(repository, declared) is None
    explorer.add_response("get_cost_and_usage", answer((OCTOBER, {"alice": "11"})))
    ask(repository)
    kept = billed_costs.kept_beside(repository, declared)
    assert kept
    known, rows = kept
    assert known.asked == TODAY
    assert {row.name: row.difference for row in rows}["alice"] == Decimal(1)
    # A tag that no notebook has, so that nothing can be said of them.
    explorer.add_response("get_cost_and_usage", answer((OCTOBER, {"x": "1"}), tag="Team"))
    billed_costs.ask(cost_explorer.cloud(), repository, "Team", TODAY + timedelta(days=1))
    assert billed_costs.kept_beside(repository, declared) is None


def test_an_answer_without_the_tag_is_empty() -> None:
    assert bill(nothing={OCTOBER: "5"}).is_empty
    assert bill().is_empty
    assert not bill(alice={OCTOBER: "5"}).is_empty


def test_the_tag_is_one_that_the_repository_activates(repository: Repository) -> None:
    assert billed_costs.choose_key(repository, None).tag == "Owner"
    activate(repository.root, "Team", "Stack")
    assert billed_costs.choose_key(repository, None).tag == "Stack"
    activate(repository.root, "Project", "Team")
    assert billed_costs.choose_key(repository, None).tag == "Team"
    assert billed_costs.choose_key(repository, Key.parse("environment")).tag == "Environment"
    activate(repository.root, "Project")
    with pytest.raises(UserError, match="no cost allocation tag is active"):
        billed_costs.choose_key(repository, None)
    with pytest.raises(UserError, match="a bill knows tags alone"):
        billed_costs.choose_key(repository, Key.parse("type"))
