"""Results of a parse, kept so that the same text is not parsed again.

They are kept from run to run in a file of the repository, which may go or break at any time.
"""

import json
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from functools import cache
from hashlib import blake2b
from pathlib import Path
from typing import Any

from tools import SCRATCH
from tools.errors import UserError
from tools.system import files

_MOST = 100_000  # results in the file; beyond that it holds the writing run's alone

_known: dict[str, Any] = {}
_used: set[str] = set()
_unkept: set[str] = set()
# The checksum and the results of the file that was read or written last: a run reads it many times.
_last: tuple[bytes, dict[str, Any]] = (b"", {})


@cache
def version_of(*sources: str) -> str:
    """A checksum of modules by their files, with which a `kind` leaves earlier results aside."""
    contents = (Path(source).read_bytes() for source in sources)
    return blake2b(b"".join(contents), digest_size=16).hexdigest()


def once(kind: str, text: str, parse: Callable[[], Any], keep: bool = True) -> Any:
    """Returns what `parse` does, which is called once for a `kind` and a `text`.

    The result is JSON that depends on those two alone, and callers do not change it. With `keep`
    off it is not written to the file: values may be secret. An exception is not kept.
    """
    key = blake2b(f"{kind}\0{text}".encode(), digest_size=16).hexdigest()
    if key not in _known:
        _known[key] = parse()
        if not keep:
            _unkept.add(key)
    _used.add(key)
    return _known[key]


@contextmanager
def persisted(root: Path) -> Iterator[None]:
    """Lends `once` the results of earlier runs in the repository `root`, and keeps those of this.

    A file that is broken or cannot be written is ignored.
    """
    path = root / SCRATCH / "parsed"
    stored = _load(path)
    _known.update(stored)
    try:
        yield
    finally:
        # Not all that is known, which may be of another repository. From a copy: another thread
        # may add to it.
        kept = {*stored, *_used.copy()} - _unkept
        results = {key: result for key, result in _known.copy().items() if key in kept}
        if len(results) > _MOST:
            results = {key: result for key, result in results.items() if key in _used}
        if not results.keys() <= stored.keys():
            with suppress(UserError):
                _save(path, results)


def _load(path: Path) -> dict[str, Any]:
    global _last
    with suppress(OSError, ValueError):
        checksum, _, content = path.read_bytes().partition(b"\n")
        if checksum == _checksum(content):
            if checksum != _last[0]:
                _last = checksum, json.loads(content)
            return _last[1]
    return {}


def _save(path: Path, results: dict[str, Any]) -> None:
    global _last
    content = json.dumps(results).encode()
    checksum = _checksum(content)
    # For its owner alone: a backend block may hold credentials.
    files.write(path, checksum + b"\n" + content, mode=0o600)
    _last = checksum, results


def _checksum(content: bytes) -> bytes:
    return blake2b(content).hexdigest().encode()
