"""What a job has checked out, as a real git says it."""

import subprocess
from pathlib import Path

import pytest

from tools.errors import UserError
from tools.pipelines.workspace import tree_of


@pytest.fixture
def clone(tmp_path: Path) -> Path:
    identity = ("-c", "user.name=t", "-c", "user.email=t@example.org")
    (tmp_path / "a b.tf").write_text("# one\n")
    for words in (("init", "-q"), ("add", "."), ("commit", "-qm", "all")):
        subprocess.run(["git", *identity, *words], cwd=tmp_path, check=True)
    return tmp_path


def test_a_file_that_differs_is_named(clone: Path) -> None:
    tree = subprocess.run(
        ["git", "write-tree"], cwd=clone, check=True, capture_output=True, text=True
    ).stdout.strip()
    assert tree_of(clone) == tree
    (clone / "a b.tf").write_text("# two\n")
    with pytest.raises(UserError, match=r"would be of something else: a b\.tf$"):
        tree_of(clone)


def test_what_git_cannot_tell_is_not_taken_for_unchanged(clone: Path) -> None:
    (clone / ".git/index").write_bytes(b"damaged")
    with pytest.raises(UserError, match=r"git status fails in .*: files may differ"):
        tree_of(clone)


def test_what_is_no_clone_for_git_says_why(clone: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    # As in a container whose user does not own the checkout; a variable of git's own tests.
    monkeypatch.setenv("GIT_TEST_ASSUME_DIFFERENT_OWNER", "1")
    monkeypatch.setenv("HOME", str(clone))
    monkeypatch.setenv("GIT_CONFIG_NOSYSTEM", "1")
    with pytest.raises(UserError, match=r"a commit \(fatal: detected dubious ownership"):
        tree_of(clone)
