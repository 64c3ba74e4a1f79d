"""What the page says of one notebook, of money, and where its links lead."""

import re
from dataclasses import replace
from datetime import date
from decimal import Decimal
from pathlib import Path
from typing import Any

import pytest

from tests.report.fleets import report, trend, with_stacks
from tests.trees import write_stack
from tools.cost.billed_costs import Billed, BilledRow
from tools.cost.model import Amount
from tools.layout.stack import Stack
from tools.report import attention, drawing, links, model, money, page
from tools.report.model import NEVER, WAITING, NotebookRow, Report
from tools.runs.listing import StackRow

COLUMNS = ["Notebook", "Status", "Owner", "Environment", "Instance type", "GB", "A month"]


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
        ({"applied": applied("never applied"), "status": "not deployed"}, [model.NEVER]),
        ({"applied": applied("never applied", "never applied"), "status": "not asked"}, [NEVER]),
        ({"applied": applied("never applied", "destroyed, or"), "status": "not asked"}, [WAITING]),
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
    ("usd", "complete", "amount", "change"),
    [
        ("0", True, "$0.00", "$0.00"),
        ("0", False, "unknown", "about $0.00"),
        ("24.5", True, "$24.50", "$24.50"),
        ("1717.79", False, "≥ $1,717.79", "about $1,717.79"),
        ("98765432.1", True, "$98,765,432.10", "$98,765,432.10"),
    ],
)
def test_money_is_written_to_the_cent(usd: str, complete: bool, amount: str, change: str) -> None:
    """As docs/terminal.md has it for the whole program."""
    assert money.format_amount(Amount(Decimal(usd), complete)) == amount
    assert money.format_change(Amount(-Decimal(usd), complete)) == change


def test_every_amount_on_the_page_has_its_cents() -> None:
    shown = report(200)
    body = page.render(shown, trend(shown)).partition("<main>")[2].partition('id="notes"')[0]
    amounts = re.findall(r"\$[\d,.]*\w*", re.sub(r"at \$[\d.]+", "", body))  # prices of a unit
    assert len(amounts) > 200
    assert [text for text in amounts if not re.fullmatch(r"\$[\d,]+\.\d\d", text)] == []


def test_what_was_never_deployed_is_not_what_has_newer_files() -> None:
    changed = applied("changed since", "main.tf has changed")
    shared = [
        replace(applied(status, *why), stack=f"shared-infra/{name}", kind="shared")
        for name, status, why in (
            ("iam", "never applied", ["never applied"]),
            ("s3", "changed since", ["main.tf has changed"]),
            ("security-groups", "never applied", ["destroyed, or its first apply did not finish"]),
            ("vpc-endpoints", "unfinished", ["the last apply did not finish"]),
            ("other", "applied", []),
        )
    ]
    rows = [row(applied=applied("never applied"), status="not asked"), row(applied=changed)]
    calm = replace(report(1), rows=[], undeclared=[], orphans=[])
    found = replace(calm, rows=rows, shared=shared)
    by_title = {concern.title: concern for concern in attention.concerns(found)}
    names = {title: [item.name for item in one.items] for title, one in by_title.items()}
    assert names["Never deployed"] == ["shared-infra/iam", "team-0000"]
    assert by_title["Never deployed"].command == "tools deploy"
    assert names["Waiting for a deploy"] == [
        "shared-infra/s3",
        "shared-infra/security-groups",
        "team-0000",
    ]
    assert names["Apply not finished"] == ["shared-infra/vpc-endpoints"]
    assert attention.count(found) == attention.count(calm) + 4 + 2


@pytest.mark.parametrize(
    ("changes", "linked"),
    [
        ({"status": "not asked", "applied": applied("never applied")}, False),
        ({"status": "not deployed"}, False),
        ({"status": "not asked"}, True),  # nobody knows
        ({"status": "not asked", "applied": applied("applied")}, True),
        ({"status": "InService", "applied": applied("never applied")}, True),
    ],
)
def test_the_console_is_linked_for_what_may_be_there(changes: Any, linked: bool) -> None:
    shown = page.render(replace(report(1), rows=[row(**changes)]))
    assert (">AWS console</a>" in shown) == linked


