"""Reading and writing HCL: the only user of python-hcl2."""

import json
import re
from collections.abc import Mapping
from functools import lru_cache
from pathlib import Path
from typing import Any

from tools.errors import UserError

Value = str | int | float | bool | None | list[Any] | dict[str, Any]

# An interpolation or directive, not the `$${` of an escaped literal.
_EXPRESSION = re.compile(r"(?<!\$)\$\{|(?<!%)%\{")


def read_tfvars(path: Path) -> dict[str, Value]:
    """The literal values of a .tfvars file, in its order.

    A heredoc comes back without its last newline (python-hcl2 drops it).
    Raises UserError, with file and line, where it does not parse or holds an expression,
    which Terraform does not allow in a .tfvars either.
    """
    parsed = _parse(_read(path), path, quotes=True)
    return {name: _literal(value, path, name) for name, value in parsed.items()}


def read_variables(path: Path) -> dict[str, str]:
    """The variables that a .tf file declares: name to type, such as `list(string)`."""
    parsed = _parse(_read(path), path)
    types: dict[str, str] = {}
    for block in parsed.get("variable", []):
        for name, body in block.items():
            types[name] = re.sub(r"^\$\{(.*)\}$", r"\1", str(body.get("type", "string")))
    return types


def read_defaults(path: Path) -> dict[str, Value]:
    """The variables that a .tf file declares and that have a default: name to default.

    Raises UserError where the file does not parse.
    """
    text = _read(path)
    if not re.search(r"^\s*variable\b", text, re.MULTILINE):
        return {}  # a parse costs 20 ms, and most files declare none
    return {
        _key(name): _literal(body["default"], path, name)
        for block in _parse(text, path, quotes=True).get("variable", [])
        for name, body in block.items()
        if "default" in body
    }


def remote_state_paths(path: Path) -> dict[str, str | None]:
    """The `terraform_remote_state` data sources of a .tf file: name to where the state lies.

    That is the path that the local backend gets, relative to the file's folder, so that it begins
    with a dot; else the key of another backend; None where neither is written out.
    """
    text = _read(path)
    return _remote_states(text, path) if "terraform_remote_state" in text else {}


def backend(path: Path) -> tuple[str, Mapping[str, Any]] | None:
    """The kind and the arguments of the `backend` block of a .tf file, None where it has none."""
    text = _read(path)
    if not re.search(r'^\s*backend\s+"', text, re.MULTILINE):
        return None
    for block in _parse(text, path).get("terraform", []):
        for found in block.get("backend", []):
            for kind, config in found.items():
                return str(kind), config
    return None


def init_reads(path: Path) -> Value:
    """What `terraform init` takes from a .tf file: settings, module sources, provider names.

    https://developer.hashicorp.com/terraform/cli/commands/init
    """
    parsed = _parse(_read(path), path)
    modules = {
        name: [body.get("source"), body.get("version")]
        for block in parsed.get("module", [])
        for name, body in block.items()
    }
    providers = {name for block in parsed.get("provider", []) for name in block}
    for kind in ("resource", "data", "ephemeral"):
        providers |= {name.split("_")[0] for block in parsed.get(kind, []) for name in block}
    return [parsed.get("terraform", []), modules, sorted(providers)]


def dumps(value: Value, indent: str = "") -> str:
    """`value` as an HCL literal that Terraform reads back as it was, formatted as its fmt does."""
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
    """`text` as a quoted HCL string, whatever it holds.

    https://github.com/hashicorp/hcl/blob/main/hclsyntax/spec.md#template-expressions
    """
    escaped = "".join(map(_escape, text))
    # Not `$${`: python-hcl2 takes that to reach up to a closing brace, Terraform does not.
    return '"' + escaped.replace("${", "\\u0024{").replace("%{", "\\u0025{") + '"'


def _escape(character: str) -> str:
    if character in _ESCAPES:
        return _ESCAPES[character]
    if character.isprintable():
        return character
    code = ord(character)
    return f"\\u{code:04x}" if code <= 0xFFFF else f"\\U{code:08x}"


_ESCAPES = {'"': '\\"', "\\": "\\\\", "\n": "\\n", "\r": "\\r", "\t": "\\t"}


def _read(path: Path) -> str:
    try:
        return path.read_text(encoding="utf-8")
    except UnicodeDecodeError as error:
        raise UserError(f"{path} is not UTF-8 ({error.reason} at byte {error.start})") from None
    except OSError as error:
        raise UserError(f"cannot read {path}: {error.strerror}") from None


def _parse(text: str, path: Path, quotes: bool = False) -> Mapping[str, Any]:
    # Imported here: building the grammar costs a third of a second that most commands need not pay.
    from lark.exceptions import LarkError, UnexpectedInput

    try:
        return _loads(text, quotes)
    except UnexpectedInput as error:
        raise UserError(f"{path}, line {error.line}: not valid HCL; mend it there") from None
    except LarkError as error:
        raise UserError(f"{path}: not valid HCL: {str(error).splitlines()[0]}") from None


# Hundreds of notebooks share most of their texts, and a parse costs 2 to 20 ms: cached by content.
@lru_cache(maxsize=4096)
def _loads(text: str, quotes: bool) -> Mapping[str, Any]:
    import hcl2
    from hcl2 import SerializationOptions

    options = SerializationOptions(
        strip_string_quotes=not quotes,
        explicit_blocks=False,
        with_comments=False,
        preserve_heredocs=False,
        preserve_scientific_notation=False,
    )
    parsed: dict[str, Any] = hcl2.loads(text, serialization_options=options)
    return parsed


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


def _remote_states(text: str, path: Path) -> dict[str, str | None]:
    found: dict[str, str | None] = {}
    for block in _parse(text, path).get("data", []):
        for name, body in block.get("terraform_remote_state", {}).items():
            written = re.sub(r"\$\{path\.(module|root)\}/", "./", str(body))
            states: list[str] = re.findall(r"[^\s\"'\\]+\.tfstate(?![\w.])", written)
            states.sort(key=lambda state: not state.startswith("."))
            found[name] = states[0] if states else None
    return found
