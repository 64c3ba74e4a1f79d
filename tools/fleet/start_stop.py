"""Starting and stopping many notebooks: asked of AWS at once, then waited for together."""

import time
from collections import Counter
from collections.abc import Callable, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from typing import Literal

from tools.aws import sagemaker
from tools.aws.client import Cloud
from tools.console.progress import Progress
from tools.errors import UserError
from tools.fleet.fleet import NOT_DEPLOYED, Declared, Fleet, Listing, listed, missing
from tools.system.signals import Interruption

Verb = Literal["start", "stop"]

# AWS answers a few requests of this kind a second; more threads would only be throttled.
_AT_ONCE = 8
_SECONDS_BETWEEN_LISTINGS = 5.0
_SECONDS_BETWEEN_LISTINGS_LOCALLY = 0.2
_SECONDS_BETWEEN_WORDS = 30.0
_SETTLING = 60.0


@dataclass(frozen=True)
class _Way:
    """From which statuses a change is possible, and what it passes and ends in.

    https://docs.aws.amazon.com/sagemaker/latest/APIReference/API_StartNotebookInstance.html
    https://docs.aws.amazon.com/sagemaker/latest/APIReference/API_StopNotebookInstance.html
    """

    possible: tuple[str, ...]
    passing: str
    end: str
    done: str
    ask: Callable[[Cloud, str], None]


_WAYS: Mapping[Verb, _Way] = {
    "start": _Way(("Stopped", "Failed"), "Pending", "InService", "started", sagemaker.start),
    "stop": _Way(("InService",), "Stopping", "Stopped", "stopped", sagemaker.stop),
}


@dataclass(frozen=True)
class Outcome:
    """What became of one notebook.

    `what` is started, stopped, unchanged (it was so already), asked (and not waited for),
    skipped (its status allows no change) or failed.
    """

    notebook: Declared
    what: str
    detail: str = ""

    @property
    def good(self) -> bool:
        return self.what not in ("skipped", "failed")

    def as_json(self) -> dict[str, str]:
        return {
            "notebook": self.notebook.stack.name,
            "name": self.notebook.name,
            "region": self.notebook.region,
            "outcome": self.what,
            "detail": self.detail,
        }


@dataclass(frozen=True)
class Run:
    """How a change is made: `patience` is the seconds to wait, 0 for not at all."""

    fleet: Fleet
    verb: Verb
    show: Progress
    interrupted: Interruption
    patience: float

    @property
    def way(self) -> _Way:
        return _WAYS[self.verb]


def change(run: Run, chosen: Sequence[Declared], there: Listing) -> list[Outcome]:
    """Starts or stops the `chosen` notebooks, of which `there` is the listing, by region and name.

    One that cannot change is told and skipped, and keeps no other from changing. An interruption
    ends the wait, not what AWS has been asked for.
    """
    outcomes: dict[str, Outcome] = {}
    asked: list[Declared] = []
    ready: list[Declared] = []
    for notebook in chosen:
        status = _status(there, notebook)
        if status in run.way.possible:
            ready.append(notebook)
        elif status == run.way.passing:
            asked.append(notebook)
        else:
            outcomes[notebook.stack.name] = _unchanged(run, notebook, status)
    for notebook, refusal in zip(ready, _refusals(run, ready), strict=True):
        if refusal:
            outcomes[notebook.stack.name] = Outcome(notebook, "failed", refusal)
        else:
            asked.append(notebook)
    before = {notebook.stack.name: _status(there, notebook) for notebook in asked}
    outcomes |= _awaited(run, asked, before)
    return [outcomes[notebook.stack.name] for notebook in chosen]


def summary(outcomes: Sequence[Outcome]) -> str:
    """How many notebooks came to which end, in words."""
    counts = Counter(outcome.what for outcome in outcomes)
    return ", ".join(f"{count} {what}" for what, count in counts.items())


def _status(there: Listing, notebook: Declared) -> str:
    instance = there.get(notebook.region, {}).get(notebook.name)
    return instance.status if instance else NOT_DEPLOYED


