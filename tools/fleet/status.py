"""The status of a fleet: what is declared beside what AWS has."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from tools.aws import sagemaker
from tools.aws.sagemaker import Instance
from tools.errors import UserError
from tools.fleet import idle, platforms
from tools.fleet.fleet import DeclaredNotebook, Fleet
from tools.fleet.holdings import read_holdings
from tools.fleet.idle import Decision
from tools.hcl.reading import Value

NOT_DEPLOYED = "not deployed"
TAGS_UNKNOWN = "its tags are not known"


@dataclass(frozen=True)
class NotebookStatus:
    """A declared notebook beside its instance, which is None if AWS has none.

    `failure` is why a failed one failed, `decision` what its auto-stop last decided, if known.
    `in_state` is whether a state holds the instance, None if there is none or nobody can tell.
    `platform_retired` is whether AWS does not start it again, None likewise.
    """

    declared: DeclaredNotebook
    instance: Instance | None
    failure: str | None = None
    decision: Decision | None = None
    in_state: bool | None = None
    platform_retired: bool | None = None

    @property
    def status(self) -> str:
        """AWS's status, or NOT_DEPLOYED."""
        return self.instance.status if self.instance else NOT_DEPLOYED

    @property
    def differences(self) -> list[str]:
        """How the instance differs from its declaration, as far as a listing shows it."""
        return _differences(self.declared.values, self.instance) if self.instance else []

    def as_json(self) -> dict[str, Any]:
        """The entry of `tools status --json` (docs/json.md)."""
        return {
            "notebook": self.declared.stack.name,
            "name": self.declared.name,
            "region": self.declared.region,
            "declared": dict(self.declared.values),
            "instance": _instance_json(self.instance) if self.instance else None,
            "status": self.status,
            "failure": self.failure,
            "differences": self.differences,
            "in_state": self.in_state,
            "platform_retired": self.platform_retired,
            "idle_seconds": self.decision.idle.total_seconds() if self.decision else None,
        }


@dataclass(frozen=True)
class UndeclaredInstance:
    """An instance that no directory declares.

    `tags` are empty unless it has the project's, and None if that is not known.
    """

    region: str
    instance: Instance
    tags: Mapping[str, str] | None = field(default_factory=dict)
    platform_retired: bool | None = None

    @property
    def of_this_project(self) -> bool | None:
        """Whether it has the project's tags, None if AWS does not say."""
        return None if self.tags is None else bool(self.tags)

    def as_json(self) -> dict[str, Any]:
        """The entry of `tools status --json` (docs/json.md)."""
        return {
            "name": self.instance.name,
            "region": self.region,
            "instance": _instance_json(self.instance),
            "of_this_project": self.of_this_project,
            "tags": dict(self.tags or {}),
            "platform_retired": self.platform_retired,
        }


@dataclass(frozen=True)
class FleetStatus:
    """The fleet at one moment; `idle_unknown` says why the logs of a region were not read."""

    notebooks: Sequence[NotebookStatus]
    undeclared: Sequence[UndeclaredInstance]
    idle_unknown: Sequence[str] = ()

    def as_json(self) -> dict[str, Any]:
        """The lists of `tools status --json` (docs/json.md)."""
        return {
            "notebooks": [notebook.as_json() for notebook in self.notebooks],
            "undeclared": [other.as_json() for other in self.undeclared],
        }


