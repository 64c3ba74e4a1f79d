"""A state file: what is in it, read without starting Terraform."""

import json
import math
import re
from collections.abc import Iterable, Iterator, Mapping
from contextlib import suppress
from dataclasses import dataclass, field
from functools import cached_property
from pathlib import Path
from typing import Any

from tools.aws.sagemaker import NOTEBOOK_TYPE
from tools.errors import UserError
from tools.hcl import writing
from tools.hcl.syntax import number_of

# What no apply may take away unasked: data goes with it.
HOLDS_DATA = frozenset({NOTEBOOK_TYPE, "aws_s3_bucket", "aws_kms_key"})
_SERIAL = re.compile(rb'("serial"\s*:\s*)\d+')


class UnreadableState(UserError):
    """A state is whole, as far as can be told, and only the program that wrote it can read it."""


@dataclass(frozen=True)
class ResourceInstance:
    """One object of a resource or of a data source, as a state notes it.

    `address` is what `terraform state list` prints, `attributes` what the provider left, and
    `status` is "tainted" or empty. `deposed` is set for the old object of a replacement that was
    cut short; it shares its address with the new one. `is_flat` marks the attributes that
    Terraform 0.11 wrote and no apply has converted since.
    """

    address: str
    mode: str
    type: str
    attributes: Mapping[str, Any]
    status: str
    deposed: str
    is_flat: bool


@dataclass(frozen=True)
class State:
    """A state file of format 4: its outputs, name to value and to type, and all its instances.

    https://developer.hashicorp.com/terraform/language/state
    """

    lineage: str
    serial: int
    outputs: Mapping[str, Any]
    instances: tuple[ResourceInstance, ...] = ()
    output_types: Mapping[str, Any] = field(default_factory=dict)

    def typed_output(self, name: str) -> Any:
        """The value of an output, beside its type where the value does not tell it.

        A list and a tuple of the same values are written alike, and Terraform tells them apart.
        """
        value, type_ = self.outputs.get(name), self.output_types.get(name)
        return value if type_ in (None, _type_of(value)) else [value, type_]

    @cached_property
    def resources(self) -> tuple[ResourceInstance, ...]:
        """The instances that Terraform manages: all but those of data sources."""
        return tuple(instance for instance in self.instances if instance.mode == "managed")

    def of_type(self, type_: str) -> list[ResourceInstance]:
        """Its managed resources of a type."""
        return [resource for resource in self.resources if resource.type == type_]

    @property
    def types(self) -> set[str]:
        """The types of its managed resources."""
        return {resource.type for resource in self.resources}

    @property
    def holds_data(self) -> bool:
        """Whether a user's data would go with one of its resources."""
        return not HOLDS_DATA.isdisjoint(self.types)

    @property
    def kept_buckets(self) -> list[str]:
        """The buckets that AWS refuses to delete while objects are in them."""
        return [
            str(resource.attributes.get("bucket"))
            for resource in self.of_type("aws_s3_bucket")
            if not resource.attributes.get("force_destroy")
        ]

    @classmethod
    def parse(cls, text: bytes, where: str, mend: str = "") -> "State":
        """The state in `text`, which was read from `where`.

        Raises UnreadableState for one that is encrypted or of another format. Raises UserError if
        it is no whole JSON object; the message ends with `mend`, what to do.
        """
        document = _parse_object(text, where, mend)
        if not document.get("encrypted_data") and document.get("version", 4) == 4:
            with suppress(ValueError, KeyError, TypeError, AttributeError):
                outputs = document["outputs"]
                return cls(
                    str(document["lineage"]),
                    int(document["serial"]),
                    {name: output["value"] for name, output in outputs.items()},
                    tuple(read_instances(document["resources"])),
                    {name: output.get("type") for name, output in outputs.items()},
                )
        raise UnreadableState(_describe_unreadable(document, where))


@dataclass(frozen=True)
class StateVersion:
    """What tells one version of a state from another, also where the rest cannot be read."""

    lineage: str
    serial: int

    @classmethod
    def parse(cls, text: bytes) -> "StateVersion | None":
        """Returns the version of the state in `text`, None if that does not say it.

        OpenTofu leaves both outside of what it encrypts:
        https://github.com/opentofu/opentofu/blob/v1.12.6/internal/encryption/state.go
        """
        try:
            document = json.loads(text)
            return cls(str(document["lineage"]), int(document["serial"]))
        except (ValueError, KeyError, TypeError):
            return None