def _unchanged(run: Run, notebook: Declared, status: str) -> Outcome:
    if status == run.way.end:
        return Outcome(notebook, "unchanged", f"it is {status} already")
    if status == NOT_DEPLOYED:
        why = missing(run.fleet, notebook)
    else:
        why = f"it is {status}, and only one that is {' or '.join(run.way.possible)} can {run.verb}"
    return Outcome(notebook, "skipped", why)


def _refusals(run: Run, ready: Sequence[Declared]) -> list[str]:
    """Asks AWS for the change of each, several at once: why it is refused, or nothing."""
    with ThreadPoolExecutor(_AT_ONCE) as pool:
        return list(pool.map(lambda notebook: _ask(run, notebook), ready))


def _ask(run: Run, notebook: Declared) -> str:
    """Why AWS refuses, or nothing. Never raises: the others' answers would be lost."""
    if run.interrupted.count:
        return "interrupted before it was asked for"
    try:
        run.way.ask(run.fleet.cloud(notebook.region), notebook.name)
    except UserError as error:
        run.show.say(notebook.stack.name, f"failed: {error}")
        return str(error)
    run.show.step(notebook.stack.name, run.way.passing)
    return ""


def _awaited(run: Run, asked: Sequence[Declared], before: dict[str, str]) -> dict[str, Outcome]:
    """What becomes of those that were `asked` for; `before` is the status that each had."""
    outcomes: dict[str, Outcome] = {}
    begun = spoken = time.monotonic()
    while waiting := [n for n in asked if n.stack.name not in outcomes]:
        now = time.monotonic()
        if run.interrupted.count or now - begun >= run.patience:
            return outcomes | _left(run, waiting)
        if now - spoken > _SECONDS_BETWEEN_WORDS:
            run.show.say(*_waiting(waiting, now - begun), important=False)
            spoken = now
        time.sleep(_pause(run.fleet))
        try:
            there = listed(run.fleet, waiting)
        except UserError as error:
            why = f"asked for, and not seen to its end: {error}"
            return outcomes | {n.stack.name: Outcome(n, "failed", why) for n in waiting}
        for notebook in waiting:
            outcome = _outcome(run, notebook, _status(there, notebook), begun, before)
            if outcome:
                run.show.say(notebook.stack.name, f"{outcome.what} {outcome.detail}")
                run.show.end(notebook.stack.name, outcome.what)
                outcomes[notebook.stack.name] = outcome
    return outcomes


def _outcome(
    run: Run, notebook: Declared, status: str, begun: float, before: dict[str, str]
) -> Outcome | None:
    """None while it passes."""
    seconds = time.monotonic() - begun
    took = f"after {seconds:.0f} s"
    if status == run.way.passing:
        before[notebook.stack.name] = status
        return None
    if status == run.way.end:
        return Outcome(notebook, run.way.done, took)
    if status == before[notebook.stack.name] and seconds < _SETTLING:
        return None  # a listing may be older than what was asked for
    if status == "Failed":
        return Outcome(notebook, "failed", f"Failed {took}: {_why(run, notebook)}")
    return Outcome(notebook, "failed", f"it is {status} {took}: somebody else has changed it")


def _why(run: Run, notebook: Declared) -> str:
    try:
        return sagemaker.failure_reason(run.fleet.cloud(notebook.region), notebook.name)
    except UserError as error:  # the others are waited for all the same
        return str(error)


def _left(run: Run, waiting: Sequence[Declared]) -> dict[str, Outcome]:
    """Where the wait ends: AWS goes on. Without patience that was the wish, else a failure."""
    look = f"tools status{run.fleet.option}"
    wished = run.patience == 0 and not run.interrupted.count
    detail = f"still {run.way.passing}; AWS goes on with it: {look}"
    what = "asked" if wished else "failed"
    return {n.stack.name: Outcome(n, what, detail) for n in waiting}


def _waiting(waiting: Sequence[Declared], seconds: float) -> tuple[str, str]:
    names = [notebook.stack.path.name for notebook in waiting]
    shown = ", ".join(names[:5]) + (", ..." if len(names) > 5 else "")
    return "notebooks", f"waiting for {len(names)} since {seconds:.0f} s: {shown}"


def _pause(fleet: Fleet) -> float:
    return _SECONDS_BETWEEN_LISTINGS_LOCALLY if fleet.endpoint else _SECONDS_BETWEEN_LISTINGS
