"""Waits for and repairs what an earlier run left behind."""

import shutil
import time
from functools import cache
from pathlib import Path

from tools.engine.init import initialize
from tools.engine.run import Run
from tools.errors import UserError
from tools.layout.stack import Stack
from tools.state.file import is_whole
from tools.state.place import ERRORED
from tools.system import processes

OWNER = "run.pid"  # beside the logs of a run: the process that it is, or was
_ROOM = 10_000_000  # bytes that must be free: for a state, and for what Terraform saves it to


def await_leftover(run: Run, stack: Stack) -> None:
    """Waits for a Terraform that an earlier run, killed since, has left at work on `stack`."""
    name = run.log(stack, "").stem
    for file in _pid_files(run.logs):
        pid = processes.noted(file) if file.name.startswith(name) else None
        if pid is None or processes.noted(file.parent / OWNER):
            continue
        run.progress.say(
            stack.name,
            f"Terraform (process {pid}) still works on it for an earlier run that was killed; "
            f"waiting for it to end (log: {file.with_suffix('.log')})",
        )
        while processes.noted(file) and not run.interruption.count:
            time.sleep(0.2)
        run.records.forget(stack)


@cache
def _pid_files(logs: Path) -> list[Path]:
    """What earlier runs noted of their Terraforms and could not take away; looked for once a run.

    `logs` is the folder of this run.
    """
    found = logs.parent.glob("*/*.pid")
    return [file for file in found if file.parent != logs and file.name != OWNER]


def recover(run: Run, stack: Stack) -> None:
    """Writes to its place the state that an earlier run could not write there, if one is left.

    Raises UserError where it is not whole.
    """
    errored = stack.path / ERRORED
    if not errored.exists():
        return
    if not is_whole(errored):
        raise UserError(
            f"{errored} is cut short, as on a full disk, and cannot be used: rm {errored}; then "
            f"deploy again, and take in what exists already: tools adopt{run.option} {stack.name}"
        )
    run.progress.say(
        stack.name, f"{ERRORED}: an earlier run could not write its state; writing it now"
    )
    run.records.state(stack)  # which sets aside one that is cut short
    initialize(run, stack)
    run.terraform.push_state(stack.path, errored)
    errored.rename(errored.with_name(f"pushed-{ERRORED}"))
    run.records.forget(stack)


def require_room(folder: Path) -> None:
    free = shutil.disk_usage(folder).free
    if free < _ROOM:
        raise UserError(
            f"only {free / 1e6:.1f} MB are free in {folder}, too little for Terraform to be sure "
            "to write its state; make room first"
        )
