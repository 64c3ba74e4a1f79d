"""What a run says at its end: totals, new notebooks, what is left, what comes next."""

from collections import Counter
from collections.abc import Iterator, Sequence
from contextlib import suppress

import click

from tools.aws.sagemaker import NOTEBOOK_TYPE
from tools.console import table
from tools.console.messages import say
from tools.engine.records import Records
from tools.engine.run import UNFINISHED, Outcome, Result
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
_COUNTS = {"add": "added", "change": "changed", "remove": "destroyed"}
_MOST_NAMES = 5


def say_totals(results: Sequence[Result], seconds: float) -> None:
    """Says how many stacks ended how, in which time, and what became of their resources."""
    changes: Counter[str] = Counter()
    for result in results:
        changes.update(result.changes)
    counts = [f"{changes[name]} {word}" for name, word in _COUNTS.items()]
    resources = (
        f"; resources: {', '.join(counts)}" if any(changes[name] for name in _COUNTS) else ""
    )
    say(f"{_count(results)} in {describe_seconds(seconds)}{resources}")


def say_interruption(results: Sequence[Result], seconds: float) -> None:
    """Says what was left, in five lines at most, and that the same command goes on."""
    lines = ["", f"interrupted after {describe_seconds(seconds)}: {_count(results)}"]
    for outcome in UNFINISHED:
        names = [_name(result) for result in results if result.outcome == outcome]
        if names:
            lines.append(f"  {outcome}: {first_of(names, _MOST_NAMES)}")
    lines.append("Run the same command again to continue.")
    click.echo("\n".join(lines), err=True)  # with -q too


def say_next(results: Sequence[Result], option: str, has_notebooks: bool) -> None:
    """Says what comes after a deployment, if anything does."""
    if _says_what_is_left(results) or all(result.outcome != "applied" for result in results):
        return
    say(f"next: tools status{option}" if has_notebooks else "next: tools new-notebook NAME")


def say_next_of_destroy(results: Sequence[Result], option: str, is_all: bool) -> None:
    """Says what comes after stacks were destroyed; `is_all` if there are no others.

    A notebook whose directory stays is declared, so the next deployment creates it again.
    """
    names = [result.stack for result in results if result.outcome == "destroyed"]
    if _says_what_is_left(results) or not names:
        return
    notebooks = [name for name in names if name.startswith("notebooks/")]
    it = "it" if len(notebooks) == 1 else "them"
    if option and is_all:
        say("next: tools local down")
    elif is_all:
        say("next: nothing; tools deploy creates everything again")
    elif notebooks and not option:
        say(f"next: delete {first_of(notebooks, _MOST_NAMES)}, or tools deploy creates {it} again")


def _says_what_is_left(results: Sequence[Result]) -> bool:
    """Says how many stacks a second run has to do; False if there are none."""
    left_count = sum(result.is_unfinished for result in results)
    if left_count:
        noun = "stack" if left_count == 1 else "stacks"
        say(f"next: correct what failed and run the same command again: {left_count} {noun} left")
    return bool(left_count)


def find_deployed_notebooks(records: Records, stacks: Sequence[Stack]) -> dict[str, str]:
    """Returns those of `stacks` whose state holds a notebook, each with its URL if that is known.

    A state that cannot be read holds none: it is said elsewhere what is wrong with it.
    """
    return dict(_read_notebooks(records, stacks))


def show_new_notebooks(before: dict[str, str], after: dict[str, str]) -> None:
    """Prints the notebooks that are new, with their URLs, on stderr."""
    new = [(name, url) for name, url in after.items() if name not in before]
    if new:
        table.show(new, ("New notebook", "URL"), err=True)


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
