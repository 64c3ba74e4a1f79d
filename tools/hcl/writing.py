"""Writes HCL literals and .tfvars files."""

import json
import re
from collections.abc import Mapping, Sequence

from tools.hcl.reading import Value
from tools.hcl.syntax import UnreadableError, parse_file

_ESCAPES = {'"': '\\"', "\\": "\\\\", "\n": "\\n", "\r": "\\r", "\t": "\\t"}

# The values of a notebook that are written first, in this order; the others follow by name.
_FIRST = ("instance_type", "volume_size", "owner", "purpose", "environment", "idle_stop_minutes")
_BLANK = r"(?:\s|/\*(?:(?!\*/).)*\*/)*"
# In a heredoc a "#" counts too, which errs on the safe side.
_TEXT_OR_COMMENT = re.compile(r'"(?:\\.|[^"\\])*"|(#|//|/\*)')


def dumps(value: Value, indent: str = "") -> str:
    """Formats `value` as an HCL literal, as `terraform fmt` does.

    Terraform reads the same value back. The lines of a map after the first begin with `indent`.
    """
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
    """Quotes `text` as an HCL string, whatever it holds.

    https://github.com/hashicorp/hcl/blob/main/hclsyntax/spec.md#template-expressions
    """
    escaped = "".join(map(_escape, text))
    # Not `$${`: other readers, such as python-hcl2 8.1, take that to reach up to a closing brace.
    return '"' + escaped.replace("${", "\\u0024{").replace("%{", "\\u0025{") + '"'


def quote_key(text: str) -> str:
    """Quotes `text` as Terraform does the key of an instance in an address (toHCLQuotedString).

    https://github.com/hashicorp/terraform/blob/v1.11.4/internal/addrs/instance_key.go
    """
    escaped = "".join(map(_escape, text))
    return '"' + re.sub(r"([$%])\{", r"\1\1{", escaped) + '"'


def backend_block(kind: str, arguments: Mapping[str, Value]) -> str:
    """The `terraform` block with the backend `kind`, formatted as `terraform fmt` does."""
    width = max(map(len, arguments), default=0)
    body = "".join(f"    {name:<{width}} = {dumps(v)}\n" for name, v in arguments.items())
    return f'terraform {{\n  backend "{kind}" {{\n{body}  }}\n}}\n'


def assign(text: str, values: Mapping[str, Value]) -> str:
    """Sets `values` in the text of a .tfvars file, in their lines or at its end.

    Other values stay as they are, and so does every comment outside of a value that is replaced.
    """
    lines = text.splitlines(keepends=True)
    for name, value in values.items():
        assignment = f"{name} = {dumps(value)}\n"
        position = _find_assignment(lines, name)
        if position is None:
            if lines and not lines[-1].endswith("\n"):
                lines[-1] += "\n"
            lines.append(assignment)
        else:
            lines[position] = [assignment]
    return "".join(lines)


def replace(text: str, name: str, value: Value) -> str | None:
    """Sets `name`, which the text of a .tfvars file sets already, and keeps what is around it.

    Its indent, the space before the value and a comment at the end of its line stay. Returns None
    if other comments stand on its lines, which would be lost.
    """
    lines = text.splitlines(keepends=True)
    position = _find_assignment(lines, name)
    if position is None:
        return None
    old = "".join(lines[position])
    comments = [match.start() for match in _TEXT_OR_COMMENT.finditer(old) if match[1]]
    at_end = comments[:1] if position.stop - position.start == 1 and "/*" not in old else []
    if len(comments) > len(at_end):
        return None
    before = re.match(r"\s*[^=\s]+\s*=\s*", old)
    assert before
    kept = f"  {old[at_end[0] :].rstrip()}" if at_end else ""
    lines[position] = [f"{before[0]}{dumps(value)}{kept}\n"]
    return "".join(lines)


def fill_in(text: str, values: Mapping[str, Value]) -> str:
    """Sets `values` as `assign` does, but for those that a line shows as a comment: there."""
    for name, value in values.items():
        if _find_assignment(text.splitlines(keepends=True), name) is None:
            shown = re.compile(rf"^# *{re.escape(name)} *=.*$", re.MULTILINE)
            line = f"{name} = {dumps(value)}"
            text = shown.sub(lambda match, line=line: line, text, count=1)  # type: ignore[misc]
        text = assign(text, {name: value})
    return text


def has_comments(text: str, name: str) -> bool:
    """Whether comments stand on the lines that set `name`, which `assign` would drop."""
    lines = text.splitlines(keepends=True)
    position = _find_assignment(lines, name)
    if position is None:  # a comment that began on another line may end on that of the name
        return name in (_names_in(lines) or ())
    return any(match[1] for match in _TEXT_OR_COMMENT.finditer("".join(lines[position])))


def _find_assignment(lines: Sequence[str], name: str) -> slice | None:
    """The lines on which `name` is set at the top level: as few as are HCL by themselves."""
    for start, line in enumerate(lines):
        # The lines before parse only if this one is in no map, list or heredoc.
        if (
            re.match(rf"\ufeff?{_BLANK}{re.escape(name)}{_BLANK}=", line)
            and _names_in(lines[:start]) is not None
        ):
            for end in range(start + 1, len(lines) + 1):
                if _names_in(lines[start:end]) == [name]:
                    return slice(start, end)
    return None


def _names_in(lines: Sequence[str]) -> list[str] | None:
    """The names that `lines` set, or None if they do not parse by themselves."""
    try:
        return list(parse_file("".join(lines)).attributes)
    except UnreadableError:
        return None


def _escape(character: str) -> str:
    if character in _ESCAPES:
        return _ESCAPES[character]
    if character.isprintable():
        return character
    code = ord(character)
    return f"\\u{code:04x}" if code <= 0xFFFF else f"\\U{code:08x}"


def format_assignments(values: Mapping[str, Value]) -> str:
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
