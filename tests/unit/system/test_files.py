"""A file is written whole or not at all."""

import ctypes
import os
from pathlib import Path
from types import SimpleNamespace

import pytest

from tools.errors import UserError
from tools.system import files


def test_text_and_bytes_are_written_with_their_folders(tmp_path: Path) -> None:
    path = tmp_path / "a/b/file"
    files.write(path, "é\n")
    assert path.read_bytes() == b"\xc3\xa9\n"
    files.write(path, b"\x00")
    assert path.read_bytes() == b"\x00"
    assert [found.name for found in path.parent.iterdir()] == ["file"]


def test_the_permissions_are_those_asked_for_less_the_umask(tmp_path: Path) -> None:
    before = os.umask(0o022)
    try:
        files.write(tmp_path / "plain", "")
        files.write(tmp_path / "secret", "", mode=0o600)
        files.write(tmp_path / "script", "", mode=0o777)
    finally:
        os.umask(before)
    modes = [(tmp_path / name).stat().st_mode & 0o777 for name in ("plain", "secret", "script")]
    assert modes == [0o644, 0o600, 0o755]


def test_a_reader_keeps_what_it_has_opened(tmp_path: Path) -> None:
    path = tmp_path / "file"
    files.write(path, "before")
    with path.open() as reader:
        files.write(path, "after")
        assert reader.read() == "before"
    assert path.read_text() == "after"


def test_a_disk_that_refuses_leaves_the_old_file_and_nothing_beside_it(tmp_path: Path) -> None:
    path = tmp_path / "file"
    path.mkdir()
    with pytest.raises(UserError, match=f"cannot write {path}: "):
        files.write(path, "text")
    assert list(tmp_path.iterdir()) == [path]


def test_an_interruption_leaves_nothing_beside_the_file(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def interrupt(self: Path, target: Path) -> Path:
        raise KeyboardInterrupt

    monkeypatch.setattr(Path, "replace", interrupt)  # Ctrl-C just before the file is in its place
    with pytest.raises(KeyboardInterrupt):
        files.write(tmp_path / "file", "text")
    assert list(tmp_path.iterdir()) == []


def test_all_are_written(tmp_path: Path) -> None:
    with files.writing_all({tmp_path / "a": "1", tmp_path / "b": b"2"}):
        assert (tmp_path / "a").read_text() == "1"
    assert (tmp_path / "b").read_text() == "2"


def test_all_are_as_before_if_one_cannot_be_written(tmp_path: Path) -> None:
    (tmp_path / "old").write_bytes(b"before\r\n")
    (tmp_path / "refused").mkdir()
    contents = dict.fromkeys((tmp_path / name for name in ("old", "new", "refused", "last")), "x")
    with pytest.raises(UserError, match="cannot write"), files.writing_all(contents):
        pytest.fail("one was not written")
    assert (tmp_path / "old").read_bytes() == b"before\r\n"
    assert {path.name for path in tmp_path.iterdir()} == {"old", "refused"}


def test_all_are_as_before_if_what_follows_fails_but_what_somebody_changed(tmp_path: Path) -> None:
    for name in ("old", "changed"):
        (tmp_path / name).write_text("before")
    contents = dict.fromkeys((tmp_path / name for name in ("old", "new", "changed", "gone")), "x")

    def interrupt() -> None:
        (tmp_path / "changed").write_text("by somebody")
        (tmp_path / "gone").unlink()
        raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt), files.writing_all(contents):
        interrupt()
    texts = {path.name: path.read_text() for path in tmp_path.iterdir()}
    assert texts == {"old": "before", "changed": "by somebody"}


def test_a_file_that_says_so_already_is_left_alone(tmp_path: Path) -> None:
    path = tmp_path / "file"
    files.write_if_new(path, "text")
    before = path.stat().st_ino
    files.write_if_new(path, "text")
    assert path.stat().st_ino == before
    files.write_if_new(path, "other")
    assert path.read_text() == "other"


def test_a_working_directory_that_has_been_removed_is_said(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (gone := tmp_path / "gone").mkdir()
    monkeypatch.chdir(gone)
    gone.rmdir()
    with pytest.raises(UserError, match="the working directory has been removed; cd to another"):
        files.working_directory()


def refuse(*_: object) -> int:
    return -1


@pytest.mark.parametrize(
    "library",
    [
        SimpleNamespace(),
        SimpleNamespace(renameat2=refuse),  # as on a file system of a network
        SimpleNamespace(renamex_np=refuse),
    ],
    ids=["neither", "Linux refuses", "macOS refuses"],
)
def test_directories_are_exchanged_where_the_system_cannot_do_it_at_once(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, library: SimpleNamespace
) -> None:
    """Stand-ins for the C libraries of other systems."""
    for name in ("new", "old"):
        files.write(tmp_path / name / "file", name)
    monkeypatch.setattr(ctypes, "CDLL", lambda *_, **__: library)
    files.exchange(tmp_path / "new", tmp_path / "old")
    assert (tmp_path / "new/file").read_text() == "old"
    assert (tmp_path / "old/file").read_text() == "new"
    assert sorted(path.name for path in tmp_path.iterdir()) == ["new", "old"]


def test_macos_exchanges_directories_at_once(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A stand-in for its C library, which notes the call; RENAME_SWAP of <sys/stdio.h> is 2."""
    calls: list[tuple[bytes, bytes, int]] = []

    def swap(first: bytes, second: bytes, flags: int) -> int:
        calls.append((first, second, flags))
        return 0

    monkeypatch.setattr(ctypes, "CDLL", lambda *_, **__: SimpleNamespace(renamex_np=swap))
    files.exchange(tmp_path / "new", tmp_path / "old")
    assert calls == [(bytes(tmp_path / "new"), bytes(tmp_path / "old"), 2)]
