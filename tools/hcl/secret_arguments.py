"""What a root module hands to variables of its modules that are sensitive there alone."""

import os
import posixpath
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path

from tools.hcl import configuration, scanning
from tools.hcl.configuration import Attributes, Pieces
from tools.hcl.module_folders import ModuleFolders
from tools.hcl.syntax import Expression

_DEEPEST = 20  # modules within modules, and steps from a name to its value
_SHORTEST_PART = 8  # characters of a text beside others in a template


@dataclass
class Handed:
    """The `variables` of a module that become secret in one that it calls, and secret `texts`."""

    variables: set[str] = field(default_factory=set)
    texts: set[str] = field(default_factory=set)


def find_handed(directory: Path) -> Handed:
    """Returns what the root module in `directory` hands to sensitive variables of its modules."""
    # From where the directory really is, as the folders of modules count (`follow_links`).
    return _handed(ModuleFolders(os.path.realpath(directory)), "", ".", 0)


def references(expression: object) -> Iterator[tuple[str, str]]:
    """The names of variables and locals in an expression, each after "var" or "local"."""
    if isinstance(expression, list):
        if expression[:1] == ["attribute"] and expression[1] in (
            ["name", "var"],
            ["name", "local"],
        ):
            yield expression[1][1], str(expression[2])
        for part in expression:
            yield from references(part)


def _handed(folders: ModuleFolders, key: str, folder: str, depth: int) -> Handed:
    handed = Handed()
    pieces = _pieces(posixpath.join(folders.root, folder))
    if depth == _DEEPEST:
        return handed
    locals_ = {name: value for piece in pieces for name, value in piece["locals"].items()}
    for piece in pieces:
        for name, arguments in piece["modules"].items():
            called_key = f"{key}.{name}" if key else name
            source = arguments.get("source", ["literal", ""])
            path = str(source[1]) if source[0] == "literal" else ""
            called = folders.called(folder, path, called_key)
            secret = _secret_variables(folders, called_key, called, depth) if called else {}
            for argument in secret & arguments.keys():
                _add(handed, arguments[argument], locals_, 0)
    return handed


def _secret_variables(folders: ModuleFolders, key: str, folder: str, depth: int) -> set[str]:
    """The variables of a called module that are secret there, or further below."""
    names = set()
    for piece in _pieces(posixpath.join(folders.root, folder)):
        names |= {n for n, body in piece["variables"].items() if configuration.is_sensitive(body)}
    return names | _handed(folders, key, folder, depth + 1).variables


def _pieces(folder: str) -> list[Pieces]:
    pieces = []
    try:
        for file in sorted(Path(folder).iterdir()):
            if file.name.endswith(scanning.CONFIGURATION_ENDINGS) and file.name[0] != ".":
                content = file.read_bytes()
                if configuration.has_names(content):
                    pieces.append(configuration.read_pieces(content, file.name.endswith(".json")))
    except OSError:
        pass  # Terraform says so
    return pieces


def _add(handed: Handed, expression: Expression, locals_: Attributes, depth: int) -> None:
    """Notes the variables and texts of which the value of `expression` is made."""
    handed.texts.update(_texts(expression, 0))
    for kind, name in references(expression):
        if kind == "var":
            handed.variables.add(name)
        elif name in locals_ and depth < _DEEPEST:
            _add(handed, locals_[name], locals_, depth + 1)


def _texts(expression: object, shortest: int) -> Iterator[str]:
    if not isinstance(expression, list):
        return
    if expression[:1] == ["literal"]:
        if isinstance(expression[1], str) and len(expression[1]) >= shortest:
            yield expression[1]
    elif expression[:1] == ["template"]:
        for part in expression[1]:
            if isinstance(part, str) and len(part) >= _SHORTEST_PART:
                yield part
            yield from _texts(part, _SHORTEST_PART)
    elif expression[:1] == ["index"]:
        yield from _texts(expression[1], shortest)  # the key only chooses
    elif expression[:1] == ["if"]:
        for branch in expression[2:]:
            yield from _texts(branch, shortest)
    elif expression[:1] != ["binary"]:
        for part in expression:
            yield from _texts(part, shortest)
