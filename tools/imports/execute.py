"""Carries a takeover out: values, directories, imports, and a plan of what has been touched."""

from collections.abc import Callable, Collection, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, replace

import click

from tools.console import table
from tools.context import Target
from tools.engine import explain, init, recovery, retry
from tools.engine.plans import Plan
from tools.engine.records import Records
from tools.engine.run import Run
from tools.errors import UserError
from tools.hcl import writing
from tools.imports import adopt, inventory, tfvars
from tools.imports.request import Adoption, Takeover
from tools.imports.tfvars import Edit
from tools.layout import graph
from tools.layout.stack import Stack
from tools.localcloud import workspace
from tools.runs import deployment, summary
from tools.runs.session import Session
from tools.scaffold import render
from tools.scaffold.notebook import Notebook
from tools.system import signals
from tools.terraform.diagnostics import TerraformError


@dataclass(frozen=True)
class Work:
    """What is left of a takeover to be done; `touched` are the stacks that it is about."""

    adoptions: tuple[Adoption, ...]
    edits: tuple[Edit, ...]
    notebooks: tuple[Notebook, ...]
    notes: tuple[str, ...]
    touched: tuple[str, ...]

    @property
    def is_done(self) -> bool:
        return not (self.adoptions or self.edits or self.notebooks)


def prepared(session: Session, takeover: Takeover) -> Work:
    """What is left to be done, so that a takeover that was interrupted goes on.

    Writes nothing. Raises UserError where anything stands in the way: an address that holds
    another resource, a resource that another address holds, a value or a directory that is
    somebody's already.
    """
    target, known = session.target, session.records
    wanted = [one.stack for one in takeover.adoptions]
    if any(known.place(stack) is None for stack in known.stacks):
        with session.runner().work(len(known.stacks)) as run:
            there = inventory.read(known, known.stacks, run)
    else:
        there = inventory.read(known, known.stacks)
    left = tuple(one for one in takeover.adoptions if not there.has(one))
    made = tuple(_missing(takeover.notebooks, target))
    new = {f"notebooks/{notebook.name}" for notebook in made}
    for name in wanted:
        if name not in {*new, *(one.name for one in known.stacks)}:
            raise UserError(f"{name} is not in this repository, so that nothing can be taken there")
    for stack in known.stacks:
        if stack.name in wanted and (other := known.other_account(stack)):
            raise UserError(
                f"{stack.name} is of account {other}, where it was applied, and this is "
                f"{known.account}; use that account's credentials"
            )
    edits = tfvars.edits(target.repository, takeover.values, bool(target.endpoint))
    touched = {*wanted, *(edit.stack.name for edit in edits)}
    return Work(left, tuple(edits), made, takeover.notes, tuple(sorted(touched)))


def _missing(notebooks: Sequence[Notebook], target: Target) -> list[Notebook]:
    """Those whose directory is not there; one that is there for another instance is refused."""
    instances = target.repository.instance_names()
    missing = [one for one in notebooks if instances.get(one.name) != one.instance_name]
    render.check_new(missing, target.repository)
    return missing


def carry_out(session: Session, takeover: Takeover) -> list[Plan]:
    """Does what is left of `takeover` after one question; the plans of the stacks touched.

    Nothing in AWS changes. What has been imported stays where something fails, and the same call
    goes on from there. Exits with 130 if interrupted; raises UserError as `prepared` does, before
    anything is written, and where Terraform fails.
    """
    return perform(session, prepared(session, takeover))


def perform(session: Session, work: Work) -> list[Plan]:
    """The second half of `carry_out`."""
    repository = session.target.repository
    if not work.is_done:
        show(work, session)
        session.confirm(question(work))
        write(session, work)
        bring_in(session.moved_to(repository), work)
    options = replace(session.options, refresh=True)
    after = replace(session.moved_to(repository), options=options)

    def planned(names: Collection[str]) -> list[Plan]:
        stacks = [stack for stack in after.records.stacks if stack.name in names]
        return deployment.plan_stacks(after, stacks)

    return excused(after.records, planned(work.touched), planned, session.target.option)


def excused(
    known: Records,
    found: Sequence[Plan],
    planned: Callable[[Collection[str]], list[Plan]],
    option: str,
) -> list[Plan]:
    """The plans, of which one that cannot be made yet is waiting instead of failed.

    That is one that reads what a stack upstream has still to make: its own plan, which comes with
    them, gives a value to an output that has none.
    """
    plans = {plan.stack: plan for plan in found}
    stacks = {stack.name: stack for stack in known.stacks}  # upstream first
    failed = [plan.stack for plan in found if plan.status == "failed"]
    above = graph.reachable(failed, graph.reads_among(known.stacks))
    if unknown := above - plans.keys():
        plans |= {plan.stack: plan for plan in planned(unknown)}
    first: dict[str, list[str]] = {}
    for stack in known.stacks:
        plan = plans.get(stack.name)
        if plan and plan.status == "failed" and (waits := _waits(known, stack, plans, first)):
            first[stack.name] = waits
            command = f"tools deploy{option} {' '.join(waits)}"
            detail = f"its plan can be made only after: {command} (now: {plan.detail})"
            plans[stack.name] = replace(plan, status="waiting", detail=detail)
    shown = {plan.stack for plan in found}.union(*first.values())
    return [plans[name] for name in stacks if name in shown]


def _waits(
    known: Records, stack: Stack, plans: Mapping[str, Plan], first: Collection[str]
) -> list[str]:
    """The stacks to be deployed before `stack` can be planned; `first` wait themselves."""
    stacks = {one.name: one for one in known.stacks}
    above = graph.reachable([stack.name], graph.reads_among(known.stacks))
    return [
        name
        for name, one in stacks.items()
        if name in above and (name in first or _makes(known, one, plans[name]))
    ]


