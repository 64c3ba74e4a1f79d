"""The values of a stack's variables, as far as its files give them."""

import json
from pathlib import Path

from tools.errors import UserError
from tools.hcl import reading
from tools.hcl.reading import Value
from tools.layout.stack import Stack, tf_files
from tools.terraform import masking

VALUES = "terraform.tfvars"


def read_values(stack: Stack) -> dict[str, Value]:
    """The values of the stack's variables: their defaults, and its .tfvars files over them.

    A notebook's `name` is its instance's in AWS: the directory's name, unless a value is set. A
    variable that is marked sensitive has "(sensitive value)", one without a value is left out.
    Values of -var, TF_VAR_* and -var-file are not known here. Raises UserError for a file that
    does not parse.
    """
    values: dict[str, Value] = {}
    for file in tf_files(stack.path):
        values |= reading.read_defaults(file)
    for file in value_files(stack.path):
        values |= _read_json(file) if file.suffix == ".json" else reading.read_tfvars(file)
    values |= {
        name: masking.PLACEHOLDER
        for name in masking.sensitive_defaults(stack.path)
        if name in values
    }
    if stack.kind == "notebook":
        values["name"] = values.get("name") or stack.path.name
    return values


def value_files(directory: Path) -> list[Path]:
    """The files of values that Terraform reads in `directory` by itself, the strongest last.

    https://developer.hashicorp.com/terraform/language/values/variables#variable-definition-precedence
    """
    named = [directory / VALUES, directory / "terraform.tfvars.json"]
    automatic = [*directory.glob("*.auto.tfvars"), *directory.glob("*.auto.tfvars.json")]
    # The link to common.auto.tfvars leads nowhere before `tools init`.
    return [file for file in [*named, *sorted(automatic)] if file.is_file()]


def _read_json(path: Path) -> dict[str, Value]:
    try:
        values = json.loads(path.read_text(encoding="utf-8"))
    except (OSError, ValueError) as error:
        raise UserError(f"{path}: not valid JSON: {error}") from None
    if not isinstance(values, dict):
        raise UserError(f"{path}: it must be one object of names and values")
    return values
