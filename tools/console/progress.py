"""Shows a run while it runs: line by line, or as a live table on a terminal."""

import threading
import time
from contextlib import suppress
from dataclasses import dataclass, field
from typing import Any

import click

from tools.console import terminal

_COLOURS = {
    "applied": "green",
    "destroyed": "green",
    "planned": "green",
    "failed": "red",
    "interrupted": "yellow",
    "not run": "yellow",
    "waiting": "yellow",
}


class Progress:
    """Is told what happens to each stack, from any thread; this one shows nothing."""

    def __enter__(self) -> "Progress":
        return self

    def __exit__(self, *error: object) -> None:
        pass

    def say(self, stack: str, line: str, important: bool = True) -> None:
        """Shows a line about `stack`; one that is not `important` may be left out."""

    def warn(self, stack: str, warning: str) -> None:
        """Shows a warning about `stack`, which is never left out."""
        self.say(stack, f"warning: {warning}")

    def step(self, stack: str, what: str, done: int = 0, total: int = 0) -> None:
        """Shows that `stack` is at `what`, with so many of `total` resources done."""

    def end(self, stack: str, outcome: str) -> None:
        """Shows that `stack` has ended."""


class Lines(Progress):
    """Prints a line for everything that happens, with time and stack, on stderr."""

    def __init__(self) -> None:
        self._lock_line = threading.Lock()
        self._steps: dict[str, str] = {}

    def say(self, stack: str, line: str, important: bool = True) -> None:
        prefix = click.style(f"[{stack}]", fg="cyan")
        # A pipe whose reader is gone must not end a run half way.
        with suppress(BrokenPipeError), self._lock_line:
            text = f"{time.strftime('%H:%M:%S')} {prefix} {line}"
            # click's context, which would know, is one thread's (click 8.5.1, globals.py).
            click.echo(text, err=True, color=terminal.colour())

    def step(self, stack: str, what: str, done: int = 0, total: int = 0) -> None:
        if self._steps.get(stack) != what:
            self._steps[stack] = what
            self.say(stack, what)


class Warnings(Progress):
    """Prints warnings and nothing else, for -q: what failed is in the result."""

    def __init__(self) -> None:
        self._lines = Lines()

    def warn(self, stack: str, warning: str) -> None:
        self._lines.warn(stack, warning)


@dataclass
class _Row:
    began: float
    what: str = ""
    done: int = 0
    total: int = 0


@dataclass
class Live(Progress):
    """Shows a table of the stacks at work on a terminal; important lines stay above it."""

    total: int
    _rows: dict[str, _Row] = field(default_factory=dict)
    _ended: dict[str, int] = field(default_factory=dict)
    _lock: threading.Lock = field(default_factory=threading.Lock)

    def __post_init__(self) -> None:
        from rich.console import Console
        from rich.live import Live as RichLive

        self._console = Console(stderr=True, highlight=False)
        self._live = RichLive(
            console=self._console,
            get_renderable=self._table,
            refresh_per_second=4,
            transient=True,
            redirect_stdout=False,
            redirect_stderr=False,
        )

    def __enter__(self) -> "Live":
        self._live.__enter__()
        return self

    def __exit__(self, *_: object) -> None:
        self._live.__exit__(None, None, None)

    def say(self, stack: str, line: str, important: bool = True) -> None:
        from rich.text import Text

        if important or terminal.wish.verbose:
            styled_line = Text.assemble(
                time.strftime("%H:%M:%S "), (f"[{stack}]", "cyan"), f" {line}"
            )
            self._console.print(styled_line)

    def step(self, stack: str, what: str, done: int = 0, total: int = 0) -> None:
        with self._lock:
            row = self._rows.setdefault(stack, _Row(time.monotonic()))
            row.what, row.done, row.total = what, done, total

    def end(self, stack: str, outcome: str) -> None:
        with self._lock:
            self._rows.pop(stack, None)
            self._ended[outcome] = self._ended.get(outcome, 0) + 1

    def _table(self) -> Any:
        from rich.table import Table
        from rich.text import Text

        table = Table.grid(padding=(0, 2))
        with self._lock:
            for stack, row in self._rows.items():
                progress = f"{row.done} of {row.total}" if row.total else ""
                seconds = f"{time.monotonic() - row.began:4.0f} s"
                table.add_row(Text(stack, "cyan"), row.what, progress, seconds)
            ended = sum(self._ended.values())
            kinds = ", ".join(f"{count} {kind}" for kind, count in self._ended.items())
        table.add_row(Text(f"{ended} of {self.total} stacks", "bold"), kinds)
        return table


def style_outcome(outcome: str) -> str:
    """Returns an outcome in its colour."""
    return click.style(outcome, fg=_COLOURS.get(outcome))


def choose(total: int) -> Progress:
    """Returns a live table if stderr is a terminal, otherwise lines; with -q only warnings.

    `total` stacks are run.
    """
    import sys

    if terminal.wish.quiet:
        return Warnings()
    return Live(total) if sys.stderr.isatty() else Lines()
