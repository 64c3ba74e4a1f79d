"""The order of stacks, from what each one reads."""

from collections.abc import Iterable
from graphlib import CycleError, TopologicalSorter

from tools.errors import UserError
from tools.stack import Stack


def ordered(stacks: Iterable[Stack]) -> list[Stack]:
    """`stacks`, each after those of them that it reads, and close behind: s3, iam, then others.

    Raises UserError where two read each other, directly or by way of others.
    """
    by_name = {stack.name: stack for stack in stacks}
    upstream = {
        name: [other for other in stack.upstream if other in by_name]
        for name, stack in by_name.items()
    }
    try:
        TopologicalSorter(upstream).prepare()
    except CycleError as error:
        circle = " -> ".join(error.args[1])
        raise UserError(
            f"stacks read each other's state in a circle: {circle}; "
            "take one of these terraform_remote_state blocks out"
        ) from None
    placed: dict[str, Stack] = {}

    def place(name: str) -> None:
        if name not in placed:
            for other in upstream[name]:
                place(other)
            placed[name] = by_name[name]

    for name in by_name:
        place(name)
    return list(placed.values())
