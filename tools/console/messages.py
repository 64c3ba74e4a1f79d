"""What commands print alike: JSON on stdout, warnings and notes on stderr."""

import json
import sys
import textwrap
from collections.abc import Sequence
from dataclasses import asdict
from typing import Any, NoReturn, TextIO

import click

from tools.console import terminal

_MOST_LINES = 8  # of one stack's reasons
_kept: list[str] = []  # what -q keeps back, for a question that it may lead to


def print_json(document: Any) -> None:
    """Prints `document`, in which dataclasses may stand, as indented JSON on stdout."""
    click.echo(json.dumps(document, indent=2, default=asdict))


def say(line: str, wrap: bool = True) -> None:
    """Prints a line for a person, on stderr; with -q only before a question or after a failure.

    A terminal gets a long line in several, broken between words, unless `wrap` is false.
    """
    text = _wrapped(line) if wrap else line
    if terminal.wish.quiet:
        _kept.append(text)
    else:
        click.echo(text, err=True)


def tell(line: str) -> None:
    """Prints a line of an answer, on stdout; a terminal gets a long one as `say` has it."""
    click.echo(_wrapped(line, sys.stdout))


def first_lines(lines: Sequence[str]) -> list[str]:
    """Returns `lines`; of many the first ones and how many more there are, and with -v all."""
    more = len(lines) - _MOST_LINES
    if more <= 1 or terminal.wish.verbose:  # one more takes no more room than to say so
        return list(lines)
    return [*lines[:_MOST_LINES], f"and {more} more; -v shows all"]


def show_kept() -> None:
    """Prints what -q has kept back: before a question, and after a failure."""
    while _kept:
        click.echo(_kept.pop(0), err=True)


def reset() -> None:
    """Forgets what an earlier command of this process was to say, and kept back."""
    terminal.wish.quiet = terminal.wish.verbose = False
    _kept.clear()


def warn(warning: str) -> None:
    """Prints a warning, in yellow, on stderr."""
    click.secho(_wrapped(f"warning: {warning}"), fg="yellow", err=True)


def exit_interrupted() -> NoReturn:
    """Says that the command was interrupted and goes on if it is run again; exits with 130."""
    click.echo("interrupted; run the command again to continue", err=True)
    raise click.exceptions.Exit(130)


def _wrapped(text: str, stream: TextIO | None = None) -> str:
    """`text` with its long lines broken between words, each part indented as its line is."""
    stream = stream or sys.stderr
    width = terminal.columns(stream) if stream.isatty() else None
    if width is None:
        return text
    lines: list[str] = []
    for line in text.split("\n"):
        if len(click.unstyle(line)) <= width:
            lines.append(line)
            continue
        margin = " " * (len(line) - len(line.lstrip(" -")))
        lines += textwrap.wrap(
            line,
            width,
            subsequent_indent=margin,
            break_long_words=False,
            break_on_hyphens=False,
        )
    return "\n".join(lines)
