"""Helps that break no name: click's wrapping also breaks lines at hyphens."""

from collections.abc import Iterable

import click

# textwrap, by which click wraps, has no option for it that click lets through, and breaks at "-"
# alone: https://github.com/python/cpython/blob/main/Lib/textwrap.py (wordsep_re)
_WHOLE = str.maketrans({"-": "\N{NON-BREAKING HYPHEN}"})
_AS_TYPED = str.maketrans({"\N{NON-BREAKING HYPHEN}": "-"})


class _Formatter(click.HelpFormatter):
    """Wraps with hyphens that do not break, and writes plain ones."""

    def write(self, string: str) -> None:
        super().write(string.translate(_AS_TYPED))

    def write_usage(self, prog: str, args: str = "", prefix: str | None = None) -> None:
        super().write_usage(prog, args.translate(_WHOLE), prefix)

    def write_text(self, text: str) -> None:
        super().write_text(text.translate(_WHOLE))

    def write_dl(
        self, rows: Iterable[tuple[str, str]], col_max: int = 30, col_spacing: int = 2
    ) -> None:
        whole = [(first, second.translate(_WHOLE)) for first, second in rows]
        super().write_dl(whole, col_max, col_spacing)


class HelpContext(click.Context):
    """The context of every command: its help breaks no name."""

    formatter_class = _Formatter
