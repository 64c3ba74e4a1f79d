"""The backup of a notebook's home in S3, compared with what the notebook says that it copied."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC, datetime

from tools.aws.s3 import Objects
from tools.errors import UserError


@dataclass(frozen=True)
class Backup:
    """A backup that is whole: when it began and ended, and what it holds."""

    where: str
    began: datetime
    ended: datetime
    files: int
    size: int

    def __str__(self) -> str:
        return f"{self.files} files, {self.size} bytes, of {self.ended:%Y-%m-%d %H:%M} UTC"


def check(objects: Objects, bucket: str, prefix: str) -> Backup:
    """Reads the list done.txt below `prefix` and compares it with the bucket's own listing.

    Raises UserError if one of the two cannot be read, or if they differ.
    """
    where = f"s3://{bucket}/{prefix}"
    done_note = objects.get(bucket, f"{prefix}/done.txt")
    if done_note is None:
        raise UserError(f"there is no backup in {where}: backup_hours makes them (docs/backup.md)")
    home = f"{prefix}/home/"
    sizes = objects.sizes(bucket, home)
    return compare(where, done_note, {key.removeprefix(home): size for key, size in sizes.items()})


def compare(where: str, done_note: bytes, sizes: Mapping[str, int]) -> Backup:
    """Returns the backup that `done_note`, its done.txt, lists if `sizes`, by file, has all of it.

    What the notebook deleted later is still in the bucket, and does not count.
    Raises UserError otherwise.
    """
    try:
        first, *lines = done_note.decode().split("\n")
        began, ended, files, size = first.split(" ")
        pairs = (line.partition(" ") for line in lines if line)
        listed = {name: int(number) for number, _, name in pairs}
        backup = Backup(where, _moment(began), _moment(ended), int(files), int(size))
    except ValueError:
        raise UserError(f"{where}/done.txt is not a list that a backup writes") from None
    if (len(listed), sum(listed.values())) != (backup.files, backup.size):
        raise UserError(
            f"{where}/done.txt lists {len(listed)} files, {sum(listed.values())} bytes, and its "
            f"first line says {backup.files} files, {backup.size} bytes"
        )
    stored = {name: sizes[name] for name in listed if name in sizes}
    wrong = sorted(name for name in listed if stored.get(name) != listed[name])
    if wrong:
        raise UserError(
            f"{where} has {len(stored)} of {backup.files} files, {sum(stored.values())} of "
            f"{backup.size} bytes, and not {wrong[0]} as it was copied"
        )
    return backup


def _moment(text: str) -> datetime:
    return datetime.strptime(text, "%Y-%m-%dT%H:%M:%SZ").replace(tzinfo=UTC)
