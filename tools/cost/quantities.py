"""From a repository's stacks to what is counted: the values that they declare, and what applied
states add where a value is only known after an apply."""

import json
import re
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from decimal import Decimal
from typing import Any, cast

from tools.aws import model
from tools.aws.model import check_region
from tools.cost.model import MONTH, Fleet, NotebookSpec, SharedSpec
from tools.errors import UserError, nearest, shown
from tools.fleet.fleet import Declared
from tools.hcl import reading
from tools.hcl.reading import Value
from tools.layout import variables
from tools.layout.repository import Repository
from tools.layout.stack import Stack

# The outputs of an applied stack, {} where it was never applied. Raises UserError where its state
# cannot be read.
Outputs = Callable[[Stack], Mapping[str, Any]]
Values = Mapping[str, Value]

_S3, _ENDPOINTS = "shared-infra/s3", "shared-infra/vpc-endpoints"
_KNOWN = (_S3, _ENDPOINTS, "shared-infra/iam", "shared-infra/security-groups")
_WEEK = ("MON", "TUE", "WED", "THU", "FRI", "SAT", "SUN")
_DAY = 24 * 60  # minutes
_CHECKED = {"instance_type": "InstanceType", "volume_size": "VolumeSizeInGB"}
_TIME = r"([01][0-9]|2[0-3]):[0-5][0-9]"  # as modules/sagemaker-notebook/variables.tf has it

# The values that are counted, and so can be asked about.
_OF_NOTEBOOKS = (*_CHECKED, "region", "schedule_days", "schedule_start", "schedule_stop")
_OF_SHARED = ("create_kms_key", "interface_services", "subnet_ids")
_MAY_BE_NULL = ("region", "schedule_start", "schedule_stop", "subnet_ids")


@dataclass(frozen=True)
class WhatIf:
    """A value as it might be, of the stack, or of each that a glob names."""

    stacks: str
    key: str
    value: str

    @classmethod
    def parse(cls, text: str) -> "WhatIf":
        """From `notebook-prod.instance_type=ml.m5.xlarge`. Raises UserError for another form."""
        place, equals, value = text.partition("=")
        stacks, _, key = place.strip().rpartition(".")
        if not (equals and stacks and key):
            raise UserError(
                f"--what-if {text!r} is no change; write NOTEBOOK.VALUE=..., such as "
                "notebook-prod.instance_type=ml.m5.xlarge"
            )
        return cls(stacks, key, value.strip())


def counted(
    repository: Repository,
    region: str,
    notebooks: Sequence[Declared],
    outputs: Outputs,
    what_if: Sequence[WhatIf] = (),
    hours: Decimal | None = None,
) -> Fleet:
    """What is counted: `notebooks`, and the shared stacks of `repository`, which are in `region`.

    `hours` a month stand for what the notebooks' values say. Raises UserError for files that do
    not parse and for a what-if about a value that does not exist.
    """
    changes = _changes(repository, what_if)
    shared = {stack.name: stack for stack in repository.stacks() if stack.kind == "shared"}
    own = {
        name: variables.declared(stack) | changes.get(name, {}) for name, stack in shared.items()
    }
    spec, notes = _shared(own, shared, outputs)
    specs, warnings = [], []
    for notebook in notebooks:
        change = changes.get(notebook.stack.name, {})
        specs.append(_notebook(notebook, change, region, hours))
        warnings += _uncounted(notebook)
    return Fleet(region, specs, spec, notes, warnings)


def _uncounted(notebook: Declared) -> list[str]:
    """What of the notebook's own values AWS or its module would refuse, in sentences."""
    wrong = {
        key: _complaint(key, notebook.values[key])
        for key in ("volume_size", "schedule_days", "schedule_start", "schedule_stop")
        if notebook.values.get(key) is not None
    }
    return [
        f"{notebook.stack.name}: {key} is not counted: {reason}"
        for key, reason in wrong.items()
        if reason
    ]


def _notebook(
    notebook: Declared, change: Values, region: str, given: Decimal | None
) -> NotebookSpec:
    declared = {**notebook.values, **change}
    size = declared.get("volume_size")
    usable = isinstance(size, int | float) and not _complaint("volume_size", size)
    scheduled = _scheduled(declared)
    return NotebookSpec(
        notebook.stack.path.name,
        str(change["region"] or region) if "region" in change else notebook.region,
        str(declared.get("instance_type") or ""),
        int(cast(float, size)) if usable else None,
        next((hours for hours in (given, scheduled) if hours is not None), MONTH),
        str(declared.get("owner") or ""),
        str(declared.get("environment") or ""),
    )


def _scheduled(declared: Values) -> Decimal | None:
    """Hours a month from each start of a schedule to its stop, which acts every day.

    None without both: what ends then, or begins, only the notebook's use tells.
    """
    start, stop = (_minutes(declared.get(f"schedule_{verb}")) for verb in ("start", "stop"))
    days = _days(str(declared.get("schedule_days") or ""))
    if start is None or stop is None or not days:
        return None
    minutes = (stop - start) % _DAY or _DAY
    return (MONTH * days * minutes / (7 * _DAY)).quantize(Decimal("0.1"))


