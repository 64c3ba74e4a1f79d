"""The notebooks that the directories of notebooks/ declare, and the instances of their regions."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path

from tools.aws import sagemaker
from tools.aws.client import Cloud
from tools.aws.sagemaker import Instance
from tools.context import Context
from tools.errors import UserError
from tools.hcl import cache
from tools.hcl.reading import Value
from tools.layout import selection, variables
from tools.layout.patterns import match_names, name_at
from tools.layout.repository import Repository
from tools.layout.stack import Stack
from tools.localcloud import workspace

Instances = Mapping[str, Mapping[str, Instance]]
"""Instances by region and name."""


@dataclass(frozen=True)
class DeclaredNotebook:
    """A notebook as its directory declares it: its values, and the region that it is in."""

    stack: Stack
    values: Mapping[str, Value]
    region: str

    @property
    def name(self) -> str:
        """The name of its instance in AWS."""
        return str(self.values["name"])


@dataclass(frozen=True)
class Fleet:
    """Where the notebooks are declared, and the region and cloud that they are in by default.

    `root` is the user's repository, and `repository` that or the local cloud's copy below it.
    `other_states` says why Terraform's states are not those of the stacks' files, if so.
    """

    root: Path
    repository: Repository
    region: str
    endpoint: str | None = None
    other_states: str = ""

    @classmethod
    def open(cls, context: Context, local: bool) -> "Fleet":
        """Returns the fleet in AWS with the user's environment, or in the local cloud.

        Needs no Terraform. Raises UserError as Context.target does.
        """
        if local:
            running = context.running()
            repository = workspace.refresh(context.repository, context.workspace)
            region = workspace.region(context.repository)
            fleet = cls(context.repository.root, repository, region, running.endpoint)
        else:
            fleet = cls(context.repository.root, context.repository, context.aws_region())
        return replace(fleet, other_states=context.why_other_states())

    @property
    def option(self) -> str:
        """The option that a command in a message needs to reach the same cloud."""
        return self.repository.option

    def cloud(self, region: str) -> Cloud:
        """A region of the cloud that the fleet is in."""
        return Cloud(region, self.endpoint)

    def notebooks(
        self, patterns: Sequence[str] = (), conditions: Sequence[str] = ()
    ) -> list[DeclaredNotebook]:
        """The notebooks that match a pattern and all conditions; without patterns, all that do.

        A pattern is a directory (`nlp`, `notebooks/nlp`, or a path to it), the name in AWS, or a
        glob of one of these. Raises UserError if one matches no notebook.
        """
        stacks = [stack for stack in self.repository.stacks() if stack.kind == "notebook"]
        selected = _select(self, stacks, patterns) if patterns else stacks
        with cache.persisted(self.repository.root):
            matching = selection.filter_by_values(selected, conditions)
            return [
                DeclaredNotebook(stack, values, str(values.get("region") or self.region))
                for stack, values in variables.read_values_of(matching)
            ]

    def notebook(self, pattern: str) -> DeclaredNotebook:
        """The one notebook that matches `pattern`. Raises UserError if none or several do."""
        notebooks = self.notebooks([pattern])
        if len(notebooks) > 1:
            first_names = ", ".join(notebook.stack.path.name for notebook in notebooks[:10])
            raise UserError(f"{pattern} names {len(notebooks)} notebooks ({first_names}); name one")
        return notebooks[0]

    def instances(self, notebooks: Sequence[DeclaredNotebook]) -> Instances:
        """Every instance of the regions of `notebooks`: one listing for each region."""
        regions = dict.fromkeys([notebook.region for notebook in notebooks] or [self.region])
        return {region: sagemaker.list_instances(self.cloud(region)) for region in regions}

    def require_running(self, notebook: DeclaredNotebook) -> None:
        """Raises UserError if the notebook has no instance, or one that does not run."""
        cloud = self.cloud(notebook.region)
        instance = sagemaker.find(cloud, notebook.name)
        if instance is None:
            raise UserError(self.say_not_deployed(notebook))
        if instance.status != "InService":
            raise UserError(
                f"{notebook.stack.name} is {instance.status} in {cloud}, not InService; "
                f"start it: tools start {notebook.stack.path.name}{self.option}"
            )

    def say_not_deployed(self, notebook: DeclaredNotebook) -> str:
        """The message that a notebook has no instance: where that is, and how to deploy it."""
        return (
            f"there is no instance {notebook.name} in {self.cloud(notebook.region)}; "
            f"deploy it: tools deploy {notebook.stack.name}{self.option}"
        )


def _select(fleet: Fleet, stacks: Sequence[Stack], patterns: Sequence[str]) -> list[Stack]:
    instance_names = fleet.repository.instance_names()
    names = match_names(
        [name_at(pattern, fleet.root) for pattern in patterns],
        (stack.name for stack in stacks),
        "no directory of notebooks/ declares a notebook",
        {stack.name: instance_names[stack.path.name] for stack in stacks},
    )
    return [stack for stack in stacks if stack.name in names]
