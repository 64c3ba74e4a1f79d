"""The place of a stack's state: a file on this machine or an object in a bucket."""

import fcntl
import json
from collections.abc import Callable, Iterator, Mapping
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from tools.errors import UserError
from tools.hcl import reading
from tools.layout.contents import SavedBackend, saved_backend, selected_workspace
from tools.layout.files import file_names, holds_root
from tools.layout.reads import DeclaredBackend, StateAddress
from tools.layout.stack import FOLDERS, Stack
from tools.state.file import State, is_whole
from tools.system import files

STATE = "terraform.tfstate"
# What Terraform writes in the stack's directory if it cannot write the state:
# https://github.com/hashicorp/terraform/blob/main/internal/backend/local/backend_apply.go
ERRORED = "errored.tfstate"
# The ending of the record of a stack's last apply, beside its state (tools/engine).
RECORD_SUFFIX = ".record.json"
# The ending of the note on a notebook that was stopped to be retired (tools/roster).
RETIREMENT = ".retirement.json"
# The ending of a local state that was copied to a bucket, until Terraform has read the copy.
UNVERIFIED = ".unverified"
# The ending of a state that was cut short and is out of the way: what it held may still be of use.
CUT_SHORT = ".cut-short"
# The ending of the key of a state's lock file:
# https://developer.hashicorp.com/terraform/language/backend/s3#state-locking
LOCK = ".tflock"
# What the keys of other workspaces' states begin with, in the backend "s3":
# https://developer.hashicorp.com/terraform/language/backend/s3#workspace_key_prefix
WORKSPACES = "env:/"
# With any other, such as a profile or a role, Terraform reaches the bucket in its own way.
_S3_ARGUMENTS = {
    "acl",
    "bucket",
    "dynamodb_table",
    "encrypt",
    "key",
    "kms_key_id",
    "region",
    "use_lockfile",
}


@dataclass(frozen=True)
class Lock:
    """What Terraform notes of a lock: `id` is what `terraform force-unlock` takes.

    `is_held` is None if this machine cannot know whether the process that took it still runs.
    """

    id: str
    who: str
    operation: str
    created: str
    is_held: bool | None = None

    @classmethod
    def parse(cls, text: str | bytes, is_held: bool | None = None) -> "Lock":
        """Reads Terraform's note; a part that is missing, as from a note cut short, is a "?"."""
        try:
            note = dict(json.loads(text))
        except (ValueError, TypeError):
            note = {}
        who, operation, created = (str(note.get(n) or "?") for n in ("Who", "Operation", "Created"))
        return cls(str(note.get("ID") or "?"), who, operation, created, is_held)


