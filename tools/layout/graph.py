"""The graph of stacks, from what each one reads."""

from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from graphlib import CycleError, TopologicalSorter

from tools.errors import UserError
from tools.layout.stack import Kind, Stack


@dataclass(frozen=True)
class Graph:
    """Which stacks there are, upstream first, and what each one reads of the others.

    `kinds` maps a stack's name to its kind, `reads` to the names of those whose state it reads,
    `unknown` to why it is not known what it reads besides.
    """

    kinds: Mapping[str, Kind]
    reads: Mapping[str, Sequence[str]]
    unknown: Mapping[str, Sequence[str]] = field(default_factory=dict)

    @classmethod
    def from_stacks(cls, stacks: Iterable[Stack]) -> "Graph":
        """The graph of `stacks`. Raises UserError if two read each other, directly or not."""
        stacks = list(stacks)
        kinds = {stack.name: stack.kind for stack in stacks}
        reads = reads_among(stacks)
        names = sort_names(reads, uncertain_names(stacks))
        unknown = {stack.name: stack.unknown_reads for stack in stacks if stack.unknown_reads}
        return cls(
            {name: kinds[name] for name in names}, {name: reads[name] for name in names}, unknown
        )

    def around(self, names: Iterable[str]) -> "Graph":
        """The part with `names`, what they read and what reads them, directly or not."""
        names = set(names)
        kept = names | reachable(names, self.reads) | reachable(names, readers(self.reads))
        return Graph(
            {name: kind for name, kind in self.kinds.items() if name in kept},
            {n: [o for o in above if o in kept] for n, above in self.reads.items() if n in kept},
            {name: reasons for name, reasons in self.unknown.items() if name in kept},
        )


def reads_among(stacks: Collection[Stack]) -> dict[str, list[str]]:
    """Names of `stacks`, each with those of the others that it reads."""
    names = {stack.name for stack in stacks}
    return {s.name: [name for name in s.upstream if name in names] for s in stacks}


def readers(reads: Mapping[str, Sequence[str]]) -> dict[str, list[str]]:
    """The graph `reads` with every edge turned round: each name with those that read it."""
    names_by_upstream: dict[str, list[str]] = {name: [] for name in reads}
    for name, upstream in reads.items():
        for other in upstream:
            names_by_upstream[other].append(name)
    return names_by_upstream


def reachable(names: Iterable[str], edges: Mapping[str, Sequence[str]]) -> set[str]:
    """What `names` lead to along `edges`, in one step or more."""
    reached: set[str] = set()
    waiting = list(names)
    while waiting:
        new = [other for other in edges[waiting.pop()] if other not in reached]
        reached.update(new)
        waiting += new
    return reached


def sort_stacks(stacks: Iterable[Stack]) -> list[Stack]:
    """Sorts `stacks`: each comes after those that it reads, and close behind them.

    Raises UserError if two read each other, directly or not.
    """
    by_name = {stack.name: stack for stack in stacks}
    return [by_name[name] for name in Graph.from_stacks(by_name.values()).kinds]


def uncertain_names(stacks: Collection[Stack]) -> set[str]:
    """Names of those of `stacks` that may read any other, and of those that read these.

    Each of them comes after all the others.
    """
    uncertain = [stack.name for stack in stacks if stack.may_read_any]
    if not uncertain:
        return set()
    return {*uncertain, *reachable(uncertain, readers(reads_among(stacks)))}


def sort_names(upstream: Mapping[str, Sequence[str]], last: Collection[str] = ()) -> list[str]:
    """Sorts the keys of `upstream`: each comes after its values, which are keys too, and close.

    Those in `last` come after all the others, none of which has one of them as a value. Raises
    UserError if there is a circle.
    """
    try:
        TopologicalSorter(upstream).prepare()
    except CycleError as error:
        circle = " -> ".join(error.args[1])
        raise UserError(
            f"stacks read each other's state in a circle: {circle}; "
            "remove one of these terraform_remote_state blocks"
        ) from None
    placed: dict[str, None] = {}
    for name in [*(n for n in upstream if n not in last), *(n for n in upstream if n in last)]:
        # No recursion: a chain of stacks may be longer than Python's limit of 1,000 calls.
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
