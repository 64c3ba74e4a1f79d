"""Files that others read while they are written."""

import os
from contextlib import suppress
from pathlib import Path

from tools.errors import UserError


def write(path: Path, text: str) -> None:
    """Writes `text`, in folders that are made; readers see what was before, or all of it.

    Raises UserError where the disk refuses; what was before is left then.
    """
    partial = path.with_name(f".{path.name}.{os.getpid()}")
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        partial.write_text(text, encoding="utf-8")
        partial.replace(path)
    except OSError as error:
        with suppress(OSError):
            partial.unlink()
        raise UserError(f"cannot write {path}: {error.strerror}") from None
