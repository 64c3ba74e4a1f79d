"""The mapping of an old deployment onto the stacks: what becomes of each of its resources."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Literal

from tools.migration.legacy import Resource

# imported: a stack here manages it from then on. inside: a part of something imported. used: the
# new deployment needs it, or may, and no stack here manages it. network: the same, of the network,
# which is the user's. stays: remains with the old deployment.
Disposition = Literal["imported", "inside", "used", "network", "stays"]


@dataclass(frozen=True)
class Choices:
    """The user's choices: bucket to purpose, and addresses (globs) to leave."""

    purposes: Mapping[str, str] = field(default_factory=dict)
    leave: Sequence[str] = ()


@dataclass(frozen=True)
class EarlierMigration:
    """What an earlier migration of the old deployment did, which its state may not show any more.

    `script` is the path of the earlier script, `dispositions` what it says by address, and
    `managed_here` what the stacks here hold and the old state does not.
    """

    script: str = ""
    dispositions: Mapping[str, Disposition] = field(default_factory=dict)
    managed_here: Sequence[Resource] = ()

    @property
    def exists(self) -> bool:
        return bool(self.script or self.managed_here)


@dataclass(frozen=True)
class MappingScope:
    """What a mapping depends on besides the resources.

    `region` and `account` are those of the stacks here; `state_bucket` holds the old state, empty
    if that is a file.
    """

    region: str
    account: str
    choices: Choices = Choices()
    state_bucket: str = ""
    earlier: EarlierMigration = EarlierMigration()


@dataclass(frozen=True)
class MappedResource:
    """A resource and what becomes of it.

    `target` is the stack that imports it, or the old address of the resource that it is a part of.
    `key` is what it is there: a bucket's purpose, a group's (notebooks, endpoints), a service.
    `is_left` is whether --leave names it, whatever becomes of it.
    """

    resource: Resource
    disposition: Disposition
    target: str = ""
    key: str = ""
    reason: str = ""
    is_left: bool = False

    @property
    def address(self) -> str:
        return self.resource.address


@dataclass(frozen=True)
class LegacyMapping:
    """Every resource of an old deployment with what becomes of it, in the order of addresses."""

    rows: Sequence[MappedResource]

    def imported(self, type_name: str = "") -> list[MappedResource]:
        """The resources to import, of one type or of all."""
        rows = [row for row in self.rows if row.disposition == "imported"]
        return [row for row in rows if type_name in ("", row.resource.type)]
