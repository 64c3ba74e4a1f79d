"""What a user can mend is a `UserError`; everything else is a bug and keeps its traceback."""

import reprlib
from collections.abc import Collection, Sequence
from difflib import get_close_matches


class UserError(Exception):
    """A mistake or a missing part outside this program.

    The message is one line that names what is wrong, where, and how to mend it.
    """


_LONGEST = 1500  # characters; a value of megabytes may be what is wrong
_LONGEST_NAME = 100  # to be compared with others, which takes the square of its length


def in_one_line(message: str) -> str:
    """`message` for a terminal: shortened in its middle, with no character that would steer it."""
    if len(message) > _LONGEST:
        half = _LONGEST // 2
        message = f"{message[:half]} ... {message[-half:]}"
    return "".join(c if c.isprintable() else repr(c)[1:-1] for c in message)


def shown(value: object) -> str:
    """A wrong value as an error quotes it: its beginning, however long or deep it is."""
    return _Shown().repr(value)


def nearest(name: str, names: Sequence[str], most: int = 3, aliases: Collection[str] = ()) -> str:
    """Words for an error: what was meant by the wrong `name`, or else which `names` there are.

    At most so many are offered, of `names` and of their `aliases`.
    """
    near = get_close_matches(name[:_LONGEST_NAME], [*names, *aliases], n=most, cutoff=0.5)
    if near:
        *others, last = near
        return f"did you mean {', '.join(others)}{' or ' if others else ''}{last}?"
    some = ", ".join(names[:10]) + (", ..." if len(names) > 10 else "")
    return f"there are {some or 'none'}"


class _Shown(reprlib.Repr):
    def __init__(self) -> None:
        super().__init__()
        self.maxstring = self.maxother = self.maxlong = 80
