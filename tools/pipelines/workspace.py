"""The files that a job has checked out, and folders that it alone can read."""

import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from tools.errors import UserError
from tools.system import git


def tree_of(root: Path) -> str:
    """Returns the id of the tree of files that is checked out in `root`.

    Raises UserError if it is no clone of git, or if files in it were changed.
    """
    tree = (git.ask(root, "rev-parse", "HEAD^{tree}") or b"").decode().strip()
    if not tree:
        why = git.complaint(root, "rev-parse", "HEAD^{tree}")
        raise UserError(f"{root}: a pipeline needs a clone of git with a commit ({why})")
    changed = git.changed_paths(root, "--untracked-files=no")
    if changed is None:
        raise UserError(f"git status fails in {root}: files may differ from the commit")
    if changed:
        raise UserError(
            f"files in {root} differ from the commit, so its plans would be of something else: "
            f"{changed[0]}"
        )
    return tree


@contextmanager
def private_folder() -> Iterator[Path]:
    """Yields a folder for plans, which only its owner can read and which is deleted afterwards."""
    with tempfile.TemporaryDirectory(prefix="pipeline-") as parent:
        folder = Path(parent) / "plans"
        folder.mkdir(mode=0o700)
        yield folder
