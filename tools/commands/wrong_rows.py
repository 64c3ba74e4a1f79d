"""Shows the wrong rows of a file, for the commands that read one."""

from collections.abc import Iterator
from contextlib import contextmanager

import click

from tools.errors import UserError
from tools.scaffold.row_files import WrongRowsError

_MOST = 20  # rows


@contextmanager
def show() -> Iterator[None]:
    """Prints a line for each wrong row that the block finds, and raises UserError with the sum."""
    try:
        yield
    except WrongRowsError as error:
        if len(error.lines) == 1:
            raise
        for line in error.lines[:_MOST]:
            click.secho(line, fg="red", err=True)
        more = len(error.lines) - _MOST
        rest = f", {more} of them not shown" if more > 0 else ""
        raise UserError(f"{len(error.lines)} rows are wrong{rest}; nothing was written") from None
