"""Stacks by what their files say of them: `--where environment=dev`."""

import re
from collections.abc import Callable, Mapping, Sequence
from contextlib import nullcontext
from dataclasses import dataclass
from fnmatch import fnmatchcase

from tools.errors import UserError, nearest
from tools.hcl import cache
from tools.hcl.reading import Value
from tools.layout import graph, variables
from tools.layout.patterns import NO_STACK, match_names
from tools.layout.stack import Stack

_CONDITION = re.compile(r"(?P<key>[\w-]+(?:\.[^=!]+)?)(?P<sign>!?=)(?P<pattern>.*)", re.DOTALL)


@dataclass(frozen=True)
class _Condition:
    text: str
    key: str
    pattern: str
    negated: bool

    def holds(self, stack: Mapping[str, Value]) -> bool:
        """Never for a stack that has no such value, whichever the sign."""
        found = _texts(stack, self.key)
        matches = any(self.pattern == text or fnmatchcase(text, self.pattern) for text in found)
        return bool(found) and matches != self.negated


@dataclass(frozen=True)
class Selection:
    """Which stacks a command is about; all of them where nothing narrows the choice.

    `patterns` are as Repository.select takes them, `conditions` as `where` does. `upstream` and
    `downstream` add what the chosen ones read, and what reads them, recursively.
    """

    patterns: Sequence[str] = ()
    shared: bool = False
    changed: bool = False
    conditions: Sequence[str] = ()
    upstream: bool = False
    downstream: bool = False


def choose(
    stacks: Sequence[Stack], selection: Selection, has_changed: Callable[[Stack], bool]
) -> list[Stack]:
    """Those of `stacks` that `selection` names, in their order.

    Raises UserError for a pattern that names nothing, and as `where` does.
    """
    chosen = where(_named(stacks, selection), selection.conditions)
    if selection.changed:
        chosen = [stack for stack in chosen if has_changed(stack)]
    names = {stack.name for stack in chosen}
    reads = graph.reads_among(stacks)
    upstream = graph.reachable(names, reads) if selection.upstream else set()
    downstream = graph.reachable(names, graph.readers(reads)) if selection.downstream else set()
    return [stack for stack in stacks if stack.name in names | upstream | downstream]


def _named(stacks: Sequence[Stack], selection: Selection) -> Sequence[Stack]:
    if not selection.patterns and not selection.shared:
        return stacks
    names = match_names(selection.patterns, (stack.name for stack in stacks), NO_STACK)
    shared = "shared" if selection.shared else ""
    return [stack for stack in stacks if stack.name in names or stack.kind == shared]


def where(stacks: Sequence[Stack], conditions: Sequence[str]) -> list[Stack]:
    """Those of `stacks` for which every condition holds, in their order.

    A condition is `key=value` or `key!=value` over a stack's declared values, as
    `variables.declared` reads them: `environment=dev`, `owner=al*`, `volume_size=100`,
    `tags.Team=growth`. The value may be a glob; of a list, one item has to match. Raises UserError
    for a text that is no condition, a key that none of the stacks has, and conditions that none of
    them meets.
    """
    if not conditions:
        return list(stacks)
    asked = [_parse(text) for text in conditions]
    with cache.kept(stacks[0].root) if stacks else nullcontext():
        declared = [variables.declared(stack) for stack in stacks]
    for condition in asked:
        _check_key(condition, declared)
    chosen = [
        stack
        for stack, own in zip(stacks, declared, strict=True)
        if all(condition.holds(own) for condition in asked)
    ]
    if not chosen:
        raise UserError(_in_vain(asked, declared))
    return chosen


def _parse(text: str) -> _Condition:
    found = _CONDITION.fullmatch(text)
    if not found:
        raise UserError(
            f"--where {text!r} is no condition; write key=value or key!=value, such as "
            "environment=dev or tags.Team=growth"
        )
    return _Condition(text, found["key"], found["pattern"], found["sign"] == "!=")


def _check_key(condition: _Condition, declared: Sequence[Mapping[str, Value]]) -> None:
    known = {key for own in declared for key in _keys(own)}
    if condition.key in known:
        return
    if known:
        near = nearest(condition.key, sorted(known))
        raise UserError(f"--where {condition.text!r}: no stack has a value {condition.key}; {near}")
    raise UserError(f"--where {condition.text!r}: there are no stacks to choose from")


def _keys(own: Mapping[str, Value]) -> list[str]:
    """What can be asked of a stack: its values' names, and `name.key` for those of a map."""
    keys = []
    for name, value in own.items():
        keys += [f"{name}.{key}" for key in value] if isinstance(value, dict) else [name]
    return keys


def _texts(own: Mapping[str, Value], key: str) -> list[str]:
    """The value of `key` as a person writes it; each item of a list, none for a map as a whole."""
    name, _, inner = key.partition(".")
    value = own.get(name)
    if isinstance(value, dict):
        value = value.get(inner, [])
    elif inner or name not in own:
        return []
    return [_text(item) for item in value] if isinstance(value, list) else [_text(value)]


def _text(value: Value) -> str:
    if value is None or isinstance(value, bool):
        return {None: "null", True: "true", False: "false"}[value]
    return str(value)


def _in_vain(conditions: Sequence[_Condition], declared: Sequence[Mapping[str, Value]]) -> str:
    asked = " and ".join(condition.text for condition in conditions)
    there = []
    for key in dict.fromkeys(condition.key for condition in conditions):
        found = sorted({text for own in declared for text in _texts(own, key)})
        shown = ", ".join(found[:8]) + (", ..." if len(found) > 8 else "")
        there.append(f"{key} is {shown or 'empty'}")
    return f"no stack has {asked}; {'; '.join(there)}"
