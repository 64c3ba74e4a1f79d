"""Starts or stops many notebooks: all are requested at once, then waited for together."""

import time
from collections import Counter
from collections.abc import Callable, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field
from typing import Literal

from tools.aws import sagemaker
from tools.aws.client import Cloud
from tools.console.progress import Progress
from tools.engine.explain import advise_on_failed
from tools.errors import UserError
from tools.fleet.fleet import DeclaredNotebook, Fleet, Instances
from tools.fleet.status import NOT_DEPLOYED
from tools.system.signals import Interruption

Verb = Literal["start", "stop"]
Outcome = Literal["started", "stopped", "unchanged", "asked", "skipped", "failed"]

# More requests at once would be throttled and repeated. AWS publishes no rate for these two.
_REQUESTS_AT_ONCE = 8
_SECONDS_BETWEEN_LISTINGS = 5.0
_SECONDS_BETWEEN_LISTINGS_LOCALLY = 0.2
_SECONDS_BETWEEN_MESSAGES = 30.0
# How long a listing may still show the status of before a request: SageMaker documents no bound.
_SECONDS_OF_AN_OLD_STATUS = 60.0


@dataclass(frozen=True)
class _Transition:
    """The statuses that it may start from, the one that it passes, and the one that it ends in.

    https://docs.aws.amazon.com/sagemaker/latest/APIReference/API_StartNotebookInstance.html
    https://docs.aws.amazon.com/sagemaker/latest/APIReference/API_StopNotebookInstance.html
    """

    possible: tuple[str, ...]
    passing: str
    end: str
    outcome: Outcome
    request: Callable[[Cloud, str], None]


_TRANSITIONS: Mapping[Verb, _Transition] = {
    "start": _Transition(("Stopped", "Failed"), "Pending", "InService", "started", sagemaker.start),
    "stop": _Transition(("InService",), "Stopping", "Stopped", "stopped", sagemaker.stop),
}


@dataclass(frozen=True)
class NotebookResult:
    """How the start or stop of one notebook ended.

    `outcome` is started, stopped, unchanged (it was so before), asked (and not waited for), skipped
    (its status allows no change) or failed.
    """

    notebook: DeclaredNotebook
    outcome: Outcome
    detail: str

    @property
    def succeeded(self) -> bool:
        """Whether it is, or will be, as was asked for."""
        return self.outcome not in ("skipped", "failed")

    def as_json(self) -> dict[str, str]:
        """The entry of `tools start --json` and `tools stop --json`."""
        return {
            "notebook": self.notebook.stack.name,
            "name": self.notebook.name,
            "region": self.notebook.region,
            "outcome": self.outcome,
            "detail": self.detail,
        }


@dataclass
class _Waiting:
    """A notebook whose change was requested, and the last status that was seen of it."""

    notebook: DeclaredNotebook
    status: str
    since: float = field(default_factory=time.monotonic)

    @property
    def seconds(self) -> float:
        return time.monotonic() - self.since


