"""Counts what a repository's stacks use, from their values and, for what these leave open, from
the outputs of applied stacks."""

import json
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from decimal import Decimal
from typing import Any, cast

from tools.aws import model
from tools.aws.model import check_region
from tools.cost.model import MONTH, NotebookSpec, Quantities, SharedSpec
from tools.errors import UserError, nearest, shorten
from tools.fleet.fleet import DeclaredNotebook
from tools.hcl import reading
from tools.hcl.reading import Value
from tools.layout import variables
from tools.layout.repository import Repository
from tools.layout.stack import ENDPOINTS, GROUPS, IAM, S3, Stack
from tools.scaffold.notebook import count_days, days_complaint, minutes_of, time_complaint

Outputs = Callable[[Stack], Mapping[str, Any]]
"""The outputs of a stack, {} if it is not applied; raises UserError if its state is unreadable."""
Values = Mapping[str, Value]

COUNTED = (S3, ENDPOINTS, IAM, GROUPS)
_DAY = 24 * 60  # minutes
_CHECKED_BY_AWS = {"instance_type": "InstanceType", "volume_size": "VolumeSizeInGB"}

# The values that a cost depends on, so that a what-if may change them.
OF_NOTEBOOKS = (*_CHECKED_BY_AWS, "region", "schedule_days", "schedule_start", "schedule_stop")
OF_SHARED = ("create_kms_key", "interface_services", "nat_subnet", "subnet_ids")
_MAY_BE_NULL = ("nat_subnet", "region", "schedule_start", "schedule_stop", "subnet_ids")


@dataclass(frozen=True)
class WhatIf:
    """Another value for a stack, or for each stack that matches a glob."""

    stack_glob: str
    key: str
    text: str

    @classmethod
    def parse(cls, text: str) -> "WhatIf":
        """Parses `notebook-prod.instance_type=ml.m5.xlarge`. Raises UserError for another form."""
        path, equals, new_text = text.partition("=")
        stack_glob, _, key = path.strip().rpartition(".")
        if not (equals and stack_glob and key):
            raise UserError(
                f"--what-if {text!r} is not a change; write NOTEBOOK.VALUE=..., such as "
                "notebook-prod.instance_type=ml.m5.xlarge"
            )
        return cls(stack_glob, key, new_text.strip())


def count(
    repository: Repository,
    region: str,
    notebooks: Sequence[DeclaredNotebook],
    outputs: Outputs,
    what_if: Sequence[WhatIf] = (),
    hours: Decimal | None = None,
) -> Quantities:
    """Counts what `notebooks` and the shared stacks of `repository`, in `region`, use in a month.

    `hours` a month replace those of the notebooks' values. Raises UserError for files that do not
    parse and for a what-if about a value that does not exist.
    """
    changes = _changes(repository, what_if)
    shared = {stack.name: stack for stack in repository.stacks() if stack.kind == "shared"}
    values = {
        name: variables.read_values(stack) | changes.get(name, {}) for name, stack in shared.items()
    }
    spec, notes = count_shared(values, shared, outputs)
    specs, warnings = [], []
    for notebook in notebooks:
        changed_values = changes.get(notebook.stack.name, {})
        specs.append(notebook_spec(notebook, changed_values, region, hours))
        warnings += _warn_uncounted(notebook)
    return Quantities(region, specs, spec, notes, warnings)


def _warn_uncounted(notebook: DeclaredNotebook) -> list[str]:
    """Sentences about values of the notebook that AWS or its module would refuse."""
    complaints = {
        key: _complaint(key, notebook.values[key])
        for key in ("volume_size", "schedule_days", "schedule_start", "schedule_stop")
        if notebook.values.get(key) is not None
    }
    return [
        f"{notebook.stack.name}: {key} is not counted: {reason}"
        for key, reason in complaints.items()
        if reason
    ]


def notebook_spec(
    notebook: DeclaredNotebook,
    changed_values: Values,
    region: str,
    hours: Decimal | None = None,
) -> NotebookSpec:
    """What `notebook` uses in a month in `region`, with other values for some of its own."""
    values = {**notebook.values, **changed_values}
    size = values.get("volume_size")
    is_valid = isinstance(size, int | float) and not _complaint("volume_size", size)
    if hours is None:
        hours = scheduled_hours(values)
    tags = values.get("tags")
    declared_tags = (
        {str(key): str(value) for key, value in tags.items()} if isinstance(tags, dict) else {}
    )
    owner, environment = (str(values.get(key) or "") for key in ("owner", "environment"))
    by_template = {"Owner": owner, "Environment": environment, "Stack": notebook.stack.name}
    return NotebookSpec(
        notebook.stack.path.name,
        str(changed_values["region"] or region) if "region" in changed_values else notebook.region,
        str(values.get("instance_type") or ""),
        int(cast(float, size)) if is_valid else None,
        MONTH if hours is None else hours,
        owner,
        environment,
        {**declared_tags, **by_template},
    )


def scheduled_hours(values: Values) -> Decimal | None:
    """Hours a month from the starts of a schedule, on its days, to the stop, which is on every day.

    None without a start and a stop: the other end depends on how the notebook is used.
    """
    start = minutes_of(values.get("schedule_start"))
    stop = minutes_of(values.get("schedule_stop"))
    days = count_days(str(values.get("schedule_days") or ""))
    if start is None or stop is None or not days:
        return None
    minutes = (stop - start) % _DAY or _DAY
    return (MONTH * days * minutes / (7 * _DAY)).quantize(Decimal("0.1"))


