"""How a run works on stacks, and what becomes of each."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Literal

from tools.console.progress import Progress
from tools.engine.plans import Plan
from tools.engine.records import Records
from tools.layout.stack import Stack
from tools.system.signals import Interruption
from tools.terraform.binary import Terraform

Outcome = Literal[
    "applied",
    "unchanged",
    "destroyed",
    "failed",
    "interrupted",
    "not run",
    "changed",
    "waiting",
]
INTERRUPTED: Outcome = "interrupted"
# Outcomes after which the stack is still to be worked on, by the same command.
UNFINISHED: tuple[Outcome, ...] = ("failed", INTERRUPTED, "not run")

NOTHING_DEPLOYED = "nothing is deployed"


@dataclass(frozen=True)
class Result:
    """What became of one stack; `detail` says why if it failed or was not run.

    `changes` counts resources by "add", "change" and "remove", and by what else a program counts,
    such as "import". `losses` are the changes with which a user's data goes, such as "replace
    aws_sagemaker_notebook_instance.this".
    """

    stack: str
    outcome: Outcome
    seconds: float = 0.0
    detail: str = ""
    changes: Mapping[str, int] = field(default_factory=dict)
    losses: Sequence[str] = ()

    @property
    def is_unfinished(self) -> bool:
        """Whether the stack is still to be worked on."""
        return self.outcome in UNFINISHED


@dataclass(frozen=True)
class Run:
    """How stacks are planned, applied or destroyed.

    Each stack's full output goes to files in `logs`. At most `jobs` stacks are worked on at once,
    and at most `more` others have come so far that they wait for AWS.
    `option` is what a command in a message needs to reach the same target, such as " --local", and
    `region` the one of resources whose stack names none.
    `refresh` plans unchanged stacks too; `force` runs init on them besides. `saved` are the plans
    that a person has seen, by stack; with `exactly` only those are applied. A transient error is
    tried again after each of `backoff`, in seconds. `blocked` are stacks that are not run, each
    with the stack that it reads and that failed in an earlier wave. `gone` returns why nothing more
    can succeed, such as a local cloud that has ended, or an empty string. With `expects_waiting`
    the errors of plans are left to whoever finds out which of them end with a deployment upstream.
    Without `locks` a plan locks no state.
    """

    terraform: Terraform
    records: Records
    logs: Path
    progress: Progress
    interruption: Interruption
    jobs: int
    destroy: bool = False
    fail_fast: bool = False
    refresh: bool = False
    force: bool = False
    allow_destroy: bool = False
    saved: Mapping[str, Plan] = field(default_factory=dict)
    exactly: bool = False
    option: str = ""
    backoff: Sequence[float] = (5, 15, 45)
    gone: Callable[[], str] = str
    region: str = ""
    blocked: Mapping[str, str] = field(default_factory=dict)
    expects_waiting: bool = False
    locks: bool = True
    more: int = 0

    def log(self, logged_stack: Stack, verb: str) -> Path:
        """The file for what Terraform prints when it works on `logged_stack`."""
        return self.logs / f"{logged_stack.name.replace('/', '.')}.{verb}.log"
