"""The fleet: what each notebook's directory declares beside what AWS says."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from functools import cached_property
from pathlib import Path
from typing import Any

from tools.aws import client, sagemaker
from tools.aws.client import Cloud
from tools.aws.model import check_region
from tools.aws.sagemaker import Instance
from tools.context import Context
from tools.errors import UserError
from tools.fleet.idle import Decision, decisions, of_this_run
from tools.hcl import cache
from tools.hcl.reading import Value
from tools.layout import selection, variables
from tools.layout.patterns import match_names, name_at
from tools.layout.repository import Repository
from tools.layout.stack import Stack
from tools.localcloud import workspace

NOT_DEPLOYED = "not deployed"

Listing = Mapping[str, Mapping[str, Instance]]
"""Instances by region and name."""


@dataclass(frozen=True)
class Fleet:
    """Where the notebooks are declared, and the region and cloud that they are in by default.

    `root` is the user's repository, and `repository` that or the local cloud's copy below it.
    """

    root: Path
    repository: Repository
    region: str
    endpoint: str | None = None

    @property
    def option(self) -> str:
        """What a command that a message names needs besides, to reach the same cloud."""
        return " --local" if self.endpoint else ""

    def cloud(self, region: str) -> Cloud:
        return self._clouds.setdefault(region, Cloud(region, self.endpoint))

    @cached_property
    def _clouds(self) -> dict[str, Cloud]:
        return {}  # a cloud keeps its clients


@dataclass(frozen=True)
class Declared:
    """A notebook's directory: the name that AWS gets, its region and its values."""

    stack: Stack
    values: Mapping[str, Value]
    region: str

    @property
    def name(self) -> str:
        return str(self.values["name"])


@dataclass(frozen=True)
class Notebook:
    """What is declared beside what there is; `instance` is None where AWS has none.

    `decision` is what its auto-stop last decided, where that was asked for and is known.
    """

    declared: Declared
    instance: Instance | None
    failure: str | None = None
    decision: Decision | None = None

    @property
    def status(self) -> str:
        return self.instance.status if self.instance else NOT_DEPLOYED

    @property
    def differences(self) -> list[str]:
        """How the instance is unlike its declaration, as far as a listing shows it."""
        return _differences(self.declared.values, self.instance) if self.instance else []

    def as_json(self) -> dict[str, Any]:
        return {
            "notebook": self.declared.stack.name,
            "name": self.declared.name,
            "region": self.declared.region,
            "declared": dict(self.declared.values),
            "instance": as_json(self.instance) if self.instance else None,
            "status": self.status,
            "failure": self.failure,
            "differences": self.differences,
            "idle_seconds": self.decision.idle.total_seconds() if self.decision else None,
        }


@dataclass(frozen=True)
class Undeclared:
    """An instance that no directory declares, and its tags where they are the project's own."""

    region: str
    instance: Instance
    tags: Mapping[str, str] = field(default_factory=dict)

    def as_json(self) -> dict[str, Any]:
        return {
            "name": self.instance.name,
            "region": self.region,
            "instance": as_json(self.instance),
            "of_this_project": bool(self.tags),
            "tags": dict(self.tags),
        }


@dataclass(frozen=True)
class Overview:
    """The fleet at one moment; `idle_unknown` says why the logs of a region were not read."""

    notebooks: Sequence[Notebook]
    undeclared: Sequence[Undeclared]
    idle_unknown: Sequence[str] = ()

    def as_json(self) -> dict[str, Any]:
        return {
            "notebooks": [notebook.as_json() for notebook in self.notebooks],
            "undeclared": [found.as_json() for found in self.undeclared],
        }


def of(context: Context, local: bool) -> Fleet:
    """The fleet in AWS with the user's environment, or in the local cloud.

    Needs no terraform. Raises UserError as Context.target does.
    """
    if local:
        running = context.running()
        repository = workspace.refresh(context.repository, context.workspace)
        region = workspace.region(context.repository)
        return Fleet(context.repository.root, repository, region, running.endpoint)
    region = str(context.repository.common()["region"])
    check_region(region)
    client.refuse_emulator(region)
    return Fleet(context.repository.root, context.repository, region)


def declared(
    fleet: Fleet, patterns: Sequence[str] = (), conditions: Sequence[str] = ()
) -> list[Declared]:
    """The notebooks that `patterns` name and for which `conditions` hold; all where none is given.

    A pattern is a directory (`nlp`, `notebooks/nlp`, or a path to it), the name that AWS knows, or
    a glob of one of these. Raises UserError for one that names no declared notebook.
    """
    stacks = [stack for stack in fleet.repository.stacks() if stack.kind == "notebook"]
    chosen = _named(fleet, stacks, patterns) if patterns else stacks
    chosen = selection.where(chosen, conditions)
    with cache.kept(fleet.repository.root):
        return [_declared(fleet, stack) for stack in chosen]


def only(fleet: Fleet, pattern: str) -> Declared:
    """The one notebook that `pattern` names. Raises UserError where there is none, or several."""
    found = declared(fleet, [pattern])
    if len(found) > 1:
        names = ", ".join(notebook.stack.path.name for notebook in found[:10])
        raise UserError(f"{pattern} names {len(found)} notebooks ({names}); name one of them")
    return found[0]


