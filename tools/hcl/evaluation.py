"""Evaluates expressions as far as their values are known without Terraform.

A value is what JSON holds, or `Unknown` with the reason. An expression may have several: of a
conditional whose condition is unknown, both branches count.
"""

import itertools
import math
import posixpath
import unicodedata
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import Any

from tools.hcl.functions import FUNCTIONS, TextSet, text_of
from tools.hcl.syntax import Expression, template_parts

_MOST = 64  # values of one expression that are followed; more are unknown


@dataclass(frozen=True)
class Unknown:
    """Stands for a value that is not known; `reason` completes "it depends on"."""

    reason: str


class Failed(Unknown):
    """Stands for what Terraform refuses for certain, such as the text of a file that is missing."""


# Terraform has 512 bits for a number, and tells -0 from 0 in a text.
_NOT_EXACT = Unknown("a number that this tool may write differently from Terraform")
Value = Any  # what JSON holds, with Unknown in its place or within
Values = Sequence[Value]  # at least one
# The values of a name such as `var.region`, given as `("var", "region")`; None if it is not one.
Lookup = Callable[[str, str], Values | None]


@dataclass(frozen=True)
class Scope:
    """What names mean: `lookup` for `var.x`, `local.x`, `path.x`, and `names` for plain ones.

    Without either no name means anything. `functions` are evaluated besides those that need
    nothing but their arguments.
    """

    lookup: Lookup = lambda kind, name: None
    names: Mapping[str, Value] = field(default_factory=dict)
    functions: Mapping[str, Callable[..., Value]] = field(default_factory=dict)

    def with_names(self, names: Mapping[str, Value]) -> "Scope":
        """The same scope with more `names`, such as those of a `for`, or `each` and `count`."""
        return replace(self, names={**self.names, **names})


def evaluate(expression: Expression, scope: Scope) -> Values:
    """The possible values of `expression`, without repetition."""
    try:
        return _EVALUATORS[expression[0]](expression, scope)
    except RecursionError:
        return [Unknown("an expression that is too deep")]


def is_known(value: Value) -> bool:
    """Whether no part of `value` is unknown."""
    return first_unknown(value) is None


def first_unknown(value: Value) -> Unknown | None:
    """The first unknown part of `value`, itself included."""
    if isinstance(value, Unknown):
        return value
    if isinstance(value, dict):
        value = list(value.values())
    unknowns = map(first_unknown, value) if isinstance(value, list) else ()
    return next((unknown for unknown in unknowns if unknown), None)


def describe(expression: Expression) -> str:
    """A reference such as `data.aws_vpc.this.id`, as far as it can be written in a line."""
    kind = expression[0]
    if kind in ("name", "bound"):
        return str(expression[1])
    if kind == "attribute":
        return f"{describe(expression[1])}.{expression[2]}"
    return describe(expression[1]) if kind in ("index", "splat") else "an expression"


def _distinct(values: Iterable[Value]) -> Values:
    distinct: list[Value] = []
    for value in values:
        if not any(_same(value, other) for other in distinct):
            distinct.append(value)
    return distinct if len(distinct) <= _MOST else [Unknown("more values than are followed here")]


def _same(left: Value, right: Value) -> bool:
    return type(left) is type(right) and bool(left == right)


def _product(expressions: Sequence[Expression], scope: Scope) -> Sequence[tuple[Value, ...]]:
    """The combinations of the values of `expressions`; one with unknowns if there are too many."""
    choices = [evaluate(expression, scope) for expression in expressions]
    count = 1
    for values in choices:
        count *= len(values)
    if count > _MOST:
        many = Unknown("more values than are followed here")
        choices = [values if len(values) == 1 else [many] for values in choices]
    return list(itertools.product(*choices))


def _literal(expression: Expression, scope: Scope) -> Values:
    return [_normalized(with_unknowns(expression[1]))]


