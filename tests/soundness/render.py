"""Writes one configuration as HCL, in several spellings, or as JSON.

A configuration is what Terraform's JSON syntax has, with two kinds of text besides: `Expression`
and `Bare`. https://developer.hashicorp.com/terraform/language/syntax/json
"""

import json
from collections.abc import Callable, Iterator, Mapping
from typing import Any

Configuration = dict[str, Any]


class Expression(str):
    """An expression, such as var.x: as it is in HCL, between ${ and } in JSON."""


class Bare(str):
    """What JSON has as a plain text and HCL without quotes, such as a type."""


# Labels of each kind of block at the top.
_LABELS = {"terraform": 0, "locals": 0, "variable": 1, "output": 1, "module": 1}
_LABELS |= {"data": 2, "resource": 2}
# Blocks within blocks, with their number of labels; any other mapping is an object.
_INNER = {"backend": 1, "lifecycle": 0, "validation": 0}


def to_json(configuration: Configuration) -> str:
    return json.dumps(_plain(configuration), indent=2) + "\n"


def _plain(value: Any) -> Any:
    if isinstance(value, Expression):
        return f"${{{value}}}"
    if isinstance(value, Mapping):
        return {key: _plain(item) for key, item in value.items()}
    if isinstance(value, list):
        return [_plain(item) for item in value]
    return value


def to_hcl(configuration: Configuration, style: str = "fmt") -> str:
    """Writes `configuration` as HCL, spelt as one of STYLES says."""
    return STYLES[style](_blocks(configuration))


def _blocks(configuration: Configuration) -> Iterator[list[str]]:
    """Lines of each block, without its indentation beyond two blanks a level."""
    for kind, content in configuration.items():
        for labels, body in _labelled(content, _LABELS[kind]):
            yield [*_block(kind, labels, body, "")]


def _labelled(content: Any, depth: int) -> Iterator[tuple[list[str], Mapping[str, Any]]]:
    if not depth:
        yield [], content
        return
    for label, inner in content.items():
        for labels, body in _labelled(inner, depth - 1):
            yield [label, *labels], body


def _block(kind: str, labels: list[str], body: Mapping[str, Any], indent: str) -> Iterator[str]:
    head = " ".join([kind, *(f'"{label}"' for label in labels)])
    yield f"{indent}{head} {{"
    for name, value in body.items():
        if name in _INNER and isinstance(value, Mapping):
            for inner, content in _labelled(value, _INNER[name]):
                yield from _block(name, inner, content, indent + "  ")
        else:
            yield f"{indent}  {name} = {_value(value)}"
    yield f"{indent}}}"


def _value(value: Any) -> str:
    if isinstance(value, (Expression, Bare)):
        return str(value)
    if isinstance(value, str):
        return f'"{value}"'
    if isinstance(value, Mapping):
        items = (f"{_key(key)} = {_value(item)}" for key, item in value.items())
        return "{ " + ", ".join(items) + " }"
    if isinstance(value, list):
        return "[" + ", ".join(map(_value, value)) + "]"
    return json.dumps(value)


def _key(key: str) -> str:
    return key if key.isidentifier() else f'"{key}"'


def _fmt(blocks: Iterator[list[str]]) -> str:
    return "\n\n".join("\n".join(lines) for lines in blocks) + "\n"


def _tight(blocks: Iterator[list[str]]) -> str:
    """No blank that is not needed; a block of one argument is one line."""
    texts = []
    for lines in blocks:
        lines = [line.strip().replace(" = ", "=", 1) for line in lines]
        joined = " ".join(lines) if len(lines) == 3 else "\n".join(lines)
        texts.append(joined)
    return "\n".join(texts)  # and no newline at the end


def _roomy(blocks: Iterator[list[str]]) -> str:
    """Tabs, trailing blanks, indented blocks."""
    lines = (f"\t {line}  \t" for block in blocks for line in ["", *block, ""])
    return "\n".join(lines) + "\n\n"


def _unquoted_labels(blocks: Iterator[list[str]]) -> str:
    return _fmt([block[0].replace('"', ""), *block[1:]] for block in blocks)


def _windows(blocks: Iterator[list[str]]) -> str:
    return _fmt(blocks).replace("\n", "\r\n")


def _commented(blocks: Iterator[list[str]]) -> str:
    """Comments that look like code: none of it is there."""
    decoy = [
        '# data "terraform_remote_state" "decoy" {',
        '# config = { path = "../decoy/terraform.tfstate" }',
        '/* file("${path.module}/decoy.txt")',
        '   module "decoy" { source = "../decoy" } */',
        '// file("~/decoy") "${',
    ]
    return _fmt([*decoy, *block[:-1], "  # }", block[-1] + " # {"] for block in blocks)


def _inner_comments(blocks: Iterator[list[str]]) -> str:
    return _fmt([line.replace(" = ", " /* c */ = ", 1) for line in lines] for lines in blocks)


def _byte_order_mark(blocks: Iterator[list[str]]) -> str:
    return "\ufeff" + _fmt(blocks)


STYLES: dict[str, Callable[[Iterator[list[str]]], str]] = {
    "fmt": _fmt,
    "tight": _tight,
    "roomy": _roomy,
    "unquoted labels": _unquoted_labels,
    "windows": _windows,
    "commented": _commented,
    "inner comments": _inner_comments,
    "byte order mark": _byte_order_mark,
}
