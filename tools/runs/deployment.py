"""Deploys, plans and destroys as a person asks for it."""

import os
import tempfile
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from functools import partial
from pathlib import Path

import click

from tools.aws import s3
from tools.context import Context, Target
from tools.engine import explain, plans
from tools.engine.plans import Plan
from tools.engine.records import Records
from tools.errors import UserError
from tools.layout.stack import Stack
from tools.runs import report_file
from tools.runs.questions import confirm, require_a_person
from tools.runs.runner import Runner
from tools.runs.session import Options, Where
from tools.runs.summary import show_plans
from tools.state.place import LocalPlace


def deploy_stacks(
    context: Context,
    target: Target,
    known: Records,
    place: Where,
    stacks: Sequence[Stack],
    options: Options,
) -> None:
    """Applies what has changed in `stacks`, after one question, and prints the summary.

    Exits with 1 where a stack failed, and with 130 where the run was interrupted. Raises UserError
    where a plan that was to be shown takes data away, unless the options allow that.
    """
    _check(options)
    runner = Runner(context, target, known, options)
    if options.plan_dir:
        saved = plans.load(options.plan_dir, place.place, partial(_place_of, known))
        names = {plan.stack for plan in saved}
        chosen = [stack for stack in stacks if stack.name in names]
        saved = [plan for plan in saved if plan.stack in {stack.name for stack in chosen}]
        show_plans(saved)
        _refuse_losses(saved, options)
        confirm("Deploy", place, len(chosen), target, options)
        runner.run(chosen, saved=saved, exactly=True)
        return
    known.prefetch(stacks)
    known.refuse_copies(stacks)
    reasons = {stack.name: known.reasons_to_apply(stack) for stack in stacks}
    changed = [s for s in stacks if options.refresh or options.force or reasons[s.name]]
    _announce("Deploy", place, changed, len(stacks), reasons if options.why else {})
    if not changed or options.yes or target.endpoint:
        runner.run(stacks)
        return
    require_a_person()
    with _folder() as folder:
        saved = [*runner.plan(changed, folder), *_followers(stacks, changed)]
        show_plans(saved)
        _refuse_losses(saved, options)
        confirm("Deploy", place, len(saved), target, options)
        runner.run(stacks, saved=saved)


def destroy_stacks(
    context: Context,
    target: Target,
    known: Records,
    place: Where,
    stacks: Sequence[Stack],
    options: Options,
) -> None:
    """Destroys `stacks`, after one question, and prints the summary; exits as `deploy_stacks`.

    Raises UserError where something that is deployed still needs one of them, and for a bucket
    that holds objects.
    """
    _check(options)
    known.prefetch(known.stacks)
    known.refuse_copies(known.stacks)
    runner = Runner(context, target, known, options)
    runner.refuse_in_use(stacks)
    _refuse_full_buckets(known, stacks, target)
    _announce("Destroy", place, list(reversed(stacks)), len(stacks), {})
    confirm("Destroy", place, len(stacks), target, options)
    runner.run(stacks, destroy=True)


def _place_of(known: Records, name: str) -> str:
    """Where the state of a stack lies, as it is called in every checkout."""
    stack = next((stack for stack in known.stacks if stack.name == name), None)
    place = known.place(stack) if stack else None
    if isinstance(place, LocalPlace):
        return os.path.relpath(place.path, known.repository.root)
    return str(place)


def plan_stacks(
    context: Context,
    target: Target,
    known: Records,
    place: Where,
    stacks: Sequence[Stack],
    options: Options,
    outside_only: bool = False,
    details: bool = False,
) -> list[Plan]:
    """The plans of `stacks`, kept where the options say; `details` prints Terraform's text of them.

    With `outside_only`, what was changed outside of Terraform. Exits with 130 if interrupted.
    """
    _check(options)
    known.prefetch(stacks)
    with _folder(options.plan_dir) as folder:
        try:
            found = Runner(context, target, known, options).plan(stacks, folder, outside_only)
        except BaseException:
            plans.delete_plans(folder)  # values in clear text that nobody will apply
            raise
        if options.plan_dir:
            plans.save(folder, found, place.place, partial(_place_of, known))
        by_name = {stack.name: stack for stack in stacks}
        for plan in found:
            if details and plan.file and plan.status == "changed":
                text = target.terraform.show(by_name[plan.stack].path, plan.file)
                click.echo(f"[{plan.stack}]\n{text}")
    return found


def _followers(stacks: Sequence[Stack], changed: Sequence[Stack]) -> list[Plan]:
    """Those of `stacks` that have not changed and may, with what they read of the `changed`."""
    moved = {stack.name for stack in changed}
    found = []
    for stack in stacks:  # upstream first
        read = moved.intersection(stack.upstream)
        if stack.name not in moved and read:
            moved.add(stack.name)
            detail = f"follows {', '.join(sorted(read))}, where an output that it reads changes"
            found.append(Plan(stack.name, "waiting", detail=detail))
    return found


def _check(options: Options) -> None:
    if options.report:
        report_file.check(options.report)


def _announce(
    verb: str,
    place: Where,
    stacks: Sequence[Stack],
    total: int,
    reasons: Mapping[str, Sequence[str]],
) -> None:
    click.echo(f"{verb} in {place}:", err=True)
    for stack in stacks:
        click.echo(f"  {stack.name}", err=True)
        for reason in reasons.get(stack.name, ()):
            click.echo(f"    {reason}", err=True)
    if not stacks:
        click.echo("  nothing", err=True)
    if total > len(stacks):
        click.echo(f"{total - len(stacks)} of {total} stacks have not changed.", err=True)


def _refuse_losses(found: Sequence[Plan], options: Options) -> None:
    lost = [
        f"{plan.stack}: {explain.describe_losses(plan.losses)}" for plan in found if plan.losses
    ]
    if lost and not options.allow_destroy:
        raise UserError("; ".join(lost))


def _refuse_full_buckets(known: Records, stacks: Sequence[Stack], target: Target) -> None:
    """Raises UserError for a bucket that AWS would not let go, before anything else is gone."""
    for stack in stacks:
        state = known.state(stack)
        for bucket in state.kept_buckets if state else ():
            if s3.Objects(target.region, target.endpoint).holds_any(bucket):
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


def leave_planned(found: Sequence[Plan], detailed_exitcode: bool) -> None:
    """Exits with 1 where a plan failed, and with 2 where asked to and something would change."""
    if any(plan.status == "failed" for plan in found):
        raise click.exceptions.Exit(1)
    if detailed_exitcode and any(plan.status == "changed" for plan in found):
        raise click.exceptions.Exit(2)
