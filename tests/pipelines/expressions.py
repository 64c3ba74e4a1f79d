"""GitHub's expressions, as far as generated workflows have them; anything else is an error.

https://docs.github.com/en/actions/reference/workflows-and-actions/expressions
"""

import json
import re
from collections.abc import Mapping
from typing import Any

_TOKEN = re.compile(
    r"\s*(?:(?P<text>'[^']*')|(?P<name>[A-Za-z_][\w.-]*)|(?P<sign>&&|\|\||==|!=|!|\(|\)))"
)
_STATUS = ("always", "cancelled", "success", "failure")
_SIGNS = {"&&": " and ", "||": " or ", "==": "==", "!=": "!=", "!": " not ", "(": "(", ")": ")"}


def evaluate(text: str, context: Mapping[str, Any]) -> Any:
    """The value of an expression; what the context lacks is null, as on GitHub."""
    python, position = "", 0
    text = text.strip()
    while position < len(text):
        token = _TOKEN.match(text, position)
        assert token, f"not of the subset that is generated: {text}"
        position = token.end()
        if token["text"]:
            python += repr(token["text"][1:-1])
        elif token["sign"]:
            python += _SIGNS[token["sign"]]
        elif token["name"] in ("true", "false"):
            python += token["name"].title()
        elif text[position:].lstrip().startswith("("):
            python += f"functions[{token['name']!r}]"
        else:
            python += f"look({token['name']!r})"
    functions = {"fromJSON": json.loads, **context.get("functions", {})}

    def look(path: str) -> Any:
        value: Any = context
        for part in path.split("."):
            value = value.get(part) if isinstance(value, Mapping) else None
        return value

    return eval(python, {"look": look, "functions": functions})


def fill(value: Any, context: Mapping[str, Any]) -> Any:
    """`value` with its ${{ }} evaluated; alone it keeps its type."""
    if isinstance(value, dict):
        return {key: fill(item, context) for key, item in value.items()}
    if not isinstance(value, str):
        return value
    whole = re.fullmatch(r"\$\{\{((?:(?!\}\}).)*)\}\}", value.strip())
    if whole:
        return evaluate(whole[1], context)
    return re.sub(r"\$\{\{(.*?)\}\}", lambda match: _text(evaluate(match[1], context)), value)


def condition(text: str | None, context: Mapping[str, Any], succeeded: bool) -> bool:
    """Whether a job runs: without a function of the status only if what it needs has succeeded."""
    if text is None:
        return succeeded
    text = text.strip()
    if text.startswith("${{"):
        text = text[3:-2]
    asks = any(f"{name}(" in text for name in _STATUS)
    return (asks or succeeded) and bool(evaluate(text, context))


def _text(value: Any) -> str:
    if isinstance(value, bool):
        return str(value).lower()
    return "" if value is None else str(value)
