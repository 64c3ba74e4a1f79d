"""A repository with many notebooks and a local cloud of its own."""

import json
import os
import uuid
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

from benchmarks import fleet
from benchmarks.measure import ROOT, TOOLS, Cost, process
from tools.context import Context
from tools.engine.records import Records
from tools.layout.repository import Repository
from tools.layout.stack import Stack
from tools.localcloud import workspace
from tools.localcloud.client import redirect
from tools.localcloud.process import LocalCloud
from tools.terraform.binary import Terraform


@dataclass(frozen=True)
class Local:
    """A repository in `root`, its local cloud and what reaches it."""

    root: Path
    cloud: LocalCloud
    endpoint: str

    @property
    def work(self) -> Path:
        """The working copy, in which Terraform runs."""
        return Context(self.root).workspace

    def env(self, **more: str) -> dict[str, str]:
        """The environment for plain Terraform: what `tools local env` prints."""
        env = redirect(os.environ, self.endpoint)
        # As `tools` finds it; but not GOGC and whatever else it adds to be fast.
        found = Terraform.find(env, ROOT / ".tools").env.get("TF_CLI_CONFIG_FILE")
        return {**env, **({"TF_CLI_CONFIG_FILE": found} if found else {}), **more}

    def deploy(self, *options: str) -> Cost:
        """`tools deploy --local`."""
        return process([TOOLS, "deploy", "--local", *options], self.root)

    def refresh(self) -> list[Stack]:
        """The stacks of the working copy, brought up to date."""
        return workspace.refresh(Repository(self.root), self.work).stacks()

    def pretend(self, like: str) -> None:
        """Gives every stack without a state one such as that of `like`, and the record of it."""
        stacks = {stack.name: stack for stack in self.refresh()}
        state = json.loads((stacks[like].path / "terraform.tfstate").read_text())
        repository = Repository(self.work)
        terraform = Terraform.find(self.env(), ROOT / ".tools")
        records = Records(repository, terraform, self.endpoint, "local")
        for stack in stacks.values():
            path = stack.path / "terraform.tfstate"
            if not path.exists():
                path.write_text(json.dumps({**state, "lineage": str(uuid.uuid4())}))
                records.record_apply(stack, records.inputs(stack))


@contextmanager
def with_notebooks(directory: Path, count: int) -> Iterator[Local]:
    """A copy of the repository with `count` notebooks, and a LocalStack that ends afterwards."""
    fleet.with_notebooks(directory, count)
    cloud = LocalCloud(directory / ".tools" / "local")
    running = cloud.up()
    try:
        yield Local(directory, cloud, running.endpoint)
    finally:
        cloud.down()
