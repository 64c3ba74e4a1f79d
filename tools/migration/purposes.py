"""What a shared bucket is for, guessed from its name and tags."""

import re
from collections.abc import Iterable, Mapping, Sequence

from tools.errors import UserError
from tools.imports.buckets import PURPOSE
from tools.migration.legacy import Resource

# The words that tell the purpose of a bucket, the strongest first.
_WORDS = {
    "datasets": ("datasets", "dataset", "data", "raw", "training"),
    "models": ("models", "model", "artifacts", "artefacts"),
}
_TAGS = ("Purpose", "purpose", "Name", "name", "Role", "role")
_TAG_RANK = 100  # more than there are words: any word in the name comes before one in a tag


def assign(
    buckets: Sequence[Resource], chosen: Mapping[str, str]
) -> tuple[dict[str, str], dict[str, str]]:
    """Returns the purpose of each bucket by its name: the `chosen` ones, then guesses.

    No two buckets have one purpose. The second answer says, by name, which bucket has its purpose
    by the alphabet alone. Raises UserError if a purpose is chosen twice, or if shared-infra/s3
    would refuse it.
    """
    purposes: dict[str, str] = {}
    for name, purpose in chosen.items():
        if not PURPOSE.fullmatch(purpose):
            raise UserError(
                f"--bucket {name}={purpose}: a purpose is lower-case letters, digits and single "
                "hyphens, such as datasets"
            )
        if purpose in purposes.values():
            other = next(
                other for other, taken_purpose in purposes.items() if taken_purpose == purpose
            )
            raise UserError(
                f"--bucket: {other} and {name} are both to be {purpose}; choose different purposes"
            )
        purposes[name] = purpose
    rest = [bucket for bucket in buckets if bucket.text("bucket") not in purposes]
    ties: dict[str, str] = {}
    for purpose in _WORDS:
        if purpose not in purposes.values() and (best := _best(rest, purpose)):
            name = best[0].text("bucket")
            purposes[name] = purpose
            rest.remove(best[0])
            if others := [bucket.text("bucket") for bucket in best[1:]]:
                ties[name] = (
                    f"{', '.join(others)} could be {purpose} as well, and {name} comes first by "
                    f"the alphabet; to choose another one: --bucket {others[0]}={purpose}"
                )
    prefix = _common_prefix([bucket.text("bucket") for bucket in buckets])
    for bucket in rest:
        name = bucket.text("bucket")
        purposes[name] = _from_name(name, prefix, set(purposes.values()))
    return purposes, ties


def _best(buckets: Iterable[Resource], purpose: str) -> list[Resource]:
    """The buckets that fit a purpose best, in the order of their names."""
    ranks = [(rank, bucket) for bucket in buckets if (rank := _rank(bucket, purpose)) is not None]
    best_rank = min((rank for rank, _ in ranks), default=0)
    fitting = [bucket for rank, bucket in ranks if rank == best_rank]
    return sorted(fitting, key=lambda bucket: bucket.text("bucket"))


def _rank(bucket: Resource, purpose: str) -> int | None:
    """How well a bucket fits: 0 is best, None is not at all. Its name says more than its tags."""
    tags = bucket.attributes.get("tags") or {}
    labels = " ".join(str(tags[key]) for key in _TAGS if tags.get(key))
    for offset, text in ((0, bucket.text("bucket")), (_TAG_RANK, labels)):
        words = re.split(r"[^a-z0-9]+", text.lower())
        for rank, word in enumerate(_WORDS[purpose]):
            if word in words:
                return offset + rank
    return None


def _common_prefix(names: Sequence[str]) -> str:
    """The words that all names begin with, such as `acme-ml-`; empty for a single name."""
    if len(names) < 2:
        return ""
    split = [re.findall(r"[^.-]+[.-]?", name) for name in names]
    prefix = ""
    for words in zip(*split, strict=False):
        if len(set(words)) > 1:
            break
        prefix += words[0]
    return prefix if all(len(name) > len(prefix) for name in names) else ""


def _from_name(name: str, prefix: str, taken: set[str]) -> str:
    """A purpose from the part of a bucket's name after the common prefix."""
    text = re.sub(r"[^a-z0-9]+", "-", name.removeprefix(prefix).lower()).strip("-")
    if not PURPOSE.fullmatch(text):
        text = f"bucket-{text}".rstrip("-")
    purpose, number = text, 2
    while purpose in taken:
        purpose, number = f"{text}-{number}", number + 1
    return purpose
