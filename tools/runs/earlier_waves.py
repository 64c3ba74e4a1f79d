"""What earlier waves of the same deployment mean for a later one."""

from collections.abc import Collection, Iterable

from tools.engine.run import Result
from tools.layout import graph
from tools.layout.stack import Stack


def blocked_stacks(results: Iterable[Result], stacks: Collection[Stack]) -> dict[str, str]:
    """Returns which of `stacks` are not to run: each with a stack that it reads and that failed.

    It may read that one through others. `results` are those of earlier waves.
    """
    read_by = graph.readers(graph.reads_among(stacks))
    blocked: dict[str, str] = {}
    for result in results:
        if result.is_unfinished and result.stack in read_by:
            for name in graph.reachable([result.stack], read_by):
                blocked.setdefault(name, result.stack)
    return blocked