def require_status(fleet: Fleet, notebook: Declared, status: str) -> None:
    """Raises UserError where the notebook is not there, or has another status."""
    cloud = fleet.cloud(notebook.region)
    instance = sagemaker.found(cloud, notebook.name)
    if instance is None:
        raise UserError(missing(fleet, notebook))
    if instance.status != status:
        raise UserError(
            f"{notebook.stack.name} is {instance.status} in {cloud}, not {status}; "
            f"start it: tools start {notebook.stack.path.name}{fleet.option}"
        )


def missing(fleet: Fleet, notebook: Declared) -> str:
    """That a notebook is not deployed, where it was looked for, and what to do."""
    return (
        f"there is no instance {notebook.name} in {fleet.cloud(notebook.region)}; "
        f"deploy it: tools deploy {notebook.stack.name}{fleet.option}"
    )


def listed(fleet: Fleet, notebooks: Sequence[Declared]) -> dict[str, dict[str, Instance]]:
    """Every instance of the regions that `notebooks` are in, by region and name."""
    regions = dict.fromkeys([notebook.region for notebook in notebooks] or [fleet.region])
    return {region: sagemaker.listed(fleet.cloud(region)) for region in regions}


def overview(
    fleet: Fleet, chosen: Sequence[Declared], alone: bool = False, idle: bool = False
) -> Overview:
    """What AWS says of the `chosen` notebooks and, unless `alone`, of instances beside them.

    One listing for each region, with `idle` one query of the logs, and a call more for each
    failed notebook: why it failed.
    """
    there = listed(fleet, chosen)
    said: dict[str, Mapping[str, Decision]] = {}
    unknown: list[str] = []
    for region in there if idle else ():
        try:
            said[region] = decisions(fleet.cloud(region))
        except UserError as error:  # the listing is worth showing all the same
            unknown.append(str(error))
    notebooks = [
        _notebook(fleet, one, there[one.region].get(one.name), said.get(one.region, {}))
        for one in chosen
    ]
    known = {(one.region, one.name) for one in chosen}
    return Overview(notebooks, [] if alone else _undeclared(fleet, there, known), unknown)


def as_json(instance: Instance) -> dict[str, Any]:
    return {
        "arn": instance.arn,
        "status": instance.status,
        "instance_type": instance.instance_type,
        "last_modified": instance.modified.isoformat(),
        "url": f"https://{instance.url}" if instance.url else None,
        "lifecycle_configuration": instance.lifecycle,
    }


def _declared(fleet: Fleet, stack: Stack) -> Declared:
    own = variables.declared(stack)
    return Declared(stack, own, str(own.get("region") or fleet.region))


def _named(fleet: Fleet, stacks: Sequence[Stack], patterns: Sequence[str]) -> list[Stack]:
    instance_names = fleet.repository.instance_names()
    names = match_names(
        [name_at(pattern, fleet.root) for pattern in patterns],
        (stack.name for stack in stacks),
        "no directory of notebooks/ declares a notebook",
        {stack.name: instance_names[stack.path.name] for stack in stacks},
    )
    return [stack for stack in stacks if stack.name in names]


def _notebook(
    fleet: Fleet,
    notebook: Declared,
    instance: Instance | None,
    said: Mapping[str, Decision],
) -> Notebook:
    failed = instance is not None and instance.status == "Failed"
    cloud = fleet.cloud(notebook.region)
    why = sagemaker.failure(cloud, notebook.name) if failed else None
    decision = None
    if instance and instance.status == "InService":
        decision = of_this_run(said.get(notebook.name), instance.modified)
    return Notebook(notebook, instance, why, decision)


def _undeclared(
    fleet: Fleet, there: Mapping[str, Mapping[str, Instance]], known: set[tuple[str, str]]
) -> list[Undeclared]:
    found = []
    for region, by_name in there.items():
        others = [one for name, one in by_name.items() if (region, name) not in known]
        tags = _tags(fleet, region) if others else {}
        found += [Undeclared(region, one, tags.get(one.arn, {})) for one in others]
    return found


def _tags(fleet: Fleet, region: str) -> Mapping[str, Mapping[str, str]]:
    common = fleet.repository.common()
    return sagemaker.tags_of_project(fleet.cloud(region), str(common["project"])) or {}


def _differences(own: Mapping[str, Value], instance: Instance) -> list[str]:
    found = []
    wanted = own.get("instance_type")
    if wanted and wanted != instance.instance_type:
        found.append(f"instance_type is {instance.instance_type}, declared {wanted}")
    repositories = _repositories(own)
    if set(repositories) != set(instance.repositories):
        there, asked = (
            " ".join(names) or "none" for names in (instance.repositories, repositories)
        )
        found.append(f"code repositories are {there}, declared {asked}")
    if not instance.lifecycle and (missing := _needs_lifecycle(own)):
        found.append(f"no lifecycle configuration: {missing}")
    return found


def _repositories(own: Mapping[str, Value]) -> list[str]:
    default, others = own.get("default_code_repository"), own.get("additional_code_repositories")
    return [
        *([str(default)] if default else []),
        *(map(str, others) if isinstance(others, list) else []),
    ]


def _needs_lifecycle(own: Mapping[str, Value]) -> str:
    if own.get("idle_stop_minutes"):
        return "it does not stop when idle"
    return "its script does not run at a start" if own.get("on_start_file") else ""
