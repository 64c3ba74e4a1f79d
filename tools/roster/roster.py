"""A roster: a file with a notebook in each row, and the mark in the directories that it keeps."""

import re
from collections.abc import Collection, Sequence
from dataclasses import dataclass
from pathlib import Path

from tools.errors import UserError
from tools.scaffold.render import set_head
from tools.scaffold.row_files import FileRow, read_rows

NAMES = ("notebooks.csv", "notebooks.yaml", "notebooks.yml")
_MARK = re.compile(r"^# Row (\S+) of (.+): edit it there, then `tools sync`\.$", re.MULTILINE)


@dataclass(frozen=True)
class Roster:
    """The rows of a file; `name` is its path in the repository, which the marks have."""

    path: Path
    name: str
    rows: Sequence[FileRow]

    def mark(self, directory: str) -> str:
        """The comment that says that the roster keeps a directory's values."""
        return f"# Row {directory} of {self.name}: edit it there, then `tools sync`."

    def where(self, line: int) -> str:
        """A line of the file, for an error."""
        return f"{self.name}, line {line}"


def read(root: Path, file: Path | None, keys: Collection[str]) -> Roster:
    """Reads `file`, or the one of NAMES at the root; `keys` are those that a row may have.

    Raises UserError if there is none or more than one, if the file lies outside of the repository,
    and as `read_rows`.
    """
    path = (file or _find(root)).resolve()
    if not path.is_relative_to(root.resolve()):
        raise UserError(f"{path} is outside of the repository {root}; move the roster into it")
    name = path.relative_to(root.resolve()).as_posix()
    return Roster(path, name, read_rows(path, keys))


def marked_by(text: str, directory: str) -> str | None:
    """Returns the roster that keeps a directory, by the mark in its terraform.tfvars; or None.

    The mark names the directory, so that a copy under another name belongs to no roster.
    """
    return next((name for row, name in _MARK.findall(text) if row == directory), None)


def set_mark(text: str, mark: str) -> str:
    """Returns the text of a terraform.tfvars with `mark`, and no other, at its head."""
    return set_head(_MARK.sub("", text, count=1), mark)


def _find(root: Path) -> Path:
    rosters = [root / name for name in NAMES if (root / name).is_file()]
    if not rosters:
        raise UserError(
            f"there is no {' or '.join(NAMES[:2])} in {root}; write one (examples/rosters), or "
            "name the file: tools sync FILE"
        )
    if len(rosters) > 1:
        names = " and ".join(path.name for path in rosters)
        raise UserError(f"{root} has {names}; keep one, or name it: tools sync {rosters[0].name}")
    return rosters[0]