@dataclass(frozen=True)
class LocalPlace:
    """A state file on this machine. `suffix` names a file beside it, whose name it ends."""

    path: Path

    def __str__(self) -> str:
        return str(self.path)

    @property
    def address(self) -> StateAddress:
        """Where it lies, as reads of other stacks name it."""
        return StateAddress(str(self.path.resolve()))

    @property
    def mend(self) -> str:
        """What a user does about a state that is cut short, in words."""
        backup, aside = self.beside(".backup"), self.beside(CUT_SHORT)
        if is_whole(backup):
            return (
                f"go back to the one before it: mv {self.path} {aside} && cp {backup} {self.path}"
            )
        return f"there is none before it; to go on without: mv {self.path} {aside}"

    def set_aside(self, suffix: str = CUT_SHORT) -> None:
        """Renames the state, so that its place is free and nothing is lost."""
        self.path.replace(self.beside(suffix))

    def beside(self, suffix: str) -> Path:
        """The file whose name is the state's and `suffix`."""
        return self.path.with_name(self.path.name + suffix)

    def read(self, suffix: str = "") -> bytes | None:
        """The content, or None if there is none. Raises UserError if it cannot be read."""
        file = self.beside(suffix)
        with files.explain_unreadable(file), suppress(FileNotFoundError):
            return file.read_bytes()
        return None

    def write(self, content: bytes, suffix: str) -> None:
        """Replaces the content at once: nobody reads half of it. Raises UserError if it cannot."""
        files.write(self.beside(suffix), content)

    def delete(self, suffix: str) -> None:
        """Removes the content, if there is any. Raises UserError if it cannot."""
        try:
            self.beside(suffix).unlink(missing_ok=True)
        except OSError as error:
            raise UserError(f"cannot remove {error.filename}: {error.strerror}") from None

    @property
    def lock_note(self) -> Path:
        """The file in which Terraform notes who holds the lock."""
        return self.path.with_name(f".{self.path.name}.lock.info")

    def lock(self) -> Lock | None:
        """The lock on the state, held or left by a kill, or None if there is none."""
        try:
            return Lock.parse(self.lock_note.read_bytes(), self._is_held())
        except OSError:
            return None

    def _is_held(self) -> bool:
        """Whether a process holds the lock.

        It is the operating system's, which ends with the process, while Terraform's note may stay:
        https://github.com/hashicorp/terraform/blob/main/internal/states/statemgr/filesystem_lock_unix.go
        """
        try:
            with self.path.open("r+b") as stream:
                fcntl.lockf(stream, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except FileNotFoundError:
            return False
        except OSError:
            return True
        return False


def local_states(directory: Path) -> Iterator[LocalPlace]:
    """Yields the places of states in `directory` and below, such as those of its workspaces.

    What is below another root module is that one's. A record alone counts too.
    https://developer.hashicorp.com/terraform/language/state/workspaces#workspace-internals
    """
    with suppress(OSError):
        for file in sorted({name.removesuffix(RECORD_SUFFIX) for name in file_names(directory)}):
            if file.endswith(".tfstate") and file != ERRORED:
                yield LocalPlace(directory / file)
        for folder in sorted(directory.iterdir()):
            is_another = folder.name.startswith(".") or folder.name in FOLDERS
            if is_another or not folder.is_dir() or folder.is_symlink() or holds_root(folder):
                continue
            yield from local_states(folder)


Objects = Callable[[str], Any]  # region to a store of objects: tools.aws.s3.Objects


def no_objects(region: str) -> None:
    """Stands for a store of objects if nothing is read of the bucket, only its place told."""


@dataclass(frozen=True)
class BucketPlace:
    """A state in a bucket, as the backend "s3" writes it, with the methods of LocalPlace.

    `table` is its lock table, if any, and `lockfile` says whether a file beside it locks it.
    """

    bucket: str
    key: str
    region: str
    objects: Objects
    table: str | None = None
    lockfile: bool = False

    def __str__(self) -> str:
        return f"s3://{self.bucket}/{self.key}"

    @property
    def address(self) -> StateAddress:
        """Where it lies, as reads of other stacks name it."""
        return StateAddress(self.key, self.bucket)

    @property
    def arguments(self) -> dict[str, reading.Value]:
        """The arguments of a `backend "s3"` block that keeps a state here."""
        lockfile_argument = {"use_lockfile": True} if self.lockfile else {}
        table_argument = {"dynamodb_table": self.table} if self.table else {}
        return {
            "bucket": self.bucket,
            "key": self.key,
            "region": self.region,
            **lockfile_argument,
            **table_argument,
        }

    @property
    def mend(self) -> str:
        return "bring an older version back: tools state history, then restore"

    @property
    def has_no_bucket(self) -> bool:
        """Whether its bucket does not exist. Raises UserError if AWS cannot be asked."""
        return self.objects(self.region).bucket(self.bucket) is None

    def read(self, suffix: str = "") -> bytes | None:
        content: bytes | None = self.objects(self.region).get(self.bucket, self.key + suffix)
        return content

    def write(self, content: bytes, suffix: str) -> None:
        self.objects(self.region).put(self.bucket, self.key + suffix, content)

    def create(self, content: bytes) -> None:
        """Writes the state. Raises UserError if there is one by now."""
        self.objects(self.region).create(self.bucket, self.key, content)

    def delete(self, suffix: str) -> None:
        self.objects(self.region).delete(self.bucket, self.key + suffix)

    def lock(self) -> Lock | None:
        content = self.read(LOCK)
        if content is None and self.table:
            state_path = f"{self.bucket}/{self.key}"
            content = self.objects(self.region).lock_item(self.table, state_path)
        return None if content is None else Lock.parse(content)


Place = LocalPlace | BucketPlace


def read_state(place: Place) -> State | None:
    """The state in `place`, or None if there is none.

    An empty file is none: Terraform makes it with the lock of the first apply. Raises UserError if
    the state cannot be read or was cut short, and UnreadableState as State.parse does.
    """
    text = place.read()
    return State.parse(text, str(place), place.mend) if text else None


def locate(stack: Stack, objects: Objects) -> Place | None:
    """The place of the state of `stack`, or None if its files do not say.

    The values of `-backend-config` count as theirs, once an init has saved them. They do not say it
    - for a backend other than "local" and "s3",
    - for one with values that are not known without Terraform, or are still to come,
    - if a workspace is selected,
    - if `is_uninitialized`,
    - if a file that is not followed here, such as an override, could name another place.
    """
    return _locate(stack, objects, stack.backend(), saved_backend(str(stack.path)))


def locate_unmoved(stack: Stack, objects: Objects) -> Place | None:
    """The place as `locate` tells it, or None if the last init was told another one."""
    backend, saved = stack.backend(), saved_backend(str(stack.path))
    return None if _has_moved(backend, saved) else _locate(stack, objects, backend, saved)


def _locate(
    stack: Stack, objects: Objects, backend: DeclaredBackend | None, saved: SavedBackend | None
) -> Place | None:
    if backend is None or selected_workspace(str(stack.path)) != "default":
        return None
    kind, config, is_declared = backend
    saved_kind, saved_config = saved or ("", {})
    if saved_kind == kind and is_declared and not _disagree(config, saved_config):
        config = {**saved_config, **config}
    if kind == "local" and set(config) <= {"path"}:
        return (
            None
            if _awaits_path(stack, backend, saved)
            else LocalPlace(stack.path / str(config.get("path", STATE)))
        )
    if kind == "s3" and {"bucket", "key", "region"} <= set(config) <= _S3_ARGUMENTS:
        bucket, key, region = (str(config[name]) for name in ("bucket", "key", "region"))
        lockfile = config.get("use_lockfile") is True
        table = config.get("dynamodb_table")
        return BucketPlace(bucket, key, region, objects, str(table) if table else None, lockfile)
    return None


def is_uninitialized(stack: Stack) -> bool:
    """Whether an init may still be told the path of the state: `backend "local"` has none."""
    return _awaits_path(stack, stack.backend(), saved_backend(str(stack.path)))


def _awaits_path(stack: Stack, backend: DeclaredBackend | None, saved: SavedBackend | None) -> bool:
    is_open = backend is not None and backend.is_declared and backend[:2] == ("local", {})
    return is_open and not saved and not (stack.path / STATE).exists()


def is_moved(stack: Stack) -> bool:
    """Whether the files of `stack` name another place than the last init did.

    Terraform does nothing in its directory then, until an init moves the state or leaves it there.
    """
    return _has_moved(stack.backend(), saved_backend(str(stack.path)))


def _has_moved(backend: DeclaredBackend | None, saved: SavedBackend | None) -> bool:
    if backend is None or saved is None:
        return False  # the files do not say where it is, or there was no init
    is_other = not backend.is_declared or backend.kind != saved[0]
    return is_other or _disagree(backend.arguments, saved[1])


def _disagree(config: Mapping[str, Any], saved_arguments: Mapping[str, Any]) -> bool:
    return any(
        name in saved_arguments and saved_arguments[name] != value for name, value in config.items()
    )
