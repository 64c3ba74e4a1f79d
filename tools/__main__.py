"""Starts the `tools` command.

click takes three times as long to import as Python takes to start, so its answer to `tools --help`
is kept in help.txt. A test compares them.
"""

import os
import sys


def main() -> None:
    """Answers `tools --help` from help.txt, and leaves everything else to click."""
    if sys.argv[1:] in (["--help"], ["-h"]) and _is_usual_width():
        # Not by pathlib, whose import takes half as long as Python's start.
        with open(os.path.join(os.path.dirname(__file__), "help.txt")) as file:  # noqa: PTH118, PTH120, PTH123
            sys.stdout.write(file.read())
        return
    from tools import cli

    cli.main()


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
