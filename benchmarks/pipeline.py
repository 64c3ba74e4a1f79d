"""A change of one stack among many, by the commands of a pipeline's jobs.

The stacks hold a `terraform_data` each, which starts no provider: what is measured is what `tools`
does. Their states are in a bucket of moto's server on this machine; each stack costs two requests.
"""

import json
import os
import re
import shutil
import subprocess
import sys
import tempfile
import time
import uuid
from collections.abc import Callable, Iterator, Mapping
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from itertools import count
from pathlib import Path
from unittest.mock import patch

import boto3

from benchmarks import fleet
from benchmarks.measure import (
    ROOT,
    TOOLS,
    Cost,
    Figure,
    by_turns,
    cpu,
    environment,
    process,
    seconds,
)
from tools.aws.client import shared_client
from tools.engine.records import Records
from tools.layout.repository import Repository
from tools.terraform.binary import Terraform

TITLE = "Pipeline"
_BUCKET = "bench-states"
_ACCOUNT = "123456789012"  # moto's
_STACK = """\
terraform {{
  backend "s3" {{
    bucket = "{bucket}"
    key    = "ml-infra/notebooks/{name}/terraform.tfstate"
    region = "us-east-1"
  }}
}}

resource "terraform_data" "this" {{
  input = "{value}"
}}
"""


@dataclass(frozen=True)
class Team:
    """A clone whose stacks have states in a bucket; `env` reaches it."""

    root: Path
    env: Mapping[str, str]

    def write(self, name: str, value: str) -> None:
        directory = self.root / "notebooks" / name
        directory.mkdir(exist_ok=True)
        (directory / "main.tf").write_text(_STACK.format(bucket=_BUCKET, name=name, value=value))

    def commit(self) -> None:
        who = ["-c", "user.name=bench", "-c", "user.email=bench@example.com"]
        for command in (["add", "--all"], [*who, "commit", "--quiet", "--message", "change"]):
            process(["git", *command], self.root)

    def tools(self, *arguments: str) -> Cost:
        return process([TOOLS, *arguments], self.root, self.env)


def run(repetitions: int, sizes: tuple[int, int] = (10, 1000)) -> list[Figure]:
    """`tools ci matrix` and then `tools ci plan` of the job that it names, in two fleets."""
    with ExitStack() as opened:
        folder = Path(opened.enter_context(tempfile.TemporaryDirectory()))
        teams = {n: opened.enter_context(_team(folder / str(n), n)) for n in sizes}
        tasks = {(n, step): task for n in sizes for step, task in _tasks(teams[n], n).items()}
        costs = by_turns({f"{step} {n}": task for (n, step), task in tasks.items()}, repetitions)
    figures = [
        Figure(f"`tools ci {step}`, one of {n:,} stacks changed", _both(costs[f"{step} {n}"]))
        for n, step in tasks
    ]
    small, large = (sum(cpu(costs[f"{step} {n}"]) for step in ("matrix", "plan")) for n in sizes)
    what = f"both commands: of {sizes[1]:,} stacks against {sizes[0]}"
    return [*figures, Figure(what, f"{large / small:.1f} times the processor time")]


def _tasks(team: Team, stacks: int) -> dict[str, Callable[[], Cost]]:
    """The two steps; the first one begins with another change of the same stack, committed."""
    values = count()

    def change() -> None:
        team.write(fleet.name(stacks // 2), str(next(values)))
        team.commit()

    def select() -> Cost:
        change()
        return team.tools("ci", "matrix")

    change()
    [job] = _matrix(team)
    if job["stacks"] != [f"notebooks/{fleet.name(stacks // 2)}"]:
        raise RuntimeError(f"another stack counts as changed: {job}")
    shard = ("--wave", str(job["wave"]), "--shard", str(job["shard"]))
    return {"matrix": select, "plan": lambda: team.tools("ci", "plan", *shard)}


def _both(costs: list[Cost]) -> str:
    return f"{cpu(costs):.1f} s of a processor, {seconds(costs):.1f} s on the clock"


def _matrix(team: Team) -> list[dict[str, object]]:
    done = subprocess.run(
        [TOOLS, "ci", "matrix"],
        cwd=team.root,
        env=team.env,
        stdout=subprocess.PIPE,
        text=True,
        check=True,
    )
    return list(json.loads(done.stdout.splitlines()[0].removeprefix("matrix="))["include"])


@contextmanager
def _team(folder: Path, stacks: int) -> Iterator[Team]:
    """A clone with many stacks that are applied, as their states and records say."""
    folder.mkdir()
    root = fleet.repository(folder / "team")
    shutil.rmtree(root / "shared-infra")
    (root / "shared-infra").mkdir()
    (root / "common.auto.tfvars").write_text(
        f'project = "bench"\nregion = "us-east-1"\nstate_bucket = "{_BUCKET}"\n'
    )
    (root / ".gitignore").write_text(".terraform*\n.tools/\n")
    with _bucket(folder / "moto.log") as env:
        team = Team(root, env)
        for number in range(stacks):
            team.write(fleet.name(number), "before")
        process(["git", "init", "--quiet"], root)
        team.commit()
        _pretend(team, _state(folder / "one"))
        yield team


@contextmanager
def _bucket(log: Path) -> Iterator[dict[str, str]]:
    """moto's server with the bucket of the states, and the environment that leads there."""
    command = [sys.executable, "-m", "moto.server", "-H", "127.0.0.1", "-p", "0"]
    with log.open("wb") as output:
        server = subprocess.Popen(command, stdout=output, stderr=subprocess.STDOUT)
    try:
        while not (listening := re.search(r"Running on http://127.0.0.1:(\d+)", log.read_text())):
            if server.poll() is not None:
                raise RuntimeError(f"moto's server has ended: {log.read_text()}")
            time.sleep(0.1)
        env = {
            **environment(),
            # Leads to this machine, and `tools` does not refuse it as an emulator's.
            "AWS_ENDPOINT_URL": f"http://0.0.0.0:{listening[1]}",
            "AWS_ACCESS_KEY_ID": "test",
            "AWS_SECRET_ACCESS_KEY": "test",
            "AWS_REGION": "us-east-1",
        }
        with patch.dict(os.environ, env):
            boto3.client("s3", region_name="us-east-1").create_bucket(Bucket=_BUCKET)
        yield env
    finally:
        server.terminate()
        server.wait()


def _state(folder: Path) -> dict[str, object]:
    """A state that Terraform has written, of one such stack."""
    folder.mkdir()
    (folder / "main.tf").write_text('resource "terraform_data" "this" {\n  input = "before"\n}\n')
    process(["terraform", "init"], folder)
    process(["terraform", "apply", "-auto-approve"], folder)
    state: dict[str, object] = json.loads((folder / "terraform.tfstate").read_text())
    return state


def _pretend(team: Team, state: Mapping[str, object]) -> None:
    """Gives every stack a state such as `state`, and the record of it."""
    shared_client.cache_clear()  # it leads to the bucket of another fleet
    with patch.dict(os.environ, team.env):
        terraform = Terraform.find(os.environ, ROOT / ".tools")
        records = Records(Repository(team.root), terraform, None, _ACCOUNT)
        bucket = boto3.resource("s3", region_name="us-east-1").Bucket(_BUCKET)
        for stack in records.stacks:
            text = json.dumps({**state, "lineage": str(uuid.uuid4())})
            bucket.put_object(Key=f"ml-infra/{stack.name}/terraform.tfstate", Body=text)
            records.record_apply(stack, records.inputs(stack))
