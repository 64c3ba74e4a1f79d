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
from tools.layout.waves import Portion, select_shard, select_wave

_CONDITION = re.compile(r"(?P<key>[\w-]+(?:\.[^=!]+)?)(?P<sign>!?=)(?P<pattern>.*)", re.DOTALL)


@dataclass(frozen=True)
class _Condition:
    text: str
    key: str
    pattern: str
    negated: bool

    def holds(self, stack: Mapping[str, Value]) -> bool:
        """Whether the values of `stack` meet it; never if it has no such value."""
        texts = _texts(stack, self.key)
        matches = any(self.pattern == text or fnmatchcase(text, self.pattern) for text in texts)
        return bool(texts) and matches != self.negated


@dataclass(frozen=True)
class Selection:
    """Which stacks a command is about; all of them if nothing narrows the choice.

    `patterns` are read by `match_names`, `conditions` by `filter_by_values`. `wave` is one of the
    whole graph, `shard` a part of what the former choose. `upstream` and `downstream` add what the
    chosen stacks read, and what reads them, directly or not.
    """

    patterns: Sequence[str] = ()
    shared: bool = False
    changed: bool = False
    conditions: Sequence[str] = ()
    upstream: bool = False
    downstream: bool = False
    wave: Portion | None = None
    shard: Portion | None = None


def choose(
    stacks: Sequence[Stack], selection: Selection, has_changed: Callable[[Stack], bool]
) -> list[Stack]:
    """Those of `stacks` that `selection` names, in their order.

    Raises UserError for a pattern that names nothing, and as `filter_by_values` does.
    """
    chosen = filter_by_values(_named(stacks, selection), selection.conditions)
    if selection.wave:
        in_wave = {stack.name for stack in select_wave(stacks, selection.wave)}
        chosen = [stack for stack in chosen if stack.name in in_wave]
    if selection.shard:
        chosen = select_shard(chosen, selection.shard)
    if selection.changed:
        chosen = [stack for stack in chosen if has_changed(stack)]
    names = {stack.name for stack in chosen}
    reads = graph.reads_among(stacks)
    upstream = graph.reachable(names, reads) if selection.upstream else set()
    downstream = graph.reachable(names, graph.readers(reads)) if selection.downstream else set()
    wanted = names | upstream | downstream
    return [stack for stack in stacks if stack.name in wanted]


def _named(stacks: Sequence[Stack], selection: Selection) -> Sequence[Stack]:
    if not selection.patterns and not selection.shared:
        return stacks
    names = match_names(selection.patterns, (stack.name for stack in stacks), NO_STACK)
    shared = "shared" if selection.shared else ""
    return [stack for stack in stacks if stack.name in names or stack.kind == shared]


def filter_by_values(stacks: Sequence[Stack], conditions: Sequence[str]) -> list[Stack]:
    """Those of `stacks` for which every condition holds, in their order.

    A condition is `key=value` or `key!=value` over a stack's declared values, as
    `variables.read_values` reads them: `environment=dev`, `owner=al*`, `volume_size=100`,
    `tags.Team=growth`. The value may be a glob; of a list, one item has to match. Raises UserError
    for a text that is not a condition, a key that none of the stacks has, and conditions that none
    of them meets.
    """
    if not conditions:
        return list(stacks)
    asked = [_parse(text) for text in conditions]
    with cache.persisted(stacks[0].root) if stacks else nullcontext():
        values_by_stack = variables.read_values_of(stacks)
    declared = [values for _, values in values_by_stack]
    for condition in asked:
        _check_key(condition, declared)
    chosen = [
        stack
        for stack, values in values_by_stack
        if all(condition.holds(values) for condition in asked)
    ]
    if not chosen:
        raise UserError(_in_vain(asked, declared))
    return chosen


def _parse(text: str) -> _Condition:
    parts = _CONDITION.fullmatch(text)
    if not parts:
        raise UserError(
            f"--where {text!r} is not a condition; write key=value or key!=value, such as "
            "environment=dev or tags.Team=growth"
        )
    return _Condition(text, parts["key"], parts["pattern"], parts["sign"] == "!=")


def _check_key(condition: _Condition, declared: Sequence[Mapping[str, Value]]) -> None:
    keys = {key for values in declared for key in _keys(values)}
    if condition.key in keys:
        return
    if keys:
        hint = nearest(condition.key, sorted(keys))
        raise UserError(f"--where {condition.text!r}: no stack has a value {condition.key}; {hint}")
    raise UserError(f"--where {condition.text!r}: there are no stacks to choose from")


def _keys(values: Mapping[str, Value]) -> list[str]:
    """The keys that a condition can have: a value's name, and `name.key` for those of a map."""
    keys = []
    for name, value in values.items():
        keys += [f"{name}.{key}" for key in value] if isinstance(value, dict) else [name]
    return keys


def _texts(values: Mapping[str, Value], key: str) -> list[str]:
    """The value of `key` as a person writes it: each item of a list, and none for a whole map."""
    name, _, inner = key.partition(".")
    value = values.get(name)
    if isinstance(value, dict):
        value = value.get(inner, [])
    elif inner or name not in values:
        return []
    return [_text(item) for item in value] if isinstance(value, list) else [_text(value)]


def _text(value: Value) -> str:
    if value is None or isinstance(value, bool):
        return {None: "null", True: "true", False: "false"}[value]
    return str(value)


def _in_vain(asked: Sequence[_Condition], declared: Sequence[Mapping[str, Value]]) -> str:
    asked_text = " and ".join(condition.text for condition in asked)
    actual = []
    for key in dict.fromkeys(condition.key for condition in asked):
        texts = sorted({text for values in declared for text in _texts(values, key)})
        some = ", ".join(texts[:8]) + (", ..." if len(texts) > 8 else "")
        actual.append(f"{key} is {some or 'empty'}")
    return f"no stack has {asked_text}; {'; '.join(actual)}"
