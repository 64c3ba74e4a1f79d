"""What a run says at its end: totals, new notebooks, what is left, what comes next."""

from collections import Counter
from collections.abc import Iterator, Sequence
from contextlib import suppress

import click

from tools.aws.sagemaker import NOTEBOOK_TYPE
from tools.console import table
from tools.console.messages import say
from tools.engine.records import Records
from tools.engine.run import Outcome, Result
from tools.errors import UserError, first_of
from tools.layout.stack import Stack

_OUTCOMES: tuple[Outcome, ...] = (
    "applied",
    "destroyed",
    "unchanged",
    "failed",
    "interrupted",
    "not run",
)
_LEFT: tuple[Outcome, ...] = ("failed", "interrupted", "not run")
_COUNTS = {"add": "added", "change": "changed", "remove": "destroyed"}
_MOST_NAMES = 5


def say_totals(results: Sequence[Result], seconds: float) -> None:
    """Says how many stacks ended how, in which time, and what became of their resources."""
    changes: Counter[str] = Counter()
    for result in results:
        changes.update(result.changes)
    counts = [f"{changes[name]} {word}" for name, word in _COUNTS.items()]
    resources = f"; resources: {', '.join(counts)}" if any(changes.values()) else ""
    say(f"{_count(results)} in {describe_seconds(seconds)}{resources}")


def say_interruption(results: Sequence[Result], seconds: float) -> None:
    """Says what was left, in five lines at most, and that the same command goes on."""
    lines = ["", f"interrupted after {describe_seconds(seconds)}: {_count(results)}"]
    for outcome in _LEFT:
        left = [_name(result) for result in results if result.outcome == outcome]
        if left:
            lines.append(f"  {outcome}: {first_of(left, _MOST_NAMES)}")
    lines.append("Run the same command again to continue.")
    click.echo("\n".join(lines), err=True)  # with -q too


def say_next(results: Sequence[Result], option: str, destroy: bool, has_notebooks: bool) -> None:
    """Says what comes after this run, if anything does."""
    outcomes = Counter(result.outcome for result in results)
    if left := sum(outcomes[outcome] for outcome in _LEFT):
        stacks = "stack" if left == 1 else "stacks"
        say(f"next: correct what failed and run the same command again: {left} {stacks} left")
    elif destroy or not outcomes["applied"]:
        return
    elif has_notebooks:
        say(f"next: tools status{option}")
    else:
        say("next: tools new-notebook NAME")


def find_deployed_notebooks(records: Records, stacks: Sequence[Stack]) -> dict[str, str]:
    """Returns those of `stacks` whose state holds a notebook, each with its URL if that is known.

    A state that cannot be read holds none: it is said elsewhere what is wrong with it.
    """
    return dict(_read_notebooks(records, stacks))


def show_new_notebooks(before: dict[str, str], after: dict[str, str]) -> None:
    """Prints the notebooks that are new, with their URLs, on stderr."""
    new = [(name, url) for name, url in after.items() if name not in before]
    if new:
        say("new notebooks:")
        table.show(new, indent="  ", err=True)


def describe_seconds(seconds: float) -> str:
    """Returns a duration as a person says it: 42 s, 3 min 20 s, 1 h 5 min."""
    total = round(seconds)
    if total < 60:
        return f"{total} s"
    minutes, rest = divmod(total, 60)
    if minutes < 60:
        return f"{minutes} min {rest} s"
    return f"{minutes // 60} h {minutes % 60} min"


def _read_notebooks(records: Records, stacks: Sequence[Stack]) -> Iterator[tuple[str, str]]:
    for stack in stacks:
        if stack.kind != "notebook":
            continue
        with suppress(UserError):
            state = records.state(stack)
            if state and NOTEBOOK_TYPE in state.types:
                yield stack.name, str(state.outputs.get("notebook_url") or "")


def _name(result: Result) -> str:
    """The stack, and how far its apply came if it was interrupted."""
    _, _, how_far = result.detail.partition("interrupted after ")
    return f"{result.stack} (after {how_far})" if how_far else result.stack


def _count(results: Sequence[Result]) -> str:
    outcomes = Counter(result.outcome for result in results)
    return ", ".join(f"{outcomes[o]} {o}" for o in _OUTCOMES if outcomes[o]) or "no stacks"
