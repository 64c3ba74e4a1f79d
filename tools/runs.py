"""A run as a person sees it: one question, what happens, a summary."""

import os
import tempfile
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import asdict, dataclass, replace
from functools import partial
from pathlib import Path

import click

from tools import adopt, deploy, orphans, plans, runreport
from tools.aws import client, s3
from tools.console import progress
from tools.console.prompt import is_interactive
from tools.context import Context, Target
from tools.deploy import NOTHING_DEPLOYED, Result, Run
from tools.errors import UserError
from tools.orphans import Orphan
from tools.plans import Change, Plan
from tools.records import Records
from tools.repository import COMMON
from tools.stack import Stack
from tools.states import BucketPlace, LocalPlace
from tools.system import processes, signals


@dataclass(frozen=True)
class Options:
    """What the commands that run stacks are asked alike."""

    yes: bool = False
    jobs: int | None = None
    fail_fast: bool = False
    refresh: bool = False
    force: bool = False
    allow_destroy: bool = False
    plan_dir: Path | None = None
    why: bool = False
    report: Path | None = None


@dataclass(frozen=True)
class Where:
    """The account and region that a run concerns, and who runs it, in words."""

    place: str
    who: str
    account: str

    def __str__(self) -> str:
        return f"{self.place}, {self.who}" if self.who else self.place


def where(target: Target, checked: bool = True) -> Where:
    """Where a run would change something.

    Raises UserError where AWS does not know the credentials, or, unless it is not to be `checked`,
    the states are not in order.
    """
    if checked:
        target.repository.check_states()
    if target.endpoint:
        return Where(f"the local cloud, {target.endpoint}, region {target.region}", "", "local")
    found = client.identity(target.region)
    place = f"AWS account {found.account}, region {target.region}"
    return Where(place, f"as {found.arn}", found.account)


def records(target: Target, place: Where | None = None) -> Records:
    """The records of the target's stacks."""
    account = place.account if place else None
    return Records(target.repository, target.terraform, target.endpoint, account)


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
        _ask("Deploy", place, len(chosen), target, options)
        runner.run(chosen, saved=saved, exactly=True)
        return
    known.prefetch(stacks)
    known.refuse_copies(stacks)
    reasons = {stack.name: known.why(stack) for stack in stacks}
    changed = [s for s in stacks if options.refresh or options.force or reasons[s.name]]
    _announce("Deploy", place, changed, len(stacks), reasons if options.why else {})
    if not changed or options.yes or target.endpoint:
        runner.run(stacks)
        return
    _refuse_without_a_person()
    with _folder() as folder:
        saved = [*runner.plan(changed, folder), *_followers(stacks, changed)]
        show_plans(saved)
        _refuse_losses(saved, options)
        _ask("Deploy", place, len(saved), target, options)
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
    _ask("Destroy", place, len(stacks), target, options)
    runner.run(stacks, destroy=True)


def destroy_orphans(
    context: Context,
    target: Target,
    known: Records,
    place: Where,
    patterns: Sequence[str],
    options: Options,
) -> None:
    """Destroys what stacks have left whose directory has gone, as `destroy_stacks` does others.

    Raises UserError for a pattern that names no orphan, and without one where states lie in a
    bucket.
    """
    found = orphans.chosen(orphans.find(known), patterns)
    if not found:
        click.echo("no orphans: every state has its directory", err=True)
        return
    for one in found:
        click.echo(f"{one.name}: {one.why}", err=True)
    if not patterns and any(isinstance(one.place, BucketPlace) for one in found):
        names = " ".join(one.name for one in found)
        raise UserError(
            "states in a bucket may be of notebooks that a colleague has and this checkout has "
            f"not; pull, and then name those to destroy: tools destroy{target.option} --orphan "
            f"{names}"
        )
    gone = {one.name for one in found}
    for stack in known.stacks:
        state = known.state(stack)
        if state and state.resources and (used := gone.intersection(stack.upstream)):
            raise UserError(f"{stack.name} is deployed and uses {', '.join(sorted(used))}")
    with of_orphans(target, place, found) as (there, theirs):
        destroy_stacks(context, there, theirs, place, theirs.stacks, options)


