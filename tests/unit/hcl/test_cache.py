"""What was parsed is not parsed again, in a run and in the next; a broken file does no harm."""

import json
import threading
from collections.abc import Callable
from pathlib import Path

import pytest

from tools import SCRATCH
from tools.hcl import cache


class Parser:
    """Counts what it is asked; its answer tells one call from another."""

    def __init__(self) -> None:
        self.calls = 0

    def __call__(self) -> dict[str, int]:
        self.calls += 1
        return {"call": self.calls}


@pytest.fixture
def new_run(monkeypatch: pytest.MonkeyPatch) -> Callable[[], None]:
    """What a new process would begin with: nothing in memory."""

    def forget() -> None:
        monkeypatch.setattr(cache, "_known", {})
        monkeypatch.setattr(cache, "_used", set())

    forget()
    return forget


@pytest.fixture
def file(tmp_path: Path, new_run: Callable[[], None]) -> Path:
    return tmp_path / SCRATCH / "parsed"


def look_up(parser: Parser, file: Path, text: str = "a = 1", kind: str = "k") -> dict[str, int]:
    with cache.persisted(file.parents[1]):
        found: dict[str, int] = cache.once(kind, text, parser)
    return found


def test_a_text_is_parsed_once_in_a_run_and_in_the_next(
    file: Path, new_run: Callable[[], None]
) -> None:
    parser = Parser()
    for _ in range(2):
        assert look_up(parser, file) == {"call": 1}
    new_run()
    assert look_up(parser, file) == {"call": 1}
    assert parser.calls == 1


def test_another_text_and_another_kind_are_parsed(file: Path) -> None:
    parser = Parser()
    look_up(parser, file)
    assert look_up(parser, file, text="a = 2") == {"call": 2}
    assert look_up(parser, file, kind="other") == {"call": 3}


def test_an_error_is_not_kept(file: Path, new_run: Callable[[], None]) -> None:
    def fail() -> None:
        raise ValueError("not valid")

    for _ in range(2):
        with pytest.raises(ValueError, match="not valid"), cache.persisted(file.parents[1]):
            cache.once("k", "a", fail)
        new_run()
    assert look_up(Parser(), file, "a") == {"call": 1}


@pytest.mark.parametrize(
    "damage",
    [
        lambda content: b"",
        lambda content: b"\xff\xfe",
        lambda content: content[:-1],
        lambda content: content.replace(b'"call": 1', b'"call": 7'),
        lambda content: content.partition(b"\n")[2],
    ],
)
def test_a_broken_file_is_as_none_and_is_mended(
    file: Path, new_run: Callable[[], None], damage: Callable[[bytes], bytes]
) -> None:
    look_up(Parser(), file)
    whole = file.read_bytes()
    file.write_bytes(damage(whole))
    assert file.read_bytes() != whole
    new_run()
    parser = Parser()
    assert look_up(parser, file) == {"call": 1}
    assert parser.calls == 1
    assert file.read_bytes() == whole


def test_a_folder_that_cannot_be_written_is_no_error(tmp_path: Path, file: Path) -> None:
    (tmp_path / SCRATCH).touch()
    assert look_up(Parser(), file) == {"call": 1}


def test_nothing_new_writes_nothing(file: Path, new_run: Callable[[], None]) -> None:
    look_up(Parser(), file)
    before = file.stat()
    new_run()
    look_up(Parser(), file)
    assert (file.stat().st_ino, file.stat().st_mtime_ns) == (before.st_ino, before.st_mtime_ns)


def test_a_file_that_has_grown_too_long_keeps_what_is_in_use(
    file: Path, new_run: Callable[[], None], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(cache, "_MOST", 3)
    for text in ("a", "b", "c"):
        look_up(Parser(), file, text)
    new_run()
    look_up(Parser(), file, "d")
    assert len(json.loads(file.read_bytes().partition(b"\n")[2])) == 1


def test_threads_leave_a_whole_file(file: Path, new_run: Callable[[], None]) -> None:
    threads = [
        threading.Thread(target=lambda n=n: look_up(Parser(), file, f"{n}")) for n in range(20)
    ]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert [path.name for path in file.parent.iterdir()] == [file.name]
    whole = file.read_bytes()
    new_run()
    with cache.persisted(file.parents[1]):
        pass
    assert cache._known
    assert file.read_bytes() == whole
