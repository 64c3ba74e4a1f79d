"""What was applied, beside each state: so that only what has changed is applied again."""

import json
import time
from collections.abc import Iterable
from concurrent.futures import ThreadPoolExecutor
from dataclasses import asdict, dataclass, field, replace
from functools import cached_property
from pathlib import Path
from threading import Lock

from tools.aws import s3
from tools.engine import fingerprint
from tools.engine.file_digests import digest_of
from tools.engine.fingerprint import Inputs, InputsReader
from tools.errors import UserError
from tools.layout.contents import selected_workspace
from tools.layout.neighbours import has_backend_options
from tools.layout.repository import Repository
from tools.layout.stack import Stack
from tools.layout.unmanaged_roots import Directory, Unmanaged, find_directories
from tools.state import checks
from tools.state.checks import Claim
from tools.state.file import State, StateVersion, UnreadableState, is_whole
from tools.state.place import (
    ERRORED,
    RECORD_SUFFIX,
    RETIREMENT,
    STATE,
    WORKSPACES,
    BucketPlace,
    LocalPlace,
    Place,
    is_moved,
    is_uninitialized,
    local_states,
    locate,
    locate_unmoved,
)
from tools.terraform.binary import Terraform
from tools.terraform.diagnostics import Diagnostic, TerraformError

_FORMAT = 3
# In parallel, since each waits for the network. S3 takes 5,500 a second:
# https://docs.aws.amazon.com/AmazonS3/latest/userguide/optimizing-performance.html
BUCKET_REQUESTS = 16


@dataclass(frozen=True)
class Record:
    """A successful apply: what it read, and the state that it left.

    `lineage` is a digest of the state's, since that is a key itself (`fingerprint`). `account` is
    the AWS account's number, or "local"; `applied` is in UTC, as ISO 8601 has it.
    """

    inputs: Inputs
    lineage: str
    serial: int
    account: str
    applied: str

    def to_json(self) -> bytes:
        """The file beside the state."""
        document = asdict(self)
        del document["inputs"]["unknown"]  # of no use later: it is asked again
        return json.dumps({"format": _FORMAT, **document}, indent=1).encode() + b"\n"

    @classmethod
    def parse(cls, text: bytes) -> "Record | None":
        """Returns the record in `text`; None for one of another format and for what is none."""
        try:
            fields = json.loads(text)
            if fields.pop("format") != _FORMAT:
                return None
            fields["inputs"] = Inputs.parse(fields["inputs"])
            record = cls(**fields)
        except (ValueError, KeyError, TypeError, AttributeError, RecursionError):
            return None
        texts = (record.lineage, record.account, record.applied)
        is_whole = type(record.serial) is int and all(isinstance(text, str) for text in texts)
        return record if is_whole else None


@dataclass(frozen=True)
class UnfinishedApply:
    """A note in a record's place: an apply began, and nobody has seen it succeed.

    What it made may be in AWS and in no state. `began` is in UTC, as ISO 8601 has it; empty if the
    note cannot be read. `inputs` are what the apply read; None if several in a row did not finish
    and read different things, or if another version of this program wrote the note.
    """

    began: str
    account: str
    inputs: Inputs | None = None

    def to_json(self) -> bytes:
        """The file beside the state; to earlier versions it is no record."""
        return (
            json.dumps({"format": _FORMAT, "unfinished": asdict(self)}, indent=1).encode() + b"\n"
        )

    @classmethod
    def parse(cls, text: bytes) -> "UnfinishedApply | None":
        """Returns the note in `text`; None for the record of an apply that succeeded.

        That may be of any version. Whatever else is there counts as a note: one that was cut short
        may be of an apply, too.
        """
        try:
            document = json.loads(text)
        except (ValueError, RecursionError):
            return cls("", "")
        if isinstance(document, dict) and "unfinished" not in document:
            return None
        try:
            began, account = (document["unfinished"][name] for name in ("began", "account"))
        except (KeyError, TypeError):
            return cls("", "")
        if not isinstance(began, str) or not isinstance(account, str):
            return cls("", "")
        try:
            return cls(began, account, Inputs.parse(document["unfinished"]["inputs"]))
        except (KeyError, TypeError, AttributeError):
            return cls(began, account)

    def __str__(self) -> str:
        if not self.began:
            return "its record cannot be read, so that an apply may not have finished"
        return f"the apply that began at {self.began} did not finish"


