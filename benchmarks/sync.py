"""`tools sync` of a roster in which nothing has changed."""

import tempfile
from pathlib import Path

from benchmarks import fleet
from benchmarks.measure import TOOLS, Figure, by_turns, cpu, process, seconds

TITLE = "Sync"
_SECONDS = 2.0


def run(repetitions: int, notebooks: int = 1000) -> list[Figure]:
    """A roster whose directories are there."""
    with tempfile.TemporaryDirectory() as folder:
        root = fleet.repository(Path(folder) / "fleet")
        fleet.roster(root / "notebooks.csv", notebooks)
        process([TOOLS, "sync", "--yes"], root)
        costs = by_turns({"sync": lambda: process([TOOLS, "sync"], root)}, repetitions)["sync"]
    return [
        Figure(
            f"`tools sync` of {notebooks:,} rows without changes",
            f"{cpu(costs):.1f} s of a processor, {seconds(costs):.1f} s on the clock",
            f"under {_SECONDS:.0f} s of a processor",
            cpu(costs) < _SECONDS,
        )
    ]
