"""Creates the bucket for the states, by a root module whose state is moved into the bucket."""

import tempfile
from dataclasses import replace
from pathlib import Path

from tools.aws import s3
from tools.console.messages import say
from tools.context import Target
from tools.engine import explain
from tools.engine.plans import PlanReader
from tools.engine.preparation import prepare
from tools.engine.run import Run
from tools.errors import UserError
from tools.hcl import writing
from tools.hcl.reading import VALUES, Value, read_tfvars
from tools.layout.stack import Stack
from tools.localcloud import workspace
from tools.remote_state import transfer
from tools.runs.options import Options
from tools.runs.session import Session
from tools.state import backend
from tools.state.backend import ROOT, Backend
from tools.state.file import State
from tools.state.place import STATE, LocalPlace
from tools.system import files

_LOSSES = ("destroy", "replace", "unknown")  # actions that bootstrap does not carry out


def create_bucket(session: Session, settings: Backend) -> None:
    """Creates the bucket, and the lock table if `settings` has one, after one question.

    Changes nothing if they are there as they should be. Raises UserError, before anything is
    written, for a bucket that this root module has not created.
    """
    target = session.target
    stack = _find_root(target)
    objects = s3.in_regions_of(target.endpoint)
    backend_file, local = stack.path / backend.FILE, LocalPlace(stack.path / STATE)
    place, backend_text = settings.place(stack.name, objects), settings.text(stack.name)
    _check_name(stack, settings)
    state = local.read() or _read_state_in_bucket(
        settings, objects(settings.region), target.option, target.terraform.program
    )
    values = _complete_values(stack, settings, state)
    is_new = values != _read_values(stack)
    if is_new:
        table = f" and lock table {backend.TABLE}" if settings.has_table else ""
        session.confirm(f"Create the state bucket {settings.bucket}{table} in {session.account}?")
        # One question for all of it: the plan shows what was asked about.
        session = replace(session, options=Options(yes=True))
        files.write(stack.path / VALUES, writing.assign(_read_values_text(stack), values))
        if target.endpoint:
            workspace.keep_values(stack.path)
    if state and not backend_file.is_file() and not local.read():  # created by another checkout
        files.write(backend_file, backend_text)
    with tempfile.TemporaryDirectory(prefix="plans-") as folder:
        plan_file = Path(folder) / "plan"
        with session.runner().resume(1) as run:
            prepare(run, stack)
            has_changes = _plan(run, stack, plan_file)
        if has_changes:
            # Not within a run, which counts Ctrl-C and draws over the question.
            session.confirm("Apply these changes?")
        with session.runner().resume(1) as run:
            if has_changes:
                _apply(run, stack, plan_file)
            is_moved = bool(local.read())
            if is_moved:
                transfer.refuse_conflict(local.read(), place.read(), place)
                moved = transfer.move(run, stack, local, place, backend_text)
                run.progress.say(stack.name, moved)
            elif is_new and backend_file.read_text() != backend_text:
                # Only now: the lock table that it names may not have existed before the apply.
                transfer.forget_checksum(place)
                transfer.switch(run, stack, backend_text)
    is_done = not (has_changes or is_moved)
    say("nothing to do: bucket and settings are up to date" if is_done else "created")
    say(f"next: tools state enable{target.option} --bucket {settings.bucket}")


def _find_root(target: Target) -> Stack:
    stack = Stack(target.repository.root, ROOT)
    if not stack.path.is_dir():
        raise UserError(f"{stack.path} is missing: it is the root module that creates the bucket")
    return stack


def _check_name(stack: Stack, settings: Backend) -> None:
    name = _read_values(stack).get("bucket", settings.bucket)
    if name != settings.bucket:
        raise UserError(
            f"{stack.path / VALUES} names the bucket {name}, not {settings.bucket}: a repository "
            "has one bucket for its states"
        )


def _complete_values(stack: Stack, settings: Backend, state: bytes | None) -> dict[str, Value]:
    """Returns what the root module's terraform.tfvars has to say; `state` is its state, if any."""
    values = _read_values(stack)
    types = State.parse(state, f"the state of {stack.name}").types if state else ()
    # An existing table stays: others may lock with it.
    has_table = settings.has_table or values.get("lock_table") or "aws_dynamodb_table" in types
    return {**values, "bucket": settings.bucket, **({"lock_table": True} if has_table else {})}


def _read_values(stack: Stack) -> dict[str, Value]:
    path = stack.path / VALUES
    return read_tfvars(path) if path.is_file() else {}


def _read_values_text(stack: Stack) -> str:
    path = stack.path / VALUES
    return path.read_text() if path.is_file() else "# Made by `tools state bootstrap`.\n\n"


def _read_state_in_bucket(
    settings: Backend, objects: s3.Objects, option: str, program: str
) -> bytes | None:
    """Returns the root module's state, if another checkout has created the bucket.

    None if there is no bucket. Raises UserError if the bucket was created in another way.
    """
    if objects.bucket(settings.bucket) is None:
        return None
    if state := objects.get(settings.bucket, settings.key(ROOT)):
        return state
    raise UserError(
        f"bucket {settings.bucket} exists, and bootstrap has not created it. To use it as it is: "
        f"tools state enable{option} --bucket {settings.bucket}. If an earlier bootstrap died "
        f"while it created the bucket: {program} -chdir={ROOT} import "
        f"-var bucket={settings.bucket} aws_s3_bucket.states {settings.bucket}"
    )


def _plan(run: Run, stack: Stack, plan_file: Path) -> bool:
    """Plans the root module into `plan_file`, shows the changes, and returns whether there are any.

    Raises UserError for a plan with which data would be lost.
    """
    reading = PlanReader(lambda event: None)
    run.progress.step(stack.name, f"{run.terraform.program} plan")
    log = run.log(stack, "plan")
    if not run.terraform.plan(stack.path, log, reading, run.interruption, plan_file):
        return False
    losses = [change for change in reading.changes if change.action in _LOSSES]
    if losses:
        complaint = explain.describe_losses(losses, "Make such a change by hand")
        raise UserError(f"{stack.name} {complaint}")
    for change in reading.changes:
        run.progress.say(stack.name, str(change))
    return True


def _apply(run: Run, stack: Stack, plan_file: Path) -> None:
    run.progress.step(stack.name, f"{run.terraform.program} apply")
    log = run.log(stack, "apply")
    run.terraform.apply(stack.path, log, lambda event: None, run.interruption, plan=plan_file)
