"""What git says of a directory, if there is a git and it looks after that."""

import os
import subprocess
from collections.abc import Sequence
from pathlib import Path

from tools.errors import in_one_line

# With these, as in a hook, git would look elsewhere: `git rev-parse --local-env-vars`
_VARIABLES = ("GIT_COMMON_DIR", "GIT_DIR", "GIT_INDEX_FILE", "GIT_PREFIX", "GIT_WORK_TREE")
_COMPLAINTS = ("fatal: ", "error: ")


def ask(directory: Path, *arguments: str, seconds: float | None = None) -> bytes | None:
    """Returns what `git` with these arguments prints, None if it fails or takes longer."""
    answer = _run(directory, arguments, seconds)
    return answer.stdout if answer and answer.returncode == 0 else None


def complaint(directory: Path, *arguments: str, seconds: float | None = None) -> str:
    """Returns why `git` with these arguments fails, in one line; empty if it does not."""
    answer = _run(directory, arguments, seconds)
    if answer is None:
        return f"git {arguments[0]} does not run, or takes too long"
    if answer.returncode == 0:
        return ""
    lines = answer.stderr.decode(errors="replace").splitlines()
    first = next((line for line in lines if line.startswith(_COMPLAINTS)), "")
    return in_one_line(first) or f"git {arguments[0]} fails"


def _run(
    directory: Path, arguments: Sequence[str], seconds: float | None
) -> "subprocess.CompletedProcess[bytes] | None":
    env = {name: value for name, value in os.environ.items() if name not in _VARIABLES}
    try:
        return subprocess.run(
            ["git", *arguments],
            cwd=directory,
            # In English, of which a line is known by its beginning.
            env={**env, "LC_ALL": "C"},
            stdin=subprocess.DEVNULL,
            capture_output=True,
            check=False,
            timeout=seconds,
        )
    except (OSError, subprocess.TimeoutExpired):
        return None


def changed_paths(
    directory: Path, *arguments: str, seconds: float | None = None
) -> list[str] | None:
    """Returns what `git status` with these arguments lists, by its path in the repository.

    A renamed file has both of its paths. Returns None if git fails or takes longer.
    """
    # Without -z a path with a space or a letter that is not ASCII is in quotes: `git help status`.
    options = ("--porcelain", "--no-renames", "-z")
    answer = ask(directory, "status", *options, *arguments, seconds=seconds)
    if answer is None:
        return None
    return [entry[3:] for entry in os.fsdecode(answer).split("\0")[:-1]]


def changed_files(directory: Path, names: Sequence[str]) -> list[str]:
    """Returns those of the files `names` in `directory` that differ from the last commit.

    New files are among them, ignored ones are not. Returns [] without a git or a repository.
    """
    paths = changed_paths(directory, "--untracked-files=all", "--", *names) or []
    return sorted({path.rsplit("/", 1)[-1] for path in paths}.intersection(names))
