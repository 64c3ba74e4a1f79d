"""What is said of an exception that nothing else has caught: one line, and a file with the rest."""

import errno
import tempfile
import time
import traceback
from collections.abc import Mapping
from pathlib import Path

from tools import SCRATCH
from tools.errors import UserError
from tools.layout.repository import Repository
from tools.system import files
from tools.terraform import masking


def describe(error: Exception, root: Path | None, env: Mapping[str, str]) -> str:
    """Returns what to say of `error`, in a line; writes the traceback to a file if it is a bug.

    `root` is a directory in the repository, by default the working directory.
    """
    if isinstance(error, OSError) and error.errno == errno.ENOSPC:
        file = f" ({error.filename})" if error.filename else ""
        return f"the disk is full{file}; free some space, and run the command again"
    if isinstance(error, OSError) and error.filename is not None:
        return f"cannot use {error.filename}: {files.explain(error)}"
    what = f"this is a bug of tools ({type(error).__name__})"
    try:
        path = _write(error, root, env)
    except (OSError, UserError) as refusal:
        return f"{what}, and its traceback could not be written: {refusal}"
    return f"{what}; please report it with its traceback, which is in {path}"


def _write(error: Exception, root: Path | None, env: Mapping[str, str]) -> Path:
    """Writes the traceback beside the logs of runs, or into the system's folder for such files."""
    name = f"traceback-{time.strftime('%Y%m%dT%H%M%S')}.txt"
    repository = _repository(root)
    text = _mask(error, repository, env).encode(errors="backslashreplace")
    if repository:
        path = repository.root / SCRATCH / name
        try:
            files.write(path, text, mode=0o600)
            return path
        except UserError:
            pass  # as in a checkout that is read-only
    folder = Path(tempfile.mkdtemp(prefix="tools-"))
    files.write(folder / name, text, mode=0o600)
    return folder / name


def _repository(root: Path | None) -> Repository | None:
    try:
        return Repository.containing((root or files.working_directory()).resolve())
    except (UserError, OSError):
        return None


def _mask(error: Exception, repository: Repository | None, env: Mapping[str, str]) -> str:
    """The traceback without secret values.

    Where it is not known what is secret, without messages: the lines of this program hold none.
    """
    text = "".join(traceback.format_exception(error))
    try:
        directories = [stack.path for stack in repository.stacks()] if repository else []
        for directory in directories or [Path()]:
            text = masking.mask_of(directory, env)(text)
    except Exception:
        return "".join(traceback.format_tb(error.__traceback__)) + type(error).__name__ + "\n"
    return text
