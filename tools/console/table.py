"""Tables of text: columns as wide as what is in them."""

from collections.abc import Iterable, Sequence
from itertools import zip_longest
from typing import Any

import click

Cell = str | int | None

_ENDLESS = 1000  # characters: wider than any row


def lay_out(rows: Iterable[Sequence[Cell]], headers: Sequence[str] = ()) -> list[str]:
    """Returns a line for each row, below one of `headers` if there are any.

    A cell is text, which click may have styled, or a number, which stands on the right; None is
    "-". Rich's own tables would do the same, but loading them takes longer than all the rest of
    `tools list`.
    """
    table = [list(row) for row in rows]
    columns = list(zip(*table, strict=True)) if table else [()] * len(headers)
    on_the_right = [any(isinstance(cell, int) for cell in column) for column in columns]
    if headers:
        table.insert(0, list(headers))
    texts = [["-" if cell is None else str(cell) for cell in row] for row in table]
    widths = [max(map(_width, column)) for column in zip(*texts, strict=True)]
    return [
        "  ".join(
            _pad(text, width, is_right)
            for text, width, is_right in zip(row, widths, on_the_right, strict=True)
        ).rstrip()
        for row in texts
    ]


def show(
    rows: Iterable[Sequence[Cell]],
    headers: Sequence[str] = (),
    details: Sequence[Sequence[str]] = (),
    *,
    indent: str = "",
    err: bool = False,
    err_headers: bool = False,
) -> None:
    """Prints the lines of `lay_out`, and below each row its `details`, on stderr with `err`.

    With `err_headers` the headers alone go to stderr, so that a script reads rows and no more.
    """
    lines = lay_out(rows, headers)
    if headers:
        click.echo(indent + lines.pop(0), err=err or err_headers)
    for line, below in zip_longest(lines, details, fillvalue=()):
        click.echo(f"{indent}{line}", err=err)
        for detail in below:
            click.echo(f"{indent}    {detail}", err=err)


def new_rich_table(title: str, *columns: str, numbers: Sequence[str] = ()) -> Any:
    """Returns a rich table; `numbers` are further columns, which stand on the right.

    For cells of several lines, which `lay_out` does not have.
    """
    from rich.box import SIMPLE_HEAD
    from rich.table import Table

    table = Table(title=title, title_justify="left", box=SIMPLE_HEAD, pad_edge=False)
    for column in columns:
        table.add_column(column, overflow="fold")
    for column in numbers:
        table.add_column(column, justify="right")
    return table


def show_rich(renderable: Any) -> None:
    """Prints tables of rich as wide as their rows: a terminal wraps long ones, nothing is cut."""
    from rich.console import Console

    console = Console(width=_ENDLESS)
    with console.capture() as captured:
        console.print(renderable)
    for line in captured.get().rstrip("\n").splitlines():
        click.echo(line.rstrip())


def _width(text: str) -> int:
    return len(click.unstyle(text))


def _pad(text: str, width: int, is_right: bool) -> str:
    space = " " * (width - _width(text))
    return space + text if is_right else text + space