def _makes(known: Records, stack: Stack, plan: Plan) -> bool:
    """Whether a deployment gives a value to an output that has none."""
    state = known.state(stack)
    there = state.outputs if state else {}
    return any(there.get(output) is None for output in plan.outputs)


def show(work: Work, session: Session) -> None:
    """Says what will be done, on stderr."""
    click.echo(f"Import in {session.account}:", err=True)
    rows = ((one.stack, one.address, one.identifier) for one in work.adoptions)
    table.show(rows, indent="  ", err=True)
    for notebook in work.notebooks:
        click.echo(f"New directory notebooks/{notebook.name}:", err=True)
        for line in writing.assignments(notebook.values).splitlines():
            click.echo(f"  {line}".rstrip(), err=True)
        for script in notebook.scripts:
            click.echo(f"  and {script}", err=True)
    for edit in work.edits:
        path = edit.path.relative_to(session.target.repository.root)
        for name, value in edit.values.items():
            click.echo(f"{path}: {name} = {writing.dumps(value)}", err=True)
    for note in work.notes:
        click.echo(f"note: {note}", err=True)


def question(work: Work) -> str:
    """What is asked once."""
    if not work.adoptions:
        return "Write these values?"
    count = len(work.adoptions)
    return f"Import {'this resource' if count == 1 else f'these {count} resources'}?"


def write(session: Session, work: Work) -> None:
    """Writes values and directories, all or none. Raises UserError where the disk refuses."""
    # A signal between the two would leave the one without the other.
    with signals.counted() as interrupted:
        tfvars.write(work.edits)
        try:
            interrupted.check()
            render.write(work.notebooks, session.target.repository, session.context.templates)
        except BaseException:
            tfvars.take_back(work.edits)
            raise
    for edit in work.edits if session.target.endpoint else ():
        workspace.keep_values(edit.stack.path)


def bring_in(session: Session, work: Work) -> None:
    """Imports what is left, upstream first. Raises UserError where Terraform fails."""
    wanted = {one.stack for one in work.adoptions}
    with session.runner().work(len(wanted)) as run:
        import_all(run, session.records, work)


def import_all(run: Run, known: Records, work: Work) -> None:
    """Imports what is left, until it is interrupted."""
    by_name = {stack.name: stack for stack in known.stacks}
    for stack in known.stacks:
        wanted = [one for one in work.adoptions if one.stack == stack.name]
        for upstream in known.missing_upstream(stack) if wanted else ():
            _refresh_outputs(run, by_name[upstream])
        if wanted and not run.interruption.count:
            for one in _still_missing(run, stack, wanted):
                _import(run, stack, one)


def _still_missing(run: Run, stack: Stack, wanted: Sequence[Adoption]) -> list[Adoption]:
    """What the state does not hold once a Terraform that a killed run left at work has ended."""
    with _explained(run, stack):
        recovery.await_leftover(run, stack)
        recovery.recover(run, stack)
        if not run.interruption.count:
            there = inventory.read(run.records, [stack], run)
            return [one for one in wanted if not there.has(one)]
    return []


@contextmanager
def _explained(run: Run, stack: Stack) -> Iterator[None]:
    """Makes one line of Terraform's errors, with the command that mends them where we know one."""
    try:
        yield
    except TerraformError as error:
        if run.interruption.count:
            return  # which is why it ended
        reason = explain.explain(error.diagnostics, stack, run)
        raise UserError(
            f"{stack.name}: {reason}; what was imported before stays, and the same command goes on"
        ) from None


def leave(plans: Sequence[Plan], target: Target, err: bool = False) -> None:
    """Prints the plans and what comes next; exits with 1 where one of them must not be applied.

    With `err` stdout is somebody else's.
    """
    summary.show_plans(plans, err=err)
    for plan in plans:
        for change in plan.changes:
            if change.action in ("replace", "destroy"):
                click.secho(
                    f"{plan.stack}: a deployment would {change.action} {change.address}; mend its "
                    f"values first: tools plan{target.option} --details {plan.stack}",
                    fg="red",
                    err=True,
                )
    if not all(map(is_safe, plans)):
        raise click.exceptions.Exit(1)
    if changed := [plan.stack for plan in plans if plan.status != "unchanged"]:
        click.echo(f"next: tools deploy{target.option} {' '.join(changed)}", err=True)


def is_safe(plan: Plan) -> bool:
    """Whether the plan succeeded, and a deployment would destroy and replace nothing."""
    harmful = any(change.action in ("replace", "destroy") for change in plan.changes)
    return plan.status != "failed" and not harmful


def _refresh_outputs(run: Run, stack: Stack) -> None:
    """Gives a stack that holds nothing the outputs that it has already, for those that read it."""
    if run.interruption.count:
        return
    run.progress.say(stack.name, "not deployed: working out what its outputs are already")
    for upstream in run.records.missing_upstream(stack):
        _refresh_outputs(run, next(one for one in run.records.stacks if one.name == upstream))
    if run.interruption.count:
        return
    with _explained(run, stack):
        recovery.await_leftover(run, stack)
        init.initialize(run, stack)
        run.terraform.refresh_outputs(stack.path, run.log(stack, "refresh"), lambda event: None)
    run.records.forget(stack)


def _import(run: Run, stack: Stack, one: Adoption) -> None:
    if run.interruption.count:
        return
    run.progress.say(stack.name, f"importing {one.address}")
    found = adopt.Found(one.address, one.type, one.identifier)
    with _explained(run, stack):
        init.initialize(run, stack)
        retry.retrying(run, stack, lambda: adopt.adopt(run, stack, found))
