"""What git knows of a directory; nothing if there is no git, or no repository."""

import subprocess
from collections.abc import Sequence
from pathlib import Path


def changed_files(directory: Path, names: Sequence[str]) -> list[str]:
    """Returns those of the files `names` in `directory` that differ from the last commit.

    New files are among them, and those that .gitignore names are not.
    """
    command = ["git", "status", "--porcelain", "--untracked-files=all", "-z", "--", *names]
    try:
        done = subprocess.run(command, cwd=directory, capture_output=True, text=True, check=False)
    except FileNotFoundError:
        return []
    if done.returncode:  # in no repository
        return []
    changed = {entry[3:].rsplit("/", 1)[-1] for entry in done.stdout.split("\0") if entry}
    return sorted(changed.intersection(names))
