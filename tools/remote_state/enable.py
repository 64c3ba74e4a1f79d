"""Moves every stack's state into the bucket, or back; a second run continues."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from functools import partial
from pathlib import Path

from tools.aws import s3
from tools.console import table
from tools.console.messages import say
from tools.console.table import Column
from tools.engine.preparation import finish_earlier_run
from tools.engine.run import Run
from tools.errors import UserError
from tools.hcl import writing
from tools.hcl.reading import Value
from tools.layout.repository import COMMON, PREFIX
from tools.layout.stack import Stack
from tools.remote_state import transfer
from tools.remote_state.bucket import check_state_bucket
from tools.remote_state.fixed_reads import refuse_fixed_reads
from tools.remote_state.settings import BackendRequest, stack_settings
from tools.runs.session import Session
from tools.state.backend import FILE, Backend
from tools.state.file import State, is_whole
from tools.state.place import (
    CUT_SHORT,
    ERRORED,
    STATE,
    UNVERIFIED,
    BucketPlace,
    LocalPlace,
    Objects,
    Place,
    locate,
)
from tools.system import files


@dataclass(frozen=True)
class _Step:
    """What is to be done with a stack; its state moves from `source`, if any, to `destination`."""

    stack: Stack
    action: str
    source: Place | None
    destination: Place


def enable_states(session: Session, request: BackendRequest) -> None:
    """Moves every stack's state into the bucket, after one question.

    Raises UserError, before anything is written, if the bucket cannot hold states or a key holds
    another state; and later, if a stack fails: the stacks before it have been moved. Exits with 130
    if it was interrupted.
    """
    target, stacks = session.target, session.records.stacks
    settings = stack_settings(request, target)
    check_state_bucket(settings, target, request.allow_unversioned)
    objects = s3.in_regions_of(target.endpoint)
    steps = [_step_into_bucket(stack, settings, objects, target.option) for stack in stacks]
    values: dict[str, Value] = {"state_bucket": settings.bucket}
    if settings.prefix != target.repository.common().get("state_prefix", PREFIX):
        values["state_prefix"] = settings.prefix
    title = f"s3://{settings.bucket}/{settings.prefix}"
    _announce(f"Keep the states in {title} ({session.account}):", steps)
    if _move_states(session, steps, values, partial(_enable_stack, settings=settings)):
        commit = "" if target.endpoint else f", then commit {COMMON} and every {FILE}"
        say(f"next: tools plan{target.option} (nothing changes){commit}")


def disable_states(session: Session) -> None:
    """Moves every stack's state into its folder, after one question.

    Raises and exits as `enable_states`. The bucket keeps copies.
    """
    target = session.target
    objects = s3.in_regions_of(target.endpoint)
    steps = [_step_to_folder(stack, objects, target.option) for stack in session.records.stacks]
    is_set = target.repository.common().get("state_bucket")
    _announce(f"Keep each state in its stack's folder, on this machine ({session.account}):", steps)
    if _move_states(session, steps, {"state_bucket": None} if is_set else {}, _disable_stack):
        say(
            "the bucket keeps copies, which nothing updates. Before anybody else applies, commit "
            f"{COMMON} and the removal of every {FILE}"
        )


def _move_states(
    session: Session,
    steps: Sequence[_Step],
    values: dict[str, Value],
    carry_out: Callable[[Run, _Step], str],
) -> bool:
    """Sets `values` for all stacks and carries out the steps. Returns False if all is done already.

    Raises UserError if a stack failed; exits with 130 if it was interrupted.
    """
    repository, records = session.target.repository, session.records
    records.prefetch(records.stacks)
    records.refuse_copies(records.stacks)
    for stack in records.stacks:
        errored = stack.path / ERRORED
        if errored.exists() and not is_whole(errored):
            aside = f"{errored}{CUT_SHORT}"
            raise UserError(
                f"{errored} is cut short, as on a full disk; to go on without: mv {errored} {aside}"
            )
    remaining = [step for step in steps if step.action]
    common = repository.common()
    values = {name: value for name, value in values.items() if common.get(name) != value}
    if not remaining and not values:
        say("nothing to do")
        return False
    path = repository.root / COMMON
    destinations = {step.stack.name: step.destination.address for step in steps}
    refuse_fixed_reads(repository, _filled_in(path, values), destinations)
    session.confirm("Continue?")
    # First, so that every other command sees a run that was interrupted, and refuses.
    files.write(path, _filled_in(path, values))
    with session.runner().resume(len(remaining)) as run:
        for step in remaining:
            if run.interruption.count:
                break
            try:
                finish_earlier_run(run, step.stack)
                run.progress.say(step.stack.name, carry_out(run, step))
            except UserError as error:
                raise UserError(
                    f"{step.stack.name}: {error}; run the command again to continue"
                ) from None
    return True


def _filled_in(path: Path, values: Mapping[str, Value]) -> str:
    """Returns the text of a .tfvars file with these values; None takes a value away."""
    return writing.fill_in(path.read_text() if path.is_file() else "", values)


def _announce(title: str, steps: Sequence[_Step]) -> None:
    say(title)
    rows = ((step.stack.name, step.action or "is there already") for step in steps)
    table.show(rows, ("Stack", Column("Action", note=True)), indent="  ", err=True)


def _step_into_bucket(stack: Stack, settings: Backend, objects: Objects, option: str) -> _Step:
    file = transfer.find_backend_file(stack)
    bucket_place = settings.place(stack.name, objects)
    local = LocalPlace(stack.path / STATE)
    current = transfer.require_place(stack, locate(stack, objects))
    # An interrupted `tools state disable` leaves a stack without a backend.tf.
    in_bucket = (
        current if isinstance(current, BucketPlace) else transfer.saved_backend(stack, objects)
    )
    if in_bucket and (in_bucket.bucket, in_bucket.key) != (bucket_place.bucket, bucket_place.key):
        raise UserError(
            f"{stack.name} keeps its state in {in_bucket}, not in {bucket_place}; move it back "
            f"first: tools state disable{option}"
        )
    transfer.refuse_lock(current, stack, option)
    content = local.read()
    if not content and (unverified := local.read(UNVERIFIED)):
        if isinstance(current, BucketPlace) and _has_changed_since(current, unverified):
            return _Step(
                stack, "keeps its state, which changed after it was moved", None, bucket_place
            )
        content = unverified
    if content:
        state = State.parse(content, str(local), local.mend)
        transfer.refuse_conflict(content, bucket_place.read(), bucket_place)
        return _Step(stack, f"moves its state ({transfer.describe(state)})", local, bucket_place)
    if not in_bucket:
        transfer.refuse_conflict(None, bucket_place.read(), bucket_place)
    is_same = file.is_file() and file.read_text() == transfer.backend_text(settings, stack)
    return _Step(stack, "" if is_same else f"gets its {FILE}", None, bucket_place)


def _has_changed_since(bucket_place: BucketPlace, moved: bytes) -> bool:
    """Returns whether the state in the bucket is newer than the copy that was moved there."""
    content = bucket_place.read()
    if not content:
        return False
    state_now = State.parse(content, str(bucket_place), bucket_place.mend)
    state_before = State.parse(moved, "the state here")
    return state_now.lineage == state_before.lineage and state_now.serial > state_before.serial


def _enable_stack(run: Run, step: _Step, settings: Backend) -> str:
    text = transfer.backend_text(settings, step.stack)
    if isinstance(step.source, LocalPlace):
        transfer.take_back(step.source)
        return transfer.move(run, step.stack, step.source, step.destination, text)
    transfer.keep_as_backup(LocalPlace(step.stack.path / STATE))
    if isinstance(step.destination, BucketPlace):
        transfer.forget_checksum(step.destination)
    transfer.switch(run, step.stack, text)
    return f"{FILE} written"


def _step_to_folder(stack: Stack, objects: Objects, option: str) -> _Step:
    local = LocalPlace(stack.path / STATE)
    current = transfer.require_place(stack, locate(stack, objects))
    source = current if isinstance(current, BucketPlace) else transfer.saved_backend(stack, objects)
    if source is None:
        return _Step(stack, "", None, current)
    transfer.find_backend_file(stack)
    transfer.refuse_lock(source, stack, option)
    content = source.read()
    if not content:
        return _Step(stack, f"loses its {FILE}", None, local)
    state = State.parse(content, str(source), source.mend)
    transfer.refuse_conflict(content, local.read(), local)
    return _Step(stack, f"moves its state ({transfer.describe(state)})", source, local)


def _disable_stack(run: Run, step: _Step) -> str:
    if step.source:
        return transfer.move(run, step.stack, step.source, step.destination, None)
    transfer.switch(run, step.stack, None)
    return f"{FILE} removed"
