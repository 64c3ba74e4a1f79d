"""What was applied, beside each state: so that only what has changed is applied again."""

import json
import time
from collections.abc import Iterable
from concurrent.futures import ThreadPoolExecutor
from dataclasses import asdict, dataclass, field
from functools import partial
from pathlib import Path
from threading import Lock

from tools.aws import s3
from tools.engine import fingerprint
from tools.engine.fingerprint import Inputs, Reader
from tools.errors import UserError
from tools.layout.repository import Repository
from tools.layout.stack import Stack
from tools.state import checks
from tools.state.checks import Claim
from tools.state.file import State, is_whole
from tools.state.place import ERRORED, BucketPlace, LocalPlace, Place, locate
from tools.terraform.binary import Terraform

SUFFIX = ".record.json"
_FORMAT = 1
REQUESTS = 16  # at once, to a bucket


@dataclass(frozen=True)
class Record:
    """A successful apply: what it read, and the state that it left.

    `account` is the AWS account's number, or "local"; `applied` is in UTC, as ISO 8601 has it.
    """

    inputs: Inputs
    lineage: str
    serial: int
    account: str
    applied: str

    def to_json(self) -> bytes:
        """The file beside the state."""
        return json.dumps({"format": _FORMAT, **asdict(self)}, indent=1).encode() + b"\n"

    @classmethod
    def parse(cls, text: bytes) -> "Record | None":
        """None for what another version of this program wrote, or nothing that it could have."""
        try:
            found = json.loads(text)
            if found.pop("format") != _FORMAT:
                return None
            found["inputs"] = Inputs(**found["inputs"])
            return cls(**found)
        except (ValueError, KeyError, TypeError, AttributeError):
            return None


