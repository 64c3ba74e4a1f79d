"""What a file of configuration says of one provider: its blocks, and files that it may open."""

import re
from collections.abc import Iterator, Mapping
from typing import Any, TypedDict

from tools.hcl import file_references
from tools.hcl.cache import once
from tools.hcl.syntax import Expression, UnreadableError, load_json, parse_file

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
    uses: ProviderReferences = once(
        f"provider uses {is_json}", text, lambda: _read(text, is_json), keep=False
    )
    return uses


def _nothing() -> ProviderReferences:
    return ProviderReferences(names=[], blocks=[], types=[], relative_path=False, unreadable="")


def _read(text: str, is_json: bool) -> ProviderReferences:
    uses = _nothing()
    files = file_references.read_references(text.encode(), is_json)
    uses["relative_path"] = bool(files["arguments"]) or any(map(_is_relative, files["paths"]))
    try:
        for kind, label, attributes in _json_blocks(text) if is_json else _blocks(text):
            if kind == "provider":
                marks = ["alias"] if "alias" in attributes else []
                marks += ["files"] if any(map(_FILE_ARGUMENTS.search, attributes)) else []
                uses["blocks"].append([label, *marks])
            elif kind in _HAVE_TYPES:
                uses["types"].append(label)
            else:
                uses["names"] += [n for n, source in attributes.items() if "/aws" in str(source)]
    except UnreadableError as error:
        uses["unreadable"] = str(error)
    uses["unreadable"] = uses["unreadable"] or files["unreadable"]
    return uses


def _is_relative(path: Expression) -> bool:
    first = path[1][0] if path[0] == "template" and path[1] else path[1]
    return first in _RELATIVE_FOLDERS or (
        isinstance(first, str) and _RELATIVE.match(first) is not None
    )


def _blocks(text: str) -> Iterator[tuple[str, str, Mapping[str, Any]]]:
    for block in parse_file(text).blocks:
        if block.type == "provider":
            inner = {name: None for b in block.body.blocks for name in b.body.attributes}
            yield "provider", "".join(block.labels[:1]), {**inner, **block.body.attributes}
        elif block.type in _HAVE_TYPES:
            yield block.type, "".join(block.labels[:1]), {}
        elif block.type == "terraform":
            for part in block.body.blocks:
                if part.type == "required_providers":
                    yield part.type, "", part.body.attributes


def _json_blocks(text: str) -> Iterator[tuple[str, str, Mapping[str, Any]]]:
    """The blocks of a .tf.json file that say which providers it uses: type, label and attributes.

    Raises UnreadableError.
    https://developer.hashicorp.com/terraform/language/syntax/json
    """
    for kind, value in _pairs(load_json(text, list)):
        for label, body in _pairs(value):
            if kind == "provider":
                # One block, or a list of them.
                for block in body if body and not isinstance(body[0], tuple) else [body]:
                    names = {name for name, _ in _deep_pairs(block)}
                    yield "provider", label, dict.fromkeys(names)
            elif kind in _HAVE_TYPES:
                yield kind, label, {}
            elif kind == "terraform" and label == "required_providers":
                yield label, "", dict(_pairs(body))


def _pairs(value: Any) -> Iterator[tuple[str, Any]]:
    """The members of an object, or of each object in a list, which blocks may be."""
    for item in value if isinstance(value, list) else ():
        if isinstance(item, tuple):
            yield item
        else:
            yield from _pairs(item)


def _deep_pairs(value: Any) -> Iterator[tuple[str, Any]]:
    for name, inner in _pairs(value):
        yield name, inner
        yield from _deep_pairs(inner)
