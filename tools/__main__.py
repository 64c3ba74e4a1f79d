"""Starts the `tools` command.

click takes three times as long to import as Python takes to start, so its answer to `tools --help`
is kept in help.txt. A test compares them.
"""

import os
import sys
from contextlib import suppress


def main() -> None:
    """Answers `tools --help` from help.txt, and leaves everything else to click."""
    _open_closed_streams()
    if sys.argv[1:] in (["--help"], ["-h"]) and _is_usual_width():
        # Not by pathlib, whose import takes half as long as Python's start.
        with open(os.path.join(os.path.dirname(__file__), "help.txt")) as file:  # noqa: PTH118, PTH120, PTH123
            text = file.read()
        with suppress(OSError):  # click says it
            sys.stdout.write(text)
            sys.stdout.flush()
            return
    from tools import cli

    cli.main()


def _open_closed_streams() -> None:
    """Opens /dev/null in place of a standard stream that is closed, as by `tools deploy <&-`.

    Python has None for it, and the next file that is opened would get its number.
    """
    for number, name in enumerate(("stdin", "stdout", "stderr")):
        if getattr(sys, name) is None:
            os.dup2(null := os.open(os.devnull, os.O_RDWR), number)
            if null > 2:
                os.close(null)
            setattr(sys, name, open(number, "w" if number else "r", encoding="utf-8"))  # noqa: PTH123, SIM115


def _is_usual_width() -> bool:
    """Returns whether click would wrap at 80 columns, as it does for wider terminals and pipes."""
    if "COLUMNS" in os.environ:
        return False
    try:
        return os.get_terminal_size(sys.stdout.fileno()).columns >= 80
    except (OSError, ValueError):
        return True


if __name__ == "__main__":
    main()
