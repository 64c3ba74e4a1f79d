"""Requests, read and checked against botocore's model of the operation.

Nothing here knows an operation, a limit or an allowed value: all come from the model.
"""

import re
from collections.abc import Iterator, Mapping
from datetime import UTC, datetime
from functools import cache
from typing import Any

from botocore.model import ListShape, MapShape, Shape, StructureShape

from .errors import SerializationError, ValidationError

# Java's Unicode classes, which the model's patterns use inside [...]. \w holds the underscore
# besides \p{L} and \p{N}, and so does each of those patterns.
_UNICODE_CLASSES = {
    r"\p{L}": r"\w",
    r"\p{N}": r"\w",
    r"\p{Z}": " \u00a0\u1680\u2000-\u200a\u2028\u2029\u202f\u205f\u3000",
}


def read(shape: StructureShape, body: object) -> dict[str, Any]:
    """The members of a request that the model knows, as Python values; timestamps in UTC.

    `body` is the request's JSON. Raises SerializationError where a value is of another type
    than the model's, and ValidationError where one breaks a constraint. Messages are worded as
    SageMaker's are: https://docs.aws.amazon.com/sagemaker/latest/APIReference/CommonErrors.html
    """
    request = _read_structure(shape, {} if body is None else body)
    violations = list(_violations(shape, request, ""))
    if violations:
        counted = f"{len(violations)} validation error{'s' if len(violations) > 1 else ''} detected"
        raise ValidationError(f"{counted}: {'; '.join(violations)}")
    return request


def _read_structure(shape: StructureShape, value: object) -> dict[str, Any]:
    members = _typed(shape, value, dict)
    return {
        name: _read(member, members[name])
        for name, member in shape.members.items()
        if members.get(name) is not None
    }


def _read(shape: Shape, value: object) -> Any:
    if value is None:
        return None
    if isinstance(shape, StructureShape):
        return _read_structure(shape, value)
    if isinstance(shape, ListShape):
        return [_read(shape.member, item) for item in _typed(shape, value, list)]
    if isinstance(shape, MapShape):
        items = _typed(shape, value, dict).items()
        return {_read(shape.key, key): _read(shape.value, item) for key, item in items}
    if shape.type_name == "timestamp":
        return _read_timestamp(shape, value)
    if shape.type_name == "string":
        return _read_string(shape, value)
    types = {"boolean": bool, "integer": int, "long": int, "float": float, "double": float}
    return _typed(shape, value, types[shape.type_name])


def _read_string(shape: Shape, value: object) -> str:
    text: str = _typed(shape, value, str)
    try:
        text.encode()
    except UnicodeEncodeError:  # half of a surrogate pair, which no answer could carry
        raise SerializationError(f"{shape.name} is not Unicode text") from None
    return text


def _read_timestamp(shape: Shape, value: object) -> datetime:
    """Returns the time that is written as seconds since 1970.

    https://smithy.io/2.0/aws/protocols/aws-json-1_1-protocol.html
    """
    seconds = _typed(shape, value, int if isinstance(value, int) else float)
    try:
        return datetime.fromtimestamp(seconds, UTC)
    except (ValueError, OverflowError, OSError):
        raise SerializationError(f"{shape.name} is not a time") from None


def _typed(shape: Shape, value: object, expected: type) -> Any:
    # bool is an int in Python, and not in JSON
    if not isinstance(value, expected) or (isinstance(value, bool) and expected is not bool):
        names = {dict: "structure", list: "list", str: "string", bool: "boolean"}
        value_type = names.get(type(value), "number")
        raise SerializationError(f"A {value_type} can not be converted to {shape.name}")
    return value


def _violations(shape: Shape, value: Any, path: str) -> Iterator[str]:
    if isinstance(shape, StructureShape):
        for name, member in shape.members.items():
            at = f"{path}.{_lower_first(name)}" if path else _lower_first(name)
            if name in value:
                yield from _violations(member, value[name], at)
            elif name in shape.required_members:
                yield _violation(None, at, "not be null")
    elif value is None:
        yield _violation(None, path, "not be null")
    elif isinstance(shape, ListShape):
        yield from _outside(shape.metadata, len(value), value, path, "have length")
        for number, item in enumerate(value, start=1):
            if item is None:
                yield _violation(None, f"{path}.{number}.member", "not be null")
            else:
                yield from _violations(shape.member, item, f"{path}.{number}.member")
    elif isinstance(shape, MapShape):
        yield from _outside(shape.metadata, len(value), value, path, "have length")
    elif shape.type_name == "string":
        yield from _text_violations(shape, value, path)
    elif shape.type_name in ("integer", "long", "float", "double"):
        yield from _outside(shape.metadata, value, value, path, "have value")


def _text_violations(shape: Shape, value: str, path: str) -> Iterator[str]:
    allowed = shape.metadata.get("enum")
    if allowed and value not in allowed:
        yield _violation(value, path, f"satisfy enum value set: [{', '.join(allowed)}]")
    too_long = list(_outside(shape.metadata, len(value), value, path, "have length"))
    yield from too_long
    pattern = shape.metadata.get("pattern")
    if pattern and not too_long and not _compiled(pattern).fullmatch(value):
        yield _violation(value, path, f"satisfy regular expression pattern: {pattern}")


def _outside(
    limits: Mapping[str, Any], size: float, value: object, path: str, has: str
) -> Iterator[str]:
    if "min" in limits and size < limits["min"]:
        yield _violation(value, path, f"{has} greater than or equal to {limits['min']}")
    if "max" in limits and size > limits["max"]:
        yield _violation(value, path, f"{has} less than or equal to {limits['max']}")


def _violation(value: object, path: str, must: str) -> str:
    text = f"[{', '.join(map(str, value))}]" if isinstance(value, list) else value
    shown = "null" if value is None else f"'{text}'"
    return f"Value {shown} at '{path}' failed to satisfy constraint: Member must {must}"


def _lower_first(name: str) -> str:
    return name[0].lower() + name[1:]


@cache
def _compiled(pattern: str) -> re.Pattern[str]:
    for java, python in _UNICODE_CLASSES.items():
        pattern = pattern.replace(java, python)
    return re.compile(pattern)
