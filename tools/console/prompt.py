"""Questions to a person, and whether there is one to answer."""

import sys
from collections.abc import Callable, Sequence

import click

from tools.console import messages
from tools.errors import UserError


def is_interactive() -> bool:
    """Returns whether stdin is a terminal, so that a person can answer."""
    return sys.stdin.isatty()


def require_terminal() -> None:
    """Raises UserError if stdin is not a terminal. Shows what -q kept back until a question."""
    if not is_interactive():
        raise UserError("stdin is not a terminal; pass --yes to confirm")
    messages.show_kept()


def ask(question: str, check: Callable[[str], object], default: str | None = None) -> str:
    """Asks on stderr until `check` raises no UserError at the answer, and returns it.

    A `default` that is not empty is shown, and what -q has kept back until a question.
    """

    def read(answer: str) -> str:
        answer = answer.strip()
        try:
            check(answer)
        except UserError as error:
            raise click.BadParameter(str(error)) from None
        return answer

    messages.show_kept()
    shown = bool(default)
    return str(click.prompt(question, default, show_default=shown, value_proc=read, err=True))


def pick(
    question: str,
    listed: Sequence[str],
    check: Callable[[list[str]], object],
    default: str | None = None,
) -> list[str]:
    """Asks for words, of which a number is the one of `listed` at that place, from 1 on.

    Asks again while `check` raises UserError at the words.
    """

    def read(answer: str) -> list[str]:
        return [_at(word, listed) for word in answer.replace(",", " ").split()]

    return read(ask(question, lambda answer: check(read(answer)), default))


def _at(word: str, listed: Sequence[str]) -> str:
    if not word.isdecimal():
        return word
    if not 1 <= int(word) <= len(listed):
        raise UserError(f"{word} is not a number from 1 to {len(listed)}")
    return listed[int(word) - 1]
