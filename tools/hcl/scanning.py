"""Finds things in HCL by its text: in files that may be broken, or are read on every run."""

import re
from collections.abc import Iterable
from pathlib import Path

# What Terraform and OpenTofu read as configuration, and where init notes the chosen providers.
CONFIGURATION_ENDINGS = (".tf", ".tf.json", ".tofu", ".tofu.json")
LOCK_FILE = ".terraform.lock.hcl"
_VALUES = ("terraform.tfvars", "terraform.tfvars.json")
_AUTOMATIC = (".auto.tfvars", ".auto.tfvars.json")
_ASSIGNMENT = re.compile(r"^\s*([\w-]+)\s*=\s*(.+)$", re.MULTILINE)
_QUOTED = re.compile(r'"((?:[^"\\\n]|\\.)*)"')
_LOCKED = re.compile(r'^provider "([^"]+)" \{\s*version\s*=\s*"([^"]+)"', re.MULTILINE)


def assigned_texts(text: str) -> list[tuple[str, str]]:
    """Returns name and text of each assignment in a .tfvars file, as far as its line goes."""
    return [(name, value.strip(" \t\r\"'[]{},=")) for name, value in _ASSIGNMENT.findall(text)]


def quoted_texts(text: str) -> list[str]:
    """Returns the texts in quotes that end on their line."""
    return _QUOTED.findall(text)


def sets(text: str, name: str) -> bool:
    """Returns whether a file, such as a CLI configuration, sets `name` or has such a block.

    The file may be in JSON.
    """
    word = re.escape(name)
    pattern = rf'"{word}"\s*:' if is_json(text) else rf"^\s*{word}\b"
    return re.search(pattern, text, re.MULTILINE) is not None


def is_json(text: str) -> bool:
    """Returns whether a text in HCL 1 or JSON is JSON, as Terraform tells a CLI configuration's.

    https://github.com/hashicorp/hcl/blob/v1.0.0/lex.go
    """
    return text.lstrip().startswith("{")


def locked_versions(directory: Path) -> dict[str, str]:
    """Returns the providers that an init in `directory` has chosen: address to version."""
    lock_file = directory / LOCK_FILE
    return dict(_LOCKED.findall(lock_file.read_text())) if lock_file.is_file() else {}


def value_names(names: Iterable[str]) -> list[str]:
    """Returns those of `names` that Terraform reads for values by itself, the strongest last.

    https://developer.hashicorp.com/terraform/language/values/variables#variable-definition-precedence
    """
    names = sorted(names)
    return [n for n in _VALUES if n in names] + [n for n in names if n.endswith(_AUTOMATIC)]
