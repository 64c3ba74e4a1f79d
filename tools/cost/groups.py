"""What notebooks cost by owner, environment, instance type or a tag."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import TypeVar

from tools.cost.model import Amount, NotebookCost, NotebookSpec, total
from tools.errors import UserError, nearest

MOST = 10  # rows of a table, before "the others"

_KEYS = {"owner": "Owner", "environment": "Environment", "type": "Instance type"}
_TAG = "tag:"
_TAGS = {"owner": "Owner", "environment": "Environment"}  # that the notebooks' template gives
_T = TypeVar("_T")


@dataclass(frozen=True)
class Key:
    """A key to group notebooks by; `title` is its heading, `noun` names a value that is missing."""

    text: str
    title: str
    noun: str

    @classmethod
    def parse(cls, text: str) -> "Key":
        """Parses owner, environment, type or tag:NAME. Raises UserError for another."""
        if text.startswith(_TAG) and text != _TAG:
            return cls.of_tag(text.removeprefix(_TAG))
        if text not in _KEYS:
            raise UserError(f"--by {text!r}: {nearest(text, [*_KEYS, 'tag:NAME'])}")
        return cls(text, _KEYS[text], "instance type" if text == "type" else text)

    @classmethod
    def of_tag(cls, name: str) -> "Key":
        """The key that groups by a tag."""
        return cls(f"{_TAG}{name}", name, f"tag {name}")

    @property
    def tag(self) -> str:
        """The tag that has the value on a bill; empty if none has."""
        return self.title if self.text.startswith(_TAG) else _TAGS.get(self.text, "")

    def value_of(self, spec: NotebookSpec) -> str:
        """The notebook's value, or words that say that it has none."""
        value = {
            "owner": spec.owner,
            "environment": spec.environment,
            "type": spec.instance_type,
        }.get(self.text, spec.tags.get(self.title, ""))
        return value or f"no {self.noun}"


@dataclass(frozen=True)
class Group:
    """The notebooks with one value of a key."""

    name: str
    notebooks: Sequence[NotebookCost]

    @property
    def compute(self) -> Amount:
        """A month of their instances."""
        return total(cost.compute.amount for cost in self.notebooks)

    @property
    def volumes(self) -> Amount:
        """A month of their volumes."""
        return total(cost.volume.amount for cost in self.notebooks)

    @property
    def amount(self) -> Amount:
        """A month of both."""
        return self.compute + self.volumes


def group(notebooks: Iterable[NotebookCost], key: Key) -> list[Group]:
    """The groups of `notebooks` by `key`, the dearest first.

    Raises UserError for a tag that no notebook has.
    """
    notebooks = list(notebooks)
    tags = {tag for cost in notebooks for tag in cost.spec.tags}
    if key.text.startswith(_TAG) and notebooks and key.title not in tags:
        hint = nearest(key.title, sorted(tags))
        raise UserError(f"--by {key.text}: no notebook has a tag {key.title}; {hint}")
    members: dict[str, list[NotebookCost]] = {}
    for cost in notebooks:
        members.setdefault(key.value_of(cost.spec), []).append(cost)
    groups = [Group(name, costs) for name, costs in members.items()]
    return sorted(groups, key=lambda item: (-item.amount.usd, item.name))


def dearest_first(notebooks: Iterable[NotebookCost]) -> list[NotebookCost]:
    """The notebooks by what they cost."""
    return sorted(notebooks, key=lambda cost: (-cost.amount.usd, cost.spec.name))


def split(rows: Sequence[_T], most: int = MOST) -> tuple[Sequence[_T], Sequence[_T]]:
    """The first rows of a table, and the others, which share a row; one alone has its own."""
    count = most + (len(rows) == most + 1)
    return rows[:count], rows[count:]
