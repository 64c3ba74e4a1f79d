"""A Terraform that does as it is told, for what the engine makes of its answers."""

import json
import threading
from collections import defaultdict, deque
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from tools.system.signals import Interruption
from tools.terraform.binary import Terraform
from tools.terraform.diagnostics import Diagnostic, TerraformError
from tools.terraform.text import Event

OnEvent = Callable[[Event], None]


@dataclass(frozen=True)
class Answer:
    """What one Terraform does: it says `events`, calls `meanwhile`, and fails with `errors`.

    An apply that succeeds leaves a state with a resource of each of `types`. A plan that
    `apply_unless_destructive` is not to approve is `destructive`. A plan has changes if its events
    say so, or `has_changes`, for those that no event shows.
    """

    events: Sequence[Event] = ()
    errors: Sequence[Diagnostic] = ()
    types: Sequence[str] = ("terraform_data",)
    meanwhile: Callable[[], object] = str
    destructive: bool = False
    has_changes: bool = False


PLANNED = "planned_change"
_ACTIONS = {"replace": ["delete", "create"], "noop": ["no-op"]}  # others are called alike


def _is_change(event: Event) -> bool:
    """Whether Terraform counts it for the exit code of a plan."""
    if event["type"] == "outputs":
        return any(output["action"] != "noop" for output in event["outputs"].values())
    return event["type"] == PLANNED and event["change"]["action"] not in ("noop", "read")


def _in_json(change: dict[str, Any]) -> dict[str, Any]:
    """A planned change as `terraform show -json` has it."""
    resource, action = change["resource"], change["action"]
    return {
        "address": resource["addr"],
        "type": resource["resource_type"],
        "change": {"actions": _ACTIONS.get(action, [action])},
    }


def failure(summary: str, detail: str = "", **fields: Any) -> Answer:
    """The answer of a Terraform that ends in one error."""
    return Answer(errors=[Diagnostic(summary, detail, **fields)])


def counts(operation: str, add: int = 0, change: int = 0, remove: int = 0) -> Event:
    """The event with which a plan or an apply says how many resources it concerns."""
    changes = {"operation": operation, "add": add, "change": change, "remove": remove}
    return {"type": "change_summary", "@message": f"{operation} {add}", "changes": changes}


def planned(address: str, action: str, kind: str = PLANNED) -> Event:
    """The event for one resource of a plan."""
    resource = {"addr": address, "resource_type": address.split(".")[0]}
    return {"type": kind, "@message": "", "change": {"action": action, "resource": resource}}


def begun(address: str) -> Event:
    """The event for a resource that an apply begins to make, or a data source that it reads."""
    resource = {"addr": address, "resource_type": address.split(".")[-2]}
    action = "read" if address.startswith("data.") else "create"
    hook = {"action": action, "resource": resource}
    return {"type": "apply_start", "@message": f"{address}: {action}", "hook": hook}


def done(address: str) -> Event:
    """The event for one resource that is applied."""
    return {"type": "apply_complete", "@message": f"{address}: Creation complete", "hook": {}}


