"""Tables at any width: the oracle is what a person would want to read there, written by hand."""

import io
import pty
import sys

import click
import pytest

from tools.console import terminal
from tools.console.table import Column, lay_out, show

COLUMNS = (
    "Stack",
    Column("Kind", rank=2),
    Column("Resources", rank=1),
    Column("Notes", note=True),
)
ROWS = [
    ("notebooks/nlp-project", "notebook", 12, "reads a state that no stack here has"),
    ("shared-infra/s3", "shared", None, ""),
]


class Terminal(io.StringIO):
    def isatty(self) -> bool:
        return True


def show_on_terminal(monkeypatch: pytest.MonkeyPatch, width: int) -> list[str]:
    """What a terminal of so many columns shows, without its colours."""
    stream = Terminal()
    monkeypatch.setenv("COLUMNS", str(width))
    with monkeypatch.context() as patch:
        patch.setattr(sys, "stdout", stream)
        show(ROWS, COLUMNS)
    return plain(stream.getvalue().splitlines())


def plain(lines: list[str]) -> list[str]:
    return [click.unstyle(line) for line in lines]


def test_columns_are_as_wide_as_their_cells_and_numbers_stand_on_the_right() -> None:
    rows = [("notebooks/nlp", 3, "applied"), ("s3", 12, "")]

    assert lay_out(rows) == ["notebooks/nlp   3  applied", "s3             12"]


def test_a_header_stands_over_its_column() -> None:
    lines = lay_out([("s3", 7), ("iam", None)], ("Stack", "Resources"))

    assert plain(lines) == ["Stack  Resources", "s3             7", "iam            -"]


def test_figures_with_their_units_stand_on_the_right() -> None:
    lines = lay_out([("a", "$9.50"), ("b", "$12.00")], ("", Column("A month", to_right=True)))

    assert plain(lines)[1:] == ["a    $9.50", "b   $12.00"]


def test_a_table_without_rows_has_no_lines() -> None:
    assert lay_out([], ("Stack", "Resources")) == []
    assert lay_out([]) == []


def test_colours_take_no_room() -> None:
    rows = [("failed", "x"), ("ok", "y")]
    coloured = [(click.style("failed", fg="red"), "x"), ("ok", "y")]

    assert plain(lay_out(coloured)) == lay_out(rows)


def test_letters_that_take_two_columns_are_counted_so() -> None:
    assert lay_out([("研究", "x"), ("team", "y")]) == ["研究  x", "team  y"]


def test_a_table_that_fits_is_left_as_it_is() -> None:
    assert lay_out(ROWS, COLUMNS, width=200) == lay_out(ROWS, COLUMNS)


def test_notes_move_below_before_a_column_goes() -> None:
    assert plain(lay_out(ROWS, COLUMNS, width=50, droppable=True)) == [
        "Stack                  Kind      Resources",
        "notebooks/nlp-project  notebook         12",
        "    reads a state that no stack here has",
        "shared-infra/s3        shared            -",
    ]


def test_the_column_of_the_highest_rank_goes_first_and_notes_are_wrapped() -> None:
    assert plain(lay_out(ROWS, COLUMNS, width=32, droppable=True)) == [
        "Stack                  Resources",
        "notebooks/nlp-project         12",
        "    reads a state that no stack",
        "    here has",
        "shared-infra/s3                -",
    ]


def test_what_no_column_can_go_from_becomes_a_list_with_everything_in_it() -> None:
    expected = [
        "notebooks/nlp-project",
        "  Kind       notebook",
        "  Resources  12",
        "  Notes      reads a",
        "             state that",
        "             no stack",
        "             here has",
        "",
        "shared-infra/s3",
        "  Kind       shared",
        "  Resources  -",
    ]
    assert plain(lay_out(ROWS, COLUMNS, width=23)) == expected
    narrower = plain(lay_out(ROWS, COLUMNS, width=20, droppable=True))
    assert narrower[0] == "notebooks/nlp-project"  # wider than all there is, and whole
    assert "  Kind       notebook" in narrower


@pytest.mark.parametrize("width", range(10, 100, 3))
def test_no_word_is_broken_at_any_width(width: int) -> None:
    text = " ".join(plain(lay_out(ROWS, COLUMNS, width=width)))

    assert [word for row in ROWS for word in " ".join(map(str, row[::3])).split()] == [
        word
        for word in text.split()
        if any(word in str(row[n]).split() for row in ROWS for n in (0, 3))
    ]


def test_each_line_of_a_wrapped_note_has_its_colour() -> None:
    note = click.style("one two three", fg="red")
    lines = lay_out([("stack", note)], ("Stack", Column("Notes", note=True)), width=14)

    assert lines[2:] == [
        f"    {click.style('one two', fg='red')}",
        f"    {click.style('three', fg='red')}",
    ]


def test_details_stand_below_their_row() -> None:
    lines = lay_out([("a", 1), ("b", 2)], details=[["because of this"], []], width=12)

    assert lines == ["a  1", "    because", "    of this", "b  2"]


def test_in_a_list_details_stand_below_their_row_too() -> None:
    columns = ("Stack", Column("Kind"))
    rows = [("notebooks/nlp", "notebook"), ("shared-infra/s3", "shared")]
    lines = lay_out(rows, columns, width=16, details=[["main.tf has changed"], []])

    assert lines == [
        "notebooks/nlp",
        "  Kind  notebook",
        "    main.tf has",
        "    changed",
        "",
        "shared-infra/s3",
        "  Kind  shared",
    ]


def test_show_indents_and_chooses_the_stream(capsys: pytest.CaptureFixture[str]) -> None:
    show([("a", 1)], ("Stack", "Serial"), indent="  ", err=True)

    assert capsys.readouterr() == ("", "  Stack  Serial\n  a           1\n")


def test_a_narrow_terminal_is_told_what_is_not_shown(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    assert show_on_terminal(monkeypatch, 30)[:2] == ["Stack", "notebooks/nlp-project"]
    assert capsys.readouterr().err == "not shown at 30 columns: Kind, Resources; -v shows all\n"


def test_verbose_drops_nothing(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(terminal.wish, "verbose", True)
    assert "  Resources  12" in show_on_terminal(monkeypatch, 30)


def test_no_terminal_gets_every_column_in_one_line(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.delenv("COLUMNS", raising=False)
    show(ROWS, COLUMNS)

    assert capsys.readouterr().out.splitlines()[1] == (
        "notebooks/nlp-project  notebook         12  reads a state that no stack here has"
    )


def test_a_pipe_with_columns_is_fitted_and_complete(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setenv("COLUMNS", "30")
    show(ROWS, COLUMNS)

    assert "  Resources  12" in capsys.readouterr().out


def test_notes_that_no_row_has_take_no_column() -> None:
    rows = [(*row[:3], "") for row in ROWS]
    assert plain(lay_out(rows, COLUMNS)) == [
        "Stack                  Kind      Resources",
        "notebooks/nlp-project  notebook         12",
        "shared-infra/s3        shared            -",
    ]


def test_a_terminal_that_tells_no_width_gets_whole_lines(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.delenv("COLUMNS", raising=False)
    person, end = pty.openpty()  # nobody has given it a size, which is 0 columns then
    with open(person, "rb"), open(end, "w") as unsized:  # noqa: PTH123
        assert terminal.columns(unsized) is None
    assert terminal.columns(Terminal()) is None  # a stream without a file, as a notebook's cell has