@contextmanager
def of_orphans(
    target: Target, place: Where, found: Sequence[Orphan]
) -> Iterator[tuple[Target, Records]]:
    """The target and the records as if the directories of `found` were there, inside."""
    root = target.repository.root
    with tempfile.TemporaryDirectory(prefix="orphans-") as folder:
        roots = Path(folder) / "roots"
        theirs = orphans.repository(found, roots, root / COMMON, target.region)
        there = replace(target, repository=theirs)
        yield there, records(there, place)


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
            plans.empty(folder)  # values in clear text that nobody will apply
            raise
        if options.plan_dir:
            plans.save(folder, found, place.place, partial(_place_of, known))
        by_name = {stack.name: stack for stack in stacks}
        for plan in found:
            if details and plan.file and plan.status == "changed":
                text = target.terraform.show(by_name[plan.stack].path, plan.file)
                click.echo(f"[{plan.stack}]\n{text}")
    return found


def adopt_into(
    context: Context,
    target: Target,
    known: Records,
    place: Where,
    stack: Stack,
    options: Options,
) -> None:
    """Imports what `stack` would create and what exists already, after one question."""
    runner = Runner(context, target, known, options)
    total = 0
    # A second look finds what lies inside of the first one's, such as the rules of a group.
    while found := runner.find_existing(stack):
        click.echo(f"Import in {place}, into the state of {stack.name}:", err=True)
        for one in found:
            click.echo(f"  {one.address}  {one.identifier}", err=True)
        agree_to(f"Import these {len(found)} resources?", target, options.yes)
        runner.adopt(stack, found)
        total += len(found)
    if total:
        click.echo(f"imported {total}; next: tools deploy{target.option} {stack.name}", err=True)
    else:
        click.echo(
            f"{stack.name} would create nothing that is known here to exist already; what has no "
            f"name to look for: terraform -chdir={stack.path} import ADDRESS ID",
            err=True,
        )


@contextmanager
def working(
    context: Context, target: Target, known: Records, options: Options, total: int
) -> Iterator[Run]:
    """A run on `total` stacks for what is neither plan nor deployment.

    Exits with 130 where it was interrupted; a Terraform at work has ended then.
    """
    with Runner(context, target, known, options).how(total) as how:
        yield how
    if how.interruption.count:
        raise click.exceptions.Exit(130)


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