@dataclass
class Records:
    """The states of a repository's stacks and the records beside them.

    States are read once, until they are said to have changed; from any thread.
    `endpoint` is the local cloud's; None is AWS. `account` is None where it is not known.
    """

    repository: Repository
    terraform: Terraform
    endpoint: str | None = None
    account: str | None = None
    _places: dict[str, Place | None] = field(default_factory=dict)
    _states: dict[str, State | None] = field(default_factory=dict)
    _records: dict[str, Record | None] = field(default_factory=dict)
    _lock: Lock = field(default_factory=Lock)

    def __post_init__(self) -> None:
        self._reader = Reader(self.repository, self.terraform)
        self._objects = partial(s3.Objects, endpoint=self.endpoint)
        self.stacks = self.repository.stacks()
        self._stacks = {stack.name: stack for stack in self.stacks}

    def place(self, stack: Stack) -> Place | None:
        """Where the state of `stack` lies, or None where its files do not say."""
        if stack.name not in self._places:
            env = self.terraform.env
            options = env.get("TF_CLI_ARGS", "") + env.get("TF_CLI_ARGS_init", "")
            elsewhere = "-backend-config" in options
            self._places[stack.name] = None if elsewhere else locate(stack, self._objects)
        return self._places[stack.name]

    def state(self, stack: Stack) -> State | None:
        """The state of `stack`: None where there is none, or where its files do not say where.

        Raises UserError where it cannot be read.
        """
        if stack.name not in self._states:
            self._states[stack.name] = self._read(stack)
        return self._states[stack.name]

    def _read(self, stack: Stack) -> State | None:
        place = self.place(stack)
        text = place.read() if place else None
        if place is None or not text:
            return None
        try:
            return State.parse(text, str(place), place.mend)
        except UserError:
            # Terraform would not replace it by what it has saved beside it.
            if isinstance(place, LocalPlace) and is_whole(stack.path / ERRORED):
                place.set_aside()
                return None
            raise

    def prefetch(self, stacks: Iterable[Stack]) -> None:
        """Reads the states and records of `stacks` that lie in buckets, many at once."""
        wanted = {name for stack in stacks for name in (stack.name, *stack.upstream)}
        remote = [s for s in self._stacks.values() if s.name in wanted and self._is_remote(s)]
        with ThreadPoolExecutor(REQUESTS) as pool:
            for done in [pool.submit(self._fetch, stack) for stack in remote]:
                done.result()

    def _is_remote(self, stack: Stack) -> bool:
        return isinstance(self.place(stack), BucketPlace)

    def _fetch(self, stack: Stack) -> None:
        self.state(stack)
        self.record(stack)

    def forget(self, stack: Stack) -> None:
        """What was read of `stack` is read again: Terraform has worked on it."""
        for known in (self._places, self._states, self._records):
            known.pop(stack.name, None)

    def missing_upstream(self, stack: Stack) -> list[str]:
        """Names of the stacks that `stack` reads and that hold nothing, so that it has to wait."""
        return [
            name
            for name in stack.upstream
            if (above := self._stacks.get(name))
            and self.place(above)
            and not self._is_applied(above)
        ]

    def _is_applied(self, stack: Stack) -> bool:
        state = self.state(stack)
        return state is not None and bool(state.resources or state.outputs)

    def inputs(self, stack: Stack, fresh: bool = False) -> Inputs:
        """What an apply of `stack` would read now; with `fresh`, from files read anew."""
        upstream = (self._stacks[name] for name in stack.upstream if name in self._stacks)
        found = {above.name: state for above in upstream if (state := self.state(above))}
        if fresh:
            self._reread()
        with self._lock:
            return self._reader.read(stack, found)

    def reread(self, stack: Stack) -> None:
        """As `forget`, for files of `stack` too: they have been changed."""
        self.forget(stack)
        self._reread()

    def _reread(self) -> None:
        with self._lock:
            self._reader = Reader(self.repository, self.terraform)

    def terraform_files(self, stack: Stack) -> list[Path]:
        """The .tf files of `stack` and of its modules, recursively."""
        with self._lock:
            return self._reader.terraform_files(stack)

    def record(self, stack: Stack) -> Record | None:
        """The record of the last apply of `stack`, None where there is none that can be read."""
        if stack.name not in self._records:
            place = self.place(stack)
            text = place.read(SUFFIX) if place else None
            self._records[stack.name] = Record.parse(text) if text else None
        return self._records[stack.name]

    def why(self, stack: Stack) -> list[str]:
        """Why `stack` may have to be applied, a reason each; none where nothing has changed."""
        place = self.place(stack)
        if place is None:
            return ["where its state lies is not in its files, so that no record can be beside it"]
        state = self.state(stack)
        if state is None:
            return ["never applied"]
        if not state.resources and not state.outputs and self.record(stack) is None:
            return ["destroyed, or never applied to its end"]
        record = self.record(stack)
        if record is None:
            return ["no record of a finished apply lies beside its state"]
        if other := self.other_account(stack):
            return [f"applied in account {other}, and this is {self.account}"]
        if self._reads_unknown(stack):
            return [
                "it reads a state that is not told from its own files to be one of a stack here"
            ]
        return [
            *_state_changes(record, state),
            *fingerprint.differences(record.inputs, self.inputs(stack)),
        ]

    def other_account(self, stack: Stack) -> str | None:
        """The account in which `stack` was applied, where it is not this one."""
        record = self.record(stack)
        if record is None or not (self.account and record.account):
            return None
        return record.account if record.account != self.account else None

    def _reads_unknown(self, stack: Stack) -> bool:
        """Whether `stack` reads outputs that nothing here can look up."""
        in_modules = any(
            "terraform_remote_state" in file.read_text(errors="replace")
            for file in self.terraform_files(stack)
            if not file.is_relative_to(stack.path)
        )
        return in_modules or stack.reads_elsewhere

    def lineage(self, stack: Stack) -> str | None:
        """That of the state of `stack`; None where there is none that can be read."""
        try:
            state = self.state(stack)
        except UserError:
            return None  # who works on that stack says why
        return state.lineage if state else None

    def refuse_copies(self, stacks: Iterable[Stack]) -> None:
        """Raises UserError if two of `stacks` hold one state: one is a copy of the other."""
        checks.refuse_copies(
            Claim(stack.name, lineage, f"take the state away ({self.place(stack)})")
            for stack in stacks
            if (lineage := self.lineage(stack))
        )

    def has_changed(self, stack: Stack) -> bool:
        """Whether there is a reason to apply `stack`."""
        return bool(self.why(stack))

    def note(self, stack: Stack, read: Inputs) -> None:
        """Records an apply of `stack` that read `read` and is done.

        Raises UserError where the record cannot be written: the next run then plans it again.
        """
        self.forget(stack)
        place, state = self.place(stack), self.state(stack)
        if place is None or state is None:
            return
        now = time.strftime("%Y-%m-%dT%H:%M:%SZ", time.gmtime())
        record = Record(read, state.lineage, state.serial, self.account or "", now)
        place.write(record.to_json(), SUFFIX)
        self.forget(stack)

    def drop(self, stack: Stack) -> None:
        """Takes the record away: from here until the next `note`, `stack` counts as changed."""
        if place := self.place(stack):
            place.delete(SUFFIX)
        self.forget(stack)


def _state_changes(record: Record, state: State) -> list[str]:
    if record.lineage != state.lineage:
        return ["its state is another than the one that was applied"]
    if record.serial != state.serial:
        return [
            f"its state has changed since by other means (serial {state.serial}, "
            f"{record.serial} when it was applied)"
        ]
    return []
