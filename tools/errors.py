"""Errors that a user can mend, and their words; any other exception is a bug."""

import json
import reprlib
from collections.abc import Collection, Sequence
from difflib import SequenceMatcher, get_close_matches


class UserError(Exception):
    """A mistake or a missing part outside of this program.

    The message is one line, which says what is wrong, where, and how to mend it.
    """

    exit_code = 1


_LONGEST = 1500  # characters; a value of megabytes may be what is wrong
_LONGEST_VALUE = 80
_MOST_NAMES = 10
_LONGEST_NAME = 100  # to be compared with others, which takes the square of its length

_shortened = reprlib.Repr()
_shortened.maxstring = _LONGEST_VALUE


def in_one_line(message: str) -> str:
    """Prepares `message` for a terminal: shortened in its middle, without control characters."""
    if len(message) > _LONGEST:
        half = _LONGEST // 2
        message = f"{message[:half]} ... {message[-half:]}"
    return "".join(c if c.isprintable() else repr(c)[1:-1] for c in message)


def shorten(value: object) -> str:
    """Quotes a wrong value for an error, as JSON unless it is text: shortened in its middle."""
    if isinstance(value, str):
        return _shortened.repr(value)
    # In parts, since a few lines of YAML can name each other for gigabytes of JSON.
    parts = json.JSONEncoder(default=str, ensure_ascii=False).iterencode(value)
    text = ""
    try:
        while len(text) <= _LONGEST_VALUE * 10 and (part := next(parts, "")):
            text += part
    except (RecursionError, TypeError, ValueError):  # too deep, or in itself, or by odd keys
        return "a value that is nested too deeply"
    half = _LONGEST_VALUE // 2
    return text if len(text) <= _LONGEST_VALUE else f"{text[:half]} ... {text[-half:]}"


def first_of(names: Sequence[str], most: int) -> str:
    """Joins `names` with commas; of more than `most` the first, and how many more there are."""
    more = len(names) - most
    return ", ".join(names[:most]) + (f" and {more} more" if more > 0 else "")


def nearest(name: str, names: Sequence[str], most: int = 3, aliases: Collection[str] = ()) -> str:
    """Words for an error: what was meant by the wrong `name`, or else which `names` there are.

    At most so many are offered, of `names` and of their `aliases`; of more than ten the nearest.
    """
    short = name[:_LONGEST_NAME]
    near = get_close_matches(short, [*names, *aliases], n=most, cutoff=0.5)
    if near:
        *others, last = near
        return f"did you mean {', '.join(others)}{' or ' if others else ''}{last}?"
    if len(names) > _MOST_NAMES:
        names = sorted(names, key=lambda other: -SequenceMatcher(None, short, other).ratio())
    return f"there are {first_of(names, _MOST_NAMES) or 'none'}"
