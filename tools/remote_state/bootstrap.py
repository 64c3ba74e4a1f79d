"""The bucket that holds the states, made by a root of its own whose state ends up in it."""

import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import replace
from functools import partial
from pathlib import Path

import click

from tools.aws import s3
from tools.context import Target
from tools.engine import explain
from tools.engine.plans import PlanReader
from tools.engine.preparation import prepare
from tools.engine.run import Run
from tools.errors import UserError
from tools.hcl import writing
from tools.hcl.reading import Value, read_tfvars
from tools.layout.stack import Stack
from tools.layout.variables import VALUES
from tools.localcloud import workspace
from tools.remote_state import transfer
from tools.runs.options import Options
from tools.runs.session import Session
from tools.state import backend
from tools.state.backend import ROOT, Backend
from tools.state.file import State
from tools.state.place import STATE, LocalPlace
from tools.system import files


def stack_of(target: Target) -> Stack:
    """The root. Raises UserError where the repository has none."""
    stack = Stack(target.repository.root, ROOT)
    if not stack.path.is_dir():
        raise UserError(f"{stack.path} is missing: it is the root that makes the bucket")
    return stack


def make(session: Session, there: Backend) -> None:
    """Makes the bucket, and the lock table where `there` has one, after one question.

    Where they are as they should be, nothing changes. Raises UserError, before anything is
    written, for a bucket that this root has not made.
    """
    target = session.target
    stack = stack_of(target)
    objects = partial(s3.Objects, endpoint=target.endpoint)
    own, local = stack.path / backend.FILE, LocalPlace(stack.path / STATE)
    _check_name(stack, there)
    held = local.read() or _in_bucket(there, objects(there.region), target.option)
    values = _values(stack, there, held)
    table = f" and lock table {backend.TABLE}" if there.has_table else ""
    asked = values != _read(stack)
    if asked:
        question = f"Make the state bucket {there.bucket}{table} in {session.account}?"
        session.confirm(question)
        # Agreed to for the whole of it: what the plan then shows is what was asked about.
        session = replace(session, options=Options(yes=True))
        files.write(stack.path / VALUES, writing.assign(_text(stack), values))
        if target.endpoint:
            workspace.keep_values(stack.path)
    if held and not own.is_file() and not local.read():  # of another checkout
        files.write(own, there.text(stack.name))
    with session.runner().begin(1) as run, _going_on(run):
        prepare(run, stack)
        changed = _apply(session, run, stack)
        if local.read():
            place = there.place(stack.name, objects)
            transfer.refuse_conflict(local.read(), place.read(), place)
            said = transfer.move(run, stack, local, place, there.text(stack.name))
            run.progress.say(stack.name, said)
            changed = True
        elif asked and own.read_text() != there.text(stack.name):
            # Only now: until here there was perhaps no table to lock with.
            transfer.forget_checksum(there.place(stack.name, objects))
            transfer.switch(run, stack, there.text(stack.name))
    click.echo("made" if changed else "nothing to do: it is as it should be", err=True)
    click.echo(f"next: tools state enable{target.option} --bucket {there.bucket}", err=True)


@contextmanager
def _going_on(run: Run) -> Iterator[None]:
    """What an interruption makes fail is said to be one."""
    try:
        yield
    except UserError:
        if not run.interruption.count:
            raise
    if run.interruption.count:
        click.echo("interrupted; run it again to go on", err=True)
        raise click.exceptions.Exit(130)


def _check_name(stack: Stack, there: Backend) -> None:
    name = _read(stack).get("bucket", there.bucket)
    if name != there.bucket:
        raise UserError(
            f"{stack.path / VALUES} names the bucket {name}, not {there.bucket}: a repository has "
            "one bucket for its states"
        )


def _values(stack: Stack, there: Backend, held: bytes | None) -> dict[str, Value]:
    """What the root's terraform.tfvars is to say; `held` is its state, as far as there is one."""
    now = _read(stack)
    made = State.parse(held, f"the state of {stack.name}").types if held else ()
    # A table that is there stays: others may lock with it.
    table = there.has_table or bool(now.get("lock_table")) or "aws_dynamodb_table" in made
    return {**now, "bucket": there.bucket, **({"lock_table": True} if table else {})}


def _read(stack: Stack) -> dict[str, Value]:
    path = stack.path / VALUES
    return read_tfvars(path) if path.is_file() else {}


def _text(stack: Stack) -> str:
    path = stack.path / VALUES
    return path.read_text() if path.is_file() else "# Made by `tools state bootstrap`.\n\n"


def _in_bucket(there: Backend, objects: s3.Objects, option: str) -> bytes | None:
    """The state of this root, where another checkout has made the bucket; None without a bucket.

    Raises UserError where the bucket was made otherwise.
    """
    if objects.bucket(there.bucket) is None:
        return None
    if held := objects.get(there.bucket, there.key(ROOT)):
        return held
    raise UserError(
        f"bucket {there.bucket} exists, and was not made from here. To keep the states in it as it "
        f"is: tools state enable{option} --bucket {there.bucket}. If an earlier bootstrap died as "
        f"it made it: terraform -chdir={ROOT} import -var bucket={there.bucket} "
        f"aws_s3_bucket.states {there.bucket}"
    )


def _apply(session: Session, run: Run, stack: Stack) -> bool:
    """Whether anything was to be changed, and is."""
    reading = PlanReader(lambda event: None)
    with tempfile.TemporaryDirectory(prefix="plans-") as folder:
        file = Path(folder) / "plan"
        run.progress.step(stack.name, "terraform plan")
        run.terraform.plan(stack.path, run.log(stack, "plan"), reading, run.interruption, file)
        if not reading.changes and not reading.outputs:
            return False
        _refuse_losses(stack, reading)
        for change in reading.changes:
            run.progress.say(stack.name, f"{change.action} {change.address}")
        session.confirm("Change these?")
        run.progress.step(stack.name, "terraform apply")
        log = run.log(stack, "apply")
        run.terraform.apply(stack.path, log, lambda event: None, run.interruption, plan=file)
    return True


def _refuse_losses(stack: Stack, reading: PlanReader) -> None:
    lost = [change for change in reading.changes if change.action in ("destroy", "replace")]
    if lost:
        raise UserError(
            f"{stack.name} {explain.describe_losses(lost, 'Make such a change by hand')}"
        )
