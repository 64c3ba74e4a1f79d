"""Holds the tool's answer for each stack against plain Terraform's."""

import os
import subprocess
import traceback
from collections.abc import Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Literal
from unittest import mock

from tests.soundness.build import Built, build
from tests.soundness.recipe import ChangeRecipe, Recipe
from tools.console.progress import Progress
from tools.engine.records import Records
from tools.engine.run import Result, Run
from tools.engine.scheduler import run_stacks
from tools.errors import UserError
from tools.layout.repository import Repository
from tools.layout.stack import Stack
from tools.system.signals import Interruption
from tools.terraform.binary import Terraform

Status = Literal["unchanged", "changed", "unknown"]
_PLAN = ("plan", "-detailed-exitcode", "-input=false", "-lock=false", "-no-color")
_INIT = ("init", "-input=false", "-no-color")


@dataclass
class Tally:
    """How often Terraform said that nothing would change, and how often the tool said so too.

    Without the stacks that are listed as what may be unknown.
    """

    known: int = 0
    total: int = 0
    not_known: list[str] = field(default_factory=list)

    def add(self, status: Status, reasons: Sequence[str], where: str) -> None:
        self.total += 1
        self.known += status == "unchanged"
        if status != "unchanged":
            self.not_known.append(f"{where}: {status}: {'; '.join(reasons)}")


@dataclass(frozen=True)
class Failure:
    """What must not be: `kind` is the same for failures of one sort."""

    kind: Literal["unsound", "unknown", "not deployed", "no stack", "raised"]
    text: str


@dataclass(frozen=True)
class Verdict:
    """What was found in one repository; `recipe` names the changes that were made."""

    recipe: Recipe
    failures: list[Failure]


class Quiet(Progress):
    """Keeps what a person would be told, for the text of a failure."""

    def __init__(self) -> None:
        self.lines: list[str] = []

    def say(self, stack: str, line: str, important: bool = True) -> None:
        self.lines.append(f"[{stack}] {line}")


class Workshop:
    """A built repository with the tool and plain Terraform over it."""

    def __init__(self, built: Built, terraform: Terraform) -> None:
        self.built = built
        self._terraform = terraform
        self._runs = 0

    @property
    def env(self) -> dict[str, str]:
        """The environment that the user has by now."""
        return self.built.tree.env

    def terraform(self) -> Terraform:
        return replace(self._terraform, env={**self._terraform.env, **self.env})

    def records(self) -> Records:
        """Records that have read nothing yet."""
        return Records(Repository(self.built.tree.root), self.terraform())

    @contextmanager
    def as_user(self) -> Iterator[None]:
        """Has the user's environment in this process too, as the command has."""
        with mock.patch.dict(os.environ, self.env):
            yield

    def deploy(self, *names: str) -> tuple[list[Result], list[str]]:
        """Applies the stacks `names`, all by default, with the tool's engine."""
        records, quiet = self.records(), Quiet()
        stacks = [s for s in records.stacks if not names or s.name in names]
        self._runs += 1
        logs = self.built.tree.root.parent / "logs" / str(self._runs)
        logs.mkdir(parents=True)
        run = Run(self.terraform(), records, logs, quiet, Interruption(), jobs=2, backoff=())
        return run_stacks(run, stacks), quiet.lines

    def answers(self) -> dict[str, tuple[Status, list[str]]]:
        """What the tool says of each stack, by its name."""
        records = self.records()
        return {stack.name: _answer(records, stack) for stack in records.stacks}

    def unmanaged(self) -> set[str]:
        """The names of the root modules that the tool lists as not managed."""
        return {unmanaged.stack.name for unmanaged in self.records().unmanaged}

    def plan(self, name: str) -> int:
        """The exit code of plain `terraform plan -detailed-exitcode`: 0, 1 for an error, or 2."""
        result = self.plain(name, *_PLAN)
        if result.returncode == 1 and "terraform init" in result.stdout + result.stderr:
            self.plain(name, *_INIT)
            result = self.plain(name, *_PLAN)
        return result.returncode

    def plain(self, name: str, *arguments: str) -> "subprocess.CompletedProcess[str]":
        return subprocess.run(
            [self._terraform.binary, *arguments],
            cwd=self.built.tree.root / name,
            env={**self._terraform.env, **self.env},
            capture_output=True,
            text=True,
            check=False,
        )


