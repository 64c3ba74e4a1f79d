"""Finds things in HCL by its text: in files that may be broken, or are read on every run."""

import re
from itertools import pairwise

_BLOCK = re.compile(r"^[a-z]\w*[ \t]+(?:[\"{]|\w+[ \t]*{)", re.MULTILINE)
_VARIABLE = re.compile(r'variable[ \t]+"?([\w-]+)"?')
_IS_SENSITIVE = re.compile(r"\bsensitive\s*=\s*true\b")
_DEFAULT = re.compile(r'^\s*default\s*=\s*"(.*)"', re.MULTILINE)
_ASSIGNMENT = re.compile(r"^\s*([\w-]+)\s*=\s*(.+)$", re.MULTILINE)
_QUOTED = re.compile(r'"((?:[^"\\\n]|\\.)*)"')
_IN_MODULE = re.compile(r"\$\{path\.(?:module|root|cwd)\}/")
_REMOTE_OUTPUT = re.compile(
    r"data\.terraform_remote_state\.([\w-]+)(?:\[[^\]]*\])?"
    r'(?:\.outputs(?:\.([\w-]+)|\["([^"$]+)"\]))?'
)
_LOCKED = re.compile(r'^provider "([^"]+)" \{\s*version\s*=\s*"([^"]+)"', re.MULTILINE)


def sensitive_defaults(text: str) -> dict[str, str]:
    """Returns the variables in a .tf file that are marked sensitive: name to default.

    The default is empty if it is not a string.
    """
    defaults = {}
    starts = [match.start() for match in _BLOCK.finditer(text)] if "sensitive" in text else []
    for start, end in pairwise([*starts, len(text)]):
        block = text[start:end]
        variable = _VARIABLE.match(block)
        if variable and _IS_SENSITIVE.search(block):
            default = _DEFAULT.search(block)
            defaults[variable[1]] = default[1] if default else ""
    return defaults


def assigned_texts(text: str) -> list[tuple[str, str]]:
    """Returns name and text of each assignment in a .tfvars file, as far as its line goes."""
    return [(name, value.strip(" \t\r\"'[]{},")) for name, value in _ASSIGNMENT.findall(text)]


def paths(text: str) -> list[str]:
    """Returns the texts in quotes that are paths: of modules, scripts and templates."""
    quoted = dict.fromkeys(_QUOTED.findall(_IN_MODULE.sub("./", text)))
    return [path for path in quoted if _is_path(path)]


def _is_path(text: str) -> bool:
    return text.startswith(("./", "../", "/")) and "${" not in text and "\0" not in text


def remote_outputs(text: str) -> list[tuple[str, str]]:
    """Returns the outputs of other states that a .tf file names: data source and output.

    The output is empty where the file names all of a state's.
    """
    return [(name, first or second) for name, first, second in _REMOTE_OUTPUT.findall(text)]


def sets(text: str, name: str) -> bool:
    """Returns whether a file, such as a CLI configuration, sets `name` or has such a block."""
    return re.search(rf"^\s*{re.escape(name)}\b", text, re.MULTILINE) is not None


def locked_versions(text: str) -> dict[str, str]:
    """Returns the providers in a dependency lock file: address to version."""
    return dict(_LOCKED.findall(text))
