"""What git cannot say is unknown, and holds nobody up."""

import subprocess
from pathlib import Path

import pytest

from tools.system import git


def test_no_answer_where_there_is_no_git(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("PATH", str(tmp_path))
    assert git.ask(tmp_path, "--version") is None


def test_no_answer_where_git_takes_longer(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """As on a network's disk. A stand-in that never ends."""
    program = tmp_path / "git"
    program.write_text("#!/bin/sh\nexec sleep 600\n")
    program.chmod(0o755)
    monkeypatch.setenv("PATH", str(tmp_path), prepend=":")
    assert git.ask(tmp_path, "status", seconds=0.01) is None


def test_why_git_fails_is_its_first_complaint(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("GIT_CEILING_DIRECTORIES", str(tmp_path.parent))
    assert git.complaint(tmp_path, "status").startswith("fatal: not a git repository")
    subprocess.run(["git", "init", "-q"], cwd=tmp_path, check=True)
    assert git.complaint(tmp_path, "status") == ""
    monkeypatch.setenv("PATH", str(tmp_path))
    assert git.complaint(tmp_path, "status") == "git status does not run, or takes too long"


def test_paths_are_as_they_are_named_also_after_a_renaming(tmp_path: Path) -> None:
    def run(*arguments: str) -> None:
        identity = ("-c", "user.name=t", "-c", "user.email=t@example.org")
        subprocess.run(["git", *identity, *arguments], cwd=tmp_path, check=True)

    run("init", "-q")
    (tmp_path / "a b").write_text("x\n")
    run("add", ".")
    run("commit", "-qm", "all")
    run("mv", "a b", "c d")
    (tmp_path / "é").touch()
    assert git.changed_paths(tmp_path) == ["a b", "c d", "é"]
    assert git.changed_files(tmp_path, ["a b", "c d", "é"]) == ["a b", "c d", "é"]
    assert git.changed_paths(tmp_path / ".git") is None
