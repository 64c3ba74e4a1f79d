"""Retires notebooks: a checked backup, a stop, a time in which all can be had back, the end."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta

from tools.aws.s3 import Objects
from tools.aws.sagemaker import NOTEBOOK_TYPE, Instance
from tools.engine.records import Records
from tools.errors import UserError
from tools.fleet.fleet import DeclaredNotebook, Fleet
from tools.layout.stack import Stack
from tools.roster import backup as backups
from tools.roster import retirement
from tools.roster.backup import Backup
from tools.roster.retirement import RetirementNote, Verb
from tools.state.file import State
from tools.state.place import RETIREMENT, Place


@dataclass(frozen=True)
class Step:
    """What is done next with a notebook, or why nothing is; `backup` is what was checked."""

    name: str
    verb: Verb
    detail: str
    notebook: DeclaredNotebook | None = None
    backup: Backup | None = None


@dataclass(frozen=True)
class Retiring:
    """Notebooks of a fleet on their way out; `grace` is the time from the stop to the end."""

    fleet: Fleet
    records: Records
    grace: timedelta

    def steps(self, names: Sequence[str]) -> list[Step]:
        """The next step of each directory. Raises UserError if AWS cannot be asked."""
        if why := self.fleet.other_states:
            return [Step(name, "refused", why) for name in names]
        stacks = {stack.name for stack in self.records.stacks}
        known = [name for name in names if f"notebooks/{name}" in stacks]
        lost = [
            Step(name, "refused", f"notebooks/{name} is no root module, so its state is unknown")
            for name in names
            if name not in known
        ]
        notebooks = self.fleet.notebooks([f"notebooks/{name}" for name in known]) if known else []
        instances = self.fleet.instances(notebooks) if notebooks else {}
        return lost + [
            self._step(notebook, instances[notebook.region].get(notebook.name))
            for notebook in notebooks
        ]

    def stack(self, step: Step) -> Stack:
        """The stack of a step's notebook."""
        return next(s for s in self.records.stacks if s.name == f"notebooks/{step.name}")

    def write_note(self, step: Step, instance: Instance) -> RetirementNote:
        """Writes down that the notebook of a "stop" is stopped. Raises UserError if it cannot."""
        assert step.backup is not None, "no backup was checked"
        since = datetime.now(UTC)
        note = RetirementNote(since, since + self.grace, instance.modified, step.backup.ended)
        self._place(self.stack(step)).write(note.to_json(), RETIREMENT)
        return note

    def forget(self, step: Step) -> None:
        """Removes the note of a notebook that is gone."""
        self._place(self.stack(step)).delete(RETIREMENT)

    def _step(self, notebook: DeclaredNotebook, instance: Instance | None) -> Step:
        name = notebook.stack.path.name
        try:
            stack = next(s for s in self.records.stacks if s.name == notebook.stack.name)
            state = self._state(stack)
            if state is None and instance is None:
                return Step(name, "gone", f"remove its directory: git rm -r notebooks/{name}")
            if state is None or instance is None or _arns(state) != [instance.arn]:
                raise UserError(
                    f"its state and the instance {notebook.name} in AWS do not belong together; "
                    f"see tools list{self.fleet.option} and tools status{self.fleet.option}"
                )
            return self._next(notebook, stack, state, instance)
        except UserError as error:
            return Step(name, "refused", str(error), notebook)

    def _next(
        self, notebook: DeclaredNotebook, stack: Stack, state: State, instance: Instance
    ) -> Step:
        place, name = self._place(stack), stack.path.name
        text = place.read(RETIREMENT)
        note = RetirementNote.parse(text, f"{place}{RETIREMENT}") if text else None
        if instance.status not in ("InService", "Stopped"):
            raise UserError(f"it is {instance.status}; repeat it when it runs, or is stopped")
        if note and retirement.still_holds(note, instance) and datetime.now(UTC) < note.until:
            since_when = f"stopped since {note.since:%Y-%m-%d}"
            return Step(name, "wait", f"{since_when}, kept until {note.until:%Y-%m-%d %H:%M} UTC")
        try:
            backup = self._backup(notebook, state)
            if note and retirement.still_holds(note, instance):
                retirement.check_unchanged(note, backup)
                return Step(name, "destroy", f"backup: {backup}", notebook, backup)
            retirement.check_fresh(backup, instance, datetime.now(UTC))
        except UserError as error:
            begin = f"tools start {name}{self.fleet.option}, then " * (instance.status == "Stopped")
            raise UserError(
                f"{error}; {begin}make a backup (in its terminal: sudo systemctl start "
                "notebook-backup), and repeat this within the hour"
            ) from None
        return Step(name, "stop", f"backup: {backup}", notebook, backup)

    def _place(self, stack: Stack) -> Place:
        place = self.records.place(stack)
        if place is None:
            raise UserError(self.records.why_no_place(stack))
        return place

    def _state(self, stack: Stack) -> State | None:
        """The state of a stack, None if it holds nothing. Raises UserError for what is unknown."""
        self._place(stack)
        if why := self.records.unreadable(stack) or self.records.why_incomplete(stack):
            raise UserError(why)
        if other := self.records.other_account(stack):
            raise UserError(f"it was applied in account {other}, and this is another one")
        state = self.records.state(stack)
        return state if state and state.resources else None

    def _backup(self, notebook: DeclaredNotebook, state: State) -> Backup:
        buckets = state.outputs.get("bucket_names")
        bucket = buckets.get("datasets") if isinstance(buckets, dict) else None
        if not isinstance(bucket, str):
            raise UserError("its state does not name the bucket of its backup (bucket_names)")
        cloud = self.fleet.cloud(notebook.region)
        return backups.check(Objects(cloud), bucket, _prefix(state))


def _arns(state: State) -> list[object]:
    return [notebook.attributes.get("arn") for notebook in state.of_type(NOTEBOOK_TYPE)]


def _prefix(state: State) -> str:
    """The prefix of a notebook's backup, as the module chooses it.

    Only an isolated notebook has the tag Notebook.
    """
    [notebook] = state.of_type(NOTEBOOK_TYPE)
    tags = notebook.attributes.get("tags")
    isolated = tags.get("Notebook") if isinstance(tags, dict) else None
    return f"users/{isolated}/backup" if isolated else f"backups/{notebook.attributes['name']}"
