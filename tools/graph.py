"""The order of stacks, from what each one reads."""

from collections.abc import Iterable, Mapping, Sequence
from graphlib import CycleError, TopologicalSorter

from tools.errors import UserError
from tools.stack import Stack


def ordered(stacks: Iterable[Stack]) -> list[Stack]:
    """`stacks`, each after those of them that it reads, and close behind: s3, iam, then others.

    Raises UserError where two read each other, directly or by way of others.
    """
    by_name = {stack.name: stack for stack in stacks}
    return [by_name[name] for name in order(upstream(by_name.values()))]


def upstream(stacks: Iterable[Stack]) -> dict[str, list[str]]:
    """What each of `stacks` reads of the others, by name."""
    reads = {stack.name: stack.upstream for stack in stacks}
    return {name: [other for other in above if other in reads] for name, above in reads.items()}


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