def _type_of(value: Any) -> Any:
    """The type of a literal with this value, as a state notes it.

    https://github.com/zclconf/go-cty/blob/main/cty/json/type.go
    """
    if isinstance(value, dict):
        return ["object", {name: _type_of(item) for name, item in value.items()}]
    if isinstance(value, list):
        return ["tuple", [_type_of(item) for item in value]]
    if isinstance(value, bool):
        return "bool"
    return "string" if isinstance(value, str) else "number"


def _parse_object(text: bytes, where: str, mend: str) -> dict[str, Any]:
    with suppress(ValueError):  # a UnicodeDecodeError is one too
        document = json.loads(text, parse_float=_exact_number)
        if isinstance(document, dict):
            return document
    mend = mend or "restore an older one"
    raise UserError(f"{where} is not a complete Terraform state; {mend}")


def _exact_number(text: str) -> float | str:
    """The number, or its text if Python has another one: two that differ might be one there."""
    number = number_of(text)
    return text if math.isnan(number) else number


def _describe_unreadable(document: Mapping[str, Any], where: str) -> str:
    # https://opentofu.org/docs/language/state/encryption/
    if document.get("encrypted_data"):
        return f"{where} is an encrypted state, which only OpenTofu with its key can read"
    return f"{where} is a state of a format that this tool does not know (version 4 is known)"


def read_instances(resources: Iterable[Mapping[str, Any]]) -> Iterator[ResourceInstance]:
    """The instances of the `resources` of a state's JSON, in their order.

    Raises KeyError, TypeError or AttributeError for what Terraform does not write.
    https://github.com/hashicorp/terraform/blob/main/internal/states/statefile/version4.go
    """
    for resource in resources:
        mode, type_ = str(resource["mode"]), str(resource["type"])
        module = f"{resource['module']}." if resource.get("module") else ""
        data = "data." if mode == "data" else ""
        name = f"{module}{data}{type_}.{resource['name']}"
        for instance in resource["instances"]:
            flat = instance.get("attributes_flat")
            yield ResourceInstance(
                f"{name}{_index(instance.get('index_key'))}",
                mode,
                type_,
                dict(flat or instance.get("attributes") or {}),
                str(instance.get("status") or ""),
                str(instance.get("deposed") or ""),
                flat is not None,
            )


def with_stack(text: bytes, old: str, new: str) -> bytes:
    """The state in `text` as that of the stack `new`, which was called `old`.

    What is managed in it has the name in the tag Stack, by which the guard of modules/common knows
    whose a state is; AWS gets the new tag with the next apply.
    """
    tag = re.compile(rb'("tags_all":\s*\{[^{}]*"Stack":\s*)"' + re.escape(old.encode()) + rb'"')
    text = tag.sub(lambda match: match[1] + json.dumps(new).encode(), text)
    return with_serial(text, int(json.loads(text)["serial"]) + 1)


def with_serial(text: bytes, serial: int) -> bytes:
    """The state in `text` with another `serial`, and every other byte as it is.

    Raises UserError if its serial is not written as a number.
    """
    # Not parsed and written again, which might round a number.
    before = StateVersion.parse(text)
    for match in _SERIAL.finditer(text):
        changed = text[: match.end(1)] + b"%d" % serial + text[match.end() :]
        if StateVersion.parse(changed) != before:  # it is not the serial of something in the state
            return changed
    raise UserError("the serial of this state is not written as a number; choose another version")


def read_lineage(file: Path) -> str | None:
    """The lineage of the state in `file`, or None if it holds no JSON with one."""
    try:
        return str(json.loads(file.read_bytes())["lineage"]) or None
    except (OSError, ValueError, KeyError, TypeError):
        return None


def is_whole(file: Path) -> bool:
    """Whether `file` holds a whole state, readable here or not: a full disk cuts one short."""
    try:
        _parse_object(file.read_bytes(), str(file), "")
    except (OSError, UserError):
        return False
    return True


def is_encrypted(file: Path) -> bool:
    """Whether `file` holds what OpenTofu has encrypted."""
    with suppress(OSError, UserError):
        return bool(_parse_object(file.read_bytes(), str(file), "").get("encrypted_data"))
    return False


def _index(key: str | int | None) -> str:
    if not isinstance(key, str):
        return "" if key is None else f"[{key}]"
    return f"[{writing.quote_key(key)}]"