def with_unknowns(value: Value) -> Value:
    """`value`, as a file has it, with Unknown in place of each number that Python has not exactly.

    Those are NaN by syntax.number_of.
    """
    if isinstance(value, float) and math.isnan(value):
        return _NOT_EXACT
    if isinstance(value, list):
        return [with_unknowns(item) for item in value]
    if isinstance(value, dict):
        return {name: with_unknowns(item) for name, item in value.items()}
    return value


def _normalized(value: Value) -> Value:
    """`value`; if it is a text, as Terraform has each: e and an accent are one letter.

    https://developer.hashicorp.com/terraform/language/expressions/strings
    """
    is_plain = not isinstance(value, str) or value.isascii()
    return value if is_plain else unicodedata.normalize("NFC", value)


def _template(expression: Expression, scope: Scope) -> Values:
    parts = template_parts(expression)
    return _distinct(_joined(values) for values in _product(parts, scope))


def _joined(values: Iterable[Value]) -> Value:
    texts = [text_of(value) if is_known(value) else first_unknown(value) for value in values]
    unknown = next((text for text in texts if isinstance(text, Unknown)), None)
    if unknown or None in texts:
        return unknown or Unknown("a value that is no text")
    return _normalized("".join(str(text) for text in texts))


def _name(expression: Expression, scope: Scope) -> Values:
    name = expression[1]
    return [scope.names[name] if name in scope.names else Unknown(name)]


def _attribute(expression: Expression, scope: Scope) -> Values:
    target, name = expression[1], expression[2]
    if target[0] == "name" and target[1] not in scope.names:
        values = scope.lookup(target[1], name)
        if values is not None:
            return values
    if _is_reference(target, scope):
        return [Unknown(describe(expression))]
    return _distinct(_member(value, name) for value in evaluate(target, scope))


def _is_reference(expression: Expression, scope: Scope) -> bool:
    """Whether `expression` names a resource, a data source or a module's output."""
    while expression[0] in ("attribute", "index", "splat"):
        if expression[0] == "attribute" and expression[1][0] == "name":
            name = expression[1][1]
            is_value = name in scope.names or scope.lookup(name, expression[2]) is not None
            return not is_value
        expression = expression[1]
    return expression[0] == "name" and expression[1] not in scope.names


def _member(value: Value, key: Value) -> Value:
    if isinstance(value, Unknown):
        return value
    if isinstance(value, dict) and isinstance(key, str) and key in value:
        return value[key]
    if isinstance(value, list) and isinstance(key, int) and 0 <= key < len(value):
        return value[key]
    return Unknown(f"{key!r}, which is not there")


def _index(expression: Expression, scope: Scope) -> Values:
    if _is_reference(expression[1], scope):
        return [Unknown(describe(expression))]
    members: list[Value] = []
    for value in evaluate(expression[1], scope):
        for key in evaluate(expression[2], scope):
            if isinstance(key, Unknown) and isinstance(value, dict | list) and value:
                members += value.values() if isinstance(value, dict) else value
            else:
                members.append(key if isinstance(key, Unknown) else _member(value, key))
    return _distinct(members)


def _unknown(expression: Expression, scope: Scope) -> Values:
    return [Unknown("an expression that is not evaluated here")]


def _list(expression: Expression, scope: Scope) -> Values:
    return _distinct(list(items) for items in _product(expression[1], scope))


def _object(expression: Expression, scope: Scope) -> Values:
    pair_expressions = expression[1]
    objects: list[Value] = []
    for values in _product([part for pair in pair_expressions for part in pair], scope):
        keys = [text_of(key) if is_known(key) else None for key in values[::2]]
        if None in keys:
            objects.append(first_unknown(list(values[::2])) or Unknown("a key that is no text"))
        else:
            objects.append(dict(zip(keys, values[1::2], strict=True)))
    return _distinct(objects)


def _call(expression: Expression, scope: Scope) -> Values:
    function, arguments = expression[1], expression[2]
    if function == "abspath":
        return _absolute(arguments, scope)
    call = FUNCTIONS.get(function) or scope.functions.get(function)
    if any(argument[0] == "expanded" for argument in arguments):
        call = None
    elif function == "try":
        return _try(arguments, scope)
    if call is None:
        return [Unknown(f"{function}(...)")]
    return _distinct(_called(function, call, values) for values in _product(arguments, scope))


