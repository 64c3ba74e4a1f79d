"""What a shell offers for the names of stacks and notebooks: fast, and silent whatever happens.

A shell asks at each press of the tab key, and shows whatever is printed or raised in the middle of
what its user types. So names come from directories alone, and no file is read.
"""

import os
from collections.abc import Iterator
from pathlib import Path

import click

from tools.errors import UserError


def stacks(context: click.Context, parameter: click.Parameter, incomplete: str) -> list[str]:
    """Returns the stacks whose name, or whose name's last part, begins with `incomplete`."""
    return _beginning(incomplete, _names(context, ("shared-infra", "notebooks")))


def notebooks(context: click.Context, parameter: click.Parameter, incomplete: str) -> list[str]:
    """Returns the notebooks whose directory begins with `incomplete`."""
    return _beginning(incomplete, _names(context, ("notebooks",)))


def _beginning(incomplete: str, names: Iterator[str]) -> list[str]:
    parts = names if "/" in incomplete else (name.split("/")[1] for name in names)
    return sorted(name for name in parts if name.startswith(incomplete))


def _names(context: click.Context, folders: tuple[str, ...]) -> Iterator[str]:
    from tools.layout.repository import Repository

    try:
        given = context.find_root().params.get("root")
        root = Repository.containing((given or Path.cwd()).resolve()).root
        for folder in folders:
            with os.scandir(root / folder) as entries:
                for entry in entries:
                    if entry.is_dir() and not entry.name.startswith("."):
                        yield f"{folder}/{entry.name}"
    except (OSError, RuntimeError, UserError):  # no repository, or one that changes meanwhile
        return
