"""Deploys, plans and destroys as a person asks for it."""

import os
import tempfile
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from functools import partial
from pathlib import Path

import click

from tools.aws.client import Cloud
from tools.aws.s3 import Objects
from tools.console.messages import say
from tools.console.prompt import require_terminal
from tools.engine import explain, plans
from tools.engine.plans import Plan
from tools.engine.records import Records
from tools.errors import UserError, first_of
from tools.fleet import occupants
from tools.layout import graph
from tools.layout.stack import ENDPOINTS, Stack
from tools.runs import report_file
from tools.runs.options import Options
from tools.runs.platforms import warn_of_stops
from tools.runs.session import Session
from tools.runs.summary import show_plans
from tools.state.place import LocalPlace

_MOST_NAMES = 5  # of stacks in a message


def deploy_stacks(session: Session, stacks: Sequence[Stack]) -> None:
    """Applies what has changed in `stacks`, after one question, and prints the summary.

    Exits with 1 if a stack failed, and with 130 if the run was interrupted. Raises UserError if a
    plan that is shown loses data, unless the options allow that.
    """
    if session.options.plan_dir:
        _deploy_saved(session, stacks, session.options.plan_dir)
        return
    options, records, runner = session.options, session.records, session.runner()
    records.prefetch(stacks)
    records.refuse_copies(stacks)
    reasons = {stack.name: records.reasons_to_apply(stack) for stack in stacks}
    changed = [s for s in stacks if options.refresh or options.force or reasons[s.name]]
    session.announce("Deploy", changed, reasons if options.why else None)
    if unchanged := len(stacks) - len(changed):
        say(f"{unchanged} of {len(stacks)} stacks have not changed.")
    if not changed or options.yes or session.target.endpoint:
        runner.run(stacks)
        return
    require_terminal()
    with _open_plan_folder() as folder:
        shown = [*runner.plan(changed, folder), *_plans_of_followers(stacks, changed)]
        show_plans(shown)
        warn_of_stops(records, shown)
        _refuse_losses(shown, options)
        _say_what_is_there(session, shown)
        _say_cost(session, stacks, shown)
        session.confirm_stacks("Deploy", len(shown))
        runner.run(stacks, saved=shown)


def _deploy_saved(session: Session, stacks: Sequence[Stack], folder: Path) -> None:
    """Applies the plans in `folder`, of those of `stacks` that have one, exactly as they are.

    Raises UserError if all its plans are of other stacks.
    """
    saved = plans.load(folder, session.account.cloud, partial(_describe_place, session.records))
    planned = {plan.stack for plan in saved}
    chosen = [stack for stack in stacks if stack.name in planned]
    if saved and stacks and not chosen:
        missing = first_of([stack.name for stack in stacks], _MOST_NAMES)
        raise UserError(
            f"{folder} holds no plan of {missing}; make it: "
            f"tools plan{session.target.option} --plan-dir {folder}"
        )
    if others := len(stacks) - len(chosen):
        say(f"{others} of {len(stacks)} stacks have no plan in {folder}.")
    names = {stack.name for stack in chosen}
    shown = [plan for plan in saved if plan.stack in names]
    show_plans(shown)
    warn_of_stops(session.records, shown)
    _refuse_losses(shown, session.options)
    if not session.options.yes:
        _say_cost(session, chosen, shown)
    if chosen:
        session.confirm_stacks("Deploy", len(chosen))
    session.runner().run(chosen, saved=shown, exactly=True)


def destroy_stacks(session: Session, stacks: Sequence[Stack]) -> None:
    """Destroys `stacks`, after one question, and prints the summary; exits as `deploy_stacks`.

    Raises UserError if a deployed stack still needs one of them, and for a bucket that holds
    objects.
    """
    session.records.prefetch(session.records.stacks)
    session.records.refuse_copies(session.records.stacks)
    runner = session.runner()
    runner.refuse_in_use(stacks)
    _refuse_full_buckets(session, stacks)
    session.announce("Destroy", reversed(stacks))
    session.confirm_stacks("Destroy", len(stacks))
    runner.run(stacks, destroy=True)


def _describe_place(records: Records, name: str) -> str:
    """Returns the place of a stack's state, in words that are the same in every checkout."""
    stack = next((stack for stack in records.stacks if stack.name == name), None)
    place = records.place(stack) if stack else None
    if isinstance(place, LocalPlace):
        return os.path.relpath(place.path, records.repository.root)
    return str(place)


