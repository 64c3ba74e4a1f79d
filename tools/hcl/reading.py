"""Reads values, variables, backends and remote states from .tf and .tfvars files."""

import json
import re
from collections.abc import Callable, Mapping
from functools import cache
from hashlib import blake2b
from importlib.util import find_spec
from pathlib import Path
from typing import Any

from tools.errors import UserError
from tools.hcl.cache import once
from tools.system import files

Value = str | int | float | bool | None | list[Any] | dict[str, Any]

VALUES = "terraform.tfvars"

# What writing.backend_block makes, with comments before it. Each stack has a text of its own, so
# that hundreds would be parsed, at some milliseconds each, where nothing is kept yet.
_PLAIN_BACKEND = re.compile(
    r'(?:#.*\n)*terraform \{\n  backend "(?P<kind>\w+)" \{\n'
    r'(?P<arguments>(?:    \w+ *= (?:"[^"\\\n$%]*"|true|false)\n)*)  \}\n\}\n'
)
_PLAIN_ARGUMENT = re.compile(r"^    (\w+) *= (.*)$", re.MULTILINE)

# An interpolation or directive, not the `$${` of an escaped literal.
_EXPRESSION = re.compile(r"(?<!\$)\$\{|(?<!%)%\{")


def value_files(directory: Path) -> list[Path]:
    """The files of values that Terraform reads in `directory` by itself, the strongest last.

    https://developer.hashicorp.com/terraform/language/values/variables#variable-definition-precedence
    """
    named = [directory / VALUES, directory / "terraform.tfvars.json"]
    automatic = [*directory.glob("*.auto.tfvars"), *directory.glob("*.auto.tfvars.json")]
    # The link to common.auto.tfvars leads nowhere before `tools init`.
    return [file for file in [*named, *sorted(automatic)] if file.is_file()]


def read_json(path: Path) -> dict[str, Any]:
    """The content of a .tf.json or .tfvars.json file. Raises UserError if it is no JSON object."""
    try:
        content = json.loads(path.read_text(encoding="utf-8"))
    except (OSError, ValueError) as error:
        raise UserError(f"{path}: not valid JSON: {error}") from None
    if not isinstance(content, dict):
        raise UserError(f"{path}: it must be one object of names and values")
    return content


def read_tfvars(path: Path) -> dict[str, Value]:
    """The literal values of a .tfvars file, in its order.

    A heredoc comes back without its last newline, which python-hcl2 8.1 drops. Raises UserError,
    with file and line, if it does not parse or holds an expression, which Terraform does not allow
    there either.
    """
    text = _read(path)
    return _once(
        "tfvars", text, lambda: _literals(parse(text, path, quotes=True), path), keep=False
    )


def tfvars_names(path: Path) -> list[str]:
    """The names of the values that a .tfvars file sets. Raises UserError as `read_tfvars`."""
    text = _read(path)
    return list(_once("names", text, lambda: dict.fromkeys(parse(text, path, quotes=True))))


def tfvars_value(path: Path, name: str) -> Value:
    """What a .tfvars file sets for `name`; None if it sets nothing, or there is no such file.

    Raises UserError as `read_tfvars`.
    """
    # A parse costs milliseconds, and few of hundreds of notebooks set what is asked for.
    assignment = re.compile(rf"^\s*{re.escape(name)}\s*=".encode(), re.MULTILINE)
    is_set = path.is_file() and assignment.search(path.read_bytes())
    return read_tfvars(path).get(name) if is_set else None


def read_variables(path: Path) -> dict[str, str]:
    """The variables that a .tf file declares: name to type, such as `list(string)`."""
    if path.suffix == ".json":
        return {name: str(body.get("type", "string")) for name, body in _json_variables(path)}
    text = _read(path)
    return _once("variables", text, lambda: _types(parse(text, path)))


def read_defaults(path: Path) -> dict[str, Value]:
    """The defaults of the variables that a .tf file declares: name to default.

    Raises UserError if the file does not parse.
    """
    if path.suffix == ".json":
        return {name: body["default"] for name, body in _json_variables(path) if "default" in body}
    text = _read(path)
    if not re.search(r"^\s*variable\b", text, re.MULTILINE):
        return {}  # a parse costs 20 ms, and most files declare none
    return _once(
        "defaults", text, lambda: _defaults(parse(text, path, quotes=True), path), keep=False
    )


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
    backends = _once("backend", text, lambda: _backends(parse(text, path)))
    return next(iter(backends.items()), None)


def read_plain_backend(text: str) -> tuple[str, dict[str, Any]] | None:
    """The `backend` block of a file that holds only one, as `writing.backend_block` writes it."""
    plain = _PLAIN_BACKEND.fullmatch(text)
    if not plain:
        return None
    arguments = _PLAIN_ARGUMENT.findall(plain["arguments"])
    return plain["kind"], {name: json.loads(value) for name, value in arguments}


def read_init_inputs(path: Path) -> Value:
    """What `terraform init` takes from a .tf file: settings, module sources, provider names.

    https://developer.hashicorp.com/terraform/cli/commands/init
    """
    text = _read(path)
    if path.suffix == ".json":
        return {"text": text}
    return _once("init", text, lambda: _init_inputs(parse(text, path)))


