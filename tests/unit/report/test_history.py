"""What is kept of earlier reports, and what a page shows of it."""

import json
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from decimal import Decimal
from pathlib import Path

import pytest

from tools.cost.model import Amount
from tools.errors import UserError
from tools.report import history
from tools.report.history import Entry

MONDAY = datetime(2026, 11, 23, 8, 30, tzinfo=UTC)
ENTRY = Entry(MONDAY, "aws", "acme-ml", 12, 5, 3, Amount(Decimal("1234.56")))
WEEKS = [
    replace(ENTRY, made=MONDAY - timedelta(weeks=week), amount=Amount(Decimal(100 - week)))
    for week in range(20, 0, -1)
]


def test_what_is_written_is_read(tmp_path: Path) -> None:
    path = history.path_beside(tmp_path / "pages" / "fleet.html")
    assert path == tmp_path / "pages" / "fleet.history.json"
    assert history.read(path) == []
    entries = [*WEEKS, replace(ENTRY, running=None, amount=Amount(Decimal("0.10"), complete=False))]
    history.write(path, entries)
    assert history.read(path) == entries


def test_a_day_has_one_entry_about_a_fleet(tmp_path: Path) -> None:
    later = replace(ENTRY, made=MONDAY + timedelta(hours=6), notebooks=13)
    local = replace(ENTRY, cloud="local", project="demo")
    assert history.add([*WEEKS, ENTRY, local], later) == [*WEEKS, local, later]


def test_the_oldest_go_when_there_are_too_many() -> None:
    entries: list[Entry] = []
    for day in range(410):
        entries = history.add(entries, replace(ENTRY, made=MONDAY + timedelta(days=day)))
    assert len(entries) == 400
    assert entries[-1].made == MONDAY + timedelta(days=409)


def test_a_trend_is_of_one_fleet_and_of_its_last_reports() -> None:
    others = [replace(entry, project="other") for entry in WEEKS]
    assert history.trend([*others, ENTRY], ENTRY.subject) is None
    found = history.trend([*others, *WEEKS, ENTRY], ENTRY.subject)
    assert found
    assert found.entries == [*WEEKS[-11:], ENTRY]
    assert found.change == Amount(Decimal("1135.56"))  # 99 dollars a week ago
    assert found.height(ENTRY) == 100
    assert found.height(WEEKS[-1]) == pytest.approx(100 * 99 / 1234.56)


def test_a_fleet_that_costs_nothing_has_flat_columns() -> None:
    free = replace(ENTRY, amount=Amount())
    found = history.trend([replace(free, made=MONDAY - timedelta(days=7)), free], free.subject)
    assert found
    assert found.height(free) == 0


@pytest.mark.parametrize(
    "text",
    [
        "",
        "[]",
        "{}",
        '{"format": 2, "reports": []}',
        '{"format": 1, "reports": [{}]}',
        '{"format": 1, "reports": 3}',
        '{"format": 1, "reports": ["a"]}',
        "\x00",
        "[" * 100_000,
        *(
            json.dumps({"format": 1, "reports": [{**history._as_json(ENTRY), key: value}]})
            for key, value in {
                "made": "yesterday",
                "usd": "NaN",
                "notebooks": "many",
                "running": [],
            }.items()
        ),
        json.dumps({"format": 1, "reports": [{**history._as_json(ENTRY), "made": "2026-11-23"}]}),
        json.dumps({"format": 1, "reports": [{**history._as_json(ENTRY), "usd": "-1"}]}),
    ],
)
def test_a_file_of_something_else_is_one_error_that_names_it(tmp_path: Path, text: str) -> None:
    path = tmp_path / "report.history.json"
    path.write_text(text)
    with pytest.raises(UserError) as caught:
        history.read(path)
    assert str(caught.value).startswith(f"{path} does not hold")
    assert str(caught.value).endswith("move it away to begin again")


def test_a_file_that_is_no_text_is_one_error(tmp_path: Path) -> None:
    path = tmp_path / "report.history.json"
    path.write_bytes(b"\xff\xfe\x00")
    with pytest.raises(UserError, match="move it away"):
        history.read(path)
