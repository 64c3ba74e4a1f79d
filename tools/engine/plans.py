"""What Terraform would change in stacks: plans, saved or not, and drift."""

import json
from collections import Counter
from collections.abc import Callable, Mapping, Sequence
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any, Literal

from tools.engine.fingerprint import Inputs
from tools.errors import UserError
from tools.state.file import HOLDS_DATA
from tools.system import files
from tools.terraform.text import Event

Action = Literal["create", "update", "replace", "destroy", "import", "move", "forget", "unknown"]
Status = Literal["unchanged", "changed", "waiting", "failed"]

ACTIONS: tuple[Action, ...] = ("create", "update", "replace", "destroy")
_ACTIONS: dict[str, Action] = {
    "create": "create",
    "update": "update",
    "replace": "replace",
    "delete": "destroy",
    "import": "import",
    "move": "move",
    "remove": "forget",
    "forget": "forget",
}
_NO_ACTIONS = ("noop", "read")
# The actions of a resource in a plan's JSON:
# https://developer.hashicorp.com/terraform/internals/json-format#change-representation
_ACTIONS_OF_JSON: dict[tuple[str, ...], Action | None] = {
    ("no-op",): None,
    ("read",): None,
    ("create",): "create",
    ("update",): "update",
    ("delete",): "destroy",
    ("delete", "create"): "replace",
    ("create", "delete"): "replace",
    ("forget",): "forget",
}
MANIFEST = "plans.json"


@dataclass(frozen=True)
class Change:
    """What becomes of one resource; `type` is such as aws_s3_bucket.

    `attributes` are the names of those that were changed outside of Terraform.
    """

    address: str
    type: str
    action: Action
    attributes: tuple[str, ...] = ()

    def __str__(self) -> str:
        return f"{self.action} {self.address}"

    @property
    def loses_data(self) -> bool:
        """Whether a user's data goes with it: a notebook's volume, a bucket's objects."""
        return self.action in ("replace", "destroy", "unknown") and self.type in HOLDS_DATA


@dataclass(frozen=True)
class Plan:
    """What would become of a stack.

    `why` are the reasons to plan it; `detail` says what it waits for, or how it failed. `outside`
    are changes that were made outside of Terraform. `errors` are lines that report a failure and
    were not shown when it came: a deployment upstream may end it. `inputs` were read when it was
    planned, into `file` where the plan is saved.
    """

    stack: str
    status: Status
    why: tuple[str, ...] = ()
    changes: tuple[Change, ...] = ()
    outputs: tuple[str, ...] = ()
    outside: tuple[Change, ...] = ()
    detail: str = ""
    errors: tuple[str, ...] = ()
    seconds: float = 0.0
    inputs: Inputs | None = None
    file: Path | None = None

    @property
    def counts(self) -> Counter[str]:
        """How many resources each action concerns."""
        return Counter(change.action for change in self.changes)

    @property
    def losses(self) -> list[Change]:
        """The changes with which a user's data goes."""
        return [change for change in self.changes if change.loses_data]

    def to_json(self) -> dict[str, Any]:
        """As `--json` prints it (docs/json.md)."""
        return {
            "stack": self.stack,
            "status": self.status,
            "why": list(self.why),
            "changes": [asdict(change) for change in self.changes],
            "outputs": list(self.outputs),
            "loses_data": bool(self.losses),
            "detail": self.detail,
            "seconds": round(self.seconds, 1),
        }


class PlanReader:
    """Collects a plan from Terraform's events as they come, and passes them on to `on_event`.

    `outside` are the changes that were made outside of Terraform. `has_changes` is what the exit
    code of a plan says: it has changes of any kind.
    """

    def __init__(self, on_event: Callable[[Event], None]) -> None:
        self._on_event = on_event
        self.changes: list[Change] = []
        self.outputs: list[str] = []
        self.outside: list[Change] = []
        self.has_changes = False

    def __call__(self, event: Event) -> None:
        """Takes in one event of Terraform's machine-readable UI.

        https://developer.hashicorp.com/terraform/internals/machine-readable-ui
        """
        kind = event.get("type")
        if kind in ("planned_change", "resource_drift"):
            change = _parse_change(event["change"])
            if change:
                (self.changes if kind == "planned_change" else self.outside).append(change)
        elif kind == "outputs":
            self.outputs += [
                name
                for name, output in event["outputs"].items()
                if output.get("action", "noop") != "noop"
            ]
        self._on_event(event)


