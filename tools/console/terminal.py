"""What the terminal can show, and what its user wants to see: width, colours, how much is said."""

import os
from dataclasses import dataclass
from typing import TextIO


@dataclass
class Wish:
    """What -q and -v ask for; each command sets it as it starts."""

    quiet: bool = False
    verbose: bool = False


wish = Wish()


def columns(stream: TextIO) -> int | None:
    """Returns how wide `stream` is, by COLUMNS or its terminal; None if it is not known.

    A shell keeps COLUMNS to itself: in the environment it is what somebody wants.
    """
    wanted = os.environ.get("COLUMNS", "")
    if wanted.isdecimal() and int(wanted):
        return int(wanted)
    if not stream.isatty():
        return None
    try:
        # 0 is a pseudo-terminal that nobody has given a size.
        return os.get_terminal_size(stream.fileno()).columns or None
    except (OSError, ValueError):  # a stream without a file
        return None


def may_drop(stream: TextIO) -> bool:
    """Returns whether a table on `stream` may leave out columns: a script and -v want them all."""
    return stream.isatty() and not wish.verbose


def colour() -> bool | None:
    """Returns whether the user wants colours, None if the stream decides: a terminal has them.

    NO_COLOR is stronger than FORCE_COLOR. Either counts if it is not empty, whatever it says:
    https://no-color.org and https://force-color.org
    """
    if os.environ.get("NO_COLOR"):
        return False
    return True if os.environ.get("FORCE_COLOR") else None
