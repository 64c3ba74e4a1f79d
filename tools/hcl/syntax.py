"""HCL's native syntax as a tree of lists, for what has to be evaluated.

An expression is a list that begins with its kind, and JSON holds it as it is:

- `["literal", value]`, `["template", [text or expression, ...]]`
- `["name", name]`, `["attribute", of, name]`, `["index", of, key]`, `["splat", of]`
- `["list", [item, ...]]`, `["object", [[key, value], ...]]`
- `["call", function, [argument, ...]]`, `["if", condition, then, otherwise]`
- `["binary", operator, left, right]`, `["unary", operator, operand]`
- `["for", names, collection, key or null, value, condition or null]`
- `["directive", [expression, ...]]`, a `%{...}` in a template

https://github.com/hashicorp/hcl/blob/main/hclsyntax/spec.md
"""

import json
import math
import re
from collections.abc import Callable, Collection, Iterator, Mapping
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field
from decimal import Decimal, InvalidOperation
from typing import Any

from tools.errors import UserError

Expression = list[Any]
Pairs = list[tuple[str, Any]]

_SPACE = re.compile(r"(?:[ \t\r]|#[^\n]*|//[^\n]*|/\*.*?\*/)*", re.DOTALL)
_SPACE_AND_LINES = re.compile(r"(?:\s|#[^\n]*|//[^\n]*|/\*.*?\*/)*", re.DOTALL)
_IDENTIFIER = re.compile(r"[^\W\d][\w-]*")
_MOST_DIGITS = 150  # of 512 bits
_FUNCTION = re.compile(r"[^\W\d][\w-]*(?:::[^\W\d][\w-]*)*(?=\s*\()")
_DIGITS = re.compile(r"\d+")
_FOR = re.compile(r"for\s")
_NUMBER = re.compile(r"\d+(?:\.\d+)?(?:[eE][+-]?\d+)?")
_HEREDOC = re.compile(r"<<(-?)([^\W\d][\w-]*)[ \t\r]*\n")
_TEXT = re.compile(r'(?:\\.|\$\$\{|%%\{|\$(?!\{)|%(?!\{)|[^"\\$%\n])+')
_HEREDOC_TEXT = re.compile(r"(?:\$\$\{|%%\{|\$(?!\{)|%(?!\{)|[^$%])+")
_LINE = re.compile(r"[^\n]*\n|[^\n]+")
# What Go takes for a space: https://pkg.go.dev/unicode#IsSpace
SPACES = "\t\n\v\f\r \x85\xa0\u1680\u2028\u2029\u202f\u205f\u3000" + "".join(
    map(chr, range(0x2000, 0x200B))
)
_ESCAPE = re.compile(r'\\(?:u([0-9a-fA-F]{4})|U([0-9a-fA-F]{8})|([nrt"\\]))|([$%])\4\{')
# Escapes in JSON: two that are one character, half of such a pair, and others.
_JSON_ESCAPE = re.compile(
    r"\\(?:u[dD][89abAB]\w\w\\u[dD][c-fC-F]\w\w|(u[dD][89a-fA-F]\w\w)|.)", re.DOTALL
)
_CHARACTERS = {"n": "\n", "r": "\r", "t": "\t", '"': '"', "\\": "\\"}
_OPERATORS = (("||",), ("&&",), ("==", "!="), ("<=", ">=", "<", ">"), ("+", "-"), ("*", "/", "%"))
_CONSTANTS = {"true": True, "false": False, "null": None}
# How many labels the blocks of a .tf.json file have, and which blocks in them are read as such.
_JSON_LABELS = {
    "check": 1,
    "data": 2,
    "ephemeral": 2,
    "module": 1,
    "output": 1,
    "provider": 1,
    "resource": 2,
    "variable": 1,
}
_JSON_INNER = {
    "check": {"data": 2},
    "terraform": {"backend": 1, "cloud": 0, "required_providers": 0},
}

_LONGEST_CHAIN = 200  # operators in a row: each is a level of what is evaluated, and kept as JSON


class UnreadableError(UserError):
    """This tool cannot read a text; Terraform may."""


@dataclass
class Body:
    """The content of a file or a block: attributes by name, and blocks in their order."""

    attributes: dict[str, Expression] = field(default_factory=dict)
    blocks: "list[Block]" = field(default_factory=list)


