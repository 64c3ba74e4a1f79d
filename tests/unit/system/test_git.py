"""What git cannot say is unknown, and holds nobody up."""

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
