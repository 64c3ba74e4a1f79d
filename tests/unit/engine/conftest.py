"""A repository of small stacks, a Terraform that does as it is told, and a run over both."""

import subprocess
from collections.abc import Iterator
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any

import pytest

from tests.trees import reading, write_stack
from tests.unit.engine.fake_terraform import FakeTerraform
from tools.console.progress import Progress
from tools.engine.records import Records
from tools.engine.run import Run
from tools.layout.repository import Repository
from tools.layout.stack import Stack
from tools.system.signals import Interruption


class Told(Progress):
    """What a person was told: lines, steps and outcomes, in their order."""

    def __init__(self) -> None:
        self.lines: list[str] = []
        self.outcomes: dict[str, str] = {}
        self.steps: list[tuple[str, str, int, int]] = []

    def say(self, stack: str, line: str, important: bool = True) -> None:
        self.lines.append(f"[{stack}] {line}")

    def step(self, stack: str, what: str, done: int = 0, total: int = 0) -> None:
        self.steps.append((stack, what, done, total))

    def end(self, stack: str, outcome: str) -> None:
        self.outcomes[stack] = outcome


class Sleepless(Interruption):
    """Notes how long it was to sleep, and does not; a wait without an end is a failure."""

    def __init__(self) -> None:
        super().__init__()
        self.slept: list[float] = []

    def sleep(self, seconds: float) -> None:
        self.slept.append(seconds)
        assert len(self.slept) < 100


@dataclass
class Bench:
    """Stacks in a repository, and the engine's run over them."""

    root: Path
    terraform: FakeTerraform
    told: Told = field(default_factory=Told)
    interruption: Sleepless = field(default_factory=Sleepless)
    account: str | None = None

    def write(self, name: str, *upstream: str, text: str = "") -> Stack:
        """A stack that reads the states of `upstream`."""
        write_stack(self.root, name, text + reading(*upstream))
        return self.stack(name)

    def stack(self, name: str) -> Stack:
        return Stack(self.root, name)

    def stacks(self) -> list[Stack]:
        return Repository(self.root).stacks()

    def run(self, **options: Any) -> Run:
        """A run with records that have read nothing yet."""
        records = Records(Repository(self.root), self.terraform, account=self.account)
        logs = self.root / "logs" / "run"
        logs.mkdir(parents=True, exist_ok=True)
        run = Run(self.terraform, records, logs, self.told, self.interruption, jobs=2)
        return replace(run, **options)


@pytest.fixture
def bench(tmp_path: Path) -> Bench:
    for folder in ("shared-infra", "modules", "notebooks", "home"):
        (tmp_path / folder).mkdir()
    return Bench(tmp_path, FakeTerraform.at(tmp_path / "home"))


@pytest.fixture
def chain(bench: Bench) -> Bench:
    """shared-infra/a reads shared-infra/b, notebooks/n reads a, and notebooks/m reads nothing."""
    bench.write("shared-infra/b")
    bench.write("shared-infra/a", "shared-infra/b")
    bench.write("notebooks/n", "shared-infra/a")
    bench.write("notebooks/m")
    return bench


@pytest.fixture
def leftover() -> "Iterator[subprocess.Popen[bytes]]":
    """A process that lives until it is ended, in place of a killed run's Terraform."""
    process = subprocess.Popen(["sleep", "600"])
    yield process
    process.kill()
    process.wait()
