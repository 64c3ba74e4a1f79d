"""A notebook: a name and the values of its root, validated before anything is written."""

import json
import math
import re
import unicodedata
import zoneinfo
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, field
from typing import Any

from tools.aws import model
from tools.errors import UserError, nearest, shorten
from tools.hcl.reading import Value

PROFILES: dict[str, dict[str, Value]] = {
    "dev": {"instance_type": "ml.t3.medium", "environment": "dev"},
    "staging": {"instance_type": "ml.m5.xlarge", "environment": "staging"},
    "prod": {"instance_type": "ml.m5.2xlarge", "environment": "prod"},
}

NAME_RULE = "letters, digits and single or repeated hyphens between them, at most 63"

TIME = r"([01][0-9]|2[0-3]):[0-5][0-9]"  # as the module's variables have it
_WEEK = ("MON", "TUE", "WED", "THU", "FRI", "SAT", "SUN")
_ISOLATED_NAME = re.compile(r"[a-z0-9](-?[a-z0-9])*")

# Variables that go to CreateNotebookInstance as they are, and the member that takes them.
_MEMBERS = {
    "additional_code_repositories": "AdditionalCodeRepositories",
    "default_code_repository": "DefaultCodeRepository",
    "instance_type": "InstanceType",
    "kms_key_id": "KmsKeyId",
    "name": "NotebookInstanceName",
    "platform_identifier": "PlatformIdentifier",
    "role_arn": "RoleArn",
    "security_group_ids": "SecurityGroupIds",
    "subnet_id": "SubnetId",
    "volume_size": "VolumeSizeInGB",
}
# AWS's pattern for an identifier lets almost anything through; its documents show these prefixes.
_PREFIXES = {"security_group_ids": "sg-", "subnet_id": "subnet-"}
# From the provider's default_tags, and the mark of an isolated one; 50 is the most that one
# notebook may carry.
_DEFAULT_TAGS = ("Project", "ManagedBy", "Stack", "Owner", "Purpose", "Environment", "Notebook")
_MOST_TAGS = 50
_KEEPS_TYPE = "keep_retired_instance_type"
_REPOSITORIES = ("additional_code_repositories", "default_code_repository")
_WITH_PASSWORD = re.compile(r"https?://[^/]*@", re.IGNORECASE)
_NO_PASSWORD = (
    "an URL here holds no user or password, which everybody could read who may describe the "
    "notebook; make a SageMaker code repository with a secret, and give its name"
)
_SCRIPT_NAME = re.compile(r"\w[\w .+@-]*")
_A_YEAR = 525_600  # minutes
_LONGEST_BACKUP = 240  # minutes, as the module has it


@dataclass(frozen=True)
class Notebook:
    """A notebook root: its directory's name, the values of its terraform.tfvars, its scripts.

    `scripts` are files beside the generated ones, name to content; `head` is a comment for the head
    of its terraform.tfvars.
    """

    name: str
    values: Mapping[str, Value]
    scripts: Mapping[str, bytes] = field(default_factory=dict)
    head: str = ""

    @property
    def instance_name(self) -> str:
        """The name of its instance in AWS: the directory's, unless a value sets another."""
        return str(self.values.get("name", self.name))


def make(
    name: str,
    values: Mapping[str, Any],
    types: Mapping[str, str],
    scripts: Mapping[str, bytes] | None = None,
) -> Notebook:
    """Makes a notebook of values that are validated.

    `types` are the variables that the root declares, name to Terraform type. Text in `values` is
    read as that type. Raises UserError, which names the value, what is wrong with it and the rule.
    """
    check_name(name)
    read = {key: _typed(name, key, value, types) for key, value in values.items()}
    kept = {key: value for key, value in read.items() if value is not None}
    for key, value in kept.items():
        complaint = _complaint(key, value)
        if complaint:
            raise UserError(f"{name}: {key}: {complaint}")
    if kept.get("isolated"):
        _check_isolated(name, kept)
    if model.is_retired_type(str(kept.get("instance_type"))) and not kept.get(_KEEPS_TYPE):
        raise UserError(
            f"{name}: instance_type: {kept['instance_type']} does not run Amazon Linux 2023, and "
            "AWS starts nothing older; choose a newer one, such as ml.g4dn.xlarge"
        )
    if kept.get("use_shared_kms_key") and kept.get("kms_key_id"):
        raise UserError(
            f"{name}: use_shared_kms_key takes the shared key and kms_key_id names one; give one "
            "of them"
        )
    for script in scripts or {}:
        if not _SCRIPT_NAME.fullmatch(script) or ".tf" in script.lower():
            raise UserError(
                f"{name}: {shorten(script)} is not a name for a script: it takes letters, digits "
                "and any of . _ - + @ and spaces, a letter or digit first, and no .tf, which "
                "Terraform would read"
            )
    return Notebook(name, kept, scripts or {})