def judge(recipe: Recipe, folder: Path, terraform: Terraform, tally: Tally) -> Verdict:
    """Builds and deploys the repository of `recipe`, makes its changes, and judges after each.

    It ends with the first step that has a failure.
    """
    workshop = Workshop(build(recipe, folder), terraform)
    made: list[ChangeRecipe] = []
    failures = _deploy_all(workshop) or _compare(workshop, recipe, "deployed", tally)
    for change in recipe.changes:
        found = workshop.built.change(change)
        if failures:
            break
        if found is None:
            continue
        name, work = found
        if made:  # so that what an earlier change has made known does not hide this one
            _deploy_again(workshop)
        try:
            work()
        except FileNotFoundError:  # an earlier change has deleted it
            continue
        made.append(replace(change, pick=name))
        if name.startswith("deploy"):
            with workshop.as_user():
                workshop.deploy(change.stack)
        failures = _compare(workshop, recipe, f"{change.stack}, {name}", tally)
    return Verdict(replace(recipe, changes=tuple(made)), failures)


def _deploy_all(workshop: Workshop) -> list[Failure]:
    try:
        with workshop.as_user():
            unknown = {stack.name for stack in workshop.records().stacks if stack.may_read_any}
            results, lines = workshop.deploy()
            failed = {result.stack for result in results if result.outcome != "applied"}
            if failed and failed < unknown:
                # Among stacks that may read any other nothing tells an order: a second run goes on.
                again, lines = workshop.deploy(*failed)
                results = [*(r for r in results if r.stack not in failed), *again]
    except Exception as error:  # whatever the tool raises: plain Terraform would go on
        return [Failure("raised", f"deploy: {_shown(error)}")]
    listed = {result.stack for result in results} | workshop.unmanaged()
    missing = set(workshop.built.names) - listed
    return [
        *(Failure("no stack", f"{name} is not listed") for name in sorted(missing)),
        *(
            Failure("not deployed", "\n  ".join([f"{r.stack} {r.outcome}: {r.detail}", *lines]))
            for r in results
            if r.outcome != "applied"
        ),
    ]


def _deploy_again(workshop: Workshop) -> None:
    """Deploys what has changed; a stack whose file was deleted cannot be."""
    with workshop.as_user():
        workshop.deploy()


def _compare(workshop: Workshop, recipe: Recipe, when: str, tally: Tally) -> list[Failure]:
    """Asks the tool of each stack, then plain Terraform, which knows."""
    try:
        with workshop.as_user():
            answers = workshop.answers()
    except Exception as error:
        return [Failure("raised", f"{when}: {_shown(error)}")]
    with ThreadPoolExecutor(2) as pool:
        codes = dict(zip(answers, pool.map(workshop.plan, answers), strict=True))
    failures = []
    for name, (status, reasons) in answers.items():
        code = codes[name]
        if code == 0 and not recipe.may_be_unknown(name):
            tally.add(status, reasons, f"{name} ({when})")
        elif code and status == "unchanged":
            text = f"{name} is unchanged ({when}), and plain terraform plan exits with {code}"
            failures.append(Failure("unsound", text))
        if status == "unknown" and not recipe.may_be_unknown(name):
            text = f"{name} is unknown ({when}), and nothing in it is listed: {reasons}"
            failures.append(Failure("unknown", text))
    return failures


def _answer(records: Records, stack: Stack) -> tuple[Status, list[str]]:
    reasons = records.reasons_to_apply(stack)
    if not reasons:
        return "unchanged", reasons
    is_unknown = records.place(stack) is None or any(r.startswith("unknown") for r in reasons)
    return ("unknown" if is_unknown else "changed"), reasons


def _shown(error: Exception) -> str:
    if isinstance(error, UserError):
        return str(error)
    return "".join(traceback.format_exception(error))