@dataclass
class Block:
    """A block such as `data "aws_vpc" "this" {}`, with its two labels."""

    type: str
    labels: tuple[str, ...]
    body: Body


def number_of(text: str) -> int | float:
    """The number that is written as `text`; not a number (NaN) if Python has another one.

    Terraform keeps 512 bits and the sign of -0, and writes them without an exponent:
    https://github.com/zclconf/go-cty/blob/main/cty/convert/conversion_primitive.go
    """
    if len(text) > _MOST_DIGITS:
        return math.nan
    number = int(text) if text.removeprefix("-").isdigit() else float(text)
    if not math.isfinite(number) or (number == 0 and text[0] == "-"):
        return math.nan
    if isinstance(number, int):
        return number
    written = str(int(number)) if number.is_integer() else repr(number)
    with suppress(InvalidOperation):  # of an exponent that Decimal does not take either
        if "e" not in written and Decimal(written) == Decimal(text):
            return number
    return math.nan


def load_json(text: str, object_of: Callable[[Pairs], Any]) -> Any:
    """What a file in Terraform's JSON holds; `object_of` makes each object of its pairs.

    Half of a surrogate pair, such as \\ud83d, is U+FFFD, as Terraform has it:
    https://pkg.go.dev/encoding/json#Unmarshal
    Raises UnreadableError.
    """
    if "\\ud" in text or "\\uD" in text:
        text = _JSON_ESCAPE.sub(lambda match: "\\ufffd" if match[1] else match[0], text)
    with not_too_deep():
        try:
            return json.loads(
                text.removeprefix("\ufeff"),
                parse_float=number_of,
                parse_int=number_of,
                object_pairs_hook=object_of,
            )
        except json.JSONDecodeError as error:
            raise UnreadableError(f"not valid JSON at line {error.lineno}") from None


def merge_blocks(pairs: Pairs) -> dict[str, Any]:
    """An object of a .tf.json file: a name that is there twice has both, as blocks may.

    A comment goes. https://developer.hashicorp.com/terraform/language/syntax/json
    """
    merged: dict[str, Any] = {}
    for name, value in pairs:
        if name in merged:
            before = merged[name] if isinstance(merged[name], list) else [merged[name]]
            merged[name] = [*before, *(value if isinstance(value, list) else [value])]
        elif name != "//":
            merged[name] = value
    return merged


def unique_values(pairs: Pairs) -> dict[str, Any]:
    """An object of a .tfvars.json file; UnreadableError if a name is there twice.

    Terraform refuses that, and quotes the line of both.
    """
    values = dict(pairs)
    if len(values) < len(pairs):
        raise UnreadableError("a name is set twice")
    return values


def parse_file(text: str) -> Body:
    """The content of a .tf or .tfvars file. Raises UnreadableError, which names the line."""
    parser = Parser(text.removeprefix("\ufeff"))
    with not_too_deep():
        body = parser.body()
        parser.end()
        return body


def parse_json(text: str, needed: Collection[str] = ()) -> Body:
    """The content of a .tf.json file: blocks, in which all else is attributes (`_JSON_INNER`).

    What should be a block and is none is left out. With `needed` only blocks of these kinds count,
    one that is none is an error, and `terraform` and `check` have their inner blocks alone. Raises
    UnreadableError.
    https://developer.hashicorp.com/terraform/language/syntax/json
    """
    body, strict = Body(), bool(needed)
    with not_too_deep():
        for top in json_objects(load_json(text, merge_blocks), strict):
            for kind, value in top.items():
                if not needed or kind in needed:
                    body.blocks += _json_blocks(kind, value, _JSON_LABELS.get(kind, 0), strict)
    return body


def _json_blocks(kind: str, value: Any, depth: int, strict: bool) -> Iterator[Block]:
    inner_kinds = _JSON_INNER.get(kind, {})
    for labels, fields in _labelled(value, depth, strict):
        own = {} if strict and inner_kinds else fields  # which nobody needs of these kinds
        attributes = {n: _json_expression(v) for n, v in own.items() if n not in inner_kinds}
        inner: list[Block] = []
        for name, inner_depth in inner_kinds.items():
            if name in fields:
                inner += _json_blocks(name, fields[name], inner_depth, strict)
        yield Block(kind, labels, Body(attributes, inner))


