"""What the page says of one notebook, of money, and where its links lead."""

from dataclasses import replace
from datetime import date
from decimal import Decimal
from pathlib import Path
from typing import Any

import pytest

from tests.report.fleets import report
from tests.trees import write_stack
from tools.cost.billed import Billed, Row
from tools.cost.model import Amount
from tools.layout.stack import Stack
from tools.report import attention, drawing, links, model, money, page
from tools.report.model import NotebookRow
from tools.runs.listing import StackRow


def row(**changes: Any) -> NotebookRow:
    """A running notebook of which nothing needs attention, but for `changes`."""
    values = changes.pop("values", {})
    one = report(1).rows[0]
    declared = replace(one.declared, values={**one.declared.values, **values})
    return replace(one, declared=declared, **changes)


def applied(status: Any, *why: str) -> StackRow:
    return StackRow("notebooks/a", "notebook", status, None, 1, why, "there")


@pytest.mark.parametrize(
    ("changes", "marks"),
    [
        ({}, []),
        ({"values": {"idle_stop_minutes": 0}}, [model.NO_AUTO_STOP]),
        ({"values": {"idle_stop_minutes": None}}, [model.NO_AUTO_STOP]),
        ({"values": {"idle_stop_minutes": 0}, "status": "Stopped"}, []),
        # A value that is hidden, or not typed at all, is not known to be 0.
        ({"values": {"idle_stop_minutes": "(sensitive value)"}}, []),
        ({"in_state": False}, [model.NO_STATE]),
        ({"in_state": None}, []),
        ({"is_retired": None}, []),
        ({"is_retired": True}, [model.RETIRED]),
        ({"differences": ["a type"]}, [model.DIFFERS]),
        ({"applied": applied("unfinished", "died")}, [model.UNFINISHED]),
        ({"applied": applied("changed since", "main.tf has changed")}, [model.WAITING]),
        ({"applied": applied("unknown", "no file says")}, []),
        ({"applied": None}, []),
        ({"applied": applied("never applied"), "status": "not deployed"}, [model.WAITING]),
        ({"applied": applied("never applied"), "in_state": False}, [model.NO_STATE]),
    ],
)
def test_a_notebook_is_marked_with_what_is_known(changes: Any, marks: list[str]) -> None:
    assert row(**changes).marks == marks


def test_each_notebook_counts_once() -> None:
    found = replace(report(1), undeclared=[], orphans=[], rows=[])
    prices = attention.count(found)
    one = row(status="Failed", in_state=False, differences=["a", "b"])
    assert attention.count(replace(found, rows=[one])) == prices + 1


def test_commands_reach_the_local_cloud() -> None:
    found = replace(report(12), option=" --local")
    commands = [concern.command for concern in attention.concerns(found)]
    assert len(commands) == 9
    assert [c for c in commands if not c.endswith(" --local")] == ["tools cost --refresh"]


@pytest.mark.parametrize(
    ("usd", "complete", "cents", "dollars", "short"),
    [
        ("0", True, "$0.00", "$0.00", "$0"),
        ("0", False, "unknown", "unknown", "$0"),
        ("4.2", True, "$4.20", "$4.20", "$4"),
        ("24.5", True, "$24.50", "$24", "$24"),
        ("999.9", True, "$999.90", "$1,000", "$1.0k"),
        ("1717.79", False, "≥ $1,717.79", "≥ $1,718", "$1.7k"),
        ("123456.78", True, "$123,456.78", "$123,457", "$123k"),
        ("98765432.1", True, "$98,765,432.10", "$98,765,432", "$98.8M"),
    ],
)
def test_money_is_written_in_three_lengths(
    usd: str, complete: bool, cents: str, dollars: str, short: str
) -> None:
    amount = Amount(Decimal(usd), complete)
    assert money.format_amount(amount) == cents
    assert money.format_dollars(amount) == dollars
    assert money.format_short(amount) == short


def test_nine_owners_are_nine_bars_and_ten_are_eight_and_a_sum() -> None:
    found = report(20)
    for owners, bars, others in ((9, 9, 0), (10, 8, 2)):
        costs = [
            replace(cost, spec=replace(cost.spec, owner=f"owner-{number % owners}"))
            for number, cost in enumerate(found.estimate.notebooks)
        ]
        estimate = replace(found.estimate, notebooks=costs)
        by_owner = money.breakdowns(replace(found, estimate=estimate))[0]
        assert (len(by_owner.bars), by_owner.others) == (bars, others)
        shown = sum(bar.amount.usd for bar in by_owner.bars)
        assert shown + by_owner.rest.usd == estimate.notebooks_amount.usd
        assert by_owner.bars[0].length == 100


@pytest.mark.parametrize(
    ("region", "expected"),
    [
        (
            "eu-central-1",
            "https://eu-central-1.console.aws.amazon.com/sagemaker/home?region=eu-central-1"
            "#/notebook-instances/a%2Fb",
        ),
        ("cn-north-1", ""),
        ("us-gov-west-1", ""),
        ("nowhere", ""),
    ],
)
def test_the_console_is_linked_where_its_address_is_known(region: str, expected: str) -> None:
    assert links.console_url(region, "a/b") == expected


def test_a_directory_is_linked_from_a_page_in_the_repository(tmp_path: Path) -> None:
    root = tmp_path / "repository"
    to_root = links.path_to_root(root / ".tools" / "report.html", root)
    assert links.directory_url(to_root, "notebooks/a b") == "../notebooks/a%20b/"
    assert links.directory_url(links.path_to_root(root / "a.html", root), "x") == "./x/"
    outside = links.path_to_root(tmp_path / "a.html", root)
    assert links.directory_url(outside, "x") == ""


def test_a_graph_of_too_many_boxes_is_a_list(tmp_path: Path) -> None:
    names = [f"shared-infra/s{number}" for number in range(41)]
    for name in names:
        write_stack(tmp_path, name, "")
    drawn = drawing.draw([Stack(tmp_path, name) for name in names])
    assert [group.title for group in drawn.groups] == names
    assert (drawn.wide, drawn.tall) == ("", "")
    assert drawing.draw([Stack(tmp_path, name) for name in names[:40]]).wide


def test_the_bill_stands_beside_the_estimate_if_it_is_kept() -> None:
    first, last = date(2026, 10, 1), date(2026, 11, 1)
    amounts = {"<b>alice": {first: Decimal("41.2"), last: Decimal(7)}}
    known = Billed("Owner", "", date(2026, 11, 29), [first, last], amounts)
    line = Row("<b>alice", amounts["<b>alice"], Amount(Decimal("39.30")), Decimal("1.90"))
    found = page.render(replace(report(3), billed=(known, [line])))
    shown = found.partition('id="billed"')[2].partition("</section>")[0]
    for text in ("Oct 2026", "Nov 2026 until 29 Nov", "$41.20", "$7.00", "$39.30", "+$1.90"):
        assert text in shown
    assert "&lt;b&gt;alice" in shown
    assert "of the whole account" in shown
    assert 'id="billed"' not in page.render(report(3, asked=False))
