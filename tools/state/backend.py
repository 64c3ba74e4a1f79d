"""Where stacks keep their states in a bucket: the settings, and each stack's backend.tf."""

import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any, Literal

from tools.errors import UserError
from tools.hcl import reading, writing
from tools.layout.repository import COMMON, PREFIX, Repository
from tools.layout.stack import FOLDERS
from tools.state.place import STATE, BucketPlace, Objects

FILE = "backend.tf"
ROOT = "bootstrap"  # the root that makes the bucket
TABLE = "terraform-locks"
Locking = Literal["file", "table", "both"]

_LOCKFILE_SINCE = (1, 10, 0)  # of Terraform and of OpenTofu
_PREFIX = re.compile(r"[a-zA-Z0-9_-]+(/[a-zA-Z0-9_-]+)*")
# As guard.tf in every root has it, which stops plain Terraform.
_KEY_OF_A_STACK = re.compile(rf"((?:{'|'.join(FOLDERS)})/[^/]+)/terraform\.tfstate$")
_ARGUMENT = re.compile(r'^\s*(\w+)\s*=\s*"([^"\n]*)"', re.MULTILINE)


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
        arguments: dict[str, reading.Value] = {
            "bucket": self.bucket,
            "key": self.key(stack),
            "region": self.region,
            "encrypt": True,
        }
        if self.locking != "table":
            arguments["use_lockfile"] = True
        if self.has_table:
            arguments["dynamodb_table"] = self.table
        width = max(map(len, arguments))
        lines = "".join(f"    {n:<{width}} = {writing.dumps(v)}\n" for n, v in arguments.items())
        return (
            "# Made by `tools state enable`, which makes it again. The key is this directory's: a "
            "copy of the\n# directory must not have this file.\n"
            f'terraform {{\n  backend "s3" {{\n{lines}  }}\n}}\n'
        )

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
    for _, text in _files(repository):
        found = dict(_ARGUMENT.findall(text))
        if found.get("bucket") == bucket:
            table = found.get("dynamodb_table")
            if not table:
                return "file", TABLE
            with_file = re.search(r"^\s*use_lockfile\s*=\s*true", text, re.M)
            return ("both" if with_file else "table"), table
    return "file", TABLE


def check_keys(repository: Repository) -> None:
    """Raises UserError where a directory was copied, or renamed, with its backend.tf.

    An apply there would change, or replace, what the original deployed.
    """
    owners: dict[tuple[str | None, str], str] = {}
    for stack, text in _files(repository):
        found = dict(_ARGUMENT.findall(text))
        key = found.get("key", "")
        named = stack_of(key)
        if named and named != stack:
            raise UserError(_foreign(repository, stack, named))
        other = owners.setdefault((found.get("bucket"), key), stack)
        if key and other != stack:
            raise UserError(
                f"{other}/{FILE} and {stack}/{FILE} name one state, {key}: an apply in one would "
                f"change what the other deployed; {_mend_copy(repository, 'the copy')}"
            )


def stack_of(key: str) -> str | None:
    """The stack that a key names, such as notebooks/nlp; None for keys by another rule."""
    named = _KEY_OF_A_STACK.search(key)
    return named[1] if named else None


def _foreign(repository: Repository, stack: str, named: str) -> str:
    wrong = f"{stack}/{FILE} names the state of {named}"
    if (repository.root / named).is_dir():
        return (
            f"{wrong}: {stack} is a copy, and an apply in it would change what {named} deployed; "
            f"{_mend_copy(repository, stack)}"
        )
    names = f"{named.split('/')[1]} {stack.split('/')[1]}"
    return (
        f"{wrong}, which has no directory; if it was renamed: tools rename-notebook {names}"
        f"{repository.option}; if it is a copy: {_mend_copy(repository, stack)}"
    )


def _mend_copy(repository: Repository, where: str) -> str:
    enable = f"tools state enable{repository.option}"
    return f"delete {FILE} and .terraform in {where}, then: {enable}"


def _files(repository: Repository) -> Iterator[tuple[str, str]]:
    """The backend.tf files: the stack that each lies in, and its text."""
    for folder in FOLDERS:
        for path in sorted((repository.root / folder).glob(f"*/{FILE}")):
            yield f"{folder}/{path.parent.name}", path.read_text(errors="replace")