@dataclass(frozen=True)
class StartStop:
    """A start or a stop of notebooks; `patience` is the seconds to wait, 0 for not at all.

    `instance_type` is what they get before they start, None if they keep theirs.
    """

    fleet: Fleet
    verb: Verb
    progress: Progress
    interruption: Interruption
    patience: float
    instance_type: str | None = None

    def change(
        self, notebooks: Sequence[DeclaredNotebook], instances: Instances
    ) -> list[NotebookResult]:
        """Starts or stops `notebooks`, whose statuses are those in the listing `instances`.

        A notebook that cannot change is skipped, and keeps no other from changing. An interruption
        ends the wait, not what AWS was asked for.
        """
        results: dict[str, NotebookResult] = {}
        waiting: list[_Waiting] = []
        ready: list[DeclaredNotebook] = []
        for notebook in notebooks:
            status = _status(instances, notebook)
            if status in self._transition.possible:
                ready.append(notebook)
            elif status == self._transition.passing:
                waiting.append(_Waiting(notebook, status))
            else:
                results[notebook.stack.name] = self._unchanged(notebook, status)
        with ThreadPoolExecutor(_REQUESTS_AT_ONCE) as pool:
            refusals = list(pool.map(self._request, ready))
        for notebook, refusal in zip(ready, refusals, strict=True):
            if refusal:
                results[notebook.stack.name] = NotebookResult(notebook, "failed", refusal)
            else:
                waiting.append(_Waiting(notebook, _status(instances, notebook)))
        results |= self._await(waiting)
        return [results[notebook.stack.name] for notebook in notebooks]

    @property
    def _transition(self) -> _Transition:
        return _TRANSITIONS[self.verb]

    def _unchanged(self, notebook: DeclaredNotebook, status: str) -> NotebookResult:
        if status == self._transition.end and self.instance_type:
            reason = f"it is {status}; stop it before it gets another type"
            return NotebookResult(notebook, "skipped", reason)
        if status == self._transition.end:
            return NotebookResult(notebook, "unchanged", f"already {status}")
        if status == NOT_DEPLOYED:
            reason = self.fleet.say_not_deployed(notebook)
        else:
            statuses = " or ".join(self._transition.possible)
            reason = f"it is {status}, and only a notebook that is {statuses} can {self.verb}"
        return NotebookResult(notebook, "skipped", reason)

    def _request(self, notebook: DeclaredNotebook) -> str:
        """Asks AWS for the change; returns why it refuses, or "".

        Never raises UserError: the answers to the other requests would be lost.
        """
        if self.interruption.count:
            return "interrupted before it was requested"
        try:
            if self.instance_type:
                self._change_type(notebook, self.instance_type)
            self._transition.request(self.fleet.cloud(notebook.region), notebook.name)
        except UserError as error:
            self.progress.say(notebook.stack.name, f"failed: {error}")
            return str(error)
        self.progress.step(notebook.stack.name, self._transition.passing)
        return ""

    def _change_type(self, notebook: DeclaredNotebook, instance_type: str) -> None:
        """Returns once the notebook has its new type. Raises UserError if it does not get there."""
        cloud, begun = self.fleet.cloud(notebook.region), time.monotonic()
        sagemaker.change_type(cloud, notebook.name, instance_type)
        self.progress.step(notebook.stack.name, "Updating")
        longest = max(self.patience, _SECONDS_OF_AN_OLD_STATUS)
        while (instance := sagemaker.find(cloud, notebook.name)) and instance.status == "Updating":
            if self.interruption.count or time.monotonic() - begun >= longest:
                raise UserError(f"it gets the type {instance_type}, and was not started")
            time.sleep(self._seconds_between_looks)

    @property
    def _seconds_between_looks(self) -> float:
        local = self.fleet.endpoint is not None
        return _SECONDS_BETWEEN_LISTINGS_LOCALLY if local else _SECONDS_BETWEEN_LISTINGS

    def _await(self, waiting: Sequence[_Waiting]) -> dict[str, NotebookResult]:
        """The results of changes that were requested, by the stack's name."""
        results: dict[str, NotebookResult] = {}
        begun = last_message = time.monotonic()
        while waiting:
            now = time.monotonic()
            if self.interruption.count or now - begun >= self.patience:
                return results | self._give_up(waiting)
            if now - last_message > _SECONDS_BETWEEN_MESSAGES:
                message = _say_waiting(waiting, now - begun)
                self.progress.say("notebooks", message, important=False)
                last_message = now
            time.sleep(self._seconds_between_looks)
            try:
                instances = self.fleet.instances([item.notebook for item in waiting])
            except UserError as error:
                return results | _results(
                    waiting, "failed", f"requested, but its end was not seen: {error}"
                )
            ended = [self._result(item, _status(instances, item.notebook)) for item in waiting]
            waiting = [item for item, result in zip(waiting, ended, strict=True) if not result]
            for result in filter(None, ended):
                name = result.notebook.stack.name
                self.progress.say(name, f"{result.outcome} {result.detail}")
                self.progress.end(name, result.outcome)
                results[name] = result
        return results

    def _result(self, item: _Waiting, status: str) -> NotebookResult | None:
        """The result of a notebook that has this status now, or None if it is not settled."""
        took = f"after {item.seconds:.0f} s"
        if status == self._transition.passing:
            item.status = status
            return None
        if status == self._transition.end:
            return NotebookResult(item.notebook, self._transition.outcome, took + self._to_declare)
        if status == item.status and item.seconds < _SECONDS_OF_AN_OLD_STATUS:
            return None
        if status == "Failed":
            advice = advise_on_failed(item.notebook.stack.path.name, self.fleet.option)
            detail = f"Failed {took}: {self._failure_reason(item.notebook)} ({advice})"
        else:
            detail = f"it is {status} {took}: somebody else has changed it"
        return NotebookResult(item.notebook, "failed", detail)

    @property
    def _to_declare(self) -> str:
        """What the files still have to say, of a notebook that got another type."""
        if not self.instance_type:
            return ""
        return f', as {self.instance_type}; declare it: instance_type = "{self.instance_type}"'

    def _failure_reason(self, notebook: DeclaredNotebook) -> str:
        try:
            return sagemaker.read_failure_reason(self.fleet.cloud(notebook.region), notebook.name)
        except UserError as error:  # the others are waited for all the same
            return str(error)

    def _give_up(self, waiting: Sequence[_Waiting]) -> dict[str, NotebookResult]:
        """Results of notebooks still in transition when the wait ends; AWS goes on with them."""
        look = f"tools status{self.fleet.option}"
        detail = f"still {self._transition.passing}, and AWS goes on; see where it ends: {look}"
        was_meant = self.patience == 0 and not self.interruption.count
        return _results(waiting, "asked" if was_meant else "failed", detail)


def summarize(results: Sequence[NotebookResult]) -> str:
    """How many notebooks have each outcome, in words."""
    counts = Counter(result.outcome for result in results)
    return ", ".join(f"{count} {outcome}" for outcome, count in counts.items())


def _results(
    waiting: Sequence[_Waiting], outcome: Outcome, detail: str
) -> dict[str, NotebookResult]:
    return {
        item.notebook.stack.name: NotebookResult(item.notebook, outcome, detail) for item in waiting
    }


def _status(instances: Instances, notebook: DeclaredNotebook) -> str:
    instance = instances.get(notebook.region, {}).get(notebook.name)
    return instance.status if instance else NOT_DEPLOYED


def _say_waiting(waiting: Sequence[_Waiting], seconds: float) -> str:
    names = [item.notebook.stack.path.name for item in waiting]
    first = ", ".join(names[:5]) + (", ..." if len(names) > 5 else "")
    return f"waiting for {len(names)} since {seconds:.0f} s: {first}"
