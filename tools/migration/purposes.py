"""What a shared bucket is for, guessed from its name and tags."""

import re
from collections.abc import Mapping, Sequence

from tools.errors import UserError
from tools.imports.buckets import PURPOSE
from tools.migration.legacy import Resource

# What makes a bucket the shared one of a purpose, the strongest word first.
_WORDS = {
    "datasets": ("datasets", "dataset", "data", "raw", "training"),
    "models": ("models", "model", "artifacts", "artefacts"),
}
_OF_TAGS = ("Purpose", "purpose", "Name", "name", "Role", "role")


def of(buckets: Sequence[Resource], given: Mapping[str, str]) -> dict[str, str]:
    """Purposes by bucket name, each once: those that are `given`, then guesses.

    Raises UserError for a purpose that is given twice, or that shared-infra/s3 would refuse.
    """
    found: dict[str, str] = {}
    for name, purpose in given.items():
        if not PURPOSE.fullmatch(purpose):
            raise UserError(
                f"--bucket {name}={purpose}: a purpose is lower-case letters, digits and single "
                "hyphens, such as datasets"
            )
        if purpose in found.values():
            other = next(other for other, taken in found.items() if taken == purpose)
            raise UserError(f"--bucket: {other} and {name} are both to be {purpose}; name others")
        found[name] = purpose
    rest = [one for one in buckets if one.text("bucket") not in found]
    for purpose in _WORDS:
        if purpose not in found.values():
            chosen = _best(rest, purpose)
            if chosen:
                found[chosen.text("bucket")] = purpose
                rest.remove(chosen)
    prefix = _common_prefix([one.text("bucket") for one in buckets])
    for one in rest:
        name = one.text("bucket")
        found[name] = _own(name, prefix, set(found.values()))
    return found


def _best(buckets: Sequence[Resource], purpose: str) -> Resource | None:
    ranked = [(_rank(one, purpose), one.text("bucket"), one) for one in buckets]
    fitting = [entry for entry in ranked if entry[0] is not None]
    return min(fitting, key=lambda entry: entry[:2])[2] if fitting else None


def _rank(bucket: Resource, purpose: str) -> int | None:
    """How well a bucket fits: 0 is best, None is not at all. Its name says more than its tags."""
    tags = bucket.attributes.get("tags") or {}
    labels = " ".join(str(tags[key]) for key in _OF_TAGS if tags.get(key))
    for offset, text in ((0, bucket.text("bucket")), (100, labels)):
        words = re.split(r"[^a-z0-9]+", text.lower())
        for rank, word in enumerate(_WORDS[purpose]):
            if word in words:
                return offset + rank
    return None


def _common_prefix(names: Sequence[str]) -> str:
    """The words that all names begin with, such as `acme-ml-`; of one alone there is none."""
    if len(names) < 2:
        return ""
    split = [re.findall(r"[^.-]+[.-]?", name) for name in names]
    prefix = ""
    for words in zip(*split, strict=False):
        if len(set(words)) > 1:
            break
        prefix += words[0]
    return prefix if all(len(name) > len(prefix) for name in names) else ""


def _own(name: str, prefix: str, taken: set[str]) -> str:
    """A purpose from the part of a bucket's name that is its own."""
    text = re.sub(r"[^a-z0-9]+", "-", name.removeprefix(prefix).lower()).strip("-")
    if not PURPOSE.fullmatch(text):
        text = f"bucket-{text}".rstrip("-")
    purpose, number = text, 2
    while purpose in taken:
        purpose, number = f"{text}-{number}", number + 1
    return purpose
