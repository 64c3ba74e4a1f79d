"""Tables of text that fit the terminal: columns as wide as what is in them, or a list."""

import re
import sys
import textwrap
import unicodedata
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass

import click

from tools.console import terminal
from tools.console.messages import say

Cell = str | int | None

_GAP = "  "
_BELOW = "    "  # before what stands below a row
_STYLED = re.compile(r"((?:\x1b\[[0-9;]*m)+)(.*)\x1b\[0m", re.DOTALL)


@dataclass(frozen=True)
class Column:
    """A column, and what becomes of it where there is not room for all.

    Of columns with a `rank` the one with the highest goes first; without one it stays. A `note` is
    a sentence, or several in lines: it moves below its row before anything goes, and where no row
    has any it has no column. A column `to_right` holds figures with their units; numbers stand on
    the right by themselves.
    """

    title: str
    rank: int = 0
    note: bool = False
    to_right: bool = False


Columns = Sequence[Column | str]


def lay_out(
    rows: Iterable[Sequence[Cell]],
    columns: Columns = (),
    details: Sequence[Sequence[str]] = (),
    *,
    width: int | None = None,
    droppable: bool = False,
) -> list[str]:
    """Returns the lines of a table that is at most `width` wide, and as wide as it likes without.

    A cell is text, which click may have styled, or a number; None is "-". `details` are lines
    below each row. What does not fit in turn moves notes below the rows, drops columns by rank if
    they are `droppable`, and makes a list of the table, a block for each row. No word is broken:
    one that is wider than the terminal is for the terminal to wrap. A table without rows has no
    lines.

    Rich's own tables break words, and loading them takes longer than all the rest of `tools list`.
    """
    return _choose(rows, columns, details, width, droppable)[0]


def show(
    rows: Iterable[Sequence[Cell]],
    columns: Columns,
    details: Sequence[Sequence[str]] = (),
    *,
    title: str = "",
    indent: str = "",
    err: bool = False,
) -> None:
    """Prints a table that fits the terminal, on stderr with `err`; says which columns it drops.

    Every table that a person sees has a title over each column.
    """
    stream = sys.stderr if err else sys.stdout
    width = terminal.columns(stream)
    room = width - len(indent) if width else None
    lines, dropped = _choose(rows, columns, details, room, terminal.may_drop(stream))
    heading = [click.style(title, bold=True)] if title and lines else []
    for line in (*heading, *lines):
        text = f"{indent}{line}".rstrip()
        if err:
            say(text, wrap=False)
        else:
            click.echo(text)
    if dropped:
        names = ", ".join(column.title for column in dropped)
        say(click.style(f"not shown at {width} columns: {names}; -v shows all", dim=True))


class Rows:
    """A table on stdout that is printed row by row, each as it is known.

    `columns` are titles and widths of all but the last column, which is wrapped below itself where
    the terminal ends.
    """

    def __init__(self, titles_and_widths: Sequence[tuple[str, int]], last: str) -> None:
        self._widths = [max(width, len(title)) for title, width in titles_and_widths]
        self._width = terminal.columns(sys.stdout)
        self.add(
            [title for title, _ in titles_and_widths],
            last,
            lambda line: click.style(line, bold=True),
        )

    def add(
        self, cells: Sequence[str], text: str, style: Callable[[str], str] = lambda line: line
    ) -> None:
        """Prints a row: `cells` in their columns, and `text` in the last one."""
        pairs = zip(cells, self._widths, strict=True)
        lead = "".join(f"{_pad(cell, width, False)}{_GAP}" for cell, width in pairs)
        for line in _wrap(text, self._width, lead, " " * _width(lead)):
            click.echo(style(line.rstrip()))