def plan_stacks(
    session: Session,
    stacks: Sequence[Stack],
    outside_only: bool = False,
    details: bool = False,
) -> list[Plan]:
    """Plans `stacks` and returns the plans; the options say whether they are kept.

    `details` prints Terraform's text of each. `outside_only` plans only what was changed outside
    of Terraform. Exits with 130 if it was interrupted.
    """
    session.records.prefetch(stacks)
    with _open_plan_folder(session.options.plan_dir) as folder:
        try:
            stack_plans = session.runner().plan(stacks, folder, outside_only)
        except BaseException:
            plans.delete_plans(folder)  # values in clear text that nobody will apply
            raise
        if session.options.plan_dir:
            describe = partial(_describe_place, session.records)
            plans.save(folder, stack_plans, session.account.cloud, describe)
        by_name = {stack.name: stack for stack in stacks}
        for plan in stack_plans:
            if details and plan.file and plan.status == "changed":
                text = session.target.terraform.show(by_name[plan.stack].path, plan.file)
                click.echo(f"[{plan.stack}]\n{text}")
    warn_of_stops(session.records, stack_plans)
    return stack_plans


def _plans_of_followers(stacks: Sequence[Stack], changed: Sequence[Stack]) -> list[Plan]:
    """Returns unchanged stacks that may change once their upstreams are applied, as waiting."""
    names = {stack.name for stack in changed}
    followers = graph.reachable(names, graph.readers(graph.reads_among(stacks))) - names
    may_change = names | followers
    waiting = []
    for stack in stacks:
        if stack.name in followers:
            upstreams = ", ".join(sorted(may_change.intersection(stack.upstream)))
            detail = f"follows {upstreams}, if an output that it reads changes"
            waiting.append(Plan(stack.name, "waiting", detail=detail))
    return waiting


def _say_what_is_there(session: Session, shown: Sequence[Plan]) -> None:
    """Says what else is in the VPC if endpoints are about to change its ways to AWS."""
    if any(p.stack == ENDPOINTS and p.status in ("changed", "waiting") for p in shown):
        cloud = Cloud(session.target.region, session.target.endpoint)
        for sentence in occupants.describe_declared(cloud, session.target.repository):
            say(sentence)


def _say_cost(session: Session, stacks: Sequence[Stack], shown: Sequence[Plan]) -> None:
    """Says what the plans change of a month's cost. That it is not known stops no deployment."""
    from tools.cost.change import monthly_change  # a tenth of the start of every other deployment

    try:
        monthly = monthly_change(
            session.target.region, stacks, shown, session.records.state, session.context.env
        )
    except UserError as error:
        say(f"Cost: not known, since {error}")
    else:
        say(str(monthly))


def _refuse_losses(shown: Sequence[Plan], options: Options) -> None:
    losses = [
        f"{plan.stack}: {explain.describe_losses(plan.losses)}" for plan in shown if plan.losses
    ]
    if losses and not options.allow_destroy:
        raise UserError("; ".join(losses))


def _refuse_full_buckets(session: Session, stacks: Sequence[Stack]) -> None:
    """Raises UserError for a bucket that AWS would refuse to delete, before anything is gone."""
    objects = Objects(Cloud(session.target.region, session.target.endpoint))
    program = session.target.terraform.program
    for stack in stacks:
        if session.records.unreadable(stack):
            continue  # AWS refuses it by itself, later
        state = session.records.state(stack)
        for bucket in state.kept_buckets if state else ():
            if objects.holds_any(bucket):
                raise UserError(
                    f"{stack.name}: bucket {bucket} holds objects (or older versions), and nothing "
                    "was destroyed. To empty it as it is destroyed, set force_destroy = true in "
                    f"{stack.name}/terraform.tfvars and deploy. To keep it, remove it from the "
                    f"state first: {program} -chdir={stack.path} state rm ADDRESS"
                )


@contextmanager
def _open_plan_folder(kept: Path | None = None) -> Iterator[Path]:
    """Yields a folder for saved plans: `kept`, created, or one that is deleted afterwards."""
    if kept:
        plans.make_folder(kept)
        yield kept
    else:
        with tempfile.TemporaryDirectory(prefix="plans-") as folder:
            yield Path(folder)


def finish_plans(
    session: Session, stack_plans: Sequence[Plan], command: str, detailed_exitcode: bool
) -> None:
    """Writes the report of `command`, and exits as the plans say.

    With 1 if a plan failed, and with 2 if `detailed_exitcode` is set and something would change.
    """
    if session.options.report:
        results = [report_file.result_of_plan(plan) for plan in stack_plans]
        report_file.write(session.options.report, results, command)
    if any(plan.status == "failed" for plan in stack_plans):
        raise click.exceptions.Exit(1)
    if detailed_exitcode and any(plan.status == "changed" for plan in stack_plans):
        raise click.exceptions.Exit(2)