def _minutes(time: Value) -> int | None:
    """Minutes from midnight of a time such as 07:30."""
    if not re.fullmatch(_TIME, str(time)):
        return None
    hours, minutes = str(time).split(":")
    return int(hours) * 60 + int(minutes)


def _days(days: str) -> int:
    """How many days of a week MON-FRI or MON,WED,FRI are; 0 where it is neither."""
    chosen: set[int] = set()
    for part in days.split(","):
        ends = part.split("-")
        if not all(end in _WEEK for end in ends) or len(ends) > 2:
            return 0
        first, last = _WEEK.index(ends[0]), _WEEK.index(ends[-1])
        chosen |= {(first + step) % 7 for step in range((last - first) % 7 + 1)}
    return len(chosen)


def _shared(
    declared: Mapping[str, Values], stacks: Mapping[str, Stack], outputs: Outputs
) -> tuple[SharedSpec, list[str]]:
    """What the shared stacks make that costs, and where it is known from."""
    notes: list[str] = []
    endpoints = zones = 0
    if own := declared.get(_ENDPOINTS):
        services = own.get("interface_services")
        endpoints = len(set(services)) if isinstance(services, list) else 0
        zones, note = _zones(own, stacks[_ENDPOINTS], outputs)
        notes.append(note)
    keys = sum(own.get("create_kms_key") is True for own in declared.values())
    unknown = [name for name in declared if name not in _KNOWN]
    if unknown:
        notes.append(f"Not counted: {', '.join(unknown)}, whose resources are not known here.")
    return SharedSpec(endpoints, zones, keys, _S3 in declared), notes


def _zones(declared: Values, stack: Stack, outputs: Outputs) -> tuple[int, str]:
    """Availability Zones of the endpoints, one for each subnet, and where that is from."""
    subnets = declared.get("subnet_ids")
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
        for stack in repository.select([change.stacks]):
            value = _typed(stack, change)
            changes.setdefault(stack.name, {})[change.key] = value
    return changes


def _typed(stack: Stack, change: WhatIf) -> Value:
    """The value as the stack's variable takes it."""
    types: dict[str, str] = {}
    for file in sorted(stack.path.glob("*.tf")):
        types |= reading.read_variables(file)
    if change.key not in types:
        near = nearest(change.key, sorted(types)) if types else "it has no variables"
        raise UserError(f"--what-if: {stack.name} has no value called {change.key!r}; {near}")
    counted = _OF_NOTEBOOKS if stack.kind == "notebook" else _OF_SHARED
    value = None if change.value == "null" else _parsed(stack, change, types[change.key])
    if change.key not in counted:
        raise _wrong(stack, change, f"no cost here depends on it, only on {', '.join(counted)}")
    if value is None and change.key not in _MAY_BE_NULL:
        raise _wrong(stack, change, "it must not be null")
    wrong = None if value is None else _complaint(change.key, value)
    if wrong:
        raise _wrong(stack, change, wrong)
    return value


def _parsed(stack: Stack, change: WhatIf, declared: str) -> Value:
    """The text as a value of the type that is `declared`, such as set(string)."""
    kind, _, inner = declared.rstrip(")").partition("(")
    value: Value = change.value
    try:
        if kind in ("list", "set") and not change.value.startswith("["):
            return [item.strip() for item in change.value.split(",") if item.strip()]
        if kind != "string":
            value = cast(Value, json.loads(change.value))
    except (ValueError, RecursionError):
        raise _wrong(stack, change, f"{shown(change.value)} is no {declared}") from None
    items = value if isinstance(value, list) else []
    if not _fits(value, kind) or not all(_fits(item, inner) for item in items):
        raise _wrong(stack, change, f"{shown(change.value)} is no {declared}")
    return value


def _complaint(key: str, value: Value) -> str | None:
    """Why AWS, or the notebooks' module, would refuse the value; None where they take it."""
    if key == "volume_size" and (isinstance(value, bool) or not isinstance(value, int | float)):
        return f"{shown(value)} is no number"
    if key in _CHECKED:
        return model.complaint(value, model.member(_CHECKED[key]))
    if key in ("schedule_start", "schedule_stop") and _minutes(value) is None:
        return f"{shown(value)} is no time from 00:00 to 23:59"
    if key == "schedule_days" and not _days(str(value)):
        return f"{shown(value)} is no days such as MON-FRI or MON,WED,FRI"
    if key == "region":
        try:
            check_region(str(value))
        except UserError as error:
            return str(error)
    return None


def _fits(value: Value, kind: str) -> bool:
    """Whether a JSON value is one that a variable of that kind takes."""
    if kind == "number":
        return isinstance(value, int | float) and not isinstance(value, bool)
    python = {"bool": bool, "list": list, "map": dict, "set": list, "string": str}
    return isinstance(value, python.get(kind, object))


def _wrong(stack: Stack, change: WhatIf, reason: str) -> UserError:
    return UserError(f"--what-if: {stack.name}: {change.key}: {reason}")