def _labelled(
    value: Any, depth: int, strict: bool
) -> Iterator[tuple[tuple[str, ...], Mapping[str, Any]]]:
    for item in json_objects(value, strict):
        if not depth:
            yield (), item
            continue
        for label, value_of_label in item.items():
            for labels, fields in _labelled(value_of_label, depth - 1, strict):
                yield (label, *labels), fields


def json_objects(value: Any, strict: bool = False) -> list[dict[str, Any]]:
    """The objects that a block of JSON is: one, a list of them, or none for null.

    Others are left out, or, if it is `strict`, raise UnreadableError.
    """
    values = value if isinstance(value, list) else [] if value is None else [value]
    objects = [item for item in values if isinstance(item, dict)]
    if strict and len(objects) < len(values):
        raise UnreadableError("a block that is not an object")
    return objects


def _json_expression(value: Any) -> Expression:
    if isinstance(value, str):
        return parse_template(value)
    if isinstance(value, list):
        return ["list", [_json_expression(item) for item in value]]
    if isinstance(value, dict):
        pairs = [[parse_template(key), _json_expression(item)] for key, item in value.items()]
        return ["object", pairs]
    return ["literal", value]


def parse_expression(text: str) -> Expression:
    """The expression that `text` is. Raises UnreadableError."""
    parser = Parser(text, lines=True)
    with not_too_deep():
        expression = parser.expression()
        parser.end()
        return expression


def parse_template(text: str) -> Expression:
    """The template that a string of a .tf.json file is. Raises UnreadableError."""
    if "${" not in text and "%{" not in text:
        return ["literal", text]
    with not_too_deep():
        return Parser(text, lines=True).heredoc_template()


def template_parts(template: Expression) -> list[Expression]:
    """The parts of a template as expressions: each text is a literal."""
    return [["literal", part] if isinstance(part, str) else part for part in template[1]]


@contextmanager
def not_too_deep() -> Iterator[None]:
    """Raises UnreadableError instead of RecursionError."""
    try:
        yield
    except RecursionError:
        raise UnreadableError("nested too deeply to be read by this tool") from None