@dataclass(frozen=True)
class FakeTerraform(Terraform):
    """Gives the answers of `answers` in turn, such as those for "apply notebooks/n".

    Without one left it succeeds, and an apply creates one resource. `calls` are what it was asked.
    What a plan's JSON has beside the changes of its events is in `plan_json`, and `workspaces` are
    those that are not selected.
    """

    answers: dict[str, deque[Answer]] = field(default_factory=lambda: defaultdict(deque))
    calls: list[str] = field(default_factory=list)
    plan_json: dict[str, Any] = field(default_factory=dict)
    workspaces: list[str] = field(default_factory=list)
    _lock: threading.Lock = field(default_factory=threading.Lock)

    @classmethod
    def at(cls, home: Path) -> "FakeTerraform":
        """One whose user has an empty home directory."""
        return cls(Path("terraform"), "Terraform", (1, 11, 4), "linux_amd64", False, _env(home))

    def will(self, call: str, *answers: Answer) -> None:
        """Answers the next calls, such as "apply notebooks/n", with `answers`."""
        self.answers[call].extend(answers)

    def init(
        self,
        directory: Path,
        log: Path,
        interruption: Interruption | None = None,
        on_event: OnEvent = lambda event: None,
    ) -> None:
        self._answer("init", directory, on_event)
        (directory / ".terraform").mkdir(exist_ok=True)

    def plan(
        self,
        directory: Path,
        log: Path,
        on_event: OnEvent,
        interruption: Interruption | None = None,
        out: Path | None = None,
        refresh_only: bool = False,
        lock: bool = True,
    ) -> bool:
        answer = self._answer("drift" if refresh_only else "plan", directory, on_event)
        planned = [_in_json(event["change"]) for event in answer.events if event["type"] == PLANNED]
        if out:
            out.write_text(f"a plan {json.dumps({'resource_changes': planned})}")
        return answer.has_changes or any(map(_is_change, answer.events))

    def apply(
        self,
        directory: Path,
        log: Path,
        on_event: OnEvent,
        interruption: Interruption | None = None,
        destroy: bool = False,
        plan: Path | None = None,
    ) -> None:
        command = "destroy" if destroy else f"apply {plan.name} of" if plan else "apply"
        answer = self._answer(command, directory, on_event)
        self._finish(directory, answer, on_event, () if destroy else answer.types, destroy)

    def apply_unless_destructive(
        self,
        directory: Path,
        log: Path,
        on_event: OnEvent,
        interruption: Interruption | None = None,
        before: Callable[[], None] = lambda: None,
    ) -> bool:
        answer = self._answer("apply safely", directory, on_event)
        if answer.destructive:
            return False
        before()
        self._finish(directory, answer, on_event, answer.types, False)
        return True

    def holds_resources(self, directory: Path) -> bool:
        self._note("state list", directory)
        if "encrypted_data" in state_of(directory):
            raise TerraformError([Diagnostic("Failed to load state", "decryption failed")])
        return bool(state_of(directory).get("resources"))

    def other_workspaces(self, directory: Path) -> list[str]:
        self._note("workspace list", directory)
        return list(self.workspaces)

    def pull_state(self, directory: Path) -> bytes:
        self._answer("state pull", directory, lambda event: None)
        state = state_of(directory, "terraform.tfstate.plain")
        if not state:
            raise TerraformError([Diagnostic("Failed to load state", "decryption failed")])
        return json.dumps(state).encode()

    def push_state(self, directory: Path, state: Path) -> None:
        self._answer("state push", directory, lambda event: None)
        (directory / "terraform.tfstate").write_bytes(state.read_bytes())

    def show_json(self, directory: Path, plan: Path) -> dict[str, Any]:
        self._note("show", directory)
        return {**json.loads(plan.read_text().removeprefix("a plan")), **self.plan_json}

    def _note(self, command: str, directory: Path) -> str:
        call = f"{command} {directory.parent.name}/{directory.name}"
        with self._lock:
            self.calls.append(call)
        return call

    def _answer(self, command: str, directory: Path, on_event: OnEvent) -> Answer:
        answers = self.answers[self._note(command, directory)]
        answer = answers.popleft() if answers else Answer()
        for event in answer.events:
            on_event(event)
        answer.meanwhile()
        if answer.errors:
            raise TerraformError(list(answer.errors))
        return answer

    def _finish(
        self,
        directory: Path,
        answer: Answer,
        on_event: OnEvent,
        types: Sequence[str],
        destroy: bool,
    ) -> None:
        write_state(directory, types)
        if not any(event["type"] == "change_summary" for event in answer.events):
            number = 1 if destroy else len(types)
            on_event(counts("apply", **{"remove" if destroy else "add": number}))


def _env(home: Path) -> dict[str, str]:
    return {"HOME": str(home)}


def state_of(directory: Path, name: str = "terraform.tfstate") -> dict[str, Any]:
    """The state in `directory`, empty without one."""
    file = directory / name
    return dict(json.loads(file.read_text())) if file.exists() else {}


def write_workspace(directory: Path) -> None:
    """Writes the state of a workspace of a stack, which is not selected."""
    (directory / "terraform.tfstate.d").mkdir()
    write_state(directory / "terraform.tfstate.d/staging")


def write_state(
    directory: Path, types: Sequence[str] = ("terraform_data",), lineage: str = ""
) -> None:
    """Writes the next state of a stack, with a resource of each of `types` and an output x."""
    directory.mkdir(exist_ok=True)
    before = state_of(directory)
    instances = [{"attributes": {"id": "i", "bucket": "i", "arn": "i"}}]
    state = {
        "version": 4,
        "lineage": before.get("lineage", lineage or str(directory)),
        "serial": before.get("serial", 0) + 1,
        "outputs": {"x": {"value": "x"}} if types else {},
        "resources": [
            {"mode": "managed", "type": kind, "name": "this", "instances": instances}
            for kind in types
        ],
    }
    (directory / "terraform.tfstate").write_text(json.dumps(state))