def check_name(name: str) -> None:
    """Raises UserError if a notebook instance and its directory cannot be called `name`."""
    if model.complaint(name, model.member("NotebookInstanceName")) or not name:
        raise UserError(f"{shorten(name)} is not a name for a notebook: it takes {NAME_RULE}")


def _check_isolated(name: str, values: Mapping[str, Value]) -> None:
    """Raises UserError for values that an isolated notebook cannot have.

    modules/sagemaker-notebook/isolation.tf has the same rules, and says why.
    """
    if not _ISOLATED_NAME.fullmatch(str(values.get("name", name))):
        raise UserError(
            f"{name}: an isolated notebook's name takes lower-case letters, digits and single "
            "hyphens: two hyphens end it in the names of its jobs"
        )
    if values.get("role_arn"):
        raise UserError(f"{name}: isolated makes a role and role_arn names one; give one of them")


def _typed(name: str, key: str, value: Any, types: Mapping[str, str]) -> Value:
    if key not in types:
        hint = nearest(key, sorted(types))
        raise UserError(f"{name}: a notebook has no value called {shorten(key)}; {hint}")
    reader = _READERS[types[key].split("(")[0]]
    try:
        # An empty text takes back what --from copied: AWS has no empty identifier.
        return None if value is None or (value == "" and key in _MEMBERS) else reader(value)
    except (ValueError, TypeError, OverflowError, RecursionError):
        raise UserError(f"{name}: {key}: {shorten(value)} is not a {types[key]}") from None
    except UserError as error:
        raise UserError(f"{name}: {key}: {error}") from None


def _text(value: Any) -> str:
    if not isinstance(value, str):
        raise TypeError
    # Terraform does the same to every string: https://developer.hashicorp.com/terraform/language/expressions/types
    return unicodedata.normalize("NFC", value)


def _number(value: Any) -> int | float:
    if isinstance(value, bool):
        raise TypeError
    number = float(value)
    if not math.isfinite(number):
        raise ValueError
    return int(number) if number.is_integer() else number


def _boolean(value: Any) -> bool:
    if isinstance(value, bool):
        return value
    if str(value).lower() not in ("true", "false"):
        raise ValueError
    return str(value).lower() == "true"


def _list(value: Any) -> list[Value]:
    if isinstance(value, str):
        value = json.loads(value) if value.startswith("[") else re.split(r"[;,]\s*", value)
    if not isinstance(value, list):
        raise TypeError
    return [_text(item) for item in value]


def _map(value: Any) -> dict[str, Value]:
    if isinstance(value, str):
        value = (
            json.loads(value, object_pairs_hook=once) if value.startswith("{") else _pairs(value)
        )
    if not isinstance(value, dict):
        raise TypeError
    # What differs before Terraform's normalization may be one and the same after it.
    return once((_text(key), _text(item)) for key, item in value.items())


def _pairs(text: str) -> dict[str, str]:
    pairs = [pair.partition("=") for pair in re.split(r"[;,]\s*", text)]
    if not all(key and equals for key, equals, _ in pairs):
        raise ValueError
    return once((key, value) for key, _, value in pairs)


def once(pairs: Iterable[tuple[str, Any]]) -> dict[str, Any]:
    """A dictionary of `pairs`. Raises UserError for a key that is given twice."""
    values: dict[str, Any] = {}
    for key, value in pairs:
        if key in values:
            raise UserError(f"{shorten(key)} is given twice")
        values[key] = value
    return values


_READERS: dict[str, Callable[[Any], Value]] = {
    "string": _text,
    "number": _number,
    "bool": _boolean,
    "list": _list,
    "map": _map,
}


def _complaint(key: str, value: Any) -> str | None:
    prefix = _PREFIXES.get(key)
    items = value if isinstance(value, list) else [value]
    if prefix and not all(str(item).startswith(prefix) for item in items):
        return f"it starts with {prefix}, not {shorten(value)}"
    if key in _REPOSITORIES and any(_WITH_PASSWORD.match(str(item)) for item in items):
        return _NO_PASSWORD
    if key in _MEMBERS:
        return _by_model(key, value)
    check = _CHECKS.get(key)
    return check(value) if check else None


def _by_model(key: str, value: Any) -> str | None:
    complaint = model.complaint(value, model.member(_MEMBERS[key]))
    if key == "platform_identifier" and model.is_retired_platform(str(value)):
        return (
            f"{value} is Amazon Linux 1 or 2, which AWS neither creates nor starts since "
            f"2026-07-01; leave it out: AWS's default is {model.PLATFORM}"
        )
    if complaint and key == "instance_type":
        complaint += f" (botocore {model.version()}; write a newer type into terraform.tfvars)"
    return complaint