class Parser:
    """A parser by recursive descent; `lines` says whether a line's end is white space."""

    def __init__(self, text: str, lines: bool = False) -> None:
        self.text = text
        self.at = 0
        self.lines = lines

    def fail(self) -> UnreadableError:
        line = self.text.count("\n", 0, self.at) + 1
        return UnreadableError(f"line {line} cannot be read by this tool")

    def skip(self, lines: bool | None = None) -> None:
        space = _SPACE_AND_LINES if (self.lines if lines is None else lines) else _SPACE
        match = space.match(self.text, self.at)
        self.at = match.end() if match else self.at

    def take(self, token: str) -> bool:
        self.skip()
        if not self.text.startswith(token, self.at):
            return False
        self.at += len(token)
        return True

    def need(self, token: str) -> None:
        if not self.take(token):
            raise self.fail()

    def match(self, pattern: re.Pattern[str]) -> re.Match[str] | None:
        match = pattern.match(self.text, self.at)
        if match:
            self.at = match.end()
        return match

    def identifier(self) -> str:
        self.skip()
        match = self.match(_IDENTIFIER)
        if not match:
            raise self.fail()
        return match[0]

    def end(self) -> None:
        self.skip(lines=True)
        if self.at != len(self.text):
            raise self.fail()

    # Bodies

    def body(self) -> Body:
        body = Body()
        while True:
            self.skip(lines=True)
            if self.at == len(self.text) or self.text[self.at] == "}":
                return body
            name = self.identifier()
            if self.take("="):
                body.attributes[name] = self.expression()
                self.skip()
                if self.at < len(self.text) and self.text[self.at] not in "\n}":
                    raise self.fail()
            else:
                body.blocks.append(self.block(name))

    def block(self, type_: str) -> Block:
        labels = self.labels()
        body = self.body()
        self.need("}")
        return Block(type_, tuple(labels), body)

    def labels(self) -> list[str]:
        """The labels of a block, up to and with the brace that opens it."""
        labels = []
        while not self.take("{"):
            self.skip()
            quoted = self.text.startswith('"', self.at)
            labels.append(self.label() if quoted else self.identifier())
        return labels

    def label(self) -> str:
        template = self.quoted()
        if template[0] != "literal":
            raise self.fail()
        return str(template[1])

    # Expressions

    def expression(self) -> Expression:
        condition = self.binary(0)
        if not self.take("?"):
            return condition
        then = self.expression()
        self.need(":")
        return ["if", condition, then, self.expression()]

    def binary(self, level: int) -> Expression:
        if level == len(_OPERATORS):
            return self.unary()
        left = self.binary(level + 1)
        depth = 0
        while operator := self.operator(_OPERATORS[level]):
            left = ["binary", operator, left, self.binary(level + 1)]
            depth += 1
            if depth > _LONGEST_CHAIN:
                raise UnreadableError("nested too deeply to be read by this tool")
        return left

    def operator(self, operators: tuple[str, ...]) -> str:
        self.skip()
        for operator in operators:
            if self.text.startswith(operator, self.at):
                self.at += len(operator)
                return operator
        return ""

    def unary(self) -> Expression:
        for operator in ("!", "-"):
            if self.take(operator):
                return ["unary", operator, self.unary()]
        return self.postfix(self.primary())

    def postfix(self, of: Expression) -> Expression:
        while True:
            self.skip()
            if self.text.startswith("...", self.at):
                return of
            if self.take("."):
                of = self.after_dot(of)
            elif self.take("["):
                outer, self.lines = self.lines, True
                of = ["splat", of] if self.take("*") else ["index", of, self.expression()]
                self.need("]")
                self.lines = outer
            else:
                return of

    def after_dot(self, of: Expression) -> Expression:
        if self.take("*"):
            return ["splat", of]
        if number := self.match(_DIGITS):
            return ["index", of, ["literal", number_of(number[0])]]
        return ["attribute", of, self.identifier()]

    def primary(self) -> Expression:
        self.skip()
        start = self.text[self.at : self.at + 1]
        if start == '"':
            return self.quoted()
        if self.text.startswith("<<", self.at):
            return self.heredoc()
        if start and start in "([{":
            return self.enclosed(start)
        if number := self.match(_NUMBER):
            return ["literal", number_of(number[0])]
        if function := self.match(_FUNCTION):
            return ["call", function[0], self.arguments()]
        name = self.identifier()
        return ["literal", _CONSTANTS[name]] if name in _CONSTANTS else ["name", name]

    def enclosed(self, start: str) -> Expression:
        outer, self.lines = self.lines, True
        self.at += 1
        if start == "(":
            inner = self.expression()
            self.need(")")
        else:
            close = {"[": "]", "{": "}"}[start]
            self.skip()
            if _FOR.match(self.text, self.at):
                inner = self.for_each(close)
            else:
                inner = self.items() if start == "[" else self.pairs()
        self.lines = outer
        return inner

    def arguments(self) -> list[Expression]:
        self.need("(")
        outer, self.lines = self.lines, True
        expressions = []
        while not self.take(")"):
            expressions.append(self.expression())
            if self.take("..."):
                expressions[-1] = ["expanded", expressions[-1]]
            if not self.take(","):
                self.need(")")
                break
        self.lines = outer
        return expressions

    def items(self) -> Expression:
        expressions = []
        while not self.take("]"):
            expressions.append(self.expression())
            if not self.take(","):
                self.need("]")
                break
        return ["list", expressions]

    def pairs(self) -> Expression:
        pairs = []
        while not self.take("}"):
            key = self.key()
            if not (self.take("=") or self.take(":")):
                raise self.fail()
            self.lines = False  # a line's end separates pairs
            pairs.append([key, self.expression()])
            self.lines = True
            self.take(",")
        return ["object", pairs]

    def key(self) -> Expression:
        self.skip()
        position = self.at
        name_match = self.match(_IDENTIFIER)
        self.skip()
        if name_match and self.text[self.at : self.at + 1] in ("=", ":"):
            return ["literal", name_match[0]]
        self.at = position
        return self.expression()

    def for_each(self, close: str) -> Expression:
        self.identifier()  # for
        names = [self.identifier()]
        if self.take(","):
            names.append(self.identifier())
        if self.identifier() != "in":
            raise self.fail()
        collection = self.expression()
        self.need(":")
        key, value = None, self.expression()
        if close == "}":
            self.need("=>")
            key, value = value, self.expression()
            if self.take("..."):
                value = ["directive", [value]]
        self.skip()
        condition = None
        if not self.text.startswith(close, self.at):
            if self.identifier() != "if":
                raise self.fail()
            condition = self.expression()
        self.need(close)
        return ["for", names, collection, key, value, condition]

    # Templates

    def quoted(self) -> Expression:
        self.need('"')
        parts: list[Any] = []
        while not self.text.startswith('"', self.at):
            if text_match := self.match(_TEXT):
                parts.append(self.unescaped(text_match[0]))
            else:
                parts.append(self.interpolation())
        self.at += 1
        return _template(parts)

    def unescaped(self, text: str) -> str:
        try:
            unescaped = _ESCAPE.sub(_unescape, text)
            unescaped.encode()  # not half of a pair, such as \\ud83d, which Terraform refuses too
        except (ValueError, OverflowError):
            raise self.fail() from None
        return unescaped

    def heredoc(self) -> Expression:
        opening = self.match(_HEREDOC)
        if not opening:
            raise self.fail()
        end = re.compile(rf"^[ \t]*{re.escape(opening[2])}[ \t\r]*$", re.MULTILINE)
        match = end.search(self.text, self.at)
        if not match:
            raise self.fail()
        text = self.text[self.at : match.start()]
        self.at = match.end()
        return Parser(text, True).heredoc_template(is_indented=bool(opening[1]))

    def heredoc_template(self, is_indented: bool = False) -> Expression:
        parts: list[Any] = []
        while self.at < len(self.text):
            if text_match := self.match(_HEREDOC_TEXT):
                parts.append(re.sub(r"([$%])\1\{", r"\1{", text_match[0]))
            else:
                parts.append(self.interpolation())
        return _template(_without_indentation(parts) if is_indented else parts)

    def interpolation(self) -> Expression:
        opening = self.text[self.at : self.at + 2]
        if opening not in ("${", "%{"):
            raise self.fail()
        self.at += 2
        outer, self.lines = self.lines, True
        trims = self.text.startswith("~", self.at)
        self.at += trims
        inner = self.expression() if opening == "${" else self.directive()
        trims = self.take("~") or trims
        self.need("}")
        self.lines = outer
        return ["directive", [inner]] if trims else inner

    def directive(self) -> Expression:
        word = self.identifier()
        if word == "for":
            self.identifier()
            if self.take(","):
                self.identifier()
            self.identifier()  # in
        return ["directive", [self.expression()] if word in ("if", "for") else []]


