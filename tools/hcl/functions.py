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

from tools.hcl.syntax import SPACES


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
    if len({type(value) for value in values if value is not None}) > 1:
        raise TypeError(values)  # which Terraform converts to one type
    return next(value for value in values if value is not None and value != "")


def _format(pattern: str, *values: Any) -> str:
    if re.sub(r"%[svd%]", "", pattern).count("%"):
        raise ValueError(pattern)
    if not all(isinstance(value, str | int) for value in values):
        raise ValueError(values)
    verbs = re.findall(r"%([svd%])", pattern)
    for verb, value in zip([verb for verb in verbs if verb != "%"], values, strict=False):
        if verb == "d" and not isinstance(value, int):
            raise ValueError(value)
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
    return TextSet(sorted(set(_texts(values))))


def _contains(values: list[Any], value: Any) -> bool:
    if not isinstance(values, list) or not all(isinstance(item, str) for item in [*values, value]):
        raise TypeError(values)  # of several types, which Terraform converts
    return value in values


def _merge(*maps: Mapping[str, Any] | None) -> dict[str, Any]:
    merged: dict[str, Any] = {}
    for values in maps:
        merged.update(values or {})
    return merged


def _texts(values: Any) -> list[str]:
    """`values`, if it is a list of texts: one of several types Terraform converts."""
    if not isinstance(values, list) or not all(isinstance(value, str) for value in values):
        raise TypeError(values)
    return values


def _cased(text: str, change: Callable[[str], str]) -> str:
    """`text` in another case, letter by letter as Go has it; of Latin letters alone."""
    letters = list(map(change, text))
    if any(len(letter) > 1 or letter > _LAST_LATIN for letter in (*letters, *text)):
        raise ValueError(text)  # Python makes two letters of some, such as ß
    return "".join(letters)


_LAST_LATIN = "\u024f"


def _length(value: Any) -> int:
    # Of a text it is the number of grapheme clusters, of which "\r\n" is one:
    # https://unicode.org/reports/tr29/#GB3
    if isinstance(value, str) and (not value.isascii() or "\r\n" in value):
        raise ValueError(value)
    return len(value)


def _one(values: list[Any]) -> Any:
    if not isinstance(values, list) or len(values) > 1:
        raise TypeError(values)
    return values[0] if values else None


def _join(separator: str, *lists: list[Any]) -> str:
    if not all(isinstance(items, list) for items in lists):
        raise TypeError(lists)
    return separator.join(_text(item) for items in lists for item in items)


def _concat(*lists: list[Any]) -> list[Any]:
    if not all(type(items) is list for items in lists):  # no set
        raise TypeError(lists)
    return [item for items in lists for item in items]


def _lookup(values: Mapping[str, Any], key: str, *default: Any) -> Any:
    if not isinstance(key, str):
        raise TypeError(key)
    return values.get(key, *default) if default else values[key]


def _element(values: list[Any], index: int) -> Any:
    if not isinstance(values, list) or index < 0:
        raise TypeError(values)
    return values[index % len(values)]


def _replace(text: str, old: str, new: str) -> str:
    if len(old) > 1 and old[0] == old[-1] == "/":
        raise ValueError(old)  # a regular expression
    return text.replace(old, new)


def _basename(path: str) -> str:
    return posixpath.basename(path.rstrip("/")) or ("/" if path else ".")


def _dirname(path: str) -> str:
    if "//" in path:
        raise ValueError(path)
    return posixpath.normpath(posixpath.dirname(path) or ".")


def _flatten(values: list[Any]) -> list[Any]:
    if not isinstance(values, list):
        raise TypeError(values)
    return [
        inner for item in values for inner in (_flatten(item) if isinstance(item, list) else [item])
    ]


# What Go's regular expressions and Python's read alike. Go's class of spaces has no vertical tab,
# and Go has no possessive quantifiers, such as a++.
# https://pkg.go.dev/regexp/syntax
_ALIKE = re.compile(
    r"(?:[^\\$(\[{+]|(?<![*+?}])\+|\{(?!,)|\\[bsSdDwWnt\W]|\((?!\?)|\(\?[sm]*:|\[\^?(?:[^\]\\\[]|\\[sSdDwWnt\W])+\])*"
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
    "compact": lambda values: [v for v in _texts([v for v in values if v is not None]) if v],
    "concat": _concat,
    "contains": _contains,
    "dirname": _dirname,
    "distinct": lambda values: list(dict.fromkeys(_texts(values))),
    "element": _element,
    "endswith": lambda text, end: text.endswith(end),
    "flatten": _flatten,
    "format": _format,
    "join": _join,
    "keys": lambda values: sorted(values.keys()),
    "length": _length,
    "lookup": _lookup,
    "lower": lambda text: _cased(text, str.lower),
    "merge": _merge,
    "one": _one,
    "regexall": _regexall,
    "replace": _replace,
    "split": lambda separator, text: text.split(separator),
    "startswith": lambda text, start: text.startswith(start),
    "tobool": lambda value: {"true": True, "false": False}[_text(value)],
    "tolist": lambda values: list(_texts(values)),
    "tomap": lambda values: dict(zip(values, _texts([*values.values()]), strict=True)),
    "toset": _set,
    "tostring": lambda value: None if value is None else _text(value),
    "trimprefix": lambda text, prefix: text.removeprefix(prefix),
    "trimspace": lambda text: text.strip(SPACES),
    "trimsuffix": lambda text, suffix: text.removesuffix(suffix),
    "upper": lambda text: _cased(text, str.upper),
    "values": lambda values: [values[key] for key in sorted(values)],
}
