"""The functions of Terraform that are evaluated here, on known values.

Wrong arguments raise TypeError, ValueError, LookupError
or AttributeError, and what is not done exactly as Terraform does it raises ValueError.
https://developer.hashicorp.com/terraform/language/functions
"""

import posixpath
import re
from collections.abc import Callable, Mapping
from functools import cache
from typing import Any


def text_of(value: Any) -> str | None:
    """What Terraform makes of `value` where it wants a string; None if it is no primitive."""
    if isinstance(value, bool):
        return "true" if value else "false"
    if isinstance(value, str | int):
        return str(value)
    if isinstance(value, float):
        return str(int(value)) if value.is_integer() else repr(value)
    return None


def _text(value: Any) -> str:
    text = text_of(value)
    if text is None:
        raise TypeError(value)
    return text


def _coalesce(*values: Any) -> Any:
    return next(value for value in values if value is not None and value != "")


def _format(pattern: str, *values: Any) -> str:
    if re.sub(r"%[svd%]", "", pattern).count("%"):
        raise ValueError(pattern)
    if "%d" in pattern and not all(isinstance(value, str | int) for value in values):
        raise ValueError(values)
    rest = iter(values)
    text = re.sub(
        r"%([svd%])", lambda match: "%" if match[1] == "%" else _text(next(rest)), pattern
    )
    if list(rest):
        raise ValueError(pattern)
    return text


class TextSet(list[str]):
    """A set of strings, in the order in which Terraform goes through it."""


def _set(values: Any) -> TextSet:
    if not isinstance(values, list):
        raise TypeError(values)
    return TextSet(sorted({_text(value) for value in values}))


def _contains(values: Any, value: Any) -> bool:
    if not all(isinstance(item, str) for item in [*values, value]):
        raise TypeError(values)  # of several types, which Terraform converts
    return value in values


def _merge(*maps: Mapping[str, Any] | None) -> dict[str, Any]:
    merged: dict[str, Any] = {}
    for values in maps:
        merged.update(values or {})
    return merged


def _concat(*lists: list[Any]) -> list[Any]:
    return [item for items in lists for item in items]


def _lookup(values: Mapping[str, Any], key: str, *default: Any) -> Any:
    return values.get(key, *default) if default else values[key]


def _element(values: list[Any], index: int) -> Any:
    return values[index % len(values)]


def _replace(text: str, old: str, new: str) -> str:
    if len(old) > 1 and old[0] == old[-1] == "/":
        raise ValueError(old)  # a regular expression
    return text.replace(old, new)


def _basename(path: str) -> str:
    return posixpath.basename(path.rstrip("/")) or ("/" if path else ".")


def _dirname(path: str) -> str:
    return posixpath.normpath(posixpath.dirname(path) or ".")


def _flatten(values: Any) -> list[Any]:
    return [
        inner for item in values for inner in (_flatten(item) if isinstance(item, list) else [item])
    ]


# What Go's regular expressions and Python's read alike. Go's class of spaces has no vertical tab.
# https://pkg.go.dev/regexp/syntax
_ALIKE = re.compile(
    r"(?:[^\\$(\[]|\\[bsSdDwWnt\W]|\((?!\?)|\(\?[sm]*:|\[\^?(?:[^\]\\\[]|\\[sSdDwWnt\W])+\])*"
)


@cache
def _compiled(pattern: str) -> re.Pattern[str]:
    if not _ALIKE.fullmatch(pattern):
        raise ValueError(pattern)
    try:
        return re.compile(pattern, re.ASCII)
    except re.error:
        raise ValueError(pattern) from None


def _regexall(pattern: str, text: str) -> list[Any]:
    compiled = _compiled(pattern)
    if "\v" in text:
        raise ValueError(pattern)
    matches = list(compiled.finditer(text))
    if not all(match[0] for match in matches):
        raise ValueError(pattern)  # beside others, Go leaves out empty ones
    return [list(match.groups()) if compiled.groups else match[0] for match in matches]


FUNCTIONS: dict[str, Callable[..., Any]] = {
    "basename": _basename,
    "coalesce": _coalesce,
    "compact": lambda values: [value for value in values if value not in (None, "")],
    "concat": _concat,
    "contains": _contains,
    "dirname": _dirname,
    "distinct": lambda values: list(dict.fromkeys(values)),
    "element": _element,
    "endswith": lambda text, end: text.endswith(end),
    "flatten": _flatten,
    "format": _format,
    "join": lambda separator, *lists: separator.join(map(_text, _concat(*lists))),
    "keys": lambda values: sorted(values.keys()),
    "length": len,
    "lookup": _lookup,
    "lower": lambda text: text.lower(),
    "merge": _merge,
    "one": lambda values: values[0] if values else None,
    "regexall": _regexall,
    "replace": _replace,
    "split": lambda separator, text: text.split(separator) if text else [],
    "startswith": lambda text, start: text.startswith(start),
    "tobool": lambda value: {"true": True, "false": False}[_text(value)],
    "tolist": lambda values: list(values) if isinstance(values, list) else _refuse(values),
    "tomap": dict,
    "toset": _set,
    "tostring": lambda value: None if value is None else _text(value),
    "trimprefix": lambda text, prefix: text.removeprefix(prefix),
    "trimspace": lambda text: text.strip(),
    "trimsuffix": lambda text, suffix: text.removesuffix(suffix),
    "upper": lambda text: text.upper(),
    "values": lambda values: [values[key] for key in sorted(values)],
}


def _refuse(value: Any) -> Any:
    raise TypeError(value)
