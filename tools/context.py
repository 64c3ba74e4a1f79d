"""What every command works with: the repository, the target it changes, the local cloud."""

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
from tools.layout.patterns import name_at
from tools.layout.repository import Repository
from tools.layout.selection import Selection, choose
from tools.layout.stack import Stack
from tools.localcloud.process import LocalCloud, Running, environment, unset
from tools.localcloud.workspace import refresh
from tools.localcloud.workspace import region as region_of_the_local_cloud
from tools.state.checks import check_keys
from tools.system import processes
from tools.terraform.binary import Terraform

if TYPE_CHECKING:
    from tools.engine.records import Records


_KEPT_LOGS = 20


@dataclass(frozen=True)
class Target:
    """A place and an environment: where Terraform runs, and the cloud that it reaches.

    `endpoint` is the local cloud's; None is AWS. `logs` holds Terraform's output by stack.
    """

    repository: Repository
    terraform: Terraform
    region: str
    logs: Path
    endpoint: str | None = None

    @property
    def option(self) -> str:
        """What a command that a message names needs besides, to reach the same target."""
        return " --local" if self.endpoint else ""


class Context:
    """Made once for a command; `root` is the repository, or found from the working directory."""

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
        """Raises UserError where there is none, or where two stacks would have one state."""
        found = self._found
        if not self._mends_keys:
            check_keys(found)
        return found

    @cached_property
    def _found(self) -> Repository:
        return Repository.containing((self._root or Path.cwd()).resolve())

    def mending_keys(self) -> "Context":
        """This, for what brings the states' keys in order where they are not."""
        return Context(self._root, self.env, mends_keys=True)

    @property
    def templates(self) -> Path:
        return self.repository.root / "templates" / "notebook"

    @property
    def _scratch(self) -> Path:
        return self._found.root / SCRATCH

    @property
    def workspace(self) -> Path:
        """The local cloud's working copy of the repository."""
        return self._scratch / "local" / "workspace"

    @cached_property
    def local_cloud(self) -> LocalCloud:
        return LocalCloud(self._scratch / "local")

    @property
    def terraform_cli_config(self) -> Path | None:
        """A CLI configuration of ours that names a provider mirror, where Terraform needs one."""
        try:
            named = self._terraform(self.env).env.get("TF_CLI_CONFIG_FILE")
        except UserError:
            return None  # aws and boto3 are of use without a terraform
        return Path(named) if named and named != self.env.get("TF_CLI_CONFIG_FILE") else None

    def select(self, known: "Records", selection: Selection) -> list[Stack]:
        """The stacks that `selection` names, of those whose records are `known`; also by path.

        A path is one from the working directory to a stack of the user's repository, such as `.`.
        """
        named = replace(selection, patterns=self._names(selection.patterns))
        return choose(known.stacks, named, known.has_changed)

    def stacks(self, patterns: Sequence[str]) -> list[Stack]:
        """The stacks of the user's repository that `patterns` name, as `select`."""
        return self.repository.select(self._names(patterns))

    def _names(self, patterns: Sequence[str]) -> list[str]:
        return [name_at(pattern, self.repository.root) for pattern in patterns]

    def forget_local_state(self) -> None:
        """Removes the working copy: its states name what an emulator held that is gone."""
        shutil.rmtree(self.workspace, ignore_errors=True)

    def running(self) -> Running:
        """The local cloud. Raises UserError where it does not run."""
        running = self.local_cloud.status()
        if running is None:
            raise UserError("the local cloud does not run; start it: tools local up")
        return running

    def target(self, local: bool) -> Target:
        """AWS with the user's environment, or the local cloud with one of its own.

        Raises UserError where there is no terraform, no `common.auto.tfvars` for AWS, or no
        local cloud, and where the user's settings lead to an emulator.
        """
        return self._local_target() if local else self._aws_target()

    def _aws_target(self) -> Target:
        region = str(self.repository.common()["region"])
        check_region(region)
        client.refuse_emulator(region)
        logs = _new_logs(self._scratch / "logs")
        return Target(self.repository, self._terraform(self.env), region, logs)

    def _local_target(self) -> Target:
        running = self.running()
        region = region_of_the_local_cloud(self.repository)
        env = {name: value for name, value in self.env.items() if name not in unset(self.env)}
        terraform = self._terraform({**env, **environment(running.endpoint, region, self.env)})
        copy = refresh(self.repository, self.workspace)
        if not self._mends_keys:
            check_keys(copy)
        return Target(
            copy,
            terraform.with_provider_downloaded(self._scratch),
            region,
            _new_logs(self._scratch / "local" / "logs"),
            running.endpoint,
        )

    def require_terraform(self) -> None:
        """Raises UserError where there is no terraform, before anything else is begun."""
        self._terraform(self.env)

    def _terraform(self, env: Mapping[str, str]) -> Terraform:
        return Terraform.find(env, self._scratch)


def _new_logs(parent: Path) -> Path:
    """A folder of its own for a run's logs; the oldest beyond the last few go, once they are over.

    A run may be at work still, and after a kill its Terraform.
    """
    for old in sorted(parent.glob("*"))[:-_KEPT_LOGS]:
        if not any(map(processes.noted, old.glob("*.pid"))):
            shutil.rmtree(old, ignore_errors=True)
    return parent / f"{time.strftime('%Y%m%dT%H%M%S')}-{os.getpid()}"
