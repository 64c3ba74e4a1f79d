"""What a file of configuration says of one provider: its blocks, and files that it may open."""

import re
from collections.abc import Iterator
from typing import Any, TypedDict

from tools.hcl import file_references
from tools.hcl.cache import once
from tools.hcl.syntax import Block, Expression, UnreadableError, parse_file, parse_json

# Arguments of the AWS provider's block that name files:
# https://registry.terraform.io/providers/hashicorp/aws/latest/docs
_FILE_ARGUMENTS = re.compile(r"files?$|^custom_ca_bundle$")
_HAVE_TYPES = ("data", "ephemeral", "resource")
_RELATIVE = re.compile(r"\.{1,2}/")
_RELATIVE_FOLDERS = [["attribute", ["name", "path"], name] for name in ("module", "root")]


class ProviderReferences(TypedDict):
    """What one file says.

    `names` are local names whose source ends in "/aws", and `blocks` the labels of its `provider`
    blocks, with "alias" beside one that has an alias and "files" beside one that names files.
    `types` are those of its resources and data sources. `relative_path` is a path that counts from
    a directory, and which no function of Terraform opens. `unreadable` says why nothing is known of
    the file.
    """

    names: list[str]
    blocks: list[list[str]]
    types: list[str]
    relative_path: bool
    unreadable: str


def read_references(content: bytes, is_json: bool) -> ProviderReferences:
    """Returns what a .tf (or .tf.json) file with this `content` says of providers."""
    try:
        text = content.decode()
    except UnicodeDecodeError as error:
        return {**_nothing(), "unreadable": f"not UTF-8 at byte {error.start}"}
    provider_refs: ProviderReferences = once(
        f"provider references {is_json}", text, lambda: _read(text, is_json), keep=False
    )
    return provider_refs


def _nothing() -> ProviderReferences:
    return ProviderReferences(names=[], blocks=[], types=[], relative_path=False, unreadable="")


def _read(text: str, is_json: bool) -> ProviderReferences:
    provider_refs = _nothing()
    files = file_references.read_references(text.encode(), is_json)
    provider_refs["relative_path"] = bool(files["arguments"]) or any(
        map(_is_relative, files["paths"])
    )
    try:
        for block in (parse_json(text) if is_json else parse_file(text)).blocks:
            _read_block(block, provider_refs)
    except UnreadableError as error:
        provider_refs["unreadable"] = str(error)
    provider_refs["unreadable"] = provider_refs["unreadable"] or files["unreadable"]
    return provider_refs


def _is_relative(path: Expression) -> bool:
    first = path[1][0] if path[0] == "template" and path[1] else path[1]
    return first in _RELATIVE_FOLDERS or (
        isinstance(first, str) and _RELATIVE.match(first) is not None
    )


def _read_block(block: Block, provider_refs: ProviderReferences) -> None:
    label = "".join(block.labels[:1])
    if block.type == "provider":
        names = {*block.body.attributes, *_names_within(block)}
        marks = ["alias"] if "alias" in names else []
        marks += ["files"] if any(map(_FILE_ARGUMENTS.search, names)) else []
        provider_refs["blocks"].append([label, *marks])
    elif block.type in _HAVE_TYPES:
        provider_refs["types"].append(label)
    elif block.type == "terraform":
        for part in block.body.blocks:
            if part.type == "required_providers":
                sources = part.body.attributes.items()
                provider_refs["names"] += [
                    name for name, source in sources if "/aws" in str(source)
                ]


def _names_within(block: Block) -> Iterator[str]:
    """The names of the arguments in the blocks of a `provider` block, which JSON has as objects."""
    for inner in block.body.blocks:
        yield from inner.body.attributes
    for expression in block.body.attributes.values():
        yield from _keys(expression)


def _keys(expression: Any) -> Iterator[str]:
    if isinstance(expression, list):
        if expression[:1] == ["object"]:
            yield from (str(key[-1]) for key, _ in expression[1])
        for part in expression:
            yield from _keys(part)
