"""Where stacks keep their states in a bucket: the settings, and each stack's backend.tf."""

import re
from collections.abc import Mapping
from contextlib import suppress
from dataclasses import dataclass
from typing import Any, Literal, NamedTuple

from tools.errors import UserError
from tools.hcl import cache, configuration, reading
from tools.hcl.reading import Value
from tools.hcl.writing import backend_block
from tools.layout.contents import keep_contents
from tools.layout.neighbours import Neighbours
from tools.layout.repository import PREFIX, Repository
from tools.layout.stack import FOLDERS
from tools.state.place import STATE, BucketPlace, Objects, no_objects

FILE = "backend.tf"
ROOT = "bootstrap"  # the root that makes the bucket
TABLE = "terraform-locks"
MADE_BY = "# Made by `tools state"  # begins each backend.tf that is not a user's own
Locking = Literal["file", "table", "both"]
_HEADER = f"""\
{MADE_BY} enable`, which makes it again. The key is this directory's: a copy of the
# directory must not have this file.
"""

# Of Terraform and of OpenTofu, `use_lockfile`:
# https://developer.hashicorp.com/terraform/language/backend/s3#state-locking
_LOCKFILE_SINCE = (1, 10, 0)
_PREFIX = re.compile(r"[a-zA-Z0-9_-]+(/[a-zA-Z0-9_-]+)*")
# The rule of modules/common/guard.tf, by which plain Terraform refuses another stack's key.
_KEY_OF_A_STACK = re.compile(rf"((?:{'|'.join(FOLDERS)})/[^/]+)/terraform\.tfstate$")


class BackendBlock(NamedTuple):
    """A backend block: the name of its file, and its arguments."""

    file: str
    arguments: Mapping[str, Any]


@dataclass(frozen=True)
class Backend:
    """The settings of the bucket that holds a repository's states.

    States are locked by a lock file beside each, by the DynamoDB table called `table`, or by both,
    as `locking` says. Raises UserError for a prefix that keys cannot have.
    """

    bucket: str
    region: str
    locking: Locking
    prefix: str = PREFIX
    table: str = TABLE

    def __post_init__(self) -> None:
        if not _PREFIX.fullmatch(self.prefix):
            raise UserError(
                f"{self.prefix!r} is not a prefix of the states' keys: it takes letters, digits, "
                f"hyphens and underscores, with single slashes between them, such as {PREFIX}"
            )

    @property
    def has_table(self) -> bool:
        """Whether states are locked in the table."""
        return self.locking in ("table", "both")

    def key(self, stack: str) -> str:
        """The key of the state of the stack with the name `stack`."""
        return f"{self.prefix}/{stack}/{STATE}"

    def place(self, stack: str, objects: Objects) -> BucketPlace:
        """The place of the state of `stack` in the bucket."""
        table, lockfile = self.table if self.has_table else None, self.locking != "table"
        return BucketPlace(self.bucket, self.key(stack), self.region, objects, table, lockfile)

    def text(self, stack: str) -> str:
        """The text of the backend.tf of `stack`."""
        order: dict[str, Value] = dict.fromkeys(("bucket", "key", "region", "encrypt"), True)
        arguments = order | self.place(stack, no_objects).arguments
        return _HEADER + backend_block("s3", arguments)

    def leaves_out(self, arguments: Mapping[str, Any]) -> bool:
        """Whether `text` would lose some of a backend's `arguments`, such as a KMS key."""
        ours = {"bucket", "key", "region", "encrypt", "use_lockfile", "dynamodb_table"}
        table = arguments.get("dynamodb_table", self.table)
        return not set(arguments) <= ours or table != self.table


def default_locking(version: tuple[int, int, int]) -> Locking:
    """How states are locked with this version of Terraform, unless a user says otherwise."""
    return "file" if version >= _LOCKFILE_SINCE else "table"


def configured_backend(repository: Repository) -> Backend | None:
    """The settings in the shared values and the stacks' files, or None without a bucket."""
    if not repository.shared_values().get("state_bucket"):
        return None
    common = repository.common()
    bucket = common["state_bucket"]
    prefix = str(common.get("state_prefix") or PREFIX)
    locking, table = _locking(repository, str(bucket))
    return Backend(str(bucket), str(common["region"]), locking, prefix, table)


def _locking(repository: Repository, bucket: str) -> tuple[Locking, str]:
    """The locking of the first stack with its state in `bucket`, and the name of its lock table."""
    for block in blocks_by_stack(repository).values():
        arguments = block.arguments
        if arguments.get("bucket") == bucket:
            table = arguments.get("dynamodb_table")
            if not table:
                break
            return ("both" if arguments.get("use_lockfile") is True else "table"), str(table)
    return "file", TABLE


def stack_of(key: str) -> str | None:
    """The stack that a key names, such as notebooks/nlp, or None for a key of another form."""
    match = _KEY_OF_A_STACK.search(key)
    return match[1] if match else None


def blocks_by_stack(repository: Repository) -> dict[str, BackendBlock]:
    """The backend block of each stack that has one, whichever file it is in.

    Without those of files that do not parse: Terraform does nothing in such a directory either.
    """
    blocks: dict[str, BackendBlock] = {}
    neighbours = Neighbours(repository.root, repository.env)
    with cache.persisted(repository.root), keep_contents():
        for name in neighbours.names:
            for file, text in neighbours.configuration(name):
                if configuration.names_backend(text):
                    with suppress(UserError):
                        if block := reading.read_backend(repository.root / name / file):
                            blocks[name] = BackendBlock(file, block[1])
    return blocks
