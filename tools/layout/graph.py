"""The graph of stacks, from what each one reads."""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from graphlib import CycleError, TopologicalSorter

from tools.errors import UserError
from tools.layout.stack import Kind, Stack


@dataclass(frozen=True)
class Graph:
    """Which stacks there are, upstream first, and what each one reads of the others.

    `kinds` maps a stack's name to its kind, `reads` to the names of those whose state it reads.
    """

    kinds: Mapping[str, Kind]
    reads: Mapping[str, Sequence[str]]

    @classmethod
    def of(cls, stacks: Iterable[Stack]) -> "Graph":
        """Raises UserError where two read each other, directly or by way of others."""
        stacks = list(stacks)
        kinds = {stack.name: stack.kind for stack in stacks}
        reads = {stack.name: [n for n in stack.upstream if n in kinds] for stack in stacks}
        names = order(reads)
        return cls({name: kinds[name] for name in names}, {name: reads[name] for name in names})

    @property
    def edges(self) -> list[tuple[str, str]]:
        """A pair for each stack and one that it reads: (shared-infra/iam, shared-infra/s3)."""
        return [(name, other) for name, above in self.reads.items() for other in above]

    def readers(self) -> dict[str, list[str]]:
        """The stacks that read each one."""
        found: dict[str, list[str]] = {name: [] for name in self.reads}
        for name, other in self.edges:
            found[other].append(name)
        return found

    def around(self, names: Iterable[str]) -> "Graph":
        """The part with `names`, all that they need, and all that needs them."""
        names = list(names)
        kept = _reachable(names, self.reads) | _reachable(names, self.readers())
        return Graph(
            {name: kind for name, kind in self.kinds.items() if name in kept},
            {n: [o for o in above if o in kept] for n, above in self.reads.items() if n in kept},
        )


def _reachable(names: Iterable[str], neighbours: Mapping[str, Sequence[str]]) -> set[str]:
    found: set[str] = set()
    ahead = list(names)
    while ahead:
        name = ahead.pop()
        if name not in found:
            found.add(name)
            ahead += neighbours[name]
    return found


def ordered(stacks: Iterable[Stack]) -> list[Stack]:
    """`stacks`, each after those of them that it reads, and close behind: s3, iam, then others.

    Raises UserError where two read each other, directly or by way of others.
    """
    by_name = {stack.name: stack for stack in stacks}
    return [by_name[name] for name in Graph.of(by_name.values()).kinds]


def order(upstream: Mapping[str, Sequence[str]]) -> list[str]:
    """The keys of `upstream`, each after its values, all of them keys, and close behind.

    Raises UserError where there is a circle.
    """
    try:
        TopologicalSorter(upstream).prepare()
    except CycleError as error:
        circle = " -> ".join(error.args[1])
        raise UserError(
            f"stacks read each other's state in a circle: {circle}; "
            "take one of these terraform_remote_state blocks out"
        ) from None
    placed: dict[str, None] = {}
    for name in upstream:
        # A stack of our own, since a chain of stacks may be longer than Python's.
        path = [(name, iter(upstream[name]))]
        while path:
            current, above = path[-1]
            missing = next((other for other in above if other not in placed), None)
            if missing is None:
                placed[current] = None
                path.pop()
            else:
                path.append((missing, iter(upstream[missing])))
    return list(placed)