@dataclass(frozen=True)
class _Table:
    columns: Sequence[Column]
    rows: Sequence[Sequence[str]]
    details: Sequence[Sequence[str]]

    def without(self, dropped: Iterable[Column]) -> "_Table":
        """The same table without some columns."""
        gone = set(map(id, dropped))
        kept = [number for number, column in enumerate(self.columns) if id(column) not in gone]
        kept_columns = [self.columns[number] for number in kept]
        return _Table(kept_columns, [[row[n] for n in kept] for row in self.rows], self.details)

    def with_notes_below(self) -> "_Table":
        """The same table with its notes among the details, before the others."""
        noted = [number for number, column in enumerate(self.columns) if column.note]
        below = [
            [*(line for number in noted for line in _lines(row[number])), *details]
            for row, details in zip(self.rows, self.details, strict=True)
        ]
        table = self.without(self.columns[number] for number in noted)
        return _Table(table.columns, table.rows, below)

    def width(self) -> int:
        """How wide it is, apart from its details, which can be wrapped."""
        return max((_width(line) for line in self._row_lines()), default=0)

    def lines(self, width: int | None) -> list[str]:
        """The table as a header, and a line a row with its details below."""
        row_lines = self._row_lines()
        height = len(row_lines) - len(self.rows)
        lines = [click.style(line, bold=True) for line in row_lines[:height]]
        for line, details in zip(row_lines[height:], self.details, strict=True):
            lines.append(line)
            for detail in details:
                lines += _wrap(detail, width, _BELOW)
        return lines

    def blocks(self, width: int | None) -> list[str]:
        """The table as a list: the first cell of a row, and below it the others by their titles."""
        other_columns = self.columns[1:]
        margin = max((_width(column.title) for column in other_columns), default=0)
        lines: list[str] = []
        for row, details in zip(self.rows, self.details, strict=True):
            lines += [""] if lines else []
            lines.append(row[0])
            for column, cell in zip(other_columns, row[1:], strict=True):
                lead = f"{_GAP}{_pad(column.title, margin, False)}{_GAP}"
                for line in _lines(cell):
                    lines += _wrap(line, width, lead, " " * _width(lead))
                    lead = " " * _width(lead)
            for detail in details:
                lines += _wrap(detail, width, _BELOW)
        return lines

    def _row_lines(self) -> list[str]:
        texts_by_row = [["; ".join(_lines(cell)) for cell in row] for row in self.rows]
        if any(column.title for column in self.columns):
            texts_by_row.insert(0, [column.title for column in self.columns])
        widths = [
            max(map(_width, column_texts)) for column_texts in zip(*texts_by_row, strict=True)
        ]
        return [
            _GAP.join(
                _pad(text, width, column.to_right)
                for text, width, column in zip(row, widths, self.columns, strict=True)
            ).rstrip()
            for row in texts_by_row
        ]


def _choose(
    rows: Iterable[Sequence[Cell]],
    columns: Columns,
    details: Sequence[Sequence[str]],
    width: int | None,
    droppable: bool,
) -> tuple[list[str], list[Column]]:
    """The lines, and the columns that were dropped for want of room."""
    cells_by_row = [list(row) for row in rows]
    if not cells_by_row:
        return [], []
    table = _Table(
        [_column(columns, number, cells_by_row) for number in range(len(cells_by_row[0]))],
        [["-" if cell is None else str(cell) for cell in row] for row in cells_by_row],
        details or [()] * len(cells_by_row),
    )
    table = table.without(
        column
        for number, column in enumerate(table.columns)
        if column.note and not any(row[number] for row in table.rows)
    )
    if width is None or table.width() <= width:
        return table.lines(width), []
    notes_below = table.with_notes_below()
    if notes_below.width() <= width:
        return notes_below.lines(width), []
    by_rank = sorted((c for c in notes_below.columns if c.rank), key=lambda c: -c.rank)
    for count in range(1, len(by_rank) + 1) if droppable else ():
        narrow = notes_below.without(by_rank[:count])
        if narrow.width() <= width:
            return narrow.lines(width), by_rank[:count]
    return table.blocks(width), []


def _column(columns: Columns, number: int, cells_by_row: Sequence[Sequence[Cell]]) -> Column:
    given = columns[number] if columns else ""
    column = given if isinstance(given, Column) else Column(given)
    to_right = column.to_right or any(isinstance(row[number], int) for row in cells_by_row)
    return Column(column.title, column.rank, column.note, to_right)


def _lines(cell: str) -> list[str]:
    """The lines of a cell that has any, each in the cell's style."""
    styled = _STYLED.fullmatch(cell)
    escape, text = styled.groups() if styled else ("", cell)
    return [f"{escape}{line}\x1b[0m" if escape else line for line in text.split("\n") if line]


def _wrap(text: str, width: int | None, lead: str, later: str | None = None) -> list[str]:
    """The lines of `text` behind `lead`, and behind `later` from the second on, each as styled."""
    styled = _STYLED.fullmatch(text)
    escape, plain = styled.groups() if styled else ("", text)
    later = lead if later is None else later
    room = max((width or sys.maxsize) - _width(lead), 1)
    wrapped = (
        textwrap.wrap(plain, room, break_long_words=False, break_on_hyphens=False)
        if width
        else [plain]
    )
    return [
        f"{later if number else lead}{escape}{line}{escape and chr(27) + '[0m'}"
        for number, line in enumerate(wrapped or [""])
    ]


def _width(text: str) -> int:
    """How many columns of a terminal `text` takes: some letters take two, marks on one none."""
    plain = click.unstyle(text)
    if plain.isascii():
        return len(plain)
    wide = sum(unicodedata.east_asian_width(letter) in "WF" for letter in plain)
    return len(plain) + wide - sum(unicodedata.combining(letter) > 0 for letter in plain)


def _pad(text: str, width: int, is_right: bool) -> str:
    space = " " * (width - _width(text))
    return space + text if is_right else text + space