def _without_indentation(parts: list[Any]) -> list[Any]:
    """The parts of a `<<-` heredoc, without the spaces that all its lines begin with.

    A tab counts as one, and a line of spaces does not count and keeps them, as in
    flushHeredocTemplateParts:
    https://github.com/hashicorp/hcl/blob/main/hclsyntax/parser_template.go
    """
    pieces: list[Any] = []
    for part in parts:
        pieces += _LINE.findall(part) if isinstance(part, str) else [part]
    widths = {}
    for number, piece in enumerate(pieces):
        before = pieces[number - 1] if number else "\n"
        if not isinstance(before, str) or not before.endswith("\n"):
            continue
        if not isinstance(piece, str):
            return parts  # a line begins with what is interpolated
        text = piece.lstrip(SPACES)
        if text or not piece.endswith("\n"):
            widths[number] = len(piece) - len(text)
    smallest = min(widths.values(), default=0)
    return [piece[smallest:] if number in widths else piece for number, piece in enumerate(pieces)]


def _template(parts: list[Any]) -> Expression:
    if all(isinstance(part, str) for part in parts):
        return ["literal", "".join(parts)]
    # "${x}" alone is x itself, of whatever type:
    # https://github.com/hashicorp/hcl/blob/main/hclsyntax/spec.md#template-interpolation-unwrapping
    return parts[0] if len(parts) == 1 and parts[0][0] != "directive" else ["template", parts]


def _unescape(match: re.Match[str]) -> str:
    code = match[1] or match[2]
    if code:
        return chr(int(code, 16))
    return _CHARACTERS[match[3]] if match[3] else f"{match[4]}{{"