@dataclass
class Records:
    """The states of a repository's stacks and the records beside them.

    A state is read once, until `forget` is called for it. Methods may be called from any thread.
    `endpoint` is the local cloud's; None is AWS. `account` is None if it is not known. `key` is the
    one for digests of secrets (`secret_digests`), empty without one.
    """

    repository: Repository
    terraform: Terraform
    endpoint: str | None = None
    account: str | None = None
    key: bytes = b""
    _places: dict[str, Place | None] = field(default_factory=dict)
    _states: dict[str, State | UnreadableState | None] = field(default_factory=dict)
    _records: dict[str, Record | UnfinishedApply | None] = field(default_factory=dict)
    _keys: dict[tuple[str, str, str], list[str]] = field(default_factory=dict)
    _lock: Lock = field(default_factory=Lock)

    def __post_init__(self) -> None:
        self._reader = InputsReader(self.repository, self.terraform, self.key)
        self._objects = s3.in_regions_of(self.endpoint)
        self.stacks = self.repository.stacks()
        self._stacks = {stack.name: stack for stack in self.stacks}

    @cached_property
    def unmanaged(self) -> list[Unmanaged]:
        """The root modules of the repository that are no stacks."""
        return self.repository.unmanaged(self.stacks, self.directories)

    @cached_property
    def other_roots(self) -> list[Unmanaged]:
        """All that may be a root module and is no stack, wherever it is in the repository."""
        return [*self.unmanaged, *self.repository.elsewhere(self.stacks)]

    @cached_property
    def directories(self) -> list[Directory]:
        """The directories in the folders of the stacks, however deep."""
        return find_directories(self.repository.root)

    def place(self, stack: Stack) -> Place | None:
        """Returns where the state of `stack` is, or None if its files do not say."""
        if stack.name not in self._places:
            is_partial = has_backend_options(self.terraform.env)
            place = None if is_partial else locate_unmoved(stack, self._objects)
            self._places[stack.name] = place
        return self._places[stack.name]

    def place_by_files(self, stack: Stack) -> Place | None:
        """Returns as `place`, also if the last init was told another one: between two moves."""
        return None if has_backend_options(self.terraform.env) else locate(stack, self._objects)

    def may_be_elsewhere(self, stack: Stack) -> bool:
        """Returns whether the state may be in a place that nobody told Terraform here."""
        return not has_backend_options(self.terraform.env) and is_uninitialized(stack)

    def why_no_place(self, stack: Stack) -> str:
        """Returns why `place` knows none, as one line."""
        if has_backend_options(self.terraform.env):
            return "-backend-config in TF_CLI_ARGS may say where its state is, so it has no record"
        if is_moved(stack):
            return (
                "its files say that its state is in another place than its last terraform init "
                f"did; run that: {self.terraform.program} -chdir={stack.path} init"
            )
        if is_uninitialized(stack):
            return (
                'its backend "local" has no path, and no terraform init here was given one; run '
                f"that: {self.terraform.program} -chdir={stack.path} init "
                "-backend-config=path=..., or without if the state is new"
            )
        return "its files do not say where its state is, so no record can be beside it"

    def state(self, stack: Stack) -> State | None:
        """Returns the state of `stack`, or None if there is none or its files do not say where.

        What is not readable here is asked for through Terraform. Raises UnreadableState if that
        fails too, which is to be taken for a state that holds anything. Raises UserError if it
        cannot be read, or is cut short.
        """
        if stack.name not in self._states:
            self._states[stack.name] = self._read(stack)
        state = self._states[stack.name]
        if isinstance(state, UnreadableState):
            raise state
        return state

    def other_states(self, stack: Stack) -> list[str]:
        """Returns the states that hold resources of `stack`, or may, beside its own.

        They are those of workspaces that are not selected, and files that `-state` named. Raises
        UserError if a bucket cannot be asked.
        """
        place, fallback = self.place(stack), _fallback(stack)
        candidates: list[Place] = list(local_states(stack.path))
        if isinstance(place, BucketPlace):
            candidates += [
                replace(place, key=key)
                for key in self.keys(place, WORKSPACES)
                if key.split("/", 2)[2:] == [place.key]
            ]
        return [
            str(candidate)
            for candidate in candidates
            if candidate != place
            and (self._holds_others(stack, candidate) or self._has_note(candidate, fallback))
        ]

    def _holds_others(self, stack: Stack, candidate: Place) -> bool:
        """Whether the state at `candidate` has resources that are not those of its own state."""
        text = candidate.read()
        if not text:
            return False
        try:
            state = State.parse(text, str(candidate))
        except UnreadableState:
            return True
        own = None if self.unreadable(stack) else self.state(stack)
        # A file beside the state, not newer than that: a copy of what it was.
        is_copy = (
            own is not None
            and isinstance(candidate, LocalPlace)
            and candidate.path.parent == stack.path
            and (own.lineage, own.serial >= state.serial) == (state.lineage, True)
        )
        return bool(state.resources) and not is_copy

    @staticmethod
    def _has_note(candidate: Place, fallback: LocalPlace) -> bool:
        """Whether an apply of another state than the one at `fallback` did not finish."""
        text = candidate.read(RECORD_SUFFIX) if candidate != fallback else None
        return bool(text and UnfinishedApply.parse(text))

    def keys(self, place: BucketPlace, prefix: str) -> list[str]:
        """Returns the keys in the bucket of `place` that begin with `prefix`, listed once."""
        keys_key = (place.region, place.bucket, prefix)
        if keys_key not in self._keys:
            self._keys[keys_key] = place.objects(place.region).keys(place.bucket, prefix)
        return self._keys[keys_key]

    def unreadable(self, stack: Stack) -> str:
        """Returns why nobody can tell what the state of `stack` holds; empty if that is known.

        Raises UserError as `state`.
        """
        try:
            self.state(stack)
        except UnreadableState as error:
            return str(error)
        return ""

    def _read(self, stack: Stack) -> State | UnreadableState | None:
        place = self.place(stack)
        text = place.read() if place else None
        if place is None or not text:
            return None
        try:
            return State.parse(text, str(place), place.mend)
        except UserError as error:
            try:
                return self._ask(stack, place)
            except TerraformError as refusal:
                if isinstance(error, UnreadableState):
                    return UnreadableState(f"{error}: {refusal}")
            # `terraform state push` reads what it replaces, and so would not put in its place what
            # is saved beside it:
            # https://github.com/hashicorp/terraform/blob/v1.11.4/internal/command/state_push.go
            if isinstance(place, LocalPlace) and is_whole(stack.path / ERRORED):
                place.set_aside()
                return None
            raise

    def _ask(self, stack: Stack, place: Place) -> State:
        """The state of `stack` as Terraform reads it. Raises TerraformError if it cannot."""
        try:
            return State.parse(self.terraform.pull_state(stack.path), str(place))
        except TerraformError:
            raise
        except UserError as error:
            raise TerraformError([Diagnostic(str(error))]) from None

    def prefetch(self, stacks: Iterable[Stack]) -> None:
        """Reads the states and records in buckets, of `stacks` and their upstreams, in parallel."""
        names = {name for stack in stacks for name in (stack.name, *stack.upstream)}
        remote = [
            stack
            for stack in self._stacks.values()
            if stack.name in names and isinstance(self.place(stack), BucketPlace)
        ]
        with ThreadPoolExecutor(BUCKET_REQUESTS) as pool:
            for done in [pool.submit(self._fetch, stack) for stack in remote]:
                done.result()

    def _fetch(self, stack: Stack) -> None:
        self.unreadable(stack)
        self.record(stack)

    def forget(self, stack: Stack) -> None:
        """Forgets what was read of `stack`, so that it is read again: its state may be another."""
        for cache in (self._places, self._states, self._records):
            cache.pop(stack.name, None)

    def missing_upstreams(self, stack: Stack) -> list[str]:
        """Returns the names of the stacks that `stack` reads and that are not deployed."""
        return [
            name
            for name in stack.upstream
            if (above := self._stacks.get(name))
            and self.place(above)
            and not self._is_applied(above, name in stack.required_upstream)
        ]

    def _is_applied(self, stack: Stack, needs_outputs: bool) -> bool:
        """Whether the state of `stack` can be read; `defaults` may stand for its outputs."""
        if self.unreadable(stack):
            return True  # as far as anybody knows; Terraform says better what is missing
        state = self.state(stack)
        return state is not None and bool(state.resources or state.outputs or not needs_outputs)

    def inputs(self, stack: Stack, fresh: bool = False) -> Inputs:
        """Returns what an apply of `stack` would read now; `fresh` reads the files again."""
        upstreams = (self._stacks[name] for name in stack.upstream if name in self._stacks)
        states = {
            above.name: state
            for above in upstreams
            if not self.unreadable(above) and (state := self.state(above))
        }
        if fresh:
            self._forget_all_files()
        with self._lock:
            return self._reader.read(stack, states, self._own_files(stack))

    def _own_files(self, stack: Stack) -> frozenset[str]:
        """The files beside a local state that an apply writes, and which are no input."""
        place = self.place(stack)
        if not isinstance(place, LocalPlace):
            return frozenset()
        files = (place.beside(suffix) for suffix in ("", ".backup", RECORD_SUFFIX, RETIREMENT))
        return frozenset(map(str, (*files, place.lock_note)))

    def forget_files(self, stack: Stack) -> None:
        """Forgets what was read of `stack` and of all files: its own have been changed."""
        self.forget(stack)
        self._forget_all_files()

    def _forget_all_files(self) -> None:
        with self._lock:
            self._reader = InputsReader(self.repository, self.terraform, self.key)

    def terraform_files(self, stack: Stack) -> list[Path]:
        """Returns the .tf files of `stack` and of its modules, recursively."""
        with self._lock:
            return self._reader.terraform_files(stack)

    def record(self, stack: Stack) -> Record | None:
        """Returns the record of the last apply of `stack`, or None if none can be read."""
        record = self._read_record(stack)
        return record if isinstance(record, Record) else None

    def unfinished(self, stack: Stack) -> UnfinishedApply | None:
        """Returns the note of an apply of `stack` that has not succeeded, or None without one."""
        note = self._read_record(stack)
        return note if isinstance(note, UnfinishedApply) else None

    def why_incomplete(self, stack: Stack) -> str:
        """Returns why AWS may have what no state holds of `stack`, empty if there is no sign of it.

        Raises UserError if its state cannot be read.
        """
        if note := self.unfinished(stack):
            return str(note)
        record = None if self.unreadable(stack) else self.record(stack)
        if record is None:
            return ""
        state = self.state(stack)
        if state is None:
            return f"its state is missing, though it was applied at {record.applied}"
        if not state.resources and record.lineage != digest_of(state.lineage.encode()):
            return f"its state is another one than what was applied at {record.applied}"
        return ""

    def changes_since_incomplete(self, stack: Stack) -> list[str]:
        """Returns why `stack` may not be what the apply that `why_incomplete` means has read.

        A plan then does not tell what that apply made: a name may be another one.
        """
        applied = self._read_record(stack)
        if applied is None:
            return []
        if applied.inputs is None:
            return ["what it read is not known"]
        now = self.inputs(stack, fresh=True)
        unknown = [f"it may read what is not known ({reason})" for reason in now.unknown]
        if isinstance(applied, UnfinishedApply):
            return [*_changes(applied.inputs, self._as_noted(now)), *unknown]
        # A record has the lineage as their key, and the state with it is missing.
        hidden = fingerprint.keyed_files(now)
        before, now = (fingerprint.without_files(i, hidden) for i in (applied.inputs, now))
        cannot = [f"{name} cannot be compared" for name in sorted(hidden)]
        return [*_changes(before, now), *cannot, *unknown]

    def _as_noted(self, inputs: Inputs) -> Inputs:
        """Returns `inputs` as the note of an apply holds them, which has no key yet.

        Of a file whose digest others may not see it is the time of its last change, on this
        machine.
        """
        foreign = fingerprint.foreign_files(inputs)
        files = {
            name: self._reader.last_change(name) if name in foreign else digest
            for name, digest in inputs.files.items()
        }
        return replace(inputs, files=files)

    def _read_record(self, stack: Stack) -> Record | UnfinishedApply | None:
        if stack.name not in self._records:
            place, fallback = self.place(stack), _fallback(stack)
            text = place.read(RECORD_SUFFIX) if place else None
            record = None if text is None else Record.parse(text) or UnfinishedApply.parse(text)
            if not isinstance(record, UnfinishedApply) and place != fallback:
                text = fallback.read(RECORD_SUFFIX)
                record = (UnfinishedApply.parse(text) if text else None) or record
            self._records[stack.name] = record
        return self._records[stack.name]

    def reasons_to_apply(self, stack: Stack) -> list[str]:
        """Returns why `stack` may have to be applied, in words; nothing if it has not changed.

        Raises UserError if its state cannot be read.
        """
        place = self.place(stack)
        if place is None:
            note = self.unfinished(stack)
            return [*([str(note)] if note else []), self.why_no_place(stack)]
        unreadable = [
            reason
            for name in (stack.name, *stack.upstream)
            if name in self._stacks and (reason := self.unreadable(self._stacks[name]))
        ]
        if unreadable:
            return unreadable
        state = self.state(stack)
        is_empty = state is None or not (state.resources or state.outputs)
        if is_empty and self.unfinished(stack):
            return ["its first apply did not finish"]
        if state is None:
            return [self.why_incomplete(stack) or "never applied"]
        if not state.resources and not state.outputs and self.record(stack) is None:
            return ["destroyed, or its first apply did not finish"]
        record = self.record(stack)
        if record is None:
            note = self.unfinished(stack)
            if note is None and place.read(RECORD_SUFFIX):
                return ["its record is of another version of this program, or damaged"]
            return [str(note) if note and not note.began else "the last apply did not finish"]
        if other := self.other_account(stack):
            return [f"applied in account {other}, and this is {self.account}"]
        if stack.unknown_reads:
            return [f"unknown: {reason}" for reason in stack.unknown_reads]
        if record.lineage != digest_of(state.lineage.encode()):
            return ["its state is not the one that was applied"]
        inputs = fingerprint.with_keyed_files(self.inputs(stack), state.lineage)
        return [
            *_state_changes(record, state),
            *fingerprint.differences(record.inputs, inputs),
            *(f"unknown: {reason}" for reason in inputs.unknown),
        ]

    def other_account(self, stack: Stack) -> str | None:
        """Returns the account in which an apply of `stack` began, or None if it is this one."""
        record = self._read_record(stack)
        if record is None or not (self.account and record.account):
            return None
        return record.account if record.account != self.account else None

    def lineage(self, stack: Stack) -> str | None:
        """Returns the lineage of the state of `stack`, or None if no state can be read."""
        try:
            state = self._version(stack) if self.unreadable(stack) else self.state(stack)
        except UserError:
            return None  # whatever works on that stack reports the error
        return state.lineage if state else None

    def _version(self, stack: Stack) -> StateVersion | None:
        place = self.place(stack)
        text = place.read() if place else None
        return StateVersion.parse(text) if text else None

    def refuse_copies(self, stacks: Iterable[Stack]) -> None:
        """Raises UserError if two of `stacks` hold one state: one is a copy of the other."""
        checks.refuse_copies(
            Claim(stack.name, lineage, f"take the state away ({self.place(stack)})")
            for stack in stacks
            if (lineage := self.lineage(stack))
        )

    def has_changed(self, stack: Stack) -> bool:
        """Whether there is a reason to apply `stack`."""
        return bool(self.reasons_to_apply(stack))

    def record_apply(self, stack: Stack, inputs: Inputs) -> None:
        """Records an apply of `stack` that read `inputs` and has succeeded.

        Raises UserError if the record cannot be written: the next run then plans it again.
        """
        self.forget(stack)
        place, version = self.place(stack), self._version(stack) or self.state(stack)
        if place is None or version is None:
            self.close_apply(stack)
            return
        lineage = digest_of(version.lineage.encode())
        inputs = fingerprint.with_keyed_files(inputs, version.lineage)
        record = Record(inputs, lineage, version.serial, self.account or "", _now())
        place.write(record.to_json(), RECORD_SUFFIX)
        self._clear_fallback(stack)
        self.forget(stack)

    def begin_apply(self, stack: Stack, inputs: Inputs) -> None:
        """Notes that an apply of `stack` begins, in place of its record, until it has succeeded.

        Raises UserError if that cannot be written.
        """
        earlier, inputs = self.unfinished(stack), self._as_noted(inputs)
        account = (earlier.account if earlier else "") or self.account or ""
        is_another = self.why_incomplete(stack) and (
            not (earlier and earlier.inputs) or _changes(earlier.inputs, inputs)
        )
        note = UnfinishedApply(_now(), account, None if is_another else inputs)
        (self.place(stack) or _fallback(stack)).write(note.to_json(), RECORD_SUFFIX)
        self.forget(stack)

    def delete_record(self, stack: Stack) -> None:
        """Deletes the record of `stack`, which then counts as changed until the next one.

        The note of an apply that did not finish stays: what that left is to be looked for.
        """
        if self.unfinished(stack) is None:
            self.close_apply(stack)

    def close_apply(self, stack: Stack) -> None:
        """Deletes the record of `stack`, or the note: its last apply has left nothing unknown."""
        if place := self.place(stack):
            place.delete(RECORD_SUFFIX)
        self._clear_fallback(stack)
        self.forget(stack)

    def _clear_fallback(self, stack: Stack) -> None:
        fallback = _fallback(stack)
        text = fallback.read(RECORD_SUFFIX) if self.place(stack) != fallback else None
        if text and UnfinishedApply.parse(text):
            fallback.delete(RECORD_SUFFIX)


def _fallback(stack: Stack) -> LocalPlace:
    """Where an apply is noted if the files do not say where the state is: by its workspace."""
    workspace = selected_workspace(str(stack.path))
    folder = "." if workspace == "default" else f"{STATE}.d/{workspace}"
    return LocalPlace(stack.path / folder / STATE)


def _changes(before: Inputs, now: Inputs) -> list[str]:
    """What has changed but versions, which give no resource its name.

    A new file outside of the repository is left out too: the apply may have written it. One that a
    function reads is no new one, even if it was missing.
    """
    new = fingerprint.foreign_files(now) - before.files.keys()
    same_versions = replace(before, versions=now.versions)
    return fingerprint.differences(same_versions, fingerprint.without_files(now, new))


def _now() -> str:
    return time.strftime("%Y-%m-%dT%H:%M:%SZ", time.gmtime())


def _state_changes(record: Record, state: State) -> list[str]:
    if record.serial != state.serial:
        return [
            f"its state has changed since by other means (serial {state.serial}, "
            f"{record.serial} when it was applied)"
        ]
    return []
