"""Tables of text: columns as wide as what is in them."""

from collections.abc import Iterable, Sequence
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
    *,
    indent: str = "",
    err: bool = False,
) -> None:
    """Prints the lines of `lay_out`, on stderr with `err`."""
    for line in lay_out(rows, headers):
        click.echo(indent + line, err=err)


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