class Runner:
    """Runs stacks and shows how it goes."""

    def __init__(self, context: Context, target: Target, known: Records, options: Options) -> None:
        self._context = context
        self._target = target
        self._known = known
        self._options = options

    def run(
        self,
        stacks: Sequence[Stack],
        destroy: bool = False,
        saved: Sequence[Plan] = (),
        exactly: bool = False,
    ) -> None:
        """Applies or destroys `stacks`, prints the summary and writes the report."""
        with self.how(len(stacks), destroy, saved, exactly) as how:
            results = deploy.deploy(how, stacks)
        summarize(results)
        if self._options.report:
            runreport.write(self._options.report, results, "destroy" if destroy else "deploy")
        self._leave(how, any(result.outcome in ("failed", "not run") for result in results))

    def plan(self, stacks: Sequence[Stack], folder: Path, outside_only: bool = False) -> list[Plan]:
        """Plans `stacks` into `folder`."""
        with self.how(len(stacks)) as how:
            found = deploy.plan(how, stacks, folder, outside_only)
        if how.interruption.count:
            raise click.exceptions.Exit(130)
        return found

    def refuse_in_use(self, stacks: Sequence[Stack]) -> None:
        """Raises UserError where a deployed stack that is not to go reads one that is."""
        with self.how(len(stacks), destroy=True) as how:
            deploy.refuse_in_use(how, stacks, self._known.stacks)

    def find_existing(self, stack: Stack) -> list[adopt.Found]:
        """What `stack` would create and AWS has already."""
        with self.how(1) as how:
            return adopt.find(how, stack, self._target.region, self._target.endpoint)

    def adopt(self, stack: Stack, found: Sequence[adopt.Found]) -> None:
        """Imports `found` into the state of `stack`."""
        with self.how(1) as how:
            for one in found:
                how.progress.say(stack.name, f"importing {one.address}")
                adopt.adopt(how, stack, one)

    @contextmanager
    def how(
        self,
        total: int,
        destroy: bool = False,
        saved: Sequence[Plan] = (),
        exactly: bool = False,
    ) -> Iterator[Run]:
        """A run of `total` stacks, shown as it goes, in which Ctrl-C is counted."""
        target, options = self._target, self._options
        _note_owner(target.logs)
        with signals.counted() as interrupted, progress.choose(total) as shown:
            yield Run(
                target.terraform,
                self._known,
                target.logs,
                shown,
                interrupted,
                options.jobs or deploy.default_jobs(),
                destroy,
                options.fail_fast,
                options.refresh,
                options.force,
                options.allow_destroy,
                {plan.stack: plan for plan in saved},
                exactly,
                target.option,
                gone=self._gone,
            )

    def _leave(self, how: Run, failed: bool) -> None:
        if how.interruption.count:
            raise click.exceptions.Exit(130)
        if failed and (gone := self._gone()):
            log = self._context.local_cloud.log
            raise UserError(f"{gone} (log: {log}); start again: tools local up")
        if failed:
            click.echo(f"logs: {self._target.logs}", err=True)
            raise click.exceptions.Exit(1)

    def _gone(self) -> str:
        ended = self._target.endpoint and self._context.local_cloud.status() is None
        return "LocalStack ended while this ran" if ended else ""


def _check(options: Options) -> None:
    if options.report:
        runreport.check(options.report)


def agree(target: Target, place: Where, names: Sequence[str], agreed: bool) -> None:
    """Says which new stacks will be deployed, and asks unless `agreed`."""
    click.echo(f"Deploy in {place}:", err=True)
    for name in names:
        click.echo(f"  {name}", err=True)
    _ask("Deploy", place, len(names), target, Options(yes=agreed))


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


def _ask(verb: str, place: Where, count: int, target: Target, options: Options) -> None:
    """Asks unless that was agreed to; the local cloud is never worth a question."""
    if options.yes or target.endpoint:
        return
    _refuse_without_a_person()
    if verb == "Destroy":
        project = str(target.repository.common()["project"])
        question = f"Type the project's name ({project}) to destroy them"
        if click.prompt(question, err=True) != project:
            raise click.Abort
    else:
        stacks = "this stack" if count == 1 else f"these {count} stacks"
        click.confirm(f"{verb} {stacks} in {place}?", abort=True, err=True)


def agree_to(question: str, target: Target, agreed: bool) -> None:
    """Asks `question`, unless that was `agreed`; the local cloud is never worth one."""
    if not (agreed or target.endpoint):
        _refuse_without_a_person()
        click.confirm(question, abort=True, err=True)


def _refuse_without_a_person() -> None:
    if not is_interactive():
        raise UserError("nobody is there to be asked; add --yes to agree beforehand")


def _refuse_losses(found: Sequence[Plan], options: Options) -> None:
    lost = [f"{plan.stack}: {deploy.refusal(plan.losses)}" for plan in found if plan.losses]
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
        plans.new_folder(kept)
        yield kept
    else:
        with tempfile.TemporaryDirectory(prefix="plans-") as folder:
            yield Path(folder)


_ROWS_OF_A_SUMMARY = 30


