"""Which variables a module declares, and which of their values no log may hold."""

import re
from collections.abc import Collection, Iterator, Mapping
from contextlib import suppress
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from tools.hcl import configuration, scanning, secret_arguments
from tools.hcl.evaluation import Scope, Value, evaluate
from tools.hcl.syntax import (
    Expression,
    UnreadableError,
    load_json,
    merge_blocks,
    parse_expression,
    parse_file,
)

_MARKS = (b"sensitive", b"ephemeral")


@dataclass
class Secrets:
    """The variables of a module that are, or may be, sensitive.

    `defaults` are the texts in their defaults, by name. `unread` are the files that could not be
    read: any variable may be sensitive then. `handed` are texts that a sensitive variable of a
    module is given. `maps` are those of the variables that are maps, and how deep: their keys are
    secret too, while those of an object are names.
    """

    defaults: dict[str, list[str]] = field(default_factory=dict)
    handed: set[str] = field(default_factory=set)
    maps: dict[str, int] = field(default_factory=dict)
    unread: list[Path] = field(default_factory=list)

    def __bool__(self) -> bool:
        return bool(self.defaults or self.unread or self.handed)

    def __contains__(self, name: str) -> bool:
        return name in self.defaults or bool(self.unread)


def read_secrets(directory: Path) -> Secrets:
    """Returns the sensitive variables that the files of the module in `directory` declare."""
    handed_on = secret_arguments.find_handed(directory)
    secrets = Secrets(handed=handed_on.texts)
    contents = dict(_contents(directory))
    marked = any(mark in content for content in contents.values() for mark in _MARKS)
    if not marked and not handed_on.variables:
        return secrets
    defaults: dict[str, list[str]] = {}
    for file, content in contents.items():
        try:
            is_json = file.name.endswith(".json")
            for name, body in _json_blocks(content) if is_json else _blocks(content):
                texts = list(_default_texts(body))
                texts += escaped_texts(content, texts) if is_json else ()
                # What overrides another file may add to its block.
                defaults.setdefault(name, []).extend(texts)
                secrets.maps[name] = max(secrets.maps.get(name, 0), _map_levels(body.get("type")))
                if configuration.is_sensitive(body) or name in handed_on.variables:
                    secrets.defaults[name] = defaults[name]
        except (UnreadableError, ValueError, TypeError, AttributeError):
            secrets.unread.append(file)
    return secrets


def _map_levels(type_: Expression | None) -> int:
    """How many maps in maps a type is."""
    if type_ and type_[0] == "literal":  # as JSON has it
        type_ = parse_expression(str(type_[1]))
    if not type_ or type_[0] != "call" or type_[1] not in ("list", "map", "set"):
        return 0
    return int(type_[1] == "map") + _map_levels(type_[2][0] if type_[2] else None)


def _contents(directory: Path) -> Iterator[tuple[Path, bytes]]:
    with suppress(OSError):
        for file in sorted(directory.iterdir()):
            if file.name.endswith(scanning.CONFIGURATION_ENDINGS):
                with suppress(OSError):  # Terraform cannot read it either
                    yield file, file.read_bytes()


def _default_texts(body: Mapping[str, Expression]) -> Iterator[str]:
    values = evaluate(body.get("default", ["literal", None]), Scope(lambda kind, name: None))
    return texts_of(list(values), _map_levels(body.get("type")))


def read_assigned(content: bytes, is_json: bool) -> dict[str, Value] | None:
    """Returns the values that a file of values sets, by name; None if it cannot be read.

    A value that is not known without Terraform is `Unknown`.
    """
    try:
        return configuration.read_values(content, is_json)
    except UnreadableError:
        return None


def texts_of(value: Any, maps: int = 0) -> Iterator[str]:
    """Every string and number in a value, however deep, and the keys of so many maps in maps."""
    if isinstance(value, dict):
        yield from value if maps else ()
        value, maps = list(value.values()), max(0, maps - 1)
    if isinstance(value, list):
        for item in value:
            yield from texts_of(item, maps)
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
