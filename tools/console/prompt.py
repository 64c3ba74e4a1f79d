"""Questions to a person at a terminal."""

import sys
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    pass


def is_interactive() -> bool:
    """Whether somebody is there to answer a question."""
    return sys.stdin.isatty()
