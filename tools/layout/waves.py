"""Waves of the graph, and shards of a wave: what jobs of a pipeline may run beside one another."""

import hashlib
import re
from collections.abc import Collection, Sequence
from dataclasses import dataclass
from itertools import chain

from tools.errors import UserError
from tools.layout.graph import reads_among, sort_names, uncertain_names
from tools.layout.stack import Stack


@dataclass(frozen=True)
class Portion:
    """One of several parts, such as wave 2 of 6 or shard 3 of 8; counted from 1."""

    number: int
    of: int

    def __str__(self) -> str:
        return f"{self.number}/{self.of}"

    @classmethod
    def parse(cls, text: str) -> "Portion":
        """Reads "3/8". Raises ValueError for what is no such text."""
        match = re.fullmatch(r"([1-9]\d{0,4})/([1-9]\d{0,4})", text)
        if not match or int(match[1]) > int(match[2]):
            raise ValueError(f"{text!r} is not a part such as 3/8, the third of eight")
        return cls(int(match[1]), int(match[2]))


def split_into_waves(stacks: Collection[Stack]) -> list[list[Stack]]:
    """Returns the stacks in waves: each reads only stacks of earlier waves.

    A stack that may read any other comes in a wave after all the others.
    """
    reads = reads_among(stacks)
    uncertain = uncertain_names(stacks)
    by_name = {stack.name: stack for stack in stacks}
    numbers: dict[str, int] = {}
    certain = 0
    for name in sort_names(reads, uncertain):
        above = max((numbers[other] for other in reads[name]), default=0)
        numbers[name] = 1 + max(above, certain if name in uncertain else 0)
        if name not in uncertain:
            certain = max(certain, numbers[name])
    waves: list[list[Stack]] = [[] for _ in range(max(numbers.values(), default=0))]
    for name, number in numbers.items():
        waves[number - 1].append(by_name[name])
    return waves


def select_wave(stacks: Collection[Stack], wave: Portion) -> list[Stack]:
    """Returns the stacks of one wave; the last of `wave.of` also has all later ones."""
    waves = split_into_waves(stacks)
    last = len(waves) if wave.number == wave.of else wave.number
    return list(chain.from_iterable(waves[wave.number - 1 : last]))


def select_shard(stacks: Sequence[Stack], shard: Portion) -> list[Stack]:
    """Returns one of `shard.of` parts of `stacks`, as `split_names` splits them.

    Raises UserError if one of `stacks` reads another.
    """
    if shard.of == 1:
        return list(stacks)
    if pair := find_dependence(stacks):
        raise UserError(
            f"--shard {shard}: {pair[0]} reads {pair[1]}, and a shard may run before another; "
            "split one wave at a time: --wave 1/6"
        )
    in_shard = split_names([stack.name for stack in stacks], shard.of)[shard.number - 1]
    return [stack for stack in stacks if stack.name in in_shard]


def split_names(names: Collection[str], parts: int) -> list[set[str]]:
    """Splits `names` into `parts`, none of which has more than its share, by the names alone.

    A new name moves at most one other out of each part, as long as the share stays the same.
    """
    room = [-(-len(names) // parts)] * parts
    split: list[set[str]] = [set() for _ in range(parts)]
    for name in sorted(names, key=_digest):
        # Rendezvous hashing with a bound: each goes to the part that it prefers and that has room.
        with_room = (number for number, left in enumerate(room) if left)
        number = max(with_room, key=lambda part: _digest(f"{name} {part}"))
        room[number] -= 1
        split[number].add(name)
    return split


def find_dependence(stacks: Collection[Stack]) -> tuple[str, str] | None:
    """Returns the names of two of `stacks` of which the first reads, or may read, the second."""
    reads = reads_among(stacks)
    for name, upstream in reads.items():
        if upstream:
            return name, upstream[0]
    uncertain = uncertain_names(stacks)
    certain_names = [name for name in reads if name not in uncertain]
    return (min(uncertain), certain_names[0]) if uncertain and certain_names else None


def _digest(text: str) -> bytes:
    return hashlib.sha256(text.encode(errors="surrogateescape")).digest()