def count_shared(
    values_by_stack: Mapping[str, Values], stacks: Mapping[str, Stack], outputs: Outputs
) -> tuple[SharedSpec, list[str]]:
    """What the shared stacks use, and notes about where that is from."""
    notes: list[str] = []
    endpoints = zones = 0
    if values := values_by_stack.get(ENDPOINTS):
        services = values.get("interface_services")
        endpoints = len(set(services)) if isinstance(services, list) else 0
        zones, note = _zones(values, stacks[ENDPOINTS], outputs)
        notes.append(note)
    kms_keys = sum(values.get("create_kms_key") is True for values in values_by_stack.values())
    unknown = [name for name in values_by_stack if name not in COUNTED]
    if unknown:
        notes.append(f"Not counted: {', '.join(unknown)}, whose resources are not known here.")
    has_nat = values_by_stack.get(ENDPOINTS, {}).get("nat_subnet") is not None
    return SharedSpec(endpoints, zones, kms_keys, S3 in values_by_stack, has_nat), notes


def _zones(values: Values, stack: Stack, outputs: Outputs) -> tuple[int, str]:
    """The number of Availability Zones of the endpoints, one for each subnet, and a note."""
    subnets = values.get("subnet_ids")
    if isinstance(subnets, list) and subnets:
        return len(subnets), f"Availability Zones: one for each of subnet_ids in {stack.name}."
    try:
        applied = outputs(stack).get("subnet_ids")
    except UserError as error:
        reason = f"its state cannot be read ({error})"
    else:
        if applied:
            return len(applied), f"Availability Zones: the subnets of the applied {stack.name}."
        reason = "it is not applied yet"
    return 1, (
        f"Availability Zones: 1 is assumed, since {stack.name} names no subnet_ids, which takes "
        f"one default subnet, and {reason}."
    )


def _changes(repository: Repository, what_if: Sequence[WhatIf]) -> dict[str, dict[str, Value]]:
    changes: dict[str, dict[str, Value]] = {}
    for change in what_if:
        for stack in repository.select([change.stack_glob]):
            value = _convert(stack, change)
            changes.setdefault(stack.name, {})[change.key] = value
    return changes


def _convert(stack: Stack, change: WhatIf) -> Value:
    """The value of a what-if for the stack's variable. Raises UserError if that refuses it."""
    types: dict[str, str] = {}
    for file in stack.config_files():
        types |= reading.read_variables(file)
    if change.key not in types:
        near = nearest(change.key, sorted(types)) if types else "it has no variables"
        raise UserError(f"--what-if: {stack.name} has no value called {change.key!r}; {near}")
    priced = OF_NOTEBOOKS if stack.kind == "notebook" else OF_SHARED
    new_value = None if change.text == "null" else _parse(stack, change, types[change.key])
    if change.key not in priced:
        raise _error(stack, change, f"no cost here depends on it, only on {', '.join(priced)}")
    if new_value is None and change.key not in _MAY_BE_NULL:
        raise _error(stack, change, "it must not be null")
    complaint = None if new_value is None else _complaint(change.key, new_value)
    if complaint:
        raise _error(stack, change, complaint)
    return new_value


def _parse(stack: Stack, change: WhatIf, type_name: str) -> Value:
    """The text of a what-if as a value of a Terraform type such as set(string)."""
    outer, _, inner = type_name.rstrip(")").partition("(")
    value: Value = change.text
    try:
        if outer in ("list", "set") and not change.text.startswith("["):
            return [item.strip() for item in change.text.split(",") if item.strip()]
        if outer != "string":
            value = cast(Value, json.loads(change.text))
    except (ValueError, RecursionError):
        raise _error(stack, change, f"{shorten(change.text)} is not a {type_name}") from None
    items = value if isinstance(value, list) else []
    if not _fits(value, outer) or not all(_fits(item, inner) for item in items):
        raise _error(stack, change, f"{shorten(change.text)} is not a {type_name}")
    return value


def _complaint(key: str, value: Value) -> str | None:
    """Why AWS or the notebooks' module would refuse the value, or None if they take it."""
    if key == "volume_size" and (isinstance(value, bool) or not isinstance(value, int | float)):
        return f"{shorten(value)} is not a number"
    if key in _CHECKED_BY_AWS:
        return model.complaint(value, model.member(_CHECKED_BY_AWS[key]))
    if key in ("schedule_start", "schedule_stop"):
        return time_complaint(value)
    if key == "schedule_days":
        return days_complaint(value)
    if key == "region":
        try:
            check_region(str(value))
        except UserError as error:
            return str(error)
    return None


def _fits(value: Value, outer_type: str) -> bool:
    """Whether a variable takes the JSON value whose type begins so: list, of list(string)."""
    if outer_type == "number":
        return isinstance(value, int | float) and not isinstance(value, bool)
    python = {"bool": bool, "list": list, "map": dict, "set": list, "string": str}
    return isinstance(value, python.get(outer_type, object))


def _error(stack: Stack, change: WhatIf, reason: str) -> UserError:
    return UserError(f"--what-if: {stack.name}: {change.key}: {reason}")
