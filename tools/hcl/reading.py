"""Reads values, variables, backends and remote states from .tf and .tfvars files."""

import json
import re
from collections.abc import Callable, Iterator, Mapping
from pathlib import Path
from typing import Any

from tools.errors import UserError
from tools.hcl import scanning, syntax
from tools.hcl.cache import once, version_of
from tools.hcl.evaluation import Scope, evaluate, is_known
from tools.hcl.syntax import Block, Body, Expression, UnreadableError, json_objects
from tools.system import files

Value = str | int | float | bool | None | list[Any] | dict[str, Any]

VALUES = "terraform.tfvars"

# What writing.backend_block makes, with comments before it. Each stack has a text of its own, so
# that hundreds would be parsed, where nothing is kept yet.
_PLAIN_BACKEND = re.compile(
    r'(?:#.*\n)*terraform \{\n  backend "(?P<kind>\w+)" \{\n'
    r'(?P<arguments>(?:    \w+ *= (?:"[^"\\\n$%]*"|true|false)\n)*)  \}\n\}\n'
)
_PLAIN_ARGUMENT = re.compile(r"^    (\w+) *= (.*)$", re.MULTILINE)


def value_files(directory: Path) -> list[Path]:
    """The files of values that Terraform reads in `directory` by itself, the strongest last."""
    names = scanning.value_names(file.name for file in directory.glob("*.tfvars*"))
    # The link to common.auto.tfvars leads nowhere before `tools init`.
    return [directory / name for name in names if (directory / name).is_file()]


def read_tfvars(path: Path) -> dict[str, Value]:
    """The values of a .tfvars or .tfvars.json file, in its order.

    Raises UserError, with file and line, for what this tool cannot read, though Terraform may.
    """
    if path.suffix == ".json":
        return _read_json(path)
    text = _read(path)
    return _once("tfvars", text, lambda: _values(text, path), keep=False)


def tfvars_names(path: Path) -> list[str]:
    """The names of the values that such a file sets. Raises UserError as `read_tfvars`."""
    if path.suffix == ".json":
        return list(_read_json(path))
    text = _read(path)
    return list(_once("names", text, lambda: dict.fromkeys(_parse(text, path).attributes)))


def _read_json(path: Path) -> dict[str, Value]:
    try:
        content = json.loads(path.read_text(encoding="utf-8-sig"))
    except (OSError, ValueError) as error:
        raise UserError(f"{path}: not valid JSON: {error}") from None
    if not isinstance(content, dict):
        raise UserError(f"{path}: it must be one object of names and values")
    return content


def tfvars_value(path: Path, name: str) -> Value:
    """What a .tfvars file sets for `name`; None if it sets nothing, or there is no such file.

    Raises UserError as `read_tfvars`.
    """
    # A parse takes longer, and few of hundreds of notebooks set what is asked for.
    is_named = path.is_file() and name.encode() in path.read_bytes()
    return read_tfvars(path).get(name) if is_named else None


def read_variables(path: Path) -> dict[str, str]:
    """The variables that a .tf file declares: name to type, such as `list(string)`."""
    if path.suffix == ".json":
        return {name: str(body.get("type", "string")) for name, body in _json_variables(path)}
    text = _read(path)
    return _once("variables", text, lambda: _types(_parse(text, path)))


def read_defaults(path: Path) -> dict[str, Value]:
    """The defaults of the variables that a .tf file declares: name to default.

    Raises UserError if the file does not parse.
    """
    if path.suffix == ".json":
        return {name: body["default"] for name, body in _json_variables(path) if "default" in body}
    text = _read(path)
    if "variable" not in text:
        return {}
    return _once("defaults", text, lambda: _defaults(_parse(text, path), text, path), keep=False)


def read_outputs(path: Path) -> list[str]:
    """The names of the outputs that a .tf file declares.

    Raises UserError if the file does not parse.
    """
    text = _read(path)
    if "output" not in text:
        return []
    return list(_once("outputs", text, lambda: _outputs(_parse(text, path))))


def read_backend(path: Path) -> tuple[str, Mapping[str, Any]] | None:
    """The kind and the arguments of the `backend` block of a .tf file, or None if it has none.

    A `cloud` block is one of the kind "cloud". Raises UserError if the file does not parse.
    """
    text = _read(path)
    if not re.search(r"\b(backend|cloud)\b", text):
        return None
    if path.suffix == ".json":
        return next(iter(_json_backends(path)), None)
    if plain := read_plain_backend(text):
        return plain
    backends = _once("backend", text, lambda: _backends(_parse(text, path)))
    return next(iter(backends.items()), None)


def read_plain_backend(text: str) -> tuple[str, dict[str, Any]] | None:
    """The `backend` block of a file that holds only one, as `writing.backend_block` writes it."""
    match = _PLAIN_BACKEND.fullmatch(text)
    if not match:
        return None
    arguments = _PLAIN_ARGUMENT.findall(match["arguments"])
    return match["kind"], {name: json.loads(value) for name, value in arguments}


def read_init_inputs(path: Path) -> Value:
    """What `terraform init` takes from a .tf file: settings, module sources, provider names.

    https://developer.hashicorp.com/terraform/cli/commands/init
    """
    text = _read(path)
    if path.suffix == ".json":
        return {"text": text}
    return _once("init", text, lambda: _init_inputs(_parse(text, path)))


