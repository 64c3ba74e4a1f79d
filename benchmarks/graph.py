"""How time and memory of `tools graph` grow with the number of stacks."""

import shutil
import tempfile
from functools import partial
from pathlib import Path

from benchmarks import fleet
from benchmarks.measure import TOOLS, Cost, Figure, by_turns, cpu, memory, process
from tools import SCRATCH

TITLE = "Graph"
_SIZES = (1_000, 10_000)
_MOST_GROWTH = 1.25


def run(repetitions: int, sizes: tuple[int, int] = _SIZES) -> list[Figure]:
    """`tools graph --format json` of a repository without notebooks, with 1,000 and with 10,000.

    Processor time, as in the benchmark of scaffolding.
    """
    with tempfile.TemporaryDirectory(prefix="benchmark-graph-") as parent:
        tasks = {}
        for size in (0, *sizes):
            directory = fleet.repository(Path(parent) / f"{size}") if not size else None
            directory = directory or fleet.with_notebooks(Path(parent) / f"{size}", size)
            tasks[f"first {size}"] = partial(_first, directory)
            tasks[f"again {size}"] = partial(_graph, directory)
        costs = by_turns(tasks, repetitions)
    return [figure for run in ("first", "again") for figure in _figures(run, sizes, costs)]


def _graph(directory: Path) -> Cost:
    return process([TOOLS, "graph", "--format", "json"], directory)


def _first(directory: Path) -> Cost:
    """As in a new clone: nothing is known yet of what the files say."""
    shutil.rmtree(directory / SCRATCH, ignore_errors=True)
    return _graph(directory)


def _figures(run: str, sizes: tuple[int, int], costs: dict[str, list[Cost]]) -> list[Figure]:
    small, large = sizes
    when = {"first": "in a new clone", "again": "once more"}[run]
    found = [
        Figure(
            f"{size:,} notebooks, {when}",
            f"{cpu(costs[f'{run} {size}']):.2f} s of a processor, "
            f"{memory(costs[f'{run} {size}']) / 1e6:.0f} MB",
        )
        for size in (0, *sizes)
    ]
    for what, measure in (("time", cpu), ("memory", memory)):
        none, few, many = (measure(costs[f"{run} {size}"]) for size in (0, *sizes))
        of_few = (few - none) / small
        growth = (many - none) / large / of_few if of_few > 0 else None
        found.append(
            Figure(
                f"{what} for each notebook, {when}: of {large:,} against {small:,}",
                "unknown: it is lost in the noise" if growth is None else f"{growth:.2f} times",
                f"linear: at most {_MOST_GROWTH} times",
                growth is not None and growth <= _MOST_GROWTH,
            )
        )
    return found
