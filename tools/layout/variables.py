"""The values of a stack's variables, as far as its files give them."""

from collections.abc import Iterable

from tools.console.messages import warn
from tools.errors import UserError
from tools.hcl import reading
from tools.hcl.reading import Value
from tools.hcl.variables import read_secrets
from tools.layout.stack import Stack
from tools.terraform import masking


def read_values_of(stacks: Iterable[Stack]) -> list[tuple[Stack, dict[str, Value]]]:
    """The values of each of `stacks`, as `read_values` has them.

    One whose files cannot be read is left out, with a warning; if there is no other, raises
    UserError.
    """
    values_of_stacks: list[tuple[Stack, dict[str, Value]]] = []
    errors: list[tuple[Stack, UserError]] = []
    for stack in stacks:
        try:
            values_of_stacks.append((stack, read_values(stack)))
        except UserError as error:
            errors.append((stack, error))
    if errors and not values_of_stacks:
        raise errors[0][1]
    for stack, reason in errors:
        warn(f"{stack.name} is left out: {reason}")
    return values_of_stacks


def read_values(stack: Stack) -> dict[str, Value]:
    """The values of the stack's variables: their defaults, and its .tfvars files over them.

    A notebook's `name` is its instance's in AWS: the directory's name, unless a value is set. A
    variable that is marked sensitive has "(sensitive value)", one without a value is left out.
    Values of -var, TF_VAR_* and -var-file are not known here. Raises UserError for a file that
    does not parse.
    """
    values: dict[str, Value] = {}
    for file in stack.config_files():
        values |= reading.read_defaults(file)
    for file in reading.value_files(stack.path):
        values |= reading.read_tfvars(file)
    secrets = read_secrets(stack.path)
    values |= {name: masking.PLACEHOLDER for name in values if name in secrets}
    if stack.kind == "notebook":
        values["name"] = values.get("name") or stack.path.name
    return values
