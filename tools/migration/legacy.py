"""The state of an old deployment: it is read, never written, and no Terraform is run on it."""

import json
import re
import shlex
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from tools.errors import UserError
from tools.layout.files import holds_root
from tools.layout.stack import Stack
from tools.state import file
from tools.state.place import STATE, BucketPlace, Objects, locate
from tools.system import files
from tools.terraform.binary import Terraform

# Since Terraform 0.12:
# https://github.com/hashicorp/terraform/blob/v1.11.4/internal/states/statefile/version3_upgrade.go
_VERSION = 4
_MEND = "restore an older state, or give the state file itself"


@dataclass(frozen=True)
class Resource:
    """A managed resource instance with the `attributes` that the provider left in the state.

    `trouble` says what the old deployment has to finish first, empty if it is whole.
    """

    address: str
    type: str
    attributes: Mapping[str, Any]
    trouble: str = ""

    def text(self, name: str) -> str:
        """Returns an attribute's text, empty if it is not a text or unset."""
        value = self.attributes.get(name)
        return value if isinstance(value, str) else ""

    def texts(self, name: str) -> list[str]:
        """Returns the sorted texts of an attribute that is a list or a set."""
        value = self.attributes.get(name)
        items = value if isinstance(value, list) else []
        return sorted(item for item in items if isinstance(item, str))

    def mentions(self) -> Iterator[str]:
        """Yields every text in its attributes, however deep."""
        return _strings(self.attributes)

    @property
    def account(self) -> str:
        """The account that it belongs to, empty if its attributes do not say."""
        return self._arn(4) or self.text("owner_id")

    @property
    def region(self) -> str:
        """The region that it is in, empty if its attributes do not say."""
        if self.type == "aws_s3_bucket":
            return self.text("bucket_region") or self.text("region")
        return self._arn(3)

    def _arn(self, part: int) -> str:
        parts = self.text("arn").split(":")
        return parts[part] if len(parts) > 5 else ""


@dataclass(frozen=True)
class LegacyDeployment:
    """An old deployment: where its state is, which state it is, and what it holds.

    `folder` is where its Terraform is run, None if only a state file is known. `state_bucket` is
    the bucket of its state, empty if that is a file.
    """

    location: str
    folder: Path | None
    lineage: str
    serial: int
    resources: Sequence[Resource]
    state_bucket: str = ""


def read(source: Path, terraform: Terraform, objects: Objects) -> LegacyDeployment:
    """Returns the deployment whose folder or state file `source` is.

    Raises UserError if there is no state, if it is locked, damaged or empty, and if it is older
    than version 4 of the format or newer than `terraform`.
    """
    with files.explain_unreadable(source):
        if source.is_dir():
            return _read_folder(source.resolve(), terraform, objects)
        if not source.is_file():
            raise UserError(f"{source} is neither a folder nor a state file")
        beside = source.resolve().parent
        folder = beside if source.name == STATE and holds_root(beside) else None
        return _parse(source.read_bytes(), str(source), folder, terraform)


def _read_folder(folder: Path, terraform: Terraform, objects: Objects) -> LegacyDeployment:
    place = locate(Stack(folder.parent, folder.name), objects)
    command = f"{terraform.program} -chdir={shlex.quote(str(folder))}"
    if place is None:
        raise UserError(
            f"the files in {folder} do not say where its state is; fetch it, and give the file: "
            f"{command} state pull > old.tfstate"
        )
    lock = place.lock()
    if lock and lock.is_held is not False:
        raise UserError(
            f"the state of {folder} is locked by {lock.who}, since {lock.created}: wait until that "
            f"run ends; if it was killed, unlock the state: {command} force-unlock {lock.id}"
        )
    text = place.read()
    if text is None:
        raise UserError(
            f"{folder} has no state: {place} does not exist; give the folder that the old "
            "deployment was applied in, or its state file"
        )
    bucket = place.bucket if isinstance(place, BucketPlace) else ""
    return _parse(text, str(place), folder, terraform, bucket)


def _parse(
    text: bytes, location: str, folder: Path | None, terraform: Terraform, bucket: str = ""
) -> LegacyDeployment:
    try:
        state = json.loads(text)
    except (ValueError, RecursionError) as error:
        raise UserError(f"{location} is not a state: not valid JSON ({error}); {_MEND}") from None
    if not isinstance(state, dict) or not isinstance(state.get("version"), int):
        raise UserError(f"{location} is not a Terraform state: it has no version; {_MEND}")
    if state["version"] < _VERSION:
        raise UserError(
            f"{location} is a state of format {state['version']}; upgrade it with the Terraform "
            "that made it and then with 0.13 or later: terraform apply"
        )
    if state["version"] > _VERSION:
        raise UserError(
            f"{location} is a state of format {state['version']}, but {terraform.product} "
            f"{terraform.version_text} reads formats up to {_VERSION}; install a newer one"
        )
    try:
        _refuse_newer(str(state["terraform_version"]), location, terraform)
        lineage, serial = str(state["lineage"]), int(state["serial"])
        resources = list(_resources(file.read_instances(state["resources"]), location))
    except (ValueError, KeyError, TypeError, AttributeError):
        raise UserError(f"{location} is not a complete Terraform state; {_MEND}") from None
    if not resources:
        raise UserError(f"{location} holds no resources: there is nothing to migrate")
    return LegacyDeployment(location, folder, lineage, serial, resources, bucket)


def _refuse_newer(written_by: str, location: str, terraform: Terraform) -> None:
    number = re.match(r"(\d+)\.(\d+)\.(\d+)", written_by)
    if number is None:
        raise ValueError(written_by)
    if tuple(map(int, number.groups())) > terraform.version:
        raise UserError(
            f"{location} was written by Terraform {written_by}, but {terraform.binary} is "
            f"{terraform.product} {terraform.version_text}; install {written_by} or newer"
        )


def _resources(instances: Iterable[file.ResourceInstance], location: str) -> Iterator[Resource]:
    """The managed resources of a state, one for each address.

    Raises UserError for one that Terraform 0.11 wrote.
    """
    # A replacement that was cut short leaves two under one address, or the old one alone.
    by_address: dict[str, list[file.ResourceInstance]] = {}
    for instance in instances:
        if instance.mode == "managed":
            by_address.setdefault(instance.address, []).append(instance)
    for address, entries in by_address.items():
        current = min(entries, key=lambda instance: bool(instance.deposed))
        if current.is_flat:
            raise UserError(
                f"{location}: {address} is still as Terraform 0.11 wrote it; apply the old "
                "deployment once with a newer Terraform, then migrate it"
            )
        yield Resource(address, current.type, current.attributes, _trouble(entries))


def _trouble(entries: Sequence[file.ResourceInstance]) -> str:
    if any(instance.deposed for instance in entries):
        return "a replacement of it was cut short (an object of it is deposed)"
    if any(instance.status == "tainted" for instance in entries):
        return "it is tainted, so the old deployment would replace it"
    return ""


def _strings(value: Any) -> Iterator[str]:
    if isinstance(value, str):
        yield value
    elif isinstance(value, Mapping):
        for item in value.values():
            yield from _strings(item)
    elif isinstance(value, list):
        for item in value:
            yield from _strings(item)
