"""How long a person waits for `tools --help`."""

import sys

from benchmarks.measure import TOOLS, Figure, by_turns, process, seconds

TITLE = "Start"
_MOST = 3.0


def run(repetitions: int) -> list[Figure]:
    """`tools --help` against the start of a bare Python, the same one."""
    costs = by_turns(
        {
            "python": lambda: process([sys.executable, "-c", "pass"]),
            "help": lambda: process([TOOLS, "--help"]),
            "command": lambda: process([TOOLS, "graph", "--help"]),
        },
        4 * repetitions,  # they take milliseconds
    )
    python, helped, command = (seconds(costs[name]) for name in ("python", "help", "command"))
    return [
        Figure("`python -c pass`", f"{1000 * python:.0f} ms"),
        Figure(
            "`tools --help`",
            f"{1000 * helped:.0f} ms, {helped / python:.1f} times a bare Python",
            f"at most {_MOST:.0f} times",
            helped <= _MOST * python,
        ),
        Figure(
            "`tools graph --help`, by click",
            f"{1000 * command:.0f} ms, {command / python:.1f} times a bare Python",
        ),
    ]
