"""Which variables a module declares, and which of their values no log may hold."""

import re
from collections.abc import Collection, Iterator, Mapping
from contextlib import suppress
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from tools.hcl import configuration, scanning, secret_arguments, types
from tools.hcl.evaluation import Scope, Value, evaluate, is_known
from tools.hcl.syntax import (
    Expression,
    UnreadableError,
    load_json,
    merge_blocks,
    parse_expression,
    parse_file,
)
from tools.hcl.types import ANY

_MARKS = (b"sensitive", b"ephemeral")


@dataclass
class Secrets:
    """The variables of a module that are, or may be, sensitive.

    `defaults` are the texts in their defaults, by name. `unread` are the files that could not be
    read: any variable may be sensitive then. `handed` are texts that a sensitive variable of a
    module is given. `types` are those of the variables, more than one if files override them.
    """

    defaults: dict[str, list[str]] = field(default_factory=dict)
    handed: set[str] = field(default_factory=set)
    types: dict[str, list[Expression]] = field(default_factory=dict)
    unread: list[Path] = field(default_factory=list)

    def __bool__(self) -> bool:
        return bool(self.defaults or self.unread or self.handed)

    def __contains__(self, name: str) -> bool:
        return name in self.defaults or bool(self.unread)

    def texts_of(self, name: str, value: Any) -> Iterator[str]:
        """Every text in a value of the variable `name`, as `texts_of` of its type."""
        for type_ in self.types.get(name) or [ANY]:
            yield from texts_of(value, type_)

    def texts_of_option(self, name: str, text: str) -> Iterator[str]:
        """As `texts_of`, of the value that an option or the environment gives: a text or HCL."""
        values: list[Any] = []
        with suppress(UnreadableError):
            values = list(evaluate(parse_expression(text), Scope()))
        with suppress(UnreadableError):
            values = [load_json(text, dict)]
        # Without a type Terraform takes it for a text, in which there may be JSON.
        for type_ in self.types.get(name) or [ANY if self.unread else ["name", "string"]]:
            yield from texts_of([text, *values], ["call", "list", [type_]])
        if not values or not is_known(values):
            yield from re.findall(r'"((?:\\.|[^"\\])+)"', text)


def read_secrets(directory: Path) -> Secrets:
    """Returns the sensitive variables that the files of the module in `directory` declare."""
    handed_on = secret_arguments.find_handed(directory)
    secrets = Secrets(handed=handed_on.texts)
    contents = dict(_contents(directory))
    marked = any(mark in content for content in contents.values() for mark in _MARKS)
    if not marked and not handed_on.variables:
        return secrets
    parsed_defaults: dict[str, list[tuple[Any, bytes]]] = {}
    for file, content in contents.items():
        try:
            is_json = file.name.endswith(".json")
            json_text = content if is_json else b""
            for name, body in _json_blocks(content) if is_json else _blocks(content):
                # What overrides another file may add to its block.
                if "type" in body:
                    secrets.types.setdefault(name, []).append(types.constraint(body))
                    optional = types.optional_defaults(secrets.types[name][-1])
                    parsed_defaults.setdefault(name, []).append((optional, json_text))
                value = list(evaluate(body.get("default", ["literal", None]), Scope()))
                parsed_defaults.setdefault(name, []).append((value, json_text))
                if configuration.is_sensitive(body) or name in handed_on.variables:
                    secrets.defaults[name] = []
        except (UnreadableError, ValueError, TypeError, AttributeError):
            secrets.unread.append(file)
    for name, texts in secrets.defaults.items():
        for values, content in parsed_defaults[name]:
            found = [text for value in values for text in secrets.texts_of(name, value)]
            texts += [*found, *escaped_texts(content, found)]
    return secrets


def _contents(directory: Path) -> Iterator[tuple[Path, bytes]]:
    with suppress(OSError):
        for file in sorted(directory.iterdir()):
            if file.name.endswith(scanning.CONFIGURATION_ENDINGS):
                with suppress(OSError):  # Terraform cannot read it either
                    yield file, file.read_bytes()


def read_assigned(content: bytes, is_json: bool) -> dict[str, Value] | None:
    """Returns the values that a file of values sets, by name; None if it cannot be read.

    A value that is not known without Terraform is `Unknown`.
    """
    try:
        return configuration.read_values(content, is_json)
    except UnreadableError:
        return None


def texts_of(value: Any, type_: Expression = ANY) -> Iterator[str]:
    """Every string and number in a value, however deep, and the keys of what is, or may be, a map.

    The names of the attributes that `type_` has are code.
    """
    if isinstance(value, dict | list):
        for key, item in value.items() if isinstance(value, dict) else enumerate(value):
            item_type, is_name = types.member(type_, key)
            if isinstance(key, str) and not is_name:
                yield key
            yield from texts_of(item, item_type)
    elif isinstance(value, str | int | float) and not isinstance(value, bool):
        yield str(value)


def escaped_texts(content: bytes, texts: Collection[str]) -> Iterator[str]:
    """Those of `texts` that a JSON file writes with escapes, as it writes them: errors quote it."""
    for written in scanning.quoted_texts(content.decode(errors="replace")):
        if "\\" in written:
            with suppress(UnreadableError):
                if load_json(f'"{written}"', dict) in texts:
                    yield written


def texts_in(content: bytes) -> Iterator[str]:
    """Every text that may be a value in a file of values that cannot be read."""
    text = content.decode(errors="replace").removeprefix("\ufeff")
    yield from assigned_texts_in(content)
    yield from scanning.quoted_texts(text)
    yield from (line.strip() for line in text.splitlines() if not re.search(r"[={}\[\]]", line))


def assigned_texts_in(content: bytes) -> Iterator[str]:
    """Every text that is assigned on one line in a file that cannot be read."""
    text = content.decode(errors="replace").removeprefix("\ufeff")
    return (value for _, value in scanning.assigned_texts(text))


def _blocks(content: bytes) -> Iterator[tuple[str, Mapping[str, Expression]]]:
    for block in parse_file(content.decode("utf-8-sig")).blocks:
        if block.type == "variable" and block.labels:
            yield block.labels[0], block.body.attributes


def _json_blocks(content: bytes) -> Iterator[tuple[str, Mapping[str, Expression]]]:
    """The variables of a .tf.json file: name and attributes.

    https://developer.hashicorp.com/terraform/language/syntax/json
    """
    blocks = load_json(content.decode(), merge_blocks).get("variable", {})
    for block in blocks if isinstance(blocks, list) else [blocks]:
        for name, bodies in block.items():
            for body in bodies if isinstance(bodies, list) else [bodies]:
                yield name, {key: ["literal", value] for key, value in body.items()}