def _try(arguments: Sequence[Expression], scope: Scope) -> Values:
    for argument in arguments:
        values = evaluate(argument, scope)
        if not any(isinstance(value, Failed) for value in values):
            return values
        if not all(isinstance(value, Failed) for value in values):
            return [Unknown("try(...)")]
    return [Failed("try(...)")]


def _absolute(arguments: Sequence[Expression], scope: Scope) -> Values:
    if len(arguments) != 1:
        return [Unknown("abspath(...)")]
    (folder,) = scope.lookup("path", "cwd") or [Unknown("abspath(...)")]
    return _distinct(
        posixpath.normpath(posixpath.join(folder, path))
        if isinstance(path, str) and isinstance(folder, str)
        else first_unknown([path, folder]) or Unknown("abspath(...)")
        for (path,) in _product(arguments, scope)
    )


def _called(function: str, call: Callable[..., Value], values: Sequence[Value]) -> Value:
    if unknown := first_unknown(list(values)):
        return unknown
    try:
        return _normalized(call(*values))
    except (TypeError, ValueError, LookupError, ArithmeticError, AttributeError, StopIteration):
        return Unknown(f"{function}(...)")


def _if(expression: Expression, scope: Scope) -> Values:
    values = evaluate(expression[1], scope)
    if None in values:
        return [Unknown("a condition that is null")]
    conditions = {_truth(value) for value in values}
    branches = [evaluate(branch, scope) for branch in expression[2:4]]
    # Terraform gives both results one type, so that 1 becomes "1" beside a text.
    # https://developer.hashicorp.com/terraform/language/expressions/conditionals
    if any(not _are_alike(left, right) for left in branches[0] for right in branches[1]):
        return [Unknown("a conditional with results of two types")]
    taken_values: list[Value] = []
    for results, taken in zip(branches, (True, False), strict=True):
        if taken in conditions or None in conditions:
            taken_values += results
    return _distinct(taken_values)


def _are_alike(left: Value, right: Value) -> bool:
    """Whether the texts, numbers and booleans in both are of the same types, as far as known."""
    left_types, right_types = primitive_types(left), primitive_types(right)
    return not left_types or not right_types or left_types == right_types


def primitive_types(value: Value) -> set[type]:
    """The types of the primitive values in `value`; that of all numbers is float."""
    if isinstance(value, list | dict):
        items = value.values() if isinstance(value, dict) else value
        return {primitive for item in items for primitive in primitive_types(item)}
    if isinstance(value, bool):
        return {bool}
    if isinstance(value, int | float):
        return {float}
    return {str} if isinstance(value, str) else set()


def _truth(value: Value) -> bool | None:
    """True or False, None if it is not known."""
    if isinstance(value, str):
        return {"true": True, "false": False}.get(value)
    return value if isinstance(value, bool) else None


def _binary(expression: Expression, scope: Scope) -> Values:
    pairs = _product(expression[2:], scope)
    return _distinct(_operation(expression[1], left, right) for left, right in pairs)


def _operation(operator: str, left: Value, right: Value) -> Value:
    if operator in ("&&", "||"):
        decisive = operator == "||"
        truths = (_truth(left), _truth(right))
        is_wrong = any(
            truth is None and is_known(value)
            for truth, value in zip(truths, (left, right), strict=True)
        )
        if decisive in truths and not is_wrong:
            return decisive
        return (
            (first_unknown([left, right]) or Unknown("a value that is no boolean"))
            if (None in truths)
            else not decisive
        )
    if unknown := first_unknown([left, right]):
        return unknown
    if operator in ("==", "!="):
        # Of two types one may have been converted: by a variable's type, or by a conditional.
        if isinstance(left, list) or isinstance(right, list) or not _are_alike(left, right):
            return Unknown("a comparison that is not done here")
        return _equal(left, right) == (operator == "==")
    numbers = [
        isinstance(value, int | float) and not isinstance(value, bool) for value in (left, right)
    ]
    compare = {"<": left.__lt__, ">": left.__gt__, "<=": left.__le__, ">=": left.__ge__}
    return (
        compare[operator](right)
        if all(numbers) and operator in compare
        else _arithmetic(operator, left, right, all(numbers))
    )


