"""Where stacks keep their states in a bucket: the settings, and each stack's backend.tf."""

import re
from collections.abc import Mapping
from contextlib import suppress
from dataclasses import dataclass
from typing import Any, Literal

from tools.errors import UserError
from tools.hcl import cache, reading
from tools.hcl.reading import Value
from tools.hcl.writing import backend_block
from tools.layout.repository import COMMON, PREFIX, Repository
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

_LOCKFILE_SINCE = (1, 10, 0)  # of Terraform and of OpenTofu
_PREFIX = re.compile(r"[a-zA-Z0-9_-]+(/[a-zA-Z0-9_-]+)*")
# As guard.tf in every root has it, which stops plain Terraform.
_KEY_OF_A_STACK = re.compile(rf"((?:{'|'.join(FOLDERS)})/[^/]+)/terraform\.tfstate$")


@dataclass(frozen=True)
class Backend:
    """The bucket of a repository's states; raises UserError for a prefix that keys cannot have.

    `locking` is a lock file beside each state, the DynamoDB table called `table`, or both.
    """

    bucket: str
    region: str
    locking: Locking
    prefix: str = PREFIX
    table: str = TABLE

    def __post_init__(self) -> None:
        if not _PREFIX.fullmatch(self.prefix):
            raise UserError(
                f"{self.prefix!r} is no prefix of the states' keys: it takes letters, digits, "
                f"hyphens and underscores, with single slashes between them, such as {PREFIX}"
            )

    @property
    def has_table(self) -> bool:
        """Whether states are locked in the table."""
        return self.locking in ("table", "both")

    def key(self, stack: str) -> str:
        """The key of the state of `stack`, which is its path in the repository."""
        return f"{self.prefix}/{stack}/{STATE}"

    def place(self, stack: str, objects: Objects) -> BucketPlace:
        """Where the state of `stack` lies."""
        table, lockfile = self.table if self.has_table else None, self.locking != "table"
        return BucketPlace(self.bucket, self.key(stack), self.region, objects, table, lockfile)

    def text(self, stack: str) -> str:
        """The backend.tf of `stack`."""
        order: dict[str, Value] = dict.fromkeys(("bucket", "key", "region", "encrypt"), True)
        arguments = order | self.place(stack, no_objects).arguments
        return _HEADER + backend_block("s3", arguments)

    def leaves_out(self, arguments: Mapping[str, Any]) -> bool:
        """Whether a backend block has what `text` has not, such as a KMS key, or another table."""
        ours = {"bucket", "key", "region", "encrypt", "use_lockfile", "dynamodb_table"}
        table = arguments.get("dynamodb_table", self.table)
        return not set(arguments) <= ours or table != self.table


def default_locking(version: tuple[int, int, int]) -> Locking:
    """How states are locked with this version of Terraform, where nobody says otherwise."""
    return "file" if version >= _LOCKFILE_SINCE else "table"


def of(repository: Repository) -> Backend | None:
    """The settings that `state_bucket` and the stacks' files have, None without a bucket."""
    if not (repository.root / COMMON).is_file():
        return None
    common = repository.common()
    bucket = common.get("state_bucket")
    if not bucket:
        return None
    prefix = str(common.get("state_prefix") or PREFIX)
    locking, table = _locking(repository, str(bucket))
    return Backend(str(bucket), str(common["region"]), locking, prefix, table)


def _locking(repository: Repository, bucket: str) -> tuple[Locking, str]:
    """As in the first stack that has its state in `bucket`, with the name of its lock table."""
    for arguments in arguments_by_stack(repository).values():
        if arguments.get("bucket") == bucket:
            table = arguments.get("dynamodb_table")
            if not table:
                break
            return ("both" if arguments.get("use_lockfile") is True else "table"), str(table)
    return "file", TABLE


def stack_of(key: str) -> str | None:
    """The stack that a key names, such as notebooks/nlp; None for keys by another rule."""
    named = _KEY_OF_A_STACK.search(key)
    return named[1] if named else None


def arguments_by_stack(repository: Repository) -> dict[str, Mapping[str, Any]]:
    """The arguments of each stack's backend.tf; without the stacks that have none that parses."""
    arguments: dict[str, Mapping[str, Any]] = {}
    with cache.kept(repository.root):
        for folder in FOLDERS:
            for path in sorted((repository.root / folder).glob(f"*/{FILE}")):
                with suppress(UserError):  # Terraform does nothing in that directory either
                    _, arguments[f"{folder}/{path.parent.name}"] = reading.backend(path) or ("", {})
    return arguments
