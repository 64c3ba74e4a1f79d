"""A state file: what is in it, read without starting Terraform."""

import json
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from tools.errors import UserError
from tools.hcl import writing

# What no apply may take away unasked: data goes with it.
HOLDS_DATA = frozenset({"aws_sagemaker_notebook_instance", "aws_s3_bucket", "aws_kms_key"})


@dataclass(frozen=True)
class State:
    """A state file, version 4.

    `resources` are the types of its managed resource instances; `outputs` is name to value;
    `kept_buckets` are the buckets that AWS keeps while objects are in them.
    https://developer.hashicorp.com/terraform/language/state
    """

    lineage: str
    serial: int
    resources: tuple[str, ...]
    outputs: Mapping[str, Any]
    kept_buckets: tuple[str, ...] = ()

    @property
    def holds_data(self) -> bool:
        """Whether a resource is in it with which a user's data would go."""
        return not HOLDS_DATA.isdisjoint(self.resources)

    @classmethod
    def parse(cls, text: bytes, where: str, mend: str = "") -> "State":
        """Raises UserError where `text`, read from `where`, is no state; `mend` says what to do."""
        try:
            state = json.loads(text)
            managed = [found for found in state["resources"] if found["mode"] == "managed"]
            return cls(
                str(state["lineage"]),
                int(state["serial"]),
                tuple(found["type"] for found in managed for _ in found["instances"]),
                {name: output["value"] for name, output in state["outputs"].items()},
                tuple(
                    str(instance["attributes"]["bucket"])
                    for found in managed
                    if found["type"] == "aws_s3_bucket"
                    for instance in found["instances"]
                    if not instance["attributes"].get("force_destroy")
                ),
            )
        except (ValueError, KeyError, TypeError, AttributeError):
            raise UserError(
                f"{where} is no state that Terraform wrote to its end; "
                + (mend or "restore an older one")
            ) from None


def is_whole(file: Path) -> bool:
    """Whether a state is in `file`: a full disk cuts it short."""
    try:
        State.parse(file.read_bytes(), str(file))
    except (OSError, UserError):
        return False
    return True


def address_of(resource: Mapping[str, Any], instance: Mapping[str, Any]) -> str:
    """The address of an instance in a state file, as `terraform state list` writes it."""
    module = f"{resource['module']}." if resource.get("module") else ""
    return f"{module}{resource['type']}.{resource['name']}{_index(instance.get('index_key'))}"


def _index(key: str | int | None) -> str:
    if not isinstance(key, str):
        return "" if key is None else f"[{key}]"
    return f"[{writing.quote(key)}]".replace("\\u0024{", "$${").replace("\\u0025{", "%%{")
