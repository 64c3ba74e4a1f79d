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
    what is measured never reaches them. The aim is for a change of a tag: for one of the volume
    both wait, half of the time here and minutes on AWS, until the notebook has stopped and started.
    """
    with (
        tempfile.TemporaryDirectory() as folder,
        local.with_notebooks(Path(folder) / "fleet", _NOTEBOOKS) as place,
    ):
        ours, bare = fleet.name(0), fleet.name(1)
        place.deploy("--shared", ours, bare)
        place.pretend(f"notebooks/{ours}")
        place.deploy()
        numbers = iter(range(50, 10_000))
        costs = by_turns(
            {
                "nothing": lambda: place.deploy(),
                "bare tag": lambda: _bare(place, bare, f'purpose = "{next(numbers)}"'),
                "tag": lambda: _one(place, ours, f'purpose = "{next(numbers)}"'),
                "bare size": lambda: _bare(place, bare, f"volume_size = {next(numbers)}"),
                "size": lambda: _one(place, ours, f"volume_size = {next(numbers)}"),
            },
            repetitions,
        )
        listed = by_turns({"list": lambda: _list(place)}, repetitions)
    nothing, bare_tag, tag, bare_size, size = (seconds(cost) for cost in costs.values())
    return [
        Figure(
            f"`tools deploy`, nothing changed in {_NOTEBOOKS} notebooks",
            f"{nothing:.1f} s, and no Terraform starts",
            f"under {_SECONDS:.0f} s",
            nothing < _SECONDS,
        ),
        Figure("`terraform apply` of one notebook with another tag", f"{bare_tag:.1f} s"),
        Figure(
            f"`tools deploy`, one of {_NOTEBOOKS} notebooks with another tag",
            f"{tag:.1f} s, {tag / bare_tag:.2f} times a bare apply",
            f"at most {_MOST:.2f} times",
            tag <= _MOST * bare_tag,
        ),
        Figure("`terraform apply` of one notebook with a larger volume", f"{bare_size:.1f} s"),
        Figure(
            f"`tools deploy`, one of {_NOTEBOOKS} notebooks with a larger volume",
            f"{size:.1f} s, {size / bare_size:.2f} times a bare apply",
        ),
        Figure(f"`tools list` of {_NOTEBOOKS} notebooks", f"{seconds(listed['list']):.1f} s"),
    ]


def _bare(place: local.Local, notebook: str, assignment: str) -> Cost:
    _change(place, notebook, assignment)
    place.refresh()
    directory = place.work / "notebooks" / notebook
    cost = process(["terraform", "apply", "-auto-approve"], directory, place.env())
    # Ours measures a change of one notebook, so this one is to count as applied.
    place.deploy(notebook)
    return cost


def _one(place: local.Local, notebook: str, assignment: str) -> Cost:
    _change(place, notebook, assignment)
    return place.deploy()


def _change(place: local.Local, notebook: str, assignment: str) -> None:
    # A file for each variable, so that a change of one is not the end of another's.
    name = assignment.partition(" ")[0]
    values = place.root / "notebooks" / notebook / f"{name}.auto.tfvars"
    values.write_text(f"{assignment}\n")


def _list(place: local.Local) -> Cost:
    return process([TOOLS, "list", "--local"], place.root)
