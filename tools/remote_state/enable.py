"""Every stack's state into the bucket, or back: one by one, each verified; a second run goes on."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from functools import partial

import click

from tools.aws import s3
from tools.aws.model import check_bucket
from tools.console import table
from tools.context import Target
from tools.engine.preparation import finish_earlier_run
from tools.engine.run import Run
from tools.errors import UserError
from tools.hcl import reading, writing
from tools.layout.repository import COMMON, PREFIX, Repository
from tools.layout.stack import Stack, configuration
from tools.layout.variables import VALUES
from tools.remote_state import transfer
from tools.remote_state.bucket import check
from tools.runs.session import Session
from tools.state import backend
from tools.state.backend import ROOT, Backend
from tools.state.file import State, is_whole
from tools.state.place import (
    ERRORED,
    STATE,
    UNVERIFIED,
    BucketPlace,
    LocalPlace,
    Objects,
    locate,
    no_objects,
)
from tools.system import files


@dataclass(frozen=True)
class Wanted:
    """What `tools state enable` was asked for; None takes what is set, or the default."""

    bucket: str | None = None
    prefix: str | None = None
    locking: backend.Locking | None = None
    allow_unversioned: bool = False


@dataclass(frozen=True)
class _Step:
    """What is to be done with one stack, from where to where its state goes, if there is one."""

    stack: Stack
    what: str
    source: LocalPlace | BucketPlace | None
    target: LocalPlace | BucketPlace


def settings(wanted: Wanted, target: Target) -> Backend:
    """The backend that is `wanted`. Raises UserError where no bucket is known."""
    repository = target.repository
    known = backend.of(repository)
    name = wanted.bucket or (known.bucket if known else None) or _made(repository)
    if not name:
        raise UserError(
            "no bucket is known; name one with --bucket, or make it: "
            f"tools state bootstrap{target.option} --bucket NAME"
        )
    check_bucket("--bucket", name)
    same = known if known and known.bucket == name else None
    default = backend.default_locking(target.terraform.version)
    locking = wanted.locking or (same.locking if same and _is_begun(repository) else default)
    prefix = wanted.prefix or repository.common().get("state_prefix")
    prefix = str(prefix or _made_prefix(repository) or PREFIX)
    return Backend(name, target.region, locking, prefix, same.table if same else backend.TABLE)


def settings_of_root(wanted: Wanted, target: Target) -> Backend:
    """As `settings`, for the bucket's own root, whose state stays where it is.

    Raises UserError where another prefix is `wanted` for it.
    """
    made = _made_prefix(target.repository)
    if made and wanted.prefix not in (None, made):
        raise UserError(
            f"--prefix {wanted.prefix}: the state of {ROOT} lies below {made}, and stays there; "
            "tools state enable takes another prefix for the stacks"
        )
    found = settings(replace(wanted, prefix=wanted.prefix or made), target)
    return replace(found, table=backend.TABLE)


def _made_prefix(repository: Repository) -> str | None:
    """The prefix below which bootstrap keeps its own state, if it has a backend."""
    place = locate(Stack(repository.root, ROOT), no_objects)
    ending = f"/{ROOT}/{STATE}"
    if isinstance(place, BucketPlace) and place.key.endswith(ending):
        return place.key.removesuffix(ending)
    return None


def _made(repository: Repository) -> str | None:
    """The bucket that bootstrap has made."""
    bucket = reading.tfvars_value(repository.root / ROOT / VALUES, "bucket")
    return str(bucket) if bucket else None


def _is_begun(repository: Repository) -> bool:
    return any((stack.path / backend.FILE).is_file() for stack in repository.stacks())


def enable(session: Session, wanted: Wanted) -> None:
    """Moves every stack's state into the bucket, after one question.

    Raises UserError, before anything is written, where the bucket is not fit, or where a key holds
    another state; later, where a stack failed: those before it have been moved. Exits with 130
    where it was interrupted.
    """
    target, known = session.target, session.records
    there = settings(wanted, target)
    check(there, target.endpoint, wanted.allow_unversioned)
    _refuse_fixed_prefix(there, known.stacks)
    objects = partial(s3.Objects, endpoint=target.endpoint)
    steps = [_into(stack, there, objects, target.option) for stack in known.stacks]
    common: dict[str, reading.Value] = {"state_bucket": there.bucket}
    if there.prefix != target.repository.common().get("state_prefix", PREFIX):
        common["state_prefix"] = there.prefix
    _announce(f"Keep the states in s3://{there.bucket}/{there.prefix} ({session.account}):", steps)
    if _run(session, steps, common, partial(_enable_one, there=there)):
        commit = "" if target.endpoint else f", then commit {COMMON} and every {backend.FILE}"
        click.echo(f"next: tools plan{target.option} (nothing changes){commit}", err=True)


def disable(session: Session) -> None:
    """Moves every stack's state into its folder, after one question; raises and exits as `enable`.

    What is in the bucket stays there.
    """
    target, known = session.target, session.records
    objects = partial(s3.Objects, endpoint=target.endpoint)
    steps = [_out_of(stack, objects, target.option) for stack in known.stacks]
    common: dict[str, reading.Value] = {}
    if target.repository.common().get("state_bucket"):
        common["state_bucket"] = None
    _announce(f"Keep each state in its stack's folder, on this machine ({session.account}):", steps)
    if _run(session, steps, common, _disable_one):
        click.echo(
            f"the bucket keeps copies, which nobody updates: commit {COMMON} and that every "
            f"{backend.FILE} has gone, before anybody else applies",
            err=True,
        )


def _run(
    session: Session,
    steps: Sequence[_Step],
    common: dict[str, reading.Value],
    one: Callable[[Run, _Step], str],
) -> bool:
    """Whether there was something to do, and it is done."""
    target, known = session.target, session.records
    known.prefetch(known.stacks)
    known.refuse_copies(known.stacks)
    for stack in known.stacks:
        errored = stack.path / ERRORED
        if errored.exists() and not is_whole(errored):
            raise UserError(f"{errored} is cut short, as on a full disk: rm {errored}")
    ahead = [step for step in steps if step.what]
    values = {name: value for name, value in common.items() if _is_new(target, name, value)}
    if not ahead and not values:
        click.echo("nothing to do: it is so already", err=True)
        return False
    session.confirm("Go on?")
    path = target.repository.root / COMMON
    # First, so that a run that is cut short is seen by every other command, and goes on.
    files.write(path, writing.assign(path.read_text(), values))
    with session.runner().begin(len(ahead)) as run:
        for step in ahead:
            if run.interruption.count:
                break
            try:
                finish_earlier_run(run, step.stack)
                run.progress.say(step.stack.name, one(run, step))
            except UserError as error:
                if run.interruption.count:
                    break
                raise UserError(f"{step.stack.name}: {error}; run it again to go on") from None
        else:
            return True
    click.echo("interrupted; run it again to go on", err=True)
    raise click.exceptions.Exit(130)


def _is_new(target: Target, name: str, value: reading.Value) -> bool:
    return target.repository.common().get(name) != value


def _announce(what: str, steps: Sequence[_Step]) -> None:
    click.echo(what, err=True)
    rows = ((step.stack.name, step.what or "is there") for step in steps)
    table.show(rows, indent="  ", err=True)


def _refuse_fixed_prefix(there: Backend, stacks: Sequence[Stack]) -> None:
    if there.prefix == PREFIX:
        return
    for stack in stacks:
        text = "".join(file.read_text(errors="replace") for file in configuration(stack.path))
        if "terraform_remote_state" in text and "var.state_prefix" not in text:
            raise UserError(
                f"{stack.name} reads states below {PREFIX}/ whatever the prefix is: have "
                "its upstream.tf and variables.tf take state_prefix, as those of shared-infra/iam"
            )


def _into(stack: Stack, there: Backend, objects: Objects, option: str) -> _Step:
    """What brings the state of `stack` into the bucket `there`."""
    file = transfer.backend_file(stack)
    target = there.place(stack.name, objects)
    local = LocalPlace(stack.path / STATE)
    now = _place(stack, objects)
    # Without a backend.tf: `tools state disable` was cut short.
    found = now if isinstance(now, BucketPlace) else transfer.saved_backend(stack, objects)
    if found and (found.bucket, found.key) != (target.bucket, target.key):
        raise UserError(
            f"{stack.name} keeps its state in {found}, not in {target}: bring it back first: "
            f"tools state disable{option}"
        )
    transfer.refuse_lock(now, stack, option)
    own = local.read()
    if not own and (aside := local.read(UNVERIFIED)):
        if isinstance(now, BucketPlace) and _has_gone_on(now, aside):
            what = "keeps its state, which has changed since it was moved"
            return _Step(stack, what, None, target)
        own = aside
    if own:
        state = State.parse(own, str(local), local.mend)
        transfer.refuse_conflict(own, target.read(), target)
        what = f"moves its state (serial {state.serial}, {len(state.resources)} resources)"
        return _Step(stack, what, local, target)
    if not found:
        transfer.refuse_conflict(None, target.read(), target)
    same = file.is_file() and file.read_text() == _text(stack, there)
    return _Step(stack, "" if same else f"gets its {backend.FILE}", None, target)


def _has_gone_on(place: BucketPlace, own: bytes) -> bool:
    """Whether the state in the bucket is a later one than the copy that was moved there."""
    there = place.read()
    if not there:
        return False
    found, before = State.parse(there, str(place), place.mend), State.parse(own, "the state here")
    return found.lineage == before.lineage and found.serial > before.serial


def _text(stack: Stack, there: Backend) -> str:
    """The backend.tf of `stack`: one that says more than ours stays."""
    file = stack.path / backend.FILE
    found = reading.backend(file) if file.is_file() else None
    return file.read_text() if found and there.leaves_out(found[1]) else there.text(stack.name)


def _enable_one(run: Run, step: _Step, there: Backend) -> str:
    text = _text(step.stack, there)
    if isinstance(step.source, LocalPlace):
        transfer.take_back(step.source)
        return transfer.move(run, step.stack, step.source, step.target, text)
    transfer.settle(LocalPlace(step.stack.path / STATE))
    if isinstance(step.target, BucketPlace):
        transfer.forget_checksum(step.target)
    transfer.switch(run, step.stack, text)
    return f"{backend.FILE} written"


def _out_of(stack: Stack, objects: Objects, option: str) -> _Step:
    """What brings the state of `stack` into its folder."""
    local = LocalPlace(stack.path / STATE)
    now = _place(stack, objects)
    source = now if isinstance(now, BucketPlace) else transfer.saved_backend(stack, objects)
    if source is None:
        return _Step(stack, "", None, local)
    transfer.backend_file(stack)
    transfer.refuse_lock(source, stack, option)
    there = source.read()
    if there:
        state = State.parse(there, str(source), source.mend)
        transfer.refuse_conflict(there, local.read(), local)
        what = f"moves its state (serial {state.serial}, {len(state.resources)} resources)"
        return _Step(stack, what, source, local)
    return _Step(stack, f"loses its {backend.FILE}", None, local)


def _disable_one(run: Run, step: _Step) -> str:
    if step.source:
        return transfer.move(run, step.stack, step.source, step.target, None)
    transfer.switch(run, step.stack, None)
    return f"{backend.FILE} taken away"


def _place(stack: Stack, objects: Objects) -> LocalPlace | BucketPlace:
    found = locate(stack, objects)
    if isinstance(found, LocalPlace | BucketPlace):
        return found
    raise UserError(
        f"{stack.name}: its files do not say where its state lies (a workspace, an override, "
        "another kind of backend); move it by hand: terraform init -migrate-state"
    )
