"""What a user can mend is a `UserError`; everything else is a bug and keeps its traceback."""

import reprlib


class UserError(Exception):
    """A mistake or a missing part outside this program.

    The message is one line that names what is wrong, where, and how to mend it.
    """


_LONGEST = 1500  # characters; a value of megabytes may be what is wrong


def in_one_line(message: str) -> str:
    """`message` for a terminal: shortened in its middle, with no character that would steer it."""
    if len(message) > _LONGEST:
        half = _LONGEST // 2
        message = f"{message[:half]} ... {message[-half:]}"
    return "".join(c if c.isprintable() else repr(c)[1:-1] for c in message)


def shown(value: object) -> str:
    """A wrong value as an error quotes it: its beginning, however long or deep it is."""
    return _Shown().repr(value)


class _Shown(reprlib.Repr):
    def __init__(self) -> None:
        super().__init__()
        self.maxstring = self.maxother = self.maxlong = 80
