"""Providers that keep running through a run, against runs without them."""

import shutil
import tempfile
from pathlib import Path

from benchmarks import local
from benchmarks.measure import TOOLS, Cost, Figure, by_turns, cpu, process, seconds

TITLE = "Warm providers"
_OPTIONS = {"with": "--warm-providers", "without": "--no-warm-providers"}
_PLAN, _DEPLOY = 0.6, 0.85
_FIRST = 10


def run(repetitions: int, notebooks: int = 100) -> list[Figure]:
    """A plan of all notebooks that asks the cloud, and a first deployment, with and without."""
    with tempfile.TemporaryDirectory() as folder:
        deployed = _first_deployments(Path(folder) / "first", max(1, repetitions // 2))
        with local.with_notebooks(Path(folder) / "fleet", notebooks) as place:
            place.deploy()
            planned = by_turns(
                {name: lambda o=option: _plan(place, o) for name, option in _OPTIONS.items()},  # type: ignore[misc]
                repetitions,
            )
    return [
        *_figures(f"plan --refresh of {notebooks} unchanged notebooks", planned, _PLAN),
        *_figures(f"first deployment of shared and {_FIRST} notebooks", deployed, _DEPLOY),
    ]


def _first_deployments(folder: Path, repetitions: int) -> dict[str, list[Cost]]:
    costs: dict[str, list[Cost]] = {name: [] for name in _OPTIONS}
    with local.with_notebooks(folder, _FIRST) as place:
        for _ in range(repetitions):  # minutes each
            for name, option in _OPTIONS.items():
                shutil.rmtree(place.work, ignore_errors=True)
                place.cloud.reset()
                costs[name].append(place.deploy(option))
    return costs


def _plan(place: local.Local, option: str) -> Cost:
    return process([TOOLS, "plan", "--local", "--refresh", option], place.root)


def _figures(what: str, costs: dict[str, list[Cost]], most: float) -> list[Figure]:
    warm, cold = costs["with"], costs["without"]
    ratio = seconds(warm) / seconds(cold)
    return [
        Figure(f"{what}, without", f"{seconds(cold):.0f} s, {cpu(cold):.0f} s of a processor"),
        Figure(
            f"{what}, with warm providers",
            f"{seconds(warm):.0f} s, {ratio:.2f} times; {cpu(warm):.0f} s of a processor",
            f"at most {most:.2f} times",
            ratio <= most,
        ),
    ]