def _json_blocks(path: Path, kind: str) -> list[Mapping[str, Any]]:
    try:
        document = syntax.load_json(_read(path), syntax.merge_blocks)
    except UnreadableError as error:
        raise UserError(f"{path}: {error}") from None
    return [block for top in json_objects(document) for block in json_objects(top.get(kind))]


def _json_variables(path: Path) -> list[tuple[str, Mapping[str, Any]]]:
    return [
        (name, body)
        for json_block in _json_blocks(path, "variable")
        for name, bodies in json_block.items()
        for body in json_objects(bodies)
    ]


def _json_backends(path: Path) -> list[tuple[str, Mapping[str, Any]]]:
    backends: list[tuple[str, Mapping[str, Any]]] = []
    for json_block in _json_blocks(path, "terraform"):
        for backend in json_objects(json_block.get("backend")):
            backends += [
                (kind, body) for kind, bodies in backend.items() for body in json_objects(bodies)
            ]
        backends += [("cloud", {}) for _ in json_objects(json_block.get("cloud"))]
    return backends


def _read(path: Path) -> str:
    try:
        with files.explain_unreadable(path):
            return path.read_bytes().decode("utf-8-sig").replace("\r\n", "\n")
    except UnicodeDecodeError as error:
        raise UserError(f"{path} is not UTF-8 ({error.reason} at byte {error.start})") from None


def _once(
    kind: str, text: str, find: Callable[[], dict[str, Any]], keep: bool = True
) -> dict[str, Any]:
    # Hundreds of notebooks share most of their texts, and a parse takes up to 5 ms.
    version = version_of(__file__, syntax.__file__)
    return dict(once(f"{kind} {version}", text, find, keep))


def _parse(text: str, path: Path) -> Body:
    try:
        return syntax.parse_file(text)
    except UnreadableError as error:
        raise UserError(
            f"{path}, {error}, though Terraform may read it; write it in a plainer form"
        ) from None


def _values(text: str, path: Path) -> dict[str, Value]:
    body = _parse(text, path)
    if body.blocks:
        raise UserError(f"{path}: a block, {body.blocks[0].type}; a .tfvars file holds values")
    return {
        name: _value(expression, name, text, path) for name, expression in body.attributes.items()
    }


def _value(expression: Expression, name: str, text: str, path: Path) -> Value:
    """The value of an expression without names. Raises UserError for any other."""
    values = evaluate(expression, Scope())
    if len(values) == 1 and is_known(values[0]):
        value: Value = values[0]
        return value
    assignment = re.search(rf"^.*\b{re.escape(name)}\b.*$", text, re.MULTILINE)
    line = text.count("\n", 0, assignment.start()) + 1 if assignment else 1
    raise UserError(
        f"{path}, line {line}: {name} is an expression or a number that this tool cannot read; "
        "write a plain literal"
    )


def _blocks(body: Body, kind: str) -> Iterator[Block]:
    return (block for block in body.blocks if block.type == kind and block.labels)


def _outputs(body: Body) -> dict[str, Value]:
    return {block.labels[0]: None for block in _blocks(body, "output")}


def _types(body: Body) -> dict[str, str]:
    return {
        block.labels[0]: _type_text(block.body.attributes.get("type", ["name", "string"]))
        for block in _blocks(body, "variable")
    }


def _type_text(expression: Expression) -> str:
    """A type as `terraform fmt` has it, such as map(object({a = string}))."""
    if expression[0] == "call":
        return f"{expression[1]}({', '.join(map(_type_text, expression[2]))})"
    if expression[0] == "object":
        pairs = (f"{key[1]} = {_type_text(value)}" for key, value in expression[1])
        return f"{{{', '.join(pairs)}}}"
    return str(expression[1]) if expression[0] in ("name", "literal") else "any"


def _defaults(body: Body, text: str, path: Path) -> dict[str, Value]:
    return {
        block.labels[0]: _value(block.body.attributes["default"], block.labels[0], text, path)
        for block in _blocks(body, "variable")
        if "default" in block.body.attributes
    }


def _backends(body: Body) -> dict[str, Any]:
    inner = [b for block in body.blocks if block.type == "terraform" for b in block.body.blocks]
    if any(block.type == "cloud" for block in inner):
        return {"cloud": {}}
    return {
        block.labels[0]: {
            name: _plain_value(value) for name, value in block.body.attributes.items()
        }
        for block in inner
        if block.type == "backend" and block.labels
    }


def _plain_value(expression: Expression) -> Value:
    """The value of an expression, and a text that is no value for one that is not known."""
    values = evaluate(expression, Scope())
    known: Value = values[0] if len(values) == 1 and is_known(values[0]) else "${...}"
    return known


def _init_inputs(body: Body) -> dict[str, Any]:
    modules = {
        block.labels[0]: [block.body.attributes.get(name) for name in ("source", "version")]
        for block in _blocks(body, "module")
    }
    providers = {block.labels[0] for block in _blocks(body, "provider")}
    for kind in ("resource", "data", "ephemeral"):
        providers |= {block.labels[0].split("_")[0] for block in _blocks(body, kind)}
    settings = [_plain_body(block.body) for block in body.blocks if block.type == "terraform"]
    return {"settings": settings, "modules": modules, "providers": sorted(providers)}


def _plain_body(body: Body) -> list[Any]:
    blocks = [[block.type, *block.labels, _plain_body(block.body)] for block in body.blocks]
    return [body.attributes, blocks]
