"""The composition root: makes what commands work with, out of a directory and an environment."""

import os
import shutil
import time
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from functools import cached_property
from pathlib import Path
from typing import TYPE_CHECKING

from tools import SCRATCH
from tools.aws import client
from tools.aws.model import check_region
from tools.errors import UserError
from tools.layout.neighbours import has_backend_options
from tools.layout.patterns import name_at
from tools.layout.repository import Repository
from tools.layout.selection import Selection, choose
from tools.layout.stack import Stack
from tools.localcloud import workspace
from tools.localcloud.client import redirect
from tools.localcloud.process import LocalCloud, Running
from tools.state.checks import check_keys
from tools.system import files, processes
from tools.terraform.binary import Terraform
from tools.terraform.installation import refuse_elsewhere

if TYPE_CHECKING:
    from tools.engine.records import Records


_KEPT_LOGS = 20  # folders, one for each run


@dataclass(frozen=True)
class Target:
    """The repository, Terraform and cloud that a command works on.

    `endpoint` is the local cloud's URL, or None for AWS. `logs` is the folder of this run, with
    Terraform's output by stack.
    """

    repository: Repository
    terraform: Terraform
    region: str
    logs: Path
    endpoint: str | None = None

    @property
    def option(self) -> str:
        """What is added to a command in a message so that it reaches the same target."""
        return self.repository.option


class Context:
    """Makes the repository, the local cloud and the target of a command, each when it is asked for.

    `root` is a directory in the repository, by default the working directory; `env` are the
    user's variables. With `mends_keys` two stacks may name one state, which the command is to mend.
    """

    def __init__(
        self,
        root: Path | None = None,
        env: Mapping[str, str] = os.environ,
        mends_keys: bool = False,
    ) -> None:
        self._root = root
        self.env = env
        self._mends_keys = mends_keys

    @cached_property
    def repository(self) -> Repository:
        """The user's repository.

        Raises UserError if there is none, or if two of its stacks name one state.
        """
        return self._checked(self._unchecked)

    @cached_property
    def _unchecked(self) -> Repository:
        return Repository.containing((self._root or files.working_directory()).resolve(), self.env)

    def _checked(self, repository: Repository) -> Repository:
        if not self._mends_keys:
            check_keys(repository)
        return repository

    def mending_keys(self) -> "Context":
        """The same for a command that mends the states' keys, and so does not refuse them."""
        return Context(self._root, self.env, mends_keys=True)

    @property
    def templates(self) -> Path:
        """The folder of the templates of a notebook's files."""
        return self.repository.root / "templates" / "notebook"

    @property
    def _scratch(self) -> Path:
        return self._unchecked.root / SCRATCH

    @property
    def workspace(self) -> Path:
        """The local cloud's working copy of the repository."""
        return self._scratch / "local" / "workspace"

    @cached_property
    def local_cloud(self) -> LocalCloud:
        """The local cloud of this repository, whether it runs or not."""
        return LocalCloud(self._scratch / "local")

    @property
    def terraform_cli_config(self) -> Path | None:
        """The CLI configuration that we made to name a provider mirror, or None if none is needed.

        Without a terraform it is None too: aws and boto3 are of use all the same.
        """
        try:
            config_file = self._terraform(self.env).env.get("TF_CLI_CONFIG_FILE")
        except UserError:
            return None
        return (
            Path(config_file)
            if config_file and config_file != self.env.get("TF_CLI_CONFIG_FILE")
            else None
        )

    def is_ours(self, path: Path) -> bool:
        """Whether `path` lies in the folder in which everything is that `tools` writes."""
        return path.is_relative_to(self._scratch)

    def select(self, records: "Records", selection: Selection) -> list[Stack]:
        """The stacks of `records` that `selection` names, also by a directory such as `.`.

        Raises UserError for a pattern that names none, and as `filter_by_values` does.
        """
        completed = replace(selection, patterns=self._names(selection.patterns))
        return choose(records.stacks, completed, records.has_changed)

    def check_names(self, repository: Repository, selection: Selection) -> None:
        """Raises UserError for a name or a condition of `selection` that no stack has."""
        patterns = self._names(selection.patterns)
        typed = Selection(patterns, conditions=selection.conditions)
        choose(repository.stacks(), typed, lambda _: True)

    def stacks(self, patterns: Sequence[str]) -> list[Stack]:
        """The stacks of the user's repository that `patterns` name, as `select` reads them."""
        return self.repository.select(self._names(patterns))

    def _names(self, patterns: Sequence[str]) -> list[str]:
        return [name_at(pattern, self.repository.root) for pattern in patterns]

    def forget_local_state(self) -> None:
        """Removes the working copy, whose states name what an emulator held that has ended."""
        shutil.rmtree(self.workspace, ignore_errors=True)

    def running(self) -> Running:
        """The local cloud's process. Raises UserError if it does not run."""
        running = self.local_cloud.status()
        if running is None:
            raise UserError("the local cloud does not run; start it: tools local up")
        return running

    def target(self, local: bool) -> Target:
        """AWS with the user's environment or, if `local`, the local cloud with one of its own.

        Raises UserError if there is no terraform, if AWS is asked for without a
        `common.auto.tfvars` or with settings that lead to an emulator, and if the local cloud is
        asked for and does not run. So does it if the user's variables lead to other states.
        """
        self.refuse_other_states()
        return self._local_target() if local else self._aws_target()

    def aws_region(self) -> str:
        """The region in AWS that the repository names. Raises UserError as `target` does."""
        region = str(self.repository.common()["region"])
        check_region(region)
        client.refuse_emulator(region)
        return region

    def _aws_target(self) -> Target:
        region, logs = self.aws_region(), _new_logs(self._scratch / "logs")
        return Target(self.repository, self._terraform(self.env), region, logs)

    def _local_target(self) -> Target:
        running = self.running()
        region = workspace.region(self.repository)
        terraform = self._terraform(redirect(self.env, running.endpoint, region))
        return Target(
            self._checked(workspace.refresh(self.repository, self.workspace)),
            terraform.with_provider_downloaded(self._scratch),
            region,
            _new_logs(self._scratch / "local" / "logs"),
            running.endpoint,
        )

    def require_terraform(self) -> None:
        """Raises UserError if there is no terraform, before anything else is begun.

        And if the user's variables lead it to other states.
        """
        self.refuse_other_states()
        self._terraform(self.env)

    def terraform(self) -> Terraform:
        """The terraform of the user, with their environment. Raises UserError if there is none."""
        return self._terraform(self.env)

    def refuse_other_states(self) -> None:
        """Raises UserError if the user's variables lead Terraform to other states than ours."""
        refuse_elsewhere(self.env)

    def why_other_states(self) -> str:
        """Returns why the user's variables make the states unknown, empty if they do not."""
        try:
            refuse_elsewhere(self.env)
        except UserError as error:
            return str(error)
        return "-backend-config may name other states" if has_backend_options(self.env) else ""

    def _terraform(self, env: Mapping[str, str]) -> Terraform:
        return Terraform.find(env, self._scratch)


def _new_logs(parent: Path) -> Path:
    """The path of this run's logs. Removes the oldest folders, but for those still written to.

    A run that was killed may have left a Terraform that works on.
    """
    for old in sorted(parent.glob("*"))[:-_KEPT_LOGS]:
        if not any(map(processes.noted_pid, old.glob("*.pid"))):
            shutil.rmtree(old, ignore_errors=True)
    return parent / f"{time.strftime('%Y%m%dT%H%M%S')}-{os.getpid()}"