def _json_variables(path: Path) -> list[tuple[str, Mapping[str, Any]]]:
    return [
        (name, body)
        for block in _objects(read_json(path).get("variable"))
        for name, bodies in block.items()
        for body in _objects(bodies)
    ]


def _json_backends(path: Path) -> list[tuple[str, Mapping[str, Any]]]:
    found: list[tuple[str, Mapping[str, Any]]] = []
    for settings in _objects(read_json(path).get("terraform")):
        for backend in _objects(settings.get("backend")):
            found += [(kind, body) for kind, bodies in backend.items() for body in _objects(bodies)]
        found += [("cloud", {}) for _ in _objects(settings.get("cloud"))]
    return found


def _objects(value: Any) -> list[Mapping[str, Any]]:
    """The objects that a block of JSON is: one or a list of them."""
    values = value if isinstance(value, list) else [value]
    return [item for item in values if isinstance(item, Mapping)]


def _read(path: Path) -> str:
    try:
        with files.explain_unreadable(path):
            return path.read_bytes().decode().replace("\r\n", "\n")
    except UnicodeDecodeError as error:
        raise UserError(f"{path} is not UTF-8 ({error.reason} at byte {error.start})") from None


def _once(
    kind: str, text: str, find: Callable[[], dict[str, Any]], keep: bool = True
) -> dict[str, Any]:
    # Hundreds of notebooks share most of their texts, and a parse costs 2 to 20 ms
    # (python-hcl2 8.1: 2 ms for a .tfvars file, 20 ms for 2.5 KB of .tf).
    return dict(once(f"{kind} {_version()}", text, find, keep))


@cache
def _version() -> str:
    """What results depend on besides the text: this module and the release of python-hcl2."""
    spec = find_spec("hcl2")
    sources = [Path(__file__), Path(str(spec.origin)).with_name("version.py")] if spec else []
    return blake2b(b"".join(file.read_bytes() for file in sources), digest_size=16).hexdigest()


def parse(text: str, path: Path, quotes: bool = False, comments: bool = False) -> Mapping[str, Any]:
    """What python-hcl2 makes of `text`; with `quotes`, strings keep theirs.

    Raises UserError, which names `path`, if it does not parse.
    """
    # Imported here: building the grammar costs a third of a second that most commands need not pay.
    import hcl2
    from hcl2 import SerializationOptions
    from lark.exceptions import LarkError, UnexpectedInput

    options = SerializationOptions(
        strip_string_quotes=not quotes,
        explicit_blocks=False,
        with_comments=comments,
        preserve_heredocs=False,
        preserve_scientific_notation=False,
    )
    try:
        parsed: dict[str, Any] = hcl2.loads(text, serialization_options=options)
    except UnexpectedInput as error:
        raise UserError(f"{path}, line {error.line}: not valid HCL; correct it there") from None
    except RecursionError:
        raise UserError(f"{path} is nested too deeply to be read") from None
    except LarkError as error:
        raise UserError(f"{path}: not valid HCL: {str(error).splitlines()[0]}") from None
    return parsed


def _types(configuration: Mapping[str, Any]) -> dict[str, str]:
    return {
        name: re.sub(r"^\$\{(.*)\}$", r"\1", str(body.get("type", "string")))
        for block in configuration.get("variable", [])
        for name, body in block.items()
    }


def _defaults(configuration: Mapping[str, Any], path: Path) -> dict[str, Value]:
    return {
        _key(name): _literal(body["default"], path, name)
        for block in configuration.get("variable", [])
        for name, body in block.items()
        if "default" in body
    }


def _backends(configuration: Mapping[str, Any]) -> dict[str, Any]:
    settings = configuration.get("terraform", [])
    backends = {
        kind: arguments
        for block in settings
        for backend in block.get("backend", [])
        for kind, arguments in backend.items()
    }
    return {"cloud": {}} if any("cloud" in block for block in settings) else backends


def _init_inputs(configuration: Mapping[str, Any]) -> dict[str, Any]:
    modules = {
        name: [body.get("source"), body.get("version")]
        for block in configuration.get("module", [])
        for name, body in block.items()
    }
    providers = {name for block in configuration.get("provider", []) for name in block}
    for kind in ("resource", "data", "ephemeral"):
        blocks = configuration.get(kind, [])
        providers |= {name.split("_")[0] for block in blocks for name in block}
    settings = configuration.get("terraform", [])
    return {"settings": settings, "modules": modules, "providers": sorted(providers)}


def _literals(assigned: Mapping[str, Any], path: Path) -> dict[str, Value]:
    return {name: _literal(value, path, name) for name, value in assigned.items()}


def _literal(value: Any, path: Path, name: str) -> Value:
    if isinstance(value, Mapping):
        return {_key(key): _literal(item, path, name) for key, item in value.items()}
    if isinstance(value, list):
        return [_literal(item, path, name) for item in value]
    if not isinstance(value, str):
        return value  # type: ignore[no-any-return]
    if not value.startswith('"') or _EXPRESSION.search(value):
        raise UserError(f"{path}: {name} is an expression; a .tfvars file holds literal values")
    return _unquote(value)


def _key(key: str) -> str:
    return _unquote(key) if key.startswith('"') else key


def _unquote(quoted: str) -> str:
    from hcl2.utils import process_escape_sequences

    raw = quoted[1:-1].replace("$${", "${").replace("%%{", "%{")
    return str(process_escape_sequences(raw))