def test_a_column_that_is_empty_in_every_row_is_left_out() -> None:
    def columns(shown: Report) -> list[str]:
        head = page.render(shown).partition('<table id="fleet"')[2].partition("</thead>")[0]
        return re.findall(r"<th [^>]*>([^<]+)</th>", head)

    assert columns(report(3)) == [*COLUMNS[:7], "Last changed", "Links"]
    assert columns(report(3, asked=False)) == [*COLUMNS[:7], "Links"]
    nobodys = report(1, asked=False, values={"owner": "", "environment": ""})
    assert columns(nobodys) == [c for c in COLUMNS if c not in ("Owner", "Environment")] + ["Links"]


def test_dots_stand_only_for_names_that_are_left_out(tmp_path: Path) -> None:
    for count, title in ((2, "2 notebooks: a0 and a1"), (3, "3 notebooks: a0 … a2")):
        names = [f"notebooks/a{number}" for number in range(count)]
        for name in names:
            write_stack(tmp_path, name, "")
        (group,) = drawing.draw([Stack(tmp_path, name) for name in names]).groups
        assert group.title == title


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


def test_each_id_in_the_page_is_one_element_s(tmp_path: Path) -> None:
    """As HTML has it: https://html.spec.whatwg.org/#the-id-attribute. The graph is drawn twice."""
    found = page.render(with_stacks(report(3), tmp_path), trend(report(3)))
    ids = re.findall(r'\sid="([^"]*)"', found.partition("<script")[0])
    assert "fleet" in ids
    assert sorted(ids) == sorted(set(ids))


def test_the_pictures_have_an_arrow_for_all_that_is_read(tmp_path: Path) -> None:
    """By hand: iam reads s3, vpc-endpoints security-groups, and the box of notebooks all four."""
    drawn = drawing.draw(with_stacks(report(3), tmp_path).stacks)
    assert [picture.count('class="edge"') for picture in (drawn.wide, drawn.tall)] == [6, 6]


def test_the_bill_stands_beside_the_estimate_if_it_is_kept() -> None:
    first, last = date(2026, 10, 1), date(2026, 11, 1)
    amounts = {"<b>alice": {first: Decimal("41.2"), last: Decimal(7)}}
    known = Billed("Owner", "", date(2026, 11, 29), [first, last], amounts)
    line = BilledRow("<b>alice", amounts["<b>alice"], Amount(Decimal("39.30")), Decimal("1.90"))
    found = page.render(replace(report(3), billed=(known, [line])))
    shown = found.partition('id="billed"')[2].partition("</section>")[0]
    for text in ("Oct 2026", "Nov 2026 until 29 Nov", "$41.20", "$7.00", "$39.30", "+$1.90"):
        assert text in shown
    assert "&lt;b&gt;alice" in shown
    assert "of the whole account" in shown
    assert 'id="billed"' not in page.render(report(3, asked=False))


@pytest.mark.parametrize(
    ("tags", "text"),
    [
        ({"Project": "acme"}, "has this project's tags"),
        ({}, "no tag of this project"),
        (None, "its tags are not known"),
    ],
)
def test_whose_an_instance_without_a_directory_is_may_not_be_known(tags: Any, text: str) -> None:
    found = report(1)
    (undeclared,) = found.undeclared or ()
    concerns = attention.concerns(replace(found, undeclared=[replace(undeclared, tags=tags)]))
    (concern,) = (one for one in concerns if one.title == "Instances that no directory declares")
    assert concern.items[0].text.endswith(f"us-east-1; {text}")


def test_what_needs_attention_is_counted_as_a_person_says_it() -> None:
    found = {c.title: c.counted for c in attention.concerns(report(0))}
    assert found["Instances that no directory declares"] == "1 instance that no directory declares"
    assert found["States whose directory is gone"] == "1 state whose directory is gone"
    many = {c.title: c.counted for c in attention.concerns(report(200))}
    assert many["On Amazon Linux 2"].endswith(" on Amazon Linux 2")
    assert many["Prices not known"] == "2 prices not known"
