"""Deploys, plans and destroys as a person asks for it."""

import os
import tempfile
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from functools import partial
from pathlib import Path

import click

from tools.aws import s3
from tools.console.prompt import require_terminal
from tools.engine import explain, plans
from tools.engine.plans import Plan
from tools.engine.records import Records
from tools.errors import UserError
from tools.layout import graph
from tools.layout.stack import Stack
from tools.runs import report_file
from tools.runs.options import Options
from tools.runs.session import Session
from tools.runs.summary import show_plans
from tools.state.place import LocalPlace


def deploy_stacks(session: Session, stacks: Sequence[Stack]) -> None:
    """Applies what has changed in `stacks`, after one question, and prints the summary.

    Exits with 1 if a stack failed, and with 130 if the run was interrupted. Raises UserError if a
    plan that was to be shown takes data away, unless the options allow that.
    """
    _check_report(session.options)
    if session.options.plan_dir:
        _deploy_saved(session, stacks, session.options.plan_dir)
        return
    options, records, runner = session.options, session.records, session.runner()
    records.prefetch(stacks)
    records.refuse_copies(stacks)
    reasons = {stack.name: records.reasons_to_apply(stack) for stack in stacks}
    changed = [s for s in stacks if options.refresh or options.force or reasons[s.name]]
    _announce(session, "Deploy", changed, len(stacks), reasons if options.why else {})
    if not changed or options.yes or session.target.endpoint:
        runner.run(stacks)
        return
    require_terminal()
    with _folder() as folder:
        shown = [*runner.plan(changed, folder), *_plans_of_followers(stacks, changed)]
        show_plans(shown)
        _refuse_losses(shown, options)
        session.confirm_stacks("Deploy", len(shown))
        runner.run(stacks, saved=shown)


def _deploy_saved(session: Session, stacks: Sequence[Stack], folder: Path) -> None:
    """Applies the plans in `folder`, of those of `stacks` that have one, exactly as they are."""
    saved = plans.load(folder, session.account.cloud, partial(_place_of, session.records))
    planned = {plan.stack for plan in saved}
    chosen = [stack for stack in stacks if stack.name in planned]
    names = {stack.name for stack in chosen}
    shown = [plan for plan in saved if plan.stack in names]
    show_plans(shown)
    _refuse_losses(shown, session.options)
    session.confirm_stacks("Deploy", len(chosen))
    session.runner().run(chosen, saved=shown, exactly=True)


def destroy_stacks(session: Session, stacks: Sequence[Stack]) -> None:
    """Destroys `stacks`, after one question, and prints the summary; exits as `deploy_stacks`.

    Raises UserError if something that is deployed still needs one of them, and for a bucket that
    holds objects.
    """
    _check_report(session.options)
    session.records.prefetch(session.records.stacks)
    session.records.refuse_copies(session.records.stacks)
    runner = session.runner()
    runner.refuse_in_use(stacks)
    _refuse_full_buckets(session, stacks)
    _announce(session, "Destroy", list(reversed(stacks)), len(stacks), {})
    session.confirm_stacks("Destroy", len(stacks))
    runner.run(stacks, destroy=True)


def _place_of(records: Records, name: str) -> str:
    """The place of a stack's state, as it is called in every checkout."""
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

    `details` prints Terraform's text of each. `outside_only` plans what was changed outside of
    Terraform alone. Exits with 130 if it was interrupted.
    """
    _check_report(session.options)
    session.records.prefetch(stacks)
    with _folder(session.options.plan_dir) as folder:
        try:
            made = session.runner().plan(stacks, folder, outside_only)
        except BaseException:
            plans.delete_plans(folder)  # values in clear text that nobody will apply
            raise
        if session.options.plan_dir:
            plans.save(folder, made, session.account.cloud, partial(_place_of, session.records))
        by_name = {stack.name: stack for stack in stacks}
        for plan in made:
            if details and plan.file and plan.status == "changed":
                text = session.target.terraform.show(by_name[plan.stack].path, plan.file)
                click.echo(f"[{plan.stack}]\n{text}")
    return made


def _plans_of_followers(stacks: Sequence[Stack], changed: Sequence[Stack]) -> list[Plan]:
    """Unchanged stacks that may change once their upstreams are applied, as waiting plans."""
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


def _check_report(options: Options) -> None:
    if options.report:
        report_file.check(options.report)


def _announce(
    session: Session,
    verb: str,
    stacks: Sequence[Stack],
    total: int,
    reasons: Mapping[str, Sequence[str]],
) -> None:
    click.echo(f"{verb} in {session.account}:", err=True)
    for stack in stacks:
        click.echo(f"  {stack.name}", err=True)
        for reason in reasons.get(stack.name, ()):
            click.echo(f"    {reason}", err=True)
    if not stacks:
        click.echo("  nothing", err=True)
    if total > len(stacks):
        click.echo(f"{total - len(stacks)} of {total} stacks have not changed.", err=True)


def _refuse_losses(shown: Sequence[Plan], options: Options) -> None:
    lost = [
        f"{plan.stack}: {explain.describe_losses(plan.losses)}" for plan in shown if plan.losses
    ]
    if lost and not options.allow_destroy:
        raise UserError("; ".join(lost))


def _refuse_full_buckets(session: Session, stacks: Sequence[Stack]) -> None:
    """Raises UserError for a bucket that AWS would not let go, before anything else is gone."""
    objects = s3.Objects(session.target.region, session.target.endpoint)
    for stack in stacks:
        state = session.records.state(stack)
        for bucket in state.kept_buckets if state else ():
            if objects.holds_any(bucket):
                raise UserError(
                    f"{stack.name}: bucket {bucket} holds objects (or older versions), and nothing "
                    "was destroyed. To empty it as it goes, set force_destroy = true in "
                    f"{stack.name}/terraform.tfvars and deploy; to keep it, take it out of the "
                    f"state first: terraform -chdir={stack.path} state rm ADDRESS"
                )


@contextmanager
def _folder(kept: Path | None = None) -> Iterator[Path]:
    """A folder for saved plans: `kept`, made new, or one that is gone afterwards."""
    if kept:
        plans.make_folder(kept)
        yield kept
    else:
        with tempfile.TemporaryDirectory(prefix="plans-") as folder:
            yield Path(folder)


def exit_by_plans(made: Sequence[Plan], detailed_exitcode: bool) -> None:
    """Exits with 1 if a plan failed, with 2 if that was asked for and something would change."""
    if any(plan.status == "failed" for plan in made):
        raise click.exceptions.Exit(1)
    if detailed_exitcode and any(plan.status == "changed" for plan in made):
        raise click.exceptions.Exit(2)
