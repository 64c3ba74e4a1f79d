"""What a shared bucket is for, guessed from its name and tags."""

import re
from collections.abc import Mapping, Sequence

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


def assign(buckets: Sequence[Resource], chosen: Mapping[str, str]) -> dict[str, str]:
    """Returns the purpose of each bucket by its name: the `chosen` ones, then guesses.

    No two buckets have one purpose. Raises UserError if a purpose is chosen twice, or if
    shared-infra/s3 would refuse it.
    """
    purposes: dict[str, str] = {}
    for name, purpose in chosen.items():
        if not PURPOSE.fullmatch(purpose):
            raise UserError(
                f"--bucket {name}={purpose}: a purpose is lower-case letters, digits and single "
                "hyphens, such as datasets"
            )
        if purpose in purposes.values():
            other = next(other for other, taken in purposes.items() if taken == purpose)
            raise UserError(
                f"--bucket: {other} and {name} are both to be {purpose}; choose different purposes"
            )
        purposes[name] = purpose
    rest = [bucket for bucket in buckets if bucket.text("bucket") not in purposes]
    for purpose in _WORDS:
        if purpose not in purposes.values() and (best := _best(rest, purpose)):
            purposes[best.text("bucket")] = purpose
            rest.remove(best)
    prefix = _common_prefix([bucket.text("bucket") for bucket in buckets])
    for bucket in rest:
        name = bucket.text("bucket")
        purposes[name] = _from_name(name, prefix, set(purposes.values()))
    return purposes


def _best(buckets: Sequence[Resource], purpose: str) -> Resource | None:
    ranked = [(_rank(bucket, purpose), bucket.text("bucket"), bucket) for bucket in buckets]
    fitting = [entry for entry in ranked if entry[0] is not None]
    return min(fitting, key=lambda entry: entry[:2])[2] if fitting else None


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