def summarize(results: Sequence[Result]) -> None:
    """What became of each stack, slowest first, on stderr; of many unchanged ones, the number."""
    shown = list(results)
    if len(shown) > _ROWS_OF_A_SUMMARY:
        shown = [result for result in results if result.outcome != "unchanged"]
    click.echo("", err=True)
    width = max((len(result.stack) for result in shown), default=0)
    for result in sorted(shown, key=lambda result: -result.seconds):
        outcome = progress.outcome_style(result.outcome, 9)
        line = f"{result.stack:<{width}}  {outcome}  {result.seconds:5.0f} s  {result.detail}"
        click.echo(line.rstrip(), err=True)
    if len(shown) < len(results):
        click.echo(f"{len(results) - len(shown)} stacks unchanged", err=True)


def _note_owner(logs: Path) -> None:
    """Notes this process beside its logs: a Terraform whose run lives on is no leftover."""
    logs.mkdir(parents=True, exist_ok=True)
    processes.note(os.getpid(), logs / deploy.OWNER)


def leave_planned(found: Sequence[Plan], detailed_exitcode: bool) -> None:
    """Exits with 1 where a plan failed, and with 2 where asked to and something would change."""
    if any(plan.status == "failed" for plan in found):
        raise click.exceptions.Exit(1)
    if detailed_exitcode and any(plan.status == "changed" for plan in found):
        raise click.exceptions.Exit(2)


def show_drift(found: Sequence[Plan]) -> None:
    """What was changed outside, by resource, and what is not applied yet, by stack."""
    for plan in found:
        for change in plan.outside:
            what = "gone" if change.action == "destroy" else "changed"
            which = f" ({', '.join(change.attributes)})" if change.attributes else ""
            click.echo(f"{plan.stack}  {what} outside of Terraform: {change.address}{which}")
        if plan.status == "failed":
            click.echo(f"{plan.stack}  {progress.outcome_style('failed')}: {plan.detail}")
        elif plan.why and plan.detail != NOTHING_DEPLOYED:
            click.echo(f"{plan.stack}  changed here and not applied: {'; '.join(plan.why)}")
    outside = sum(bool(plan.outside) for plan in found)
    click.echo(f"{outside} of {len(found)} stacks were changed outside of Terraform", err=True)


def drift_json(plan: Plan) -> dict[str, object]:
    """As `tools drift --json` prints it (docs/json.md)."""
    return {
        "stack": plan.stack,
        "status": "failed" if plan.status == "failed" else "drifted" if plan.outside else "in sync",
        "outside": [asdict(change) for change in plan.outside],
        "not_applied": list(plan.why),
        "detail": plan.detail,
    }


def show_plans(found: Sequence[Plan], err: bool = True, why: bool = False) -> None:
    """One row for each plan that is not empty: what changes, and what data would go."""
    rows = [plan for plan in found if plan.status != "unchanged"]
    width = max((len(plan.stack) for plan in rows), default=0)
    if rows:
        head = "".join(f"{action:>9}" for action in plans.ACTIONS)
        click.echo(f"{'':<{width}}{head}", err=err)
    for plan in rows:
        counts = "".join(f"{plan.counts[action] or '-':>9}" for action in plans.ACTIONS)
        notes = [plan.detail] if plan.detail else []
        if plan.outputs and not plan.changes:
            notes.append(f"outputs: {', '.join(plan.outputs)}")
        notes += [_loss(change) for change in plan.losses]
        style = progress.outcome_style(plan.status) if plan.status in ("failed", "waiting") else ""
        line = f"{plan.stack:<{width}}{counts}  {style}  {'; '.join(notes)}"
        click.echo(line.rstrip(), err=err)
        for reason in plan.why if why else ():
            click.echo(f"    {reason}", err=err)
    unchanged = len(found) - len(rows)
    if unchanged:
        click.echo(f"{unchanged} of {len(found)} stacks: no changes", err=err)


def _loss(change: Change) -> str:
    what = "its volume" if change.type == "aws_sagemaker_notebook_instance" else "its data"
    return click.style(f"{change.action} {change.address}: loses {what}", fg="red")
