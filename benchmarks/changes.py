"""A deployment in which nothing has changed, or one notebook."""

import tempfile
from pathlib import Path

from benchmarks import fleet, local
from benchmarks.measure import TOOLS, Cost, Figure, by_turns, process, seconds

TITLE = "Only what changed"
_NOTEBOOKS = 100
_SECONDS = 2.0
_MOST = 0.90  # by the provider that keeps running


def run(repetitions: int) -> list[Figure]:
    """100 notebooks: `tools deploy` of all, against one bare `terraform apply`.

    Two of them are deployed; the others have states and records that were written for them, since
    what is measured never reaches them.
    """
    with (
        tempfile.TemporaryDirectory() as folder,
        local.with_notebooks(Path(folder) / "fleet", _NOTEBOOKS) as place,
    ):
        ours, bare = fleet.name(0), fleet.name(1)
        place.deploy("--shared", ours, bare)
        place.pretend(f"notebooks/{ours}")
        place.deploy()
        sizes = iter(range(50, 10_000))
        costs = by_turns(
            {
                "nothing": lambda: place.deploy(),
                "bare": lambda: _bare(place, bare, next(sizes)),
                "one": lambda: _one(place, ours, next(sizes)),
            },
            repetitions,
        )
        listed = by_turns({"list": lambda: _list(place)}, repetitions)
    nothing, bare_, one = (seconds(costs[name]) for name in ("nothing", "bare", "one"))
    return [
        Figure(
            f"`tools deploy`, nothing changed in {_NOTEBOOKS} notebooks",
            f"{nothing:.1f} s, and no Terraform starts",
            f"under {_SECONDS:.0f} s",
            nothing < _SECONDS,
        ),
        Figure("`terraform apply` of one changed notebook", f"{bare_:.1f} s"),
        Figure(
            f"`tools deploy`, one of {_NOTEBOOKS} notebooks changed",
            f"{one:.1f} s, {one / bare_:.2f} times a bare apply",
            f"at most {_MOST:.2f} times",
            one <= _MOST * bare_,
        ),
        Figure(f"`tools list` of {_NOTEBOOKS} notebooks", f"{seconds(listed['list']):.1f} s"),
    ]


def _bare(place: local.Local, notebook: str, size: int) -> Cost:
    _resize(place, notebook, size)
    place.refresh()
    directory = place.work / "notebooks" / notebook
    cost = process(["terraform", "apply", "-auto-approve"], directory, place.env())
    # Ours measures a change of one notebook, so this one is to count as applied.
    place.deploy(notebook)
    return cost


def _one(place: local.Local, notebook: str, size: int) -> Cost:
    _resize(place, notebook, size)
    return place.deploy()


def _resize(place: local.Local, notebook: str, size: int) -> None:
    values = place.root / "notebooks" / notebook / "bench.auto.tfvars"
    values.write_text(f"volume_size = {size}\n")


def _list(place: local.Local) -> Cost:
    return process([TOOLS, "list", "--local"], place.root)
