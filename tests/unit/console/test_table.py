import click
import pytest

from tools.console.table import lay_out, show


def test_columns_are_as_wide_as_their_cells_and_numbers_stand_on_the_right() -> None:
    rows = [("notebooks/nlp", 3, "applied"), ("s3", 12, "")]

    assert lay_out(rows) == ["notebooks/nlp   3  applied", "s3             12"]


def test_a_header_stands_over_its_column() -> None:
    lines = lay_out([("s3", 7), ("iam", None)], ("stack", "resources"))

    assert lines == ["stack  resources", "s3             7", "iam            -"]


def test_a_table_without_rows_is_its_header_or_nothing() -> None:
    assert lay_out([], ("stack", "resources")) == ["stack  resources"]
    assert lay_out([]) == []


def test_colours_take_no_room() -> None:
    plain = lay_out([("failed", "x"), ("ok", "y")])
    coloured = lay_out([(click.style("failed", fg="red"), "x"), ("ok", "y")])

    assert [click.unstyle(line) for line in coloured] == plain


def test_show_indents_and_chooses_the_stream(capsys: pytest.CaptureFixture[str]) -> None:
    show([("a", 1)], indent="  ", err=True)

    assert capsys.readouterr() == ("", "  a  1\n")
