"""How a run is seen while it runs: a line at a time, or a live table on a terminal."""

import threading
import time
from contextlib import suppress
from dataclasses import dataclass, field
from types import TracebackType
from typing import Any, Protocol

import click

_COLOURS = {
    "applied": "green",
    "destroyed": "green",
    "planned": "green",
    "failed": "red",
    "not run": "yellow",
    "waiting": "yellow",
}


class Progress(Protocol):
    """Told what happens to each stack, from any thread."""

    def __enter__(self) -> "Progress":
        """Begins to show."""

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        traceback: TracebackType | None,
    ) -> None:
        """Ends to show."""

    def say(self, stack: str, line: str, important: bool = True) -> None:
        """One line about `stack`; what is not `important` may be left out."""

    def step(self, stack: str, what: str, done: int = 0, total: int = 0) -> None:
        """`stack` is at `what`, such as "terraform apply", with so many of its resources done."""

    def end(self, stack: str, outcome: str) -> None:
        """`stack` is over."""


class Lines:
    """A line for everything that happens, the time and the stack before it, on stderr."""

    def __init__(self) -> None:
        self._one_line = threading.Lock()
        self._at: dict[str, str] = {}

    def __enter__(self) -> "Lines":
        return self

    def __exit__(self, *_: object) -> None:
        pass

    def say(self, stack: str, line: str, important: bool = True) -> None:
        prefix = click.style(f"[{stack}]", fg="cyan")
        # A reader that has gone, as of a pipe, must not end a run half way.
        with suppress(BrokenPipeError), self._one_line:
            click.echo(f"{time.strftime('%H:%M:%S')} {prefix} {line}", err=True)

    def step(self, stack: str, what: str, done: int = 0, total: int = 0) -> None:
        if self._at.get(stack) != what:
            self._at[stack] = what
            self.say(stack, what)

    def end(self, stack: str, outcome: str) -> None:
        pass


@dataclass
class _Row:
    began: float
    what: str = ""
    done: int = 0
    total: int = 0


@dataclass
class Live:
    """A table of the stacks that are at work, on a terminal; what is important stays above it."""

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

        if important:
            text = Text.assemble(time.strftime("%H:%M:%S "), (f"[{stack}]", "cyan"), f" {line}")
            self._console.print(text)

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
                done = f"{row.done} of {row.total}" if row.total else ""
                seconds = f"{time.monotonic() - row.began:4.0f} s"
                table.add_row(Text(stack, "cyan"), row.what, done, seconds)
            ended = sum(self._ended.values())
            kinds = ", ".join(f"{count} {kind}" for kind, count in self._ended.items())
        table.add_row(Text(f"{ended} of {self.total} stacks", "bold"), kinds)
        return table


def style_outcome(outcome: str) -> str:
    """Returns an outcome in its colour."""
    return click.style(outcome, fg=_COLOURS.get(outcome))


def choose(total: int) -> Progress:
    """A live table where stderr is a terminal, else lines; `total` stacks are run."""
    import sys

    return Live(total) if sys.stderr.isatty() else Lines()
