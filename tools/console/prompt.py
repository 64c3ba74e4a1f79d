"""Whether there is a person to answer a question."""

import sys

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
