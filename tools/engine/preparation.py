"""Brings a stack to where Terraform can work on it: earlier runs over, state written, init done."""

import shutil
from collections.abc import Iterator
from contextlib import suppress
from dataclasses import replace
from functools import cache
from pathlib import Path

from tools.console.progress import Progress
from tools.engine.init import initialize
from tools.engine.run import Run
from tools.errors import UserError
from tools.layout.stack import Stack
from tools.state.file import is_encrypted, is_whole
from tools.state.place import CUT_SHORT, ERRORED
from tools.system import processes
from tools.terraform.diagnostics import Diagnostic, NotAwaitedError, TerraformError

OWNER = "run.pid"  # beside the logs of a run: the process that it is, or was
MINIMUM_FREE = 10_000_000  # bytes: for a state, and for the copy that Terraform keeps of it
_POLL_SECONDS = 0.2


def prepare(run: Run, stack: Stack) -> None:
    """Finishes what an earlier run left of `stack`, and runs `terraform init` if it is needed.

    Raises UserError if the state that was left is cut short, TerraformError if Terraform fails, and
    NotAwaitedError if a person does not wait for one that an earlier run left at work.
    """
    finish_earlier_run(run, stack)
    initialize(run, stack)


def prepare_ahead(run: Run, stack: Stack) -> None:
    """Runs the `terraform init` of a stack without a record, which is sure to need it.

    Nothing is done where something is left of an earlier run. A failure is left to the stack's own
    turn: the init is run again then.
    """
    with suppress(UserError, OSError):
        is_sure = run.records.record(stack) is None
        is_left = (stack.path / ERRORED).exists() or any(_earlier_terraforms(run, stack))
        if is_sure and not is_left and not run.interruption.count and not run.gone():
            initialize(replace(run, progress=_Aside(run.progress)), stack)


class _Aside(Progress):
    """Passes on what is said. A stack that waits for its turn is at no step."""

    def __init__(self, progress: Progress) -> None:
        self._progress = progress

    def say(self, stack: str, line: str, important: bool = True) -> None:
        self._progress.say(stack, line, important)

    def warn(self, stack: str, warning: str) -> None:
        self._progress.warn(stack, warning)


def finish_earlier_run(run: Run, stack: Stack) -> None:
    """Waits for a Terraform that an earlier run left at work, then writes the state that it left.

    For what must not run init, or must look at the state before it: `prepare` does both. Raises
    as `prepare`.
    """
    await_earlier_terraform(run, stack)
    write_left_state(run, stack)


def await_earlier_terraform(run: Run, stack: Stack) -> None:
    """Waits for a Terraform that an earlier run, killed since, left at work on `stack`.

    Raises NotAwaitedError if the wait is interrupted: two at once would corrupt the state. By
    itself only for who must not write a state, such as a lock's removal: `finish_earlier_run` does
    both.
    """
    for file, pid in _earlier_terraforms(run, stack):
        at_work = (
            f"{run.terraform.product} (process {pid}) still works on it for an earlier run that "
            "was killed"
        )
        log = file.with_suffix(".log")
        run.progress.say(stack.name, f"{at_work}; waiting for it to end (log: {log})")
        while processes.noted_pid(file):
            if run.interruption.count:
                raise NotAwaitedError([Diagnostic(at_work)])
            run.interruption.sleep(_POLL_SECONDS)
        run.records.forget(stack)


def _earlier_terraforms(run: Run, stack: Stack) -> Iterator[tuple[Path, int]]:
    """Where the Terraforms at work on `stack` whose own run has ended are noted, and their ids."""
    prefix = run.log(stack, "").stem
    for file in _earlier_pid_files(run.logs):
        pid = processes.noted_pid(file) if file.name.startswith(prefix) else None
        if pid is not None and not processes.noted_pid(file.parent / OWNER):
            yield file, pid


@cache
def _earlier_pid_files(logs: Path) -> list[Path]:
    """The files in which earlier runs noted Terraforms that they did not see end.

    `logs` is the folder of this run, for which they are looked up once.
    """
    pid_files = logs.parent.glob("*/*.pid")
    return [file for file in pid_files if file.parent != logs and file.name != OWNER]


def write_left_state(run: Run, stack: Stack) -> None:
    """Writes to its place the state that an earlier run could not write there, if one is left.

    Terraform keeps such a state in errored.tfstate:
    https://developer.hashicorp.com/terraform/cli/commands/state/push
    Raises UserError if it is cut short, or encrypted.
    """
    errored = stack.path / ERRORED
    if not errored.exists():
        return
    if not is_whole(errored):
        raise UserError(
            f"{errored} is cut short, as on a full disk, and cannot be used; to go on without: "
            f"mv {errored} {errored}{CUT_SHORT}; then deploy again, and import what is "
            f"in AWS: tools adopt{run.option} {stack.name}"
        )
    run.progress.say(
        stack.name, f"{ERRORED}: an earlier run could not write its state; writing it now"
    )
    run.records.unreadable(stack)  # which sets aside one that is cut short
    initialize(run, stack)
    try:
        run.terraform.push_state(stack.path, errored)
    except TerraformError as error:
        if not is_encrypted(errored):
            raise
        # `tofu state push` takes no encrypted file, not even the one that OpenTofu has written:
        # https://github.com/opentofu/opentofu/blob/v1.12.6/internal/command/state_push.go
        raise UserError(
            f"{errored} holds a newer state than {run.records.place(stack) or 'its place'}, and is "
            f"encrypted: {error}; keep a copy of both, then put it there yourself"
        ) from None
    errored.rename(errored.with_name(f"pushed-{ERRORED}"))
    run.records.forget(stack)


def require_disk_space(folder: Path) -> None:
    """Raises UserError if the disk of `folder` is too full for Terraform to write a state."""
    free = shutil.disk_usage(folder).free
    if free < MINIMUM_FREE:
        raise UserError(
            f"only {free / 1e6:.1f} MB are free in {folder}, too little to be sure that "
            "a state can be written; make room first"
        )