def read_status(
    fleet: Fleet,
    declared: Sequence[DeclaredNotebook],
    with_undeclared: bool = True,
    with_idle: bool = False,
    in_states: dict[str, bool | None] | None = None,
) -> FleetStatus:
    """Asks AWS for the status of `declared` and, `with_undeclared`, for other instances.

    Takes one listing for each region, `with_idle` one query of its logs, and one request for each
    failed notebook and for each that may be on a platform that AWS starts no more. Reads the states
    of notebooks that have an instance, but for those which `in_states`, which it updates, says are
    held. Raises UserError if AWS cannot be asked, but for its logs.
    """
    instances = fleet.instances(declared)
    is_held = {} if in_states is None else in_states
    made = [n for n in declared if n.name in instances[n.region] and not is_held.get(n.stack.name)]
    is_held |= read_holdings(fleet, made)
    notebook_keys = {(notebook.region, notebook.name) for notebook in declared}
    retired = {
        region: platforms.find_retired(
            fleet.cloud(region),
            [i for i in by_name.values() if with_undeclared or (region, i.name) in notebook_keys],
        )
        for region, by_name in instances.items()
    }
    decisions: dict[str, Mapping[str, Decision]] = {}
    idle_unknown: list[str] = []
    for region in instances if with_idle else ():
        try:
            decisions[region] = idle.recent_decisions(fleet.cloud(region))
        except UserError as error:  # the listing is worth showing all the same
            idle_unknown.append(str(error))
    statuses = []
    for notebook in declared:
        region, name = notebook.region, notebook.name
        instance = instances[region].get(name)
        failure, decision = None, None
        if instance and instance.status == "Failed":
            failure = sagemaker.read_failure_reason(fleet.cloud(region), name)
        elif instance and instance.status == "InService":
            last = decisions.get(region, {}).get(name)
            decision = idle.since_last_change(last, instance.modified)
        in_state = is_held.get(notebook.stack.name) if instance else None
        is_retired = retired[region].get(name)
        statuses.append(NotebookStatus(notebook, instance, failure, decision, in_state, is_retired))
    undeclared: list[UndeclaredInstance] = []
    for region, by_name in instances.items() if with_undeclared else ():
        others = [other for name, other in by_name.items() if (region, name) not in notebook_keys]
        tags = _tags_by_arn(fleet, region) if others else {}
        for other in others:
            own = None if tags is None else tags.get(other.arn, {})
            is_retired = retired[region].get(other.name)
            undeclared.append(UndeclaredInstance(region, other, own, is_retired))
    return FleetStatus(statuses, undeclared, idle_unknown)


def _tags_by_arn(fleet: Fleet, region: str) -> Mapping[str, Mapping[str, str]] | None:
    common = fleet.repository.common()
    return sagemaker.read_tags_of_project(fleet.cloud(region), str(common["project"]))


def _differences(declared_values: Mapping[str, Value], instance: Instance) -> list[str]:
    differences = []
    instance_type = declared_values.get("instance_type")
    if instance_type and instance_type != instance.instance_type:
        differences.append(f"instance_type is {instance.instance_type}, declared {instance_type}")
    repositories = _repositories(declared_values)
    if set(repositories) != set(instance.repositories):
        actual_repositories, declared_repositories = (
            " ".join(names) or "none" for names in (instance.repositories, repositories)
        )
        differences.append(
            f"code repositories are {actual_repositories}, declared {declared_repositories}"
        )
    if not instance.lifecycle and (effect := _effect_of_no_lifecycle(declared_values)):
        differences.append(f"no lifecycle configuration: {effect}")
    return differences


def _repositories(declared_values: Mapping[str, Value]) -> list[str]:
    default = declared_values.get("default_code_repository")
    additional = declared_values.get("additional_code_repositories")
    return [
        *([str(default)] if default else []),
        *(map(str, additional) if isinstance(additional, list) else []),
    ]


def _effect_of_no_lifecycle(declared_values: Mapping[str, Value]) -> str:
    if declared_values.get("idle_stop_minutes"):
        return "it does not stop when idle"
    return "its script does not run at a start" if declared_values.get("on_start_file") else ""


def _instance_json(instance: Instance) -> dict[str, Any]:
    return {
        "arn": instance.arn,
        "status": instance.status,
        "instance_type": instance.instance_type,
        "last_modified": instance.modified.isoformat(),
        "url": f"https://{instance.url}" if instance.url else None,
        "lifecycle_configuration": instance.lifecycle,
    }
