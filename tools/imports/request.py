"""What a takeover is made of: resources and their addresses, values, notebooks, remarks."""

import json
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field

from tools.errors import UserError
from tools.hcl.reading import Value
from tools.scaffold.notebook import Notebook

S3 = "shared-infra/s3"
IAM = "shared-infra/iam"
GROUPS = "shared-infra/security-groups"
ENDPOINTS = "shared-infra/vpc-endpoints"

# What encrypts a bucket without a key of the account's own.
S3_S_OWN = "S3's own keys"
AWS_S3 = "the key aws/s3"

# Lists that what is taken adds to, as it adds to every map; other values it has to agree with.
GROWING = frozenset({"endpoint_client_security_group_ids", "interface_services"})
# AWS changes these in place, so that whoever comes first may say them for the others.
YIELDING = frozenset({"kms_key_arn", "private_dns_enabled", "route_table_ids", "subnet_ids"})


@dataclass(frozen=True)
class Adoption:
    """A resource that exists in AWS, and the address in a stack that takes it.

    `stack` is such as shared-infra/s3, `address` such as aws_s3_bucket.shared["datasets"], and
    `identifier` what `terraform import` takes.
    """

    stack: str
    address: str
    type: str
    identifier: str

    @classmethod
    def at(cls, stack: str, address: str, identifier: str) -> "Adoption":
        """One whose type is told by its `address`, with or without a module before it."""
        parts = address.split("[")[0].split(".")
        return cls(stack, address, parts[-2], identifier)


@dataclass(frozen=True)
class Encryption:
    """What encrypts new objects of a shared bucket: `now`, and `declared` by the stack so far."""

    bucket: str
    now: str
    declared: str

    def note(self, key: Value) -> list[str]:
        """What a deployment changes, with `key` as the stack's where that is to be written."""
        then = str(key or self.declared)
        if then == self.now:
            return []
        notes = [
            f"{self.bucket}: new objects will be encrypted with {then} instead of {self.now}, "
            f"older ones stay with {self.now}"
        ]
        if self.now not in (S3_S_OWN, AWS_S3):
            needs = f"the role needs {self.now} for them: kms_key_arns of {IAM}"
            notes.append(f"{self.bucket}: {needs}")
        return notes


@dataclass(frozen=True)
class Takeover:
    """What to adopt, and what makes the stacks' files match it.

    `values` are stack to variable to value, for its terraform.tfvars; a map or one of GROWING is
    what is added to the value there. `notebooks` are those whose directories are made first.
    `notes` say what changes in place and what stays unmanaged, but for `encryptions`, about which
    `combined` says it: the stack has one key for all buckets, also for those that it has already.
    """

    adoptions: tuple[Adoption, ...]
    values: Mapping[str, Mapping[str, Value]] = field(default_factory=dict)
    notebooks: tuple[Notebook, ...] = ()
    notes: tuple[str, ...] = ()
    encryptions: tuple[Encryption, ...] = ()


def combined(takeovers: Iterable[Takeover]) -> Takeover:
    """One takeover of all.

    Raises UserError where two want one address, one resource or different values.
    """
    adoptions: dict[tuple[str, str], Adoption] = {}
    identifiers: dict[tuple[str, str], Adoption] = {}
    values: dict[str, dict[str, Value]] = {}
    notebooks: dict[str, Notebook] = {}
    notes: list[str] = []
    encryptions: dict[str, Encryption] = {}
    for takeover in takeovers:
        for one in takeover.adoptions:
            _claim(adoptions, (one.stack, one.address), one)
            _claim(identifiers, (one.type, one.identifier), one)
        for stack, wanted in takeover.values.items():
            there = values.setdefault(stack, {})
            for name, value in wanted.items():
                if name in YIELDING and there.get(name, value) != value:
                    notes.append(f"{stack}: {name} is {there[name]}, of the first that has it")
                    continue
                there[name] = added(f"{stack}: {name}", name, there.get(name), value)
        for made in takeover.notebooks:
            if notebooks.setdefault(made.name, made) != made:
                raise UserError(f"two notebooks want the directory notebooks/{made.name}")
        notes += takeover.notes
        encryptions |= {one.bucket: one for one in takeover.encryptions}
    notes += _about_keys(values.get(S3, {}).get("kms_key_arn"), encryptions.values())
    return Takeover(
        tuple(adoptions.values()),
        values,
        tuple(notebooks.values()),
        tuple(dict.fromkeys(notes)),
        tuple(encryptions.values()),
    )


def _about_keys(key: Value, encryptions: Iterable[Encryption]) -> list[str]:
    notes = [note for one in encryptions for note in one.note(key)]
    if key:
        notes.append(
            f"{S3}: who uses its buckets needs {key}; a deployment of {IAM} gives it to the shared "
            "role, a role that a notebook names (role_arn) has to have it already"
        )
    return notes


def _claim(
    claims: dict[tuple[str, str], Adoption], key: tuple[str, str], adoption: Adoption
) -> None:
    other = claims.setdefault(key, adoption)
    if other.identifier != adoption.identifier:
        raise UserError(
            f"{other.identifier} and {adoption.identifier} would both be {adoption.address} of "
            f"{adoption.stack}, which takes one"
        )
    if (other.stack, other.address) != (adoption.stack, adoption.address):
        raise UserError(
            f"{adoption.identifier} would be both {other.address} of {other.stack} and "
            f"{adoption.address} of {adoption.stack}"
        )


def added(what: str, name: str, there: Value, value: Value) -> Value:
    """The value `name` that holds `value` and what is `there`, which may be nothing.

    Raises UserError, about `what`, where there is another one.
    """
    if there is None or there == value:
        return value
    if isinstance(there, dict) and isinstance(value, dict):
        grown = {**there, **value}
        for key in set(there) & set(value):
            if there[key] != value[key]:
                raise other(f"{what}.{key}", there[key], value[key])
        return grown
    if name in GROWING and isinstance(there, list) and isinstance(value, list):
        return [*there, *(item for item in value if item not in there)]
    raise other(what, there, value)


def other(what: str, there: Value, value: Value) -> UserError:
    """That `what` is another value, both as Terraform writes them."""
    return UserError(f"{what} would have to be {json.dumps(value)}, and is {json.dumps(there)}")
