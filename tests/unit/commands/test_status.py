import io
import signal
import sys
from collections.abc import Iterator
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from pathlib import Path

import click
import pytest

from tests.unit.screens import samples
from tools.commands import status
from tools.errors import UserError
from tools.fleet.fleet import Fleet
from tools.fleet.idle import Decision
from tools.fleet.status import FleetStatus
from tools.layout.repository import Repository

EMPTY = FleetStatus([], [])


@pytest.fixture
def where(tmp_path: Path) -> Fleet:
    return Fleet(tmp_path, Repository(tmp_path), "eu-west-1")


def looks(*answers: FleetStatus | UserError) -> Iterator[FleetStatus | UserError]:
    yield from answers
    signal.raise_signal(signal.SIGINT)  # as Ctrl-C does
    yield EMPTY


def test_a_watch_goes_on_after_a_look_that_failed(
    where: Fleet, capsys: pytest.CaptureFixture[str]
) -> None:
    answers = looks(EMPTY, UserError("throttled\x1b"), UserError("no network"), EMPTY)

    def look() -> FleetStatus:
        answer = next(answers)
        if isinstance(answer, UserError):
            raise answer
        return answer

    status.watch_notebooks(look, where, as_json=True, seconds=0.01)
    said = capsys.readouterr()
    assert len(said.out.splitlines()) >= 2
    first, second = said.err.splitlines()
    assert first.endswith("Z update failed: throttled\\x1b")
    assert second.endswith("Z update failed: no network")


def test_a_watch_whose_first_look_fails_ends(where: Fleet) -> None:
    def look() -> FleetStatus:
        raise UserError("no credentials")

    with pytest.raises(UserError, match="no credentials"):
        status.watch_notebooks(look, where, as_json=False, seconds=0.01)


def test_a_watch_warns_once_that_idleness_is_not_known(
    where: Fleet, capsys: pytest.CaptureFixture[str]
) -> None:
    answers = iter([replace(EMPTY, idle_unknown=["there is no log group"])] * 3)

    def look() -> FleetStatus:
        try:
            return next(answers)
        except StopIteration:
            signal.raise_signal(signal.SIGINT)
            return EMPTY

    status.watch_notebooks(look, where, as_json=True, seconds=0.01)
    said = capsys.readouterr()
    assert len(said.out.splitlines()) == 3
    (warning,) = said.err.splitlines()
    assert warning.endswith("cannot tell which notebooks are idle: there is no log group")


class Terminal(io.StringIO):
    def isatty(self) -> bool:
        return True


def test_on_a_terminal_a_look_that_failed_leaves_the_table_and_is_said_below(
    where: Fleet, monkeypatch: pytest.MonkeyPatch
) -> None:
    shown = samples.fleet_status()
    answers = looks(shown, UserError("throttled"))
    stream = Terminal()
    monkeypatch.setenv("COLUMNS", "200")
    monkeypatch.setattr(sys, "stdout", stream)

    def look() -> FleetStatus:
        answer = next(answers)
        if isinstance(answer, UserError):
            raise answer
        return answer

    status.watch_notebooks(look, where, as_json=False, seconds=0.01)
    first, *_, last = stream.getvalue().split("Ctrl-C ends")
    assert "vision" in first
    assert last.startswith("; not updated: throttled")


def rows_of(shown: FleetStatus, capsys: pytest.CaptureFixture[str]) -> list[list[str]]:
    status.show_tables(shown)
    lines = click.unstyle(capsys.readouterr().out).partition("Not managed here")[0].splitlines()
    return [line.split() for line in lines if line.strip()]


def test_regions_are_a_column_if_there_are_several(capsys: pytest.CaptureFixture[str]) -> None:
    shown = samples.fleet_status()
    assert "Region" not in rows_of(shown, capsys)[1]
    first, *others = shown.notebooks
    abroad = replace(first, declared=replace(first.declared, region="us-east-1"))
    _, header, *rows = rows_of(replace(shown, notebooks=[abroad, *others]), capsys)
    assert "Region" in header
    for row, region in zip(rows, ["us-east-1", "eu-central-1", "eu-central-1"], strict=True):
        assert [word for word in row if word.endswith("-1")] == [region]


def test_of_a_notebook_whose_auto_stop_says_nothing_the_idle_time_is_empty(
    capsys: pytest.CaptureFixture[str],
) -> None:
    shown = samples.fleet_status()
    first, *others = shown.notebooks
    moment, minutes = datetime(2026, 1, 31, 9, tzinfo=UTC), timedelta(minutes=1)
    kept = replace(first, decision=Decision(moment, "kept alive", 42 * minutes))
    _, header, one, other, _ = rows_of(replace(shown, notebooks=[kept, *others]), capsys)
    assert "Idle" in header
    assert "42 min, kept alive" in " ".join(one)
    assert "min" not in other


def test_tags_that_are_not_known_are_no_tags_of_another(
    capsys: pytest.CaptureFixture[str],
) -> None:
    shown = samples.fleet_status()
    (other,) = shown.undeclared
    for tags, note in (
        (None, "its tags are not known"),
        ({"Project": "acme", "Stack": "notebooks/a"}, "of this project, created as notebooks/a"),
        ({}, ""),
    ):
        status.show_tables(replace(shown, undeclared=[replace(other, tags=tags)]))
        row = click.unstyle(capsys.readouterr().out).partition("Not managed here")[2]
        assert row.split("eu-central-1")[1].strip() == note
