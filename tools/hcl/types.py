"""What a variable's declaration makes of the values that are given to it.

https://developer.hashicorp.com/terraform/language/expressions/type-constraints
"""

import math
from collections.abc import Mapping

from tools.hcl.evaluation import Scope, Unknown, Value, Values, evaluate, is_known, primitive_types
from tools.hcl.functions import TextSet, text_of
from tools.hcl.syntax import Expression, UnreadableError, number_of, parse_expression

ANY: Expression = ["name", "any"]
_PRIMITIVES = ("string", "number", "bool")
_OTHER_TYPE = Unknown("a variable of another type")


def as_declared(values: Values, declared: Mapping[str, Expression]) -> Values:
    """`values` of a variable as its type makes them, and its default where it may not be null."""
    nullable = declared.get("nullable", ["literal", True])
    if None in values and nullable != ["literal", True]:
        kept = [v for v in values if v is not None or nullable != ["literal", False]]
        values = [*kept, *default_values(declared)]
    type_ = constraint(declared)
    return [_converted(value, type_) for value in values]


def default_values(declared: Mapping[str, Expression]) -> Values:
    """The values that a variable has if none is set, before `as_declared`."""
    default = declared.get("default")
    return (
        [Unknown("a variable without a value")] if default is None else evaluate(default, Scope())
    )


def of_environment(text: str, declared: Mapping[str, Expression]) -> Values:
    """The values of TF_VAR_x: the text for a primitive type or none, otherwise an expression.

    https://developer.hashicorp.com/terraform/cli/config/environment-variables#tf_var_name
    """
    type_ = constraint(declared) if "type" in declared else ["name", "string"]
    if type_[0] == "name" and type_[1] in _PRIMITIVES:
        return [text]
    try:
        return evaluate(parse_expression(text), Scope())
    except UnreadableError:
        return [Unknown("a value in the environment")]


def constraint(declared: Mapping[str, Expression]) -> Expression:
    """The type of a variable, `ANY` without one."""
    type_ = declared.get("type", ANY)
    if type_[0] == "literal" and isinstance(type_[1], str):  # as JSON has it
        try:
            type_ = parse_expression(type_[1])
        except UnreadableError:
            return ["literal", None]
    if type_[0] == "name" and type_[1] in ("list", "map"):
        return ["call", type_[1], [ANY]]
    return type_


def _converted(value: Value, type_: Expression) -> Value:
    if value is None or isinstance(value, Unknown) or type_ == ANY:
        return value
    if type_[0] == "name":
        return _primitive(value, type_[1])
    if type_[0] != "call" or len(type_[2]) != 1:
        return _OTHER_TYPE
    kind, (inner,) = type_[1], type_[2]
    if kind == "object" and isinstance(value, dict) and inner[0] == "object":
        return _object(value, inner[1])
    if kind == "tuple" and isinstance(value, list) and inner[0] == "list":
        pairs = list(zip(value, inner[1], strict=False))
        is_whole = len(value) == len(inner[1])
        return [_converted(*pair) for pair in pairs] if is_whole else _OTHER_TYPE
    return _collection(value, kind, inner)


def _primitive(value: Value, name: str) -> Value:
    text = text_of(value)
    if name == "string":
        return _OTHER_TYPE if text is None else text
    if name == "bool":
        truths = {"true": True, "false": False}
        return value if isinstance(value, bool) else truths.get(str(value), _OTHER_TYPE)
    if name == "number" and isinstance(value, str):
        number = number_of(value) if value.isascii() and value.isdigit() else math.nan
        return _OTHER_TYPE if math.isnan(number) else number
    is_number = isinstance(value, int | float) and not isinstance(value, bool)
    return value if name == "number" and is_number else _OTHER_TYPE


def _collection(value: Value, kind: str, inner: Expression) -> Value:
    if inner == ANY and len(primitive_types(value)) > 1:
        return _OTHER_TYPE  # Terraform finds one type for all
    if kind == "map" and isinstance(value, dict):
        return {key: _converted(item, inner) for key, item in value.items()}
    if kind not in ("list", "set") or not isinstance(value, list):
        return _OTHER_TYPE
    items = [_converted(item, inner) for item in value]
    if kind == "list":
        return items
    are_texts = is_known(items) and all(isinstance(item, str) for item in items)
    return TextSet(sorted(set(items))) if are_texts else _OTHER_TYPE


def _object(value: Mapping[str, Value], attributes: Expression) -> Value:
    """An object of these attributes; others go, and an optional one gets its default.

    https://developer.hashicorp.com/terraform/language/expressions/type-constraints#optional-object-type-attributes
    """
    converted = {}
    for key, type_ in attributes:
        name = str(key[1])
        given = value.get(name)
        if type_[0] == "call" and type_[1] == "optional" and type_[2]:
            type_, *defaults = type_[2]
            if given is None and defaults:
                (given, *others) = evaluate(defaults[0], Scope())
                given = _OTHER_TYPE if others else given
        elif name not in value:
            return _OTHER_TYPE  # which Terraform refuses
        converted[name] = _converted(given, type_)
    return converted


def member(type_: Expression, key: str | int) -> tuple[Expression, bool]:
    """The type of an item of a value of `type_`, and whether `key` is a name that the type has.

    The names of an object's attributes are; the keys of a map, and of what is not known, are not.
    A primitive value has no keys but those of the JSON in a text, which are names.
    """
    if type_[0] == "name" and type_[1] in _PRIMITIVES:
        return type_, True
    if type_[0] != "call" or not type_[2]:
        return ANY, False
    kind, inner = type_[1], type_[2][0]
    if kind == "optional":
        return member(inner, key)
    if kind == "object" and inner[0] == "object":
        types = {str(name[1]): attribute_type for name, attribute_type in inner[1]}
        return types.get(str(key), ANY), key in types
    if kind == "tuple" and inner[0] == "list" and isinstance(key, int):
        return (inner[1][key] if key < len(inner[1]) else ANY), False
    is_collection = kind == "map" if isinstance(key, str) else kind in ("list", "set")
    return (inner if is_collection else ANY), False


def optional_defaults(type_: Expression) -> list[Value]:
    """The defaults that a type has for attributes, as `optional(TYPE, DEFAULT)` gives them."""
    if type_[0] == "call":
        arguments = type_[2]
        own = evaluate(arguments[1], Scope()) if type_[1] == "optional" and arguments[1:] else []
        return [*own, *(value for inner in arguments[:1] for value in optional_defaults(inner))]
    items = type_[1] if type_[0] in ("object", "list") else []
    inner_types = (item[1] if type_[0] == "object" else item for item in items)
    return [value for inner in inner_types for value in optional_defaults(inner)]