def _arithmetic(operator: str, left: Value, right: Value, are_numbers: bool) -> Value:
    is_exact = isinstance(left, int) and isinstance(right, int)  # Terraform has 512 bits
    if not are_numbers or not is_exact or operator not in ("+", "-", "*"):
        return Unknown("a calculation that is not done here")
    result = {"+": left + right, "-": left - right, "*": left * right}[operator]
    is_negative_zero = operator == "*" and result == 0 and min(left, right) < 0
    return _NOT_EXACT if is_negative_zero else result


def _equal(left: Value, right: Value) -> bool:
    are_booleans = {isinstance(left, bool), isinstance(right, bool)}
    return len(are_booleans) == 1 and bool(left == right)


def _unary(expression: Expression, scope: Scope) -> Values:
    return _distinct(_negated(expression[1], value) for value in evaluate(expression[2], scope))


def _negated(operator: str, value: Value) -> Value:
    if operator == "!":
        truth = _truth(value)
        return (first_unknown(value) or Unknown("no boolean")) if truth is None else not truth
    if isinstance(value, bool) or not isinstance(value, int | float):
        return first_unknown(value) or Unknown("no number")
    return -value if value else _NOT_EXACT


def _for(expression: Expression, scope: Scope) -> Values:
    return _distinct(
        _comprehension(expression, collection, scope)
        for collection in evaluate(expression[2], scope)
    )


def _pairs_of(collection: dict[str, Value] | list[Value]) -> list[tuple[Value, Value]]:
    """Keys and values in the order in which Terraform goes through them."""
    if isinstance(collection, dict):
        return sorted(collection.items(), key=lambda pair: pair[0])
    if isinstance(collection, TextSet):
        return [(item, item) for item in collection]
    return list(enumerate(collection))


def _comprehension(expression: Expression, collection: Value, scope: Scope) -> Value:
    names, key_expression, value_expression, condition = expression[1], *expression[3:]
    if not isinstance(collection, dict | list):
        return first_unknown(collection) or Unknown("a collection that is not known")
    pairs = _pairs_of(collection)
    entries = []
    for pair in pairs:
        bound = dict(zip(names, pair if len(names) == 2 else pair[1:], strict=True))
        inner_scope = scope.with_names(bound)
        truths = [True] if condition is None else evaluate(condition, inner_scope)
        if len(truths) == 1 and _truth(truths[0]) is False:
            continue  # nor does Terraform evaluate the rest: it may be costly, or unknown
        first = ["literal", truths[0]] if len(truths) == 1 else condition
        expressions = [
            first,
            ["literal", True] if key_expression is None else key_expression,
            value_expression,
        ]
        choices = _product(expressions, inner_scope)
        taken = _truth(choices[0][0])
        if len(choices) > 1 or taken is None:
            return Unknown("a for that is not evaluated here")
        if taken:
            entries.append(choices[0][1:])
    if key_expression is None:
        return [item for _, item in entries]
    texts = [text_of(key) if is_known(key) else None for key, _ in entries]
    if None in texts:
        return first_unknown([key for key, _ in entries]) or Unknown("a key that is no text")
    if len(set(texts)) < len(texts):
        return Unknown("a for with one key twice")
    return dict(zip(texts, (item for _, item in entries), strict=True))


_EVALUATORS: dict[str, Callable[[Expression, Scope], Values]] = {
    "literal": _literal,
    "template": _template,
    "name": _name,
    "bound": _name,
    "attribute": _attribute,
    "index": _index,
    "splat": _unknown,
    "list": _list,
    "object": _object,
    "call": _call,
    "if": _if,
    "binary": _binary,
    "unary": _unary,
    "for": _for,
    "directive": _unknown,
    "expanded": _unknown,
}
