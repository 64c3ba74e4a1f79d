"""Writes HCL literals and .tfvars files."""

import json
import re
from collections.abc import Mapping, Sequence
from pathlib import Path

from tools.errors import UserError
from tools.hcl.reading import Value, parse


def dumps(value: Value, indent: str = "") -> str:
    """`value` as an HCL literal that Terraform reads back as it was, formatted as its fmt does."""
    if isinstance(value, str):
        return quote(value)
    if isinstance(value, list):
        return "[" + ", ".join(dumps(item) for item in value) + "]"
    if isinstance(value, dict):
        if not value:
            return "{}"
        inner = indent + "  "
        keys = {quote(key): item for key, item in value.items()}
        width = max(map(len, keys))
        lines = (f"{inner}{key:<{width}} = {dumps(item, inner)}" for key, item in keys.items())
        return "{\n" + "\n".join(lines) + f"\n{indent}}}"
    return json.dumps(value)


def quote(text: str) -> str:
    """`text` as a quoted HCL string, whatever it holds.

    https://github.com/hashicorp/hcl/blob/main/hclsyntax/spec.md#template-expressions
    """
    escaped = "".join(map(_escape, text))
    # Not `$${`: python-hcl2 takes that to reach up to a closing brace, Terraform does not.
    return '"' + escaped.replace("${", "\\u0024{").replace("%{", "\\u0025{") + '"'


def backend_block(kind: str, arguments: Mapping[str, Value]) -> str:
    """The `terraform` block with the backend `kind`, formatted as `terraform fmt` does."""
    width = max(map(len, arguments), default=0)
    lines = "".join(f"    {name:<{width}} = {dumps(v)}\n" for name, v in arguments.items())
    return f'terraform {{\n  backend "{kind}" {{\n{lines}  }}\n}}\n'


def assign(text: str, values: Mapping[str, Value]) -> str:
    """The text of a .tfvars file with `values` in it, in their places or at its end.

    What is set besides, and every comment outside of a value that is replaced, stays as it is.
    """
    lines = text.splitlines(keepends=True)
    for name, value in values.items():
        assignment = f"{name} = {dumps(value)}\n"
        place = _assignment(lines, name)
        if place is None:
            if lines and not lines[-1].endswith("\n"):
                lines[-1] += "\n"
            lines.append(assignment)
        else:
            lines[place] = [assignment]
    return "".join(lines)


def has_comments(text: str, name: str) -> bool:
    """Whether comments stand on the lines that set `name`, which `assign` would drop."""
    lines = text.splitlines(keepends=True)
    place = _assignment(lines, name)
    if place is None:
        return False
    found = parse("".join(lines[place]), Path(), quotes=True, comments=True)
    return bool({"__comments__", "__inline_comments__"} & found.keys())


def _assignment(lines: Sequence[str], name: str) -> slice | None:
    """The lines on which `name` is set at the top level: as few as are HCL by themselves."""
    for start, line in enumerate(lines):
        # What comes before is whole only where the line is in no map, list or heredoc.
        if re.match(rf"\s*{re.escape(name)}\s*=", line) and _set_by(lines[:start]) is not None:
            for end in range(start + 1, len(lines) + 1):
                if _set_by(lines[start:end]) == [name]:
                    return slice(start, end)
    return None


def _set_by(lines: Sequence[str]) -> list[str] | None:
    """The names that `lines` set, None where they are not whole."""
    try:
        return list(parse("".join(lines), Path(), quotes=True))
    except UserError:
        return None


def _escape(character: str) -> str:
    if character in _ESCAPES:
        return _ESCAPES[character]
    if character.isprintable():
        return character
    code = ord(character)
    return f"\\u{code:04x}" if code <= 0xFFFF else f"\\U{code:08x}"


_ESCAPES = {'"': '\\"', "\\": "\\\\", "\n": "\\n", "\r": "\\r", "\t": "\\t"}


# The order in which a notebook's values are shown; others follow by name.
_FIRST = ("instance_type", "volume_size", "owner", "purpose", "environment", "idle_stop_minutes")


def assignments(values: Mapping[str, Value]) -> str:
    """`values` as the lines of a .tfvars file, formatted as `terraform fmt` does."""
    names = [name for name in _FIRST if name in values]
    names += sorted(set(values) - set(_FIRST))
    short = [name for name in names if not isinstance(values[name], dict)]
    width = max(map(len, short), default=0)
    lines = [f"{name:<{width}} = {dumps(values[name])}" for name in short]
    for name in names:
        if name not in short:
            lines += ["", f"{name} = {dumps(values[name])}"]
    return "\n".join(lines)
