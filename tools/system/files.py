"""Files that others read while they are written, and those that cannot be read."""

import ctypes
import errno
import os
import threading
from collections.abc import Iterator, Mapping
from contextlib import contextmanager, suppress
from pathlib import Path

from tools.errors import UserError, in_one_line
from tools.system.user import home_folder

# What reading JSON of another form than expected raises.
MALFORMED = (
    ValueError,
    TypeError,
    KeyError,
    AttributeError,
    ArithmeticError,  # Decimal of a text that is no number
    RecursionError,  # lists in lists without end
)

_READABLE = 0o666  # what open() gives a new file, less the umask
_MENDS = {
    errno.EACCES: "look at its owner and permissions (ls -ld)",
    errno.EPERM: "look at its owner and permissions (ls -ld)",
    errno.EROFS: "the file system is read-only, so work in a copy",
    errno.EEXIST: "a file is where a folder has to be: move it away",
    errno.ENOTDIR: "a file is where a folder has to be: move it away",
    errno.EISDIR: "a folder is where a file has to be: move it away",
    errno.ENOSPC: "free some space",
}


def user_cache() -> Path:
    """Returns the folder for what can be fetched again, of this user and for every repository.

    Raises UserError as `home_folder`.
    https://specifications.freedesktop.org/basedir-spec/latest/
    """
    home = os.environ.get("XDG_CACHE_HOME") or ""
    cache = Path(home) if Path(home).is_absolute() else home_folder(os.environ) / ".cache"
    return cache / "sagemaker-notebooks"


def explain(error: OSError) -> str:
    """Returns what the system says, and how to mend it if that is known."""
    mend = _MENDS.get(error.errno or 0)
    return f"{error.strerror}; {mend}" if mend else str(error.strerror)


def working_directory() -> Path:
    """Returns the working directory. Raises UserError if it has been removed."""
    try:
        return Path.cwd()
    except FileNotFoundError:
        raise UserError("the working directory has been removed; cd to another one") from None


@contextmanager
def explain_unreadable(path: Path) -> Iterator[None]:
    """Raises UserError if the block fails to read `path`, or what it finds there."""
    try:
        yield
    except OSError as error:
        raise UserError(f"cannot read {error.filename or path}: {explain(error)}") from None


def explain_malformed(error: Exception) -> str:
    """Returns why the JSON of a file, which raised one of MALFORMED, is not what it should be."""
    return f"no {error}" if isinstance(error, KeyError) else in_one_line(str(error))


def write(path: Path, content: str | bytes, mode: int = _READABLE) -> None:
    """Writes the whole file at once, and makes its folders.

    Readers see the file as it was or as it is to be, never a part. `mode` are the permissions of
    the file, less the umask. Raises UserError if the disk refuses; the file is left as it was.
    """
    data = content.encode() if isinstance(content, str) else content
    flags = os.O_WRONLY | os.O_CREAT | os.O_TRUNC
    with replacing(path) as partial, os.fdopen(os.open(partial, flags, mode), "wb") as file:
        file.write(data)


@contextmanager
def writing_all(contents: Mapping[Path, str | bytes]) -> Iterator[None]:
    """Writes all files, and takes that back if a write fails or the block raises.

    A file that somebody has changed meanwhile is left as it is. Raises UserError as `write`.
    """
    before = {path: read(path) for path in contents}
    try:
        for path, content in contents.items():
            write(path, content)
        yield
    except BaseException:
        for path, content in contents.items():
            with suppress(OSError, UserError):  # the disk that is full may have room for another
                _take_back(path, content, before[path])
        raise


def _take_back(path: Path, content: str | bytes, before: bytes | None) -> None:
    written = content.encode() if isinstance(content, str) else content
    if written == before or read(path) != written:
        return
    if before is None:
        path.unlink()
    else:
        write(path, before)


def read(path: Path) -> bytes | None:
    """Returns the content of a file, or None if there is none."""
    return path.read_bytes() if path.is_file() else None


@contextmanager
def replacing(path: Path) -> Iterator[Path]:
    """Gives the block the path of a file to make, which then takes the place of `path` at once.

    Makes the folders of `path`. Raises UserError if the disk refuses; whatever the block raises,
    `path` is left as it was.
    """
    # A name of its own for each writer: two that share one would mix their texts.
    partial = path.with_name(f".{path.name}.{os.getpid()}.{threading.get_native_id()}")
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        partial.unlink(missing_ok=True)  # of one that was killed
        yield partial
        partial.replace(path)
    except BaseException as error:
        with suppress(OSError):
            partial.unlink()
        if isinstance(error, OSError):
            raise UserError(f"cannot write {path}: {explain(error)}") from None
        raise


def exchange(first: Path, second: Path) -> None:
    """Gives each of two directories the other's name, in one step if the system can.

    Otherwise in two: a kill between them leaves `second` at the name of `first` with ".old".
    https://man7.org/linux/man-pages/man2/rename.2.html (RENAME_EXCHANGE)
    https://developer.apple.com/documentation/kernel/1387152-vnode_rename (RENAME_SWAP)
    """
    if _exchange_at_once(os.fsencode(first), os.fsencode(second)):
        return
    aside = first.with_name(f"{first.name}{ASIDE}")
    second.rename(aside)
    first.rename(second)
    aside.rename(first)


ASIDE = ".old"
_AT_WORKING_DIRECTORY = -100  # AT_FDCWD of Linux
_EXCHANGE = 2  # the flag of both systems


def _exchange_at_once(encoded_first: bytes, encoded_second: bytes) -> bool:
    system = ctypes.CDLL(None, use_errno=True)
    with suppress(AttributeError):  # not in every C library
        here = _AT_WORKING_DIRECTORY
        return bool(system.renameat2(here, encoded_first, here, encoded_second, _EXCHANGE) == 0)
    with suppress(AttributeError):
        return bool(system.renamex_np(encoded_first, encoded_second, _EXCHANGE) == 0)
    return False


def write_if_new(path: Path, text: str, mode: int = _READABLE) -> None:
    """Writes `text` as `write` does, unless it is in the file already.

    A file that is left alone keeps its time, and nobody who reads it is disturbed.
    """
    if not path.is_file() or path.read_text(encoding="utf-8") != text:
        write(path, text, mode)
