"""What the files of a module say of other states, modules, variables and the backend."""

import copy
from collections.abc import Iterator, Mapping
from functools import cache
from typing import Any, TypedDict

from tools.hcl import cache as parsed
from tools.hcl import evaluation, syntax
from tools.hcl.evaluation import Scope, Value
from tools.hcl.syntax import Body, Expression, UnreadableError

Attributes = dict[str, Expression]


class Pieces(TypedDict):
    """The parts of a file that are needed here; attributes are expressions (syntax.py).

    `states` are its `terraform_remote_state`, and `forwards` its outputs that only hand the outputs
    of one of these on: the data source, the name of its key, and the key in the output.
    `backend` is its kind and its attributes, of which a file has at most one. `unreadable` says why
    nothing of the file is known, if that is so.
    """

    states: dict[str, Attributes]
    modules: dict[str, Attributes]
    variables: dict[str, Attributes]
    locals: Attributes
    forwards: dict[str, list[Any]]
    backend: list[Any]
    unreadable: str


# A file without any of these says nothing of what `Pieces` has, but for a backend: a parse costs
# milliseconds. A JSON file may write any letter as \\uXXXX.
_WORDS = (b"terraform_remote_state", b"module", b"variable", b"locals", b"\\u")
_KINDS = ("check", "data", "locals", "module", "output", "terraform", "variable")
NOTHING: Pieces = Pieces(
    states={}, modules={}, variables={}, locals={}, forwards={}, backend=[], unreadable=""
)


@cache
def read_pieces(content: bytes, is_json: bool) -> Pieces:
    """The pieces of a .tf (or .tf.json) file with this `content`."""
    try:
        text = content.decode()
    except UnicodeDecodeError as error:
        return {**NOTHING, "unreadable": f"not UTF-8 at byte {error.start}"}
    version = parsed.version_of(__file__, syntax.__file__)
    kind = f"pieces {'json' if is_json else 'native'} {version}"
    pieces: Pieces = parsed.once(kind, text, lambda: _read(text, is_json))
    return pieces


def read_values(content: bytes, is_json: bool) -> dict[str, Value]:
    """The values of a .tfvars (or .tfvars.json) file. Raises UnreadableError."""
    try:
        text = content.decode()
    except UnicodeDecodeError as error:
        raise UnreadableError(f"not UTF-8 at byte {error.start}") from None
    if is_json:
        with syntax.not_too_deep():
            values = evaluation.with_unknowns(syntax.load_json(text, syntax.unique_values))
        if not isinstance(values, dict):
            raise UnreadableError("not one object of names and values")
        return values
    attributes = syntax.parse_file(text).attributes
    return {name: evaluation.evaluate(value, Scope())[0] for name, value in attributes.items()}


def is_sensitive(variable: Mapping[str, Expression]) -> bool:
    """Whether a variable is, or may be, marked sensitive or ephemeral.

    Terraform keeps the value of an ephemeral one in no state and no plan.
    https://developer.hashicorp.com/terraform/language/block/variable
    """
    marks = (variable.get(name, ["literal", False]) for name in ("sensitive", "ephemeral"))
    return any(mark not in (["literal", False], ["literal", None]) for mark in marks)


@cache
def has_names(content: bytes) -> bool:
    """Whether a file may have a part of `Pieces` other than a backend; by its text."""
    return any(word in content for word in _WORDS)


@cache
def may_read_states(content: bytes) -> bool:
    """Whether a file may read other states, itself or in a module that it calls; by its text."""
    return (
        b"terraform_remote_state" in content
        or (b"module" in content and b"source" in content)
        or b"\\u" in content
    )


@cache
def names_backend(content: bytes) -> bool:
    """Whether a file may have a `backend` or a `cloud` block; by its text."""
    return b"backend" in content or b"cloud" in content or b"\\u" in content


def _read(text: str, is_json: bool) -> Pieces:
    try:
        with syntax.not_too_deep():
            body = syntax.parse_json(text, _KINDS) if is_json else syntax.parse_file(text)
            return _collect(_blocks(body))
    except UnreadableError as error:
        return {**NOTHING, "unreadable": str(error)}


def _collect(blocks: "Iterator[tuple[str, tuple[str, ...], Attributes]]") -> Pieces:
    pieces = copy.deepcopy(NOTHING)
    for kind, labels, attributes in blocks:
        if kind == "data" and labels[:1] == ("terraform_remote_state",):
            pieces["states"][labels[1]] = attributes
        elif kind == "module":
            pieces["modules"][labels[0]] = attributes
        elif kind == "variable":
            pieces["variables"][labels[0]] = needed_of_variable(attributes)
        elif kind == "locals":
            pieces["locals"].update(attributes)
        elif kind == "output" and (forward := _forward(attributes.get("value", []))):
            pieces["forwards"][labels[0]] = forward
        elif kind in ("backend", "cloud"):
            pieces["backend"] = [labels[0] if labels else "cloud", attributes]
    return pieces


def _forward(value: Expression) -> list[Any] | None:
    """What an output hands on, if it does: the data source, and the name and expression of its key.

    Such an output is { for k, s in data.terraform_remote_state.x : upper(k) => s.outputs }.
    """
    if value[:1] != ["for"]:
        return None
    names, collection, key, item, condition = value[1:]
    is_plain = key is not None and condition is None and len(names) == 2
    states = ["attribute", ["name", "data"], "terraform_remote_state"]
    if not is_plain or collection[:2] != ["attribute", states]:
        return None
    if item != ["attribute", ["name", names[1]], "outputs"]:
        return None
    return [collection[2], names[0], key]


def needed_of_variable(attributes: Attributes) -> Attributes:
    """What is needed of a variable: not its description, and no default that is a secret."""
    kept = {"type", "sensitive", "ephemeral", "nullable"}
    # Not the value of a secret: what is found is kept in a file.
    kept |= set() if is_sensitive(attributes) else {"default"}
    return {name: value for name, value in attributes.items() if name in kept}


def _blocks(body: Body) -> Iterator[tuple[str, tuple[str, ...], Attributes]]:
    label_counts = {"data": 2, "module": 1, "variable": 1, "output": 1}
    for block in body.blocks:
        if len(block.labels) < label_counts.get(block.type, 0):
            raise UnreadableError(f"a {block.type} block without its name")
        yield block.type, block.labels, block.body.attributes
        if block.type in ("terraform", "check"):
            for inner in block.body.blocks:
                yield inner.type, inner.labels, inner.body.attributes
