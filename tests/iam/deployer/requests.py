"""Recorded requests: freed of what differs from run to run, kept as data, turned to questions."""

import json
import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import Any

import yaml

RECORDED = Path(__file__).with_name("recorded.json")
TABLE = Path(__file__).with_name("actions.yaml")

Request = Mapping[str, Any]

_IDS = (
    (
        re.compile(
            r"\b(eipalloc|eni|igw|nat|pl|rtb|rtbassoc|sg|sgr|subnet|vpc|vpce)-[0-9a-f]{8,17}\b"
        ),
        r"\1-<id>",
    ),
    (re.compile(r"\b[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}\b"), "<key>"),
    (re.compile(r"-schedule-\d{20,}\w*"), "-schedule-<id>"),
)
_ID = "0a1b2c3d4e5f67890"
_KEY = "1234abcd-12ab-34cd-56ef-1234567890ab"


@dataclass(frozen=True)
class Check:
    """One action on one resource, with the keys of its request: what AWS decides."""

    action: str
    resource: str
    context: Mapping[str, str | list[str]]

    @property
    def question(self) -> dict[str, Any]:
        return {"action": self.action, "resource": self.resource, "context": dict(self.context)}


@cache
def table() -> dict[str, Any]:
    found: dict[str, Any] = yaml.safe_load(TABLE.read_text())
    return found


def read(log: Path, account: str, project: str, start: int) -> list[Request]:
    """The requests of `account` in the emulator's log from `start` on, each kind once, sorted."""
    lines = map(json.loads, log.read_bytes()[start:].splitlines())
    kept = (_plain(line, project) for line in lines if line["account"] == account)
    found = {(one["call"], json.dumps(one, sort_keys=True)): one for one in kept}
    return [found[key] for key in sorted(found)]


def recorded() -> list[Request]:
    found: list[Request] = json.loads(RECORDED.read_text())
    return found


def write(requests: list[Request]) -> None:
    lines = ",\n".join(json.dumps(one, sort_keys=True) for one in requests)
    RECORDED.write_text(f"[\n{lines}\n]\n")


def checks(requests: list[Request], account: str, project: str) -> list[Check]:
    """What AWS checks for `requests`, each once."""
    bounded = {
        one["RoleName"]: one.get("PermissionsBoundary")
        for one in requests
        if one["call"] == "iam.CreateRole"
    }
    found: dict[str, Check] = {}
    for one in requests:
        for rule in table()["operations"][one["call"]]["checks"]:
            for check in _asked(rule, one, bounded):
                filled = _filled(check, account, project)
                found[json.dumps(filled.question, sort_keys=True)] = filled
    return list(found.values())


def unused_rules(requests: list[Request]) -> list[str]:
    """The table's checks that no request leads to, such as one whose parameter has another name."""
    return [
        f"{call}: {rule['resource']}"
        for call, entry in table()["operations"].items()
        for rule in entry["checks"]
        if not any(list(_asked(rule, one, {})) for one in requests if one["call"] == call)
    ]


def _plain(line: Mapping[str, Any], project: str) -> dict[str, Any]:
    """The request without what no check looks at, and with names for what is random."""
    call = f"{line['service']}.{line['operation']}"
    entry = table()["operations"].get(call)
    used = _parameters(entry["checks"] if entry else [])
    found = {
        name: _in_order(value) for name, value in line["request"].items() if name in used and value
    }
    text = json.dumps(found).replace(project, "<project>").replace(line["account"], "<account>")
    for pattern, name in _IDS:
        text = pattern.sub(name, text)
    return {"call": call, **json.loads(text)}


def _in_order(value: Any) -> Any:
    """`value` with its tags sorted: the provider sends them as Go goes through a map, at random."""
    if isinstance(value, list):
        return sorted(map(_in_order, value), key=lambda one: json.dumps(one, sort_keys=True))
    if isinstance(value, dict):
        return {name: _in_order(one) for name, one in value.items()}
    return value


def _parameters(rules: list[Mapping[str, Any]]) -> set[str]:
    """The names of the parameters that `rules` look at."""
    text = json.dumps(rules)
    for name, place in table()["places"].items():
        text = text.replace(f"<{name}>", place)
    tags = {rule["tags"] for rule in rules if "tags" in rule}
    roles = {"RoleName"} if any("bounded" in rule for rule in rules) else set()
    return {name.split(".")[0] for name in re.findall(r"\{([A-Za-z.]+)\}", text)} | tags | roles


def _asked(
    rule: Mapping[str, Any], request: Request, bounded: Mapping[str, str | None]
) -> Iterator[Check]:
    call = request["call"]
    operation = call.split(".")[1]
    action = call.replace(".", ":") if rule["action"] == "same" else rule["action"]
    context: dict[str, str | list[str]] = {}
    for key, value in rule.get("context", {}).items():
        for filled in [operation] if value == "same" else _values(value, request):
            context[key] = filled
    if rule.get("owned"):
        context["aws:ResourceTag/Project"] = "<project>"
    if rule.get("bounded") and (boundary := bounded.get(request["RoleName"])):
        context["iam:PermissionsBoundary"] = boundary
    tags = _tags(request.get(rule.get("tags", ""), []))
    if "tags" in rule and not tags and rule["action"] != "same":
        return  # nothing is tagged
    if tags:
        context |= {f"aws:RequestTag/{key}": value for key, value in tags.items()}
        context["aws:TagKeys"] = sorted(tags)
    for resource in _values(_place(rule["resource"]), request):
        yield Check(action, resource, context)


def _place(text: str) -> str:
    for name, place in table()["places"].items():
        text = text.replace(f"<{name}>", place)
    return text


def _values(text: str, request: Request) -> Iterator[str]:
    """`text` with its parameters filled in, once for each value; none if one is missing."""
    missing = re.search(r"\{([A-Za-z.]+)\}", text)
    if not missing:
        yield text
        return
    value: Any = request
    for name in missing[1].split("."):
        value = value.get(name) if value else None
    for one in value if isinstance(value, list) else [value] if value else []:
        yield from _values(text.replace(missing[0], str(one)), request)


def _tags(given: Any) -> dict[str, str]:
    """Tags in any of the forms that services have."""
    if isinstance(given, dict):
        return given
    found: dict[str, str] = {}
    for one in given:
        found |= _tags(one["Tags"]) if "Tags" in one else _tag(one)
    return found


def _tag(given: Mapping[str, str]) -> dict[str, str]:
    """KMS has names of its own for a tag's two halves."""
    key = given["Key"] if "Key" in given else given["TagKey"]
    return {key: given["Value"] if "Value" in given else given["TagValue"]}


def _filled(check: Check, account: str, project: str) -> Check:
    text = json.dumps(check.question)
    for name, value in {"project": project, "account": account, "id": _ID, "key": _KEY}.items():
        text = text.replace(f"<{name}>", value)
    return Check(**json.loads(text))
