"""Names and globs by which a person says which stacks are meant."""

import fnmatch
from collections.abc import Iterable, Mapping, Sequence
from pathlib import Path

from tools.errors import UserError, nearest
from tools.layout.stack import FOLDERS

NO_STACK = "no stack is called"


def match_names(
    patterns: Sequence[str],
    names: Iterable[str],
    no_match: str,
    aliases: Mapping[str, str] | None = None,
) -> set[str]:
    """The names of stacks that at least one of `patterns` matches.

    A pattern is a stack's name (`notebooks/nlp`), its last part (`nlp`), its alias, or a glob of
    one of them (`notebooks/nlp-*`, `nlp-*`). A name that a pattern spells out comes before a glob.
    `aliases` maps a name to another one for it. Raises UserError, which begins with `no_match`, for
    a pattern that matches none.
    """
    names = list(names)
    names_by_word: dict[str, set[str]] = {}
    for name in names:
        for word in (name, name.split("/")[1], (aliases or {}).get(name, name)):
            names_by_word.setdefault(word, set()).add(name)
    matches: set[str] = set()
    for pattern in patterns:
        clean = pattern.rstrip("/")
        words = [clean] if clean in names_by_word else fnmatch.filter(names_by_word, clean)
        if not words:
            hint = nearest(clean, names, most=1, aliases=names_by_word)
            raise UserError(f"{no_match} {pattern}; {hint}")
        matches = matches.union(*(names_by_word[word] for word in words))
    return matches


def name_at(path: str, root: Path) -> str:
    """The name of the stack whose directory `path` is, such as `.`; otherwise `path` as it is.

    The directory lies in the repository `root`, or in the local cloud's copy of it, which lies
    below `root` too.
    """
    directory = Path(path).resolve()
    is_stack = directory.parent.name in FOLDERS and directory.is_dir()
    if is_stack and directory.is_relative_to(root):
        return f"{directory.parent.name}/{directory.name}"
    return path