def _idle_complaint(minutes: Any) -> str | None:
    if isinstance(minutes, int) and 0 <= minutes <= _A_YEAR:
        return None
    return (
        f"it must be a whole number of minutes up to {_A_YEAR}, 0 for never, not {shorten(minutes)}"
    )


def _backup_hours_complaint(hours: Any) -> str | None:
    most = _A_YEAR // 60
    if isinstance(hours, int) and 0 <= hours <= most:
        return None
    return f"it must be a whole number of hours up to {most}, 0 for no backup, not {shorten(hours)}"


def _backup_minutes_complaint(minutes: Any) -> str | None:
    if isinstance(minutes, int) and 1 <= minutes <= _LONGEST_BACKUP:
        return None
    return f"it must be a whole number from 1 to {_LONGEST_BACKUP}, not {shorten(minutes)}"


def _excludes_complaint(patterns: list[str]) -> str | None:
    wrong_patterns = [
        pattern for pattern in patterns if re.search(r"['\n\r]", pattern) or not pattern
    ]
    if wrong_patterns:
        return f"{shorten(wrong_patterns[0])} must be a pattern in one line, without a single quote"
    return None


def _imds_complaint(version: Any) -> str | None:
    return None if version in ("1", "2") else f"it must be 1 or 2, not {shorten(version)}"


def count_days(days: str) -> int:
    """The number of days of a week in MON-FRI or MON,WED,FRI; 0 if it is neither."""
    counted: set[int] = set()
    for part in days.split(","):
        ends = part.split("-")
        if not all(end in _WEEK for end in ends) or len(ends) > 2:
            return 0
        first, last = _WEEK.index(ends[0]), _WEEK.index(ends[-1])
        counted |= {(first + step) % 7 for step in range((last - first) % 7 + 1)}
    return len(counted)


def days_complaint(days: Value) -> str | None:
    """What is wrong with the days of a schedule, or None."""
    count = count_days(str(days))
    return None if count else f"it must be days such as MON-FRI or MON,WED,FRI, not {shorten(days)}"


def minutes_of(time: Value) -> int | None:
    """Minutes from midnight to a time such as 07:30; None if it is not one."""
    if not re.fullmatch(TIME, str(time)):
        return None
    hours, minutes = str(time).split(":")
    return int(hours) * 60 + int(minutes)


def time_complaint(time: Value) -> str | None:
    """What is wrong with a time of a schedule, or None."""
    fits = minutes_of(time) is not None
    return None if fits else f"it must be a time from 00:00 to 23:59, not {shorten(time)}"


def _timezone_complaint(zone: str) -> str | None:
    zones = zoneinfo.available_timezones()
    if zone in zones:
        return None
    return f"there is no time zone {zone!r}; {nearest(zone, sorted(zones))}"


def _purpose_complaint(purpose: str) -> str | None:
    if not 1 <= len(purpose) <= 256:
        return f"it must have 1 to 256 characters, not {len(purpose)}"
    # Cc: control characters; Cs: half of a surrogate pair, which no UTF-8 file can hold.
    control_characters = {c for c in purpose if unicodedata.category(c) in ("Cc", "Cs")} - {
        "\n",
        "\t",
    }
    return (
        f"it holds the control character {min(control_characters)!r}"
        if control_characters
        else None
    )


def _tags_complaint(tags: Mapping[str, str]) -> str | None:
    most = _MOST_TAGS - len(_DEFAULT_TAGS)
    if len(tags) > most:
        return f"at most {most} tags besides {', '.join(_DEFAULT_TAGS)}; there are {len(tags)}"
    for key, value in tags.items():
        if key.lower() in {name.lower() for name in _DEFAULT_TAGS}:
            return f"{shorten(key)} is a tag that notebooks have; the stop when idle needs it so"
        if key.lower().startswith("aws:"):
            return f"{shorten(key)}: tags that start with aws: belong to AWS"
        complaint = model.tag_complaint(key, 128) or (value and model.tag_complaint(value))
        if complaint:
            return f"{shorten(key)}: {complaint}"
    return None


_CHECKS: dict[str, Callable[[Any], str | None]] = {
    "backup_excludes": _excludes_complaint,
    "backup_hours": _backup_hours_complaint,
    "backup_minutes": _backup_minutes_complaint,
    "environment": model.tag_complaint,
    "idle_stop_minutes": _idle_complaint,
    "imds_version": _imds_complaint,
    "owner": model.tag_complaint,
    "purpose": _purpose_complaint,
    "schedule_days": days_complaint,
    "schedule_start": time_complaint,
    "schedule_stop": time_complaint,
    "schedule_timezone": _timezone_complaint,
    "tags": _tags_complaint,
}
