"""A request to import: resources with their addresses, the stacks' values, notebooks, notes."""

import json
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from typing import Any

from tools.errors import UserError
from tools.hcl.reading import Value
from tools.layout.stack import IAM, S3
from tools.scaffold.notebook import Notebook

# What encrypts a bucket that names no key of the account.
SSE_S3 = "S3's own keys"
AWS_MANAGED_KEY = "the key aws/s3"

# Lists that an import appends to, as it adds to every map; other values have to agree.
MERGED_LISTS = frozenset({"interface_services"})
# AWS changes these in place, so that the first resource may set them for the others.
FIRST_WINS = frozenset({"kms_key_arn", "private_dns_enabled", "route_table_ids", "subnet_ids"})

Values = Mapping[str, Mapping[str, Value]]  # stack to variable to value


@dataclass(frozen=True)
class ResourceImport:
    """A resource in AWS and the address in a stack that it is imported to.

    `stack` is such as shared-infra/s3, `address` such as aws_s3_bucket.datasets, and
    `identifier` what `terraform import` takes.
    """

    stack: str
    address: str
    type: str
    identifier: str

    @classmethod
    def at(cls, stack: str, address: str, identifier: str) -> "ResourceImport":
        """The import to an `address`, which tells the type, with or without a module before it."""
        return cls(stack, address, address.split("[")[0].split(".")[-2], identifier)


@dataclass(frozen=True)
class Encryption:
    """What encrypts new objects of a shared bucket: today, and as the stack has declared so far."""

    bucket: str
    current_key: str
    declared: str

    def notes(self, kms_key: Value) -> list[str]:
        """Notes on what a deployment changes; `kms_key` is the stack's new one, None for none."""
        new = str(kms_key or self.declared)
        if new == self.current_key:
            return []
        notes = [
            f"{self.bucket}: new objects will be encrypted with {new} instead of "
            f"{self.current_key}, older ones stay with {self.current_key}"
        ]
        if self.current_key not in (SSE_S3, AWS_MANAGED_KEY):
            needs = f"the role needs {self.current_key} for them: kms_key_arns of {IAM}"
            notes.append(f"{self.bucket}: {needs}")
        return notes


@dataclass(frozen=True)
class ImportRequest:
    """What to import, and what makes the stacks' files match it.

    `values` go into the stacks' terraform.tfvars; a map or one of MERGED_LISTS is what is added to
    the value there. The directories of `notebooks` are made first. `notes` say what a deployment
    changes in place and what stays unmanaged, except for `encryptions`: the stack has one key for
    all buckets, also for those that it has already, so `combine` writes those notes.
    """

    imports: tuple[ResourceImport, ...]
    values: Values = field(default_factory=dict)
    notebooks: tuple[Notebook, ...] = ()
    notes: tuple[str, ...] = ()
    encryptions: tuple[Encryption, ...] = ()

    def value_list(self, stack: str, name: str) -> list[Any]:
        """Returns the value that `stack` gets for a list; empty if it gets none."""
        value = self.values.get(stack, {}).get(name)
        return value if isinstance(value, list) else []


def question(count: int) -> str:
    """Returns what is asked before `count` resources are imported."""
    return "Import this resource?" if count == 1 else f"Import these {count} resources?"


def combine(requests: Iterable[ImportRequest]) -> ImportRequest:
    """Returns one request for all.

    Raises UserError if two want one address, one resource or different values.
    """
    by_address: dict[tuple[str, str], ResourceImport] = {}
    by_identifier: dict[tuple[str, str], ResourceImport] = {}
    values: dict[str, dict[str, Value]] = {}
    notebooks: dict[str, Notebook] = {}
    notes: list[str] = []
    encryptions: dict[str, Encryption] = {}
    for request in requests:
        for resource in request.imports:
            _claim(by_address, (resource.stack, resource.address), resource)
            _claim(by_identifier, (resource.type, resource.identifier), resource)
        for stack, wanted in request.values.items():
            notes += _merge_values(stack, values.setdefault(stack, {}), wanted)
        for notebook in request.notebooks:
            if notebooks.setdefault(notebook.name, notebook) != notebook:
                raise UserError(f"two notebooks want the directory notebooks/{notebook.name}")
        notes += request.notes
        encryptions |= {encryption.bucket: encryption for encryption in request.encryptions}
    notes += _key_notes(values.get(S3, {}).get("kms_key_arn"), encryptions.values())
    return ImportRequest(
        tuple(by_address.values()),
        values,
        tuple(notebooks.values()),
        tuple(dict.fromkeys(notes)),
        tuple(encryptions.values()),
    )


def _merge_values(stack: str, merged: dict[str, Value], wanted: Mapping[str, Value]) -> list[str]:
    """Adds the `wanted` values; returns a note on each that an earlier resource has decided."""
    notes = []
    for name, value in wanted.items():
        if name in FIRST_WINS and merged.get(name, value) != value:
            notes.append(f"{stack}: {name} is {merged[name]}, from the first resource that sets it")
        else:
            merged[name] = merge(f"{stack}: {name}", name, merged.get(name), value)
    return notes


def _key_notes(kms_key: Value, encryptions: Iterable[Encryption]) -> list[str]:
    notes = [note for encryption in encryptions for note in encryption.notes(kms_key)]
    if kms_key:
        notes.append(
            f"{S3}: everyone who uses its buckets needs {kms_key}; a deployment of {IAM} grants it "
            "to the shared role, and a role that a notebook names (role_arn) must have it already"
        )
    return notes


def _claim(
    claims: dict[tuple[str, str], ResourceImport], claim: tuple[str, str], resource: ResourceImport
) -> None:
    first = claims.setdefault(claim, resource)
    if first.identifier != resource.identifier:
        raise UserError(
            f"{first.identifier} and {resource.identifier} would both be {resource.address} of "
            f"{resource.stack}, which holds one resource"
        )
    if (first.stack, first.address) != (resource.stack, resource.address):
        raise UserError(
            f"{resource.identifier} would be both {first.address} of {first.stack} and "
            f"{resource.address} of {resource.stack}"
        )


def merge(label: str, name: str, current: Value, value: Value) -> Value:
    """Returns what the variable `name` has to be to hold `value` besides its `current` value.

    `current` may be None; `label` names the variable in errors. Raises UserError if they differ and
    cannot be merged.
    """
    if current is None or current == value:
        return value
    if isinstance(current, dict) and isinstance(value, dict):
        for key in current.keys() & value.keys():
            if current[key] != value[key]:
                raise conflict(f"{label}.{key}", current[key], value[key])
        return {**current, **value}
    if name in MERGED_LISTS and isinstance(current, list) and isinstance(value, list):
        return [*current, *(item for item in value if item not in current)]
    raise conflict(label, current, value)


def conflict(label: str, current: Value, value: Value) -> UserError:
    """Returns the error that `label` has another value, with both as Terraform writes them."""
    return UserError(f"{label} must be {json.dumps(value)}, but is {json.dumps(current)}")