def _parse_change(event_change: Mapping[str, Any]) -> Change | None:
    if event_change["action"] in _NO_ACTIONS:
        return None
    resource = event_change["resource"]
    action = _ACTIONS.get(event_change["action"], "unknown")
    return Change(resource["addr"], resource["resource_type"], action)


def planned_losses(plan: Mapping[str, Any]) -> list[Change]:
    """Returns the changes with which a user's data goes, from a plan's JSON."""
    return [change for change in planned_changes(plan) if change.loses_data]


def planned_changes(plan: Mapping[str, Any]) -> tuple[Change, ...]:
    """Returns what becomes of each resource that changes, from a plan's JSON."""
    changes = []
    for planned in plan.get("resource_changes", ()):
        action = _ACTIONS_OF_JSON.get(tuple(planned["change"]["actions"]), "unknown")
        if action:
            changes.append(Change(planned["address"], planned["type"], action))
    return tuple(changes)


def planned_outputs(plan: Mapping[str, Any]) -> tuple[str, ...]:
    """Returns the names of the outputs that change, from a plan's JSON."""
    changes_by_output = plan.get("output_changes", {})
    return tuple(
        name
        for name, output_change in changes_by_output.items()
        if output_change["actions"] != ["no-op"]
    )


def make_folder(folder: Path) -> None:
    """Makes a folder for saved plans, or empties it; only its owner can read it.

    Plans hold secrets in clear text. Raises UserError if there is anything else in the folder.
    """
    try:
        folder.mkdir(mode=0o700, parents=True, exist_ok=True)
        if any(f.name != MANIFEST and f.suffix != ".tfplan" for f in folder.iterdir()):
            raise UserError(f"{folder} holds other things than plans; name a new folder")
        folder.chmod(0o700)
        delete_plans(folder)
    except OSError as error:
        raise UserError(f"cannot use {folder}: {error.strerror}") from None


def delete_plans(folder: Path) -> None:
    """Deletes the plans in a folder, and nothing else."""
    for file in (*folder.glob("*.tfplan"), folder / MANIFEST):
        file.unlink(missing_ok=True)


def plan_path(folder: Path, stack: str) -> Path:
    """Returns the file in which the plan of `stack` is saved."""
    return folder.resolve() / f"{stack.replace('/', '.')}.tfplan"


def save(
    folder: Path, plans: Sequence[Plan], where: str, describe_place: Callable[[str], str]
) -> None:
    """Writes beside the plans in `folder` what `load` needs.

    `where` names account and region; `describe_place` returns where the state of a stack lies.
    """
    manifest = {
        "where": where,
        "plans": [
            {
                **plan.to_json(),
                "inputs": asdict(plan.inputs) if plan.inputs else None,
                "place": describe_place(plan.stack),
            }
            for plan in plans
        ],
    }
    files.write(folder / MANIFEST, json.dumps(manifest, indent=1) + "\n")


def load(folder: Path, where: str, describe_place: Callable[[str], str]) -> list[Plan]:
    """Returns the plans that `save` left in `folder`.

    Raises UserError if there are none, or if they were made for another account or region, or for
    a state in another place: Terraform would write to that one.
    """
    try:
        manifest = json.loads((folder / MANIFEST).read_text())
        made_for = manifest["where"]
        places = {entry["stack"]: entry["place"] for entry in manifest["plans"]}
        plans = [parse_plan(folder, entry) for entry in manifest["plans"]]
    except (OSError, ValueError, KeyError, TypeError):
        raise UserError(
            f"{folder} holds no plans; make them: tools plan --plan-dir {folder}"
        ) from None
    if made_for != where:
        raise UserError(f"the plans in {folder} were made for {made_for}, and this is {where}")
    for stack, planned_place in places.items():
        if planned_place != describe_place(stack):
            raise UserError(
                f"the plan of {stack} in {folder} is of its state in {planned_place}, which is in "
                f"{describe_place(stack)} now: plan it again"
            )
    return plans


def parse_plan(folder: Path, entry: Mapping[str, Any]) -> Plan:
    """Returns the plan that one entry of the manifest in `folder` describes."""
    file = plan_path(folder, entry["stack"])
    return Plan(
        entry["stack"],
        entry["status"],
        tuple(entry["why"]),
        tuple(Change(**{**noted, "attributes": ()}) for noted in entry["changes"]),
        tuple(entry["outputs"]),
        detail=entry["detail"],
        inputs=Inputs(**entry["inputs"]) if entry["inputs"] else None,
        file=file if file.is_file() else None,
    )
