"""What the jobs of a pipeline do: plan a part of a change, prepare a wave, apply it."""

from collections.abc import Sequence
from dataclasses import dataclass, replace
from pathlib import Path

import click

from tools.console.messages import say
from tools.context import Context
from tools.engine import explain, plans
from tools.engine.fingerprint import differences
from tools.engine.init import initialize
from tools.engine.plans import Plan
from tools.engine.run import Outcome, Result, Run
from tools.errors import UserError
from tools.layout import graph, matrix
from tools.layout.matrix import JobEntry
from tools.layout.stack import Stack
from tools.layout.waves import Portion, find_dependence, select_shard, select_wave
from tools.pipelines import verification
from tools.pipelines.store import Approvable, PlanStore, plan_digest, state_version
from tools.pipelines.workspace import private_folder, tree_of
from tools.runs import deployment, report_file, summary
from tools.runs.earlier_waves import blocked_stacks
from tools.runs.options import Options
from tools.runs.session import Session

# The reports of a run: of its stacks that were not planned, and of its shards.
_UNPLANNED, _APPLIED = "unplanned", "applied"


@dataclass(frozen=True)
class Prepared:
    """A wave that is ready for approval: what would be applied, and in which shards.

    `digest` is that of the list of plans; `results` also say what was not planned, and why.
    """

    shards: Sequence[str]
    digest: str
    results: Sequence[Result]


class Pipeline:
    """The steps of a pipeline on one tree of files in git."""

    def __init__(self, session: Session, store: PlanStore) -> None:
        self._session = session
        self._store = store
        self._stacks = session.records.stacks

    @classmethod
    def open(cls, context: Context, options: Options) -> "Pipeline":
        """Opens the pipeline of the commit that is checked out.

        Raises UserError if the states are in no bucket, or if this is no clone of git.
        """
        session = Session.open(context, False, options)
        root = session.target.repository.root
        store = PlanStore.open(session.target.repository, session.target.endpoint, tree_of(root))
        return cls(session, store)

    def find_changed(self, stacks: Sequence[Stack]) -> list[Stack]:
        """Returns those of `stacks` in which something has changed."""
        self._session.records.prefetch(stacks)
        return [stack for stack in stacks if self._session.records.has_changed(stack)]

    def start(self, shard_size: int) -> list[JobEntry]:
        """Returns the jobs that plan a change, and forgets earlier reports of it."""
        self._store.delete_reports("plan/")
        changed = self.find_changed(self._stacks)
        jobs = matrix.entries(self._stacks, shard_size, changed)
        while len(jobs) > MOST_JOBS and shard_size < len(self._stacks):
            shard_size *= 2
            jobs = matrix.entries(self._stacks, shard_size, changed)
        for job in jobs:
            name = _plan_report(Portion.parse(job["wave"]), Portion.parse(job["shard"]))
            lost = [Result(s, "failed", detail="its job has not ended") for s in job["stacks"]]
            self._put_results(name, lost, "plan")  # until the job writes its own
        return jobs

    def plan(self, wave: Portion, shard: Portion) -> None:
        """Plans what has changed of a part, and stores the plans and a report.

        Exits with 1 if a plan failed.
        """
        part = select_shard(select_wave(self._stacks, wave), shard)
        with private_folder() as folder:
            planned, _ = self._plan_into(folder, self.find_changed(part))
            summary.show_plans(planned, err=False)
        results = [report_file.result_of_plan(plan) for plan in planned]
        self._put_results(_plan_report(wave, shard), results, "plan")
        if any(plan.status == "failed" for plan in planned):
            raise click.exceptions.Exit(1)

    def planned(self) -> list[Result]:
        """Returns the results of all jobs that planned this change."""
        with private_folder() as folder:
            paths = self._store.get_reports("plan/", folder)
            return report_file.merge(paths)[1] if paths else []

    def prepare(self, wave: Portion, run_number: str, shard_size: int) -> Prepared:
        """Gets a plan of each stack of `wave` that has changed, and stores the list of them.

        The plans of the pull request are taken if they are of this tree of files, and nothing that
        they read has changed since; the others are made now. What reads a stack that failed in an
        earlier wave of the run `run_number` is not planned.
        """
        self._require_earlier_waves(wave, run_number)
        self._store.delete_reports(f"deploy/{run_number}/{wave.number}/")  # of an earlier attempt
        changed = self.find_changed(select_wave(self._stacks, wave))
        blocked = {
            name: f"{upstream} failed or was not run"
            for name, upstream in blocked_stacks(self.results(run_number), self._stacks).items()
        }
        blocked |= too_deep(changed)
        not_run = [
            Result(stack.name, "not run", detail=blocked[stack.name])
            for stack in changed
            if stack.name in blocked
        ]
        shown, approvable_by_stack = self._get_ready([s for s in changed if s.name not in blocked])
        digest = self._store.put_manifest(f"{run_number}/{wave.number}", approvable_by_stack)
        summary.show_plans(shown)
        results = [
            report_file.result_of_plan(plan) for plan in shown if plan.stack in approvable_by_stack
        ]
        failed = [
            replace(report_file.result_of_plan(plan), outcome=_outcome_without_plan(plan))
            for plan in shown
            if plan.stack not in approvable_by_stack
        ]
        self._put_results(f"deploy/{run_number}/{wave.number}/{_UNPLANNED}", [*not_run, *failed])
        size = max(shard_size, -(-len(self._stacks) // MOST_JOBS))
        jobs = matrix.jobs_of_wave(self._stacks, wave, size)
        shards = [
            str(job.shard)
            for job in jobs
            if approvable_by_stack.keys() & {stack.name for stack in job.stacks}
        ]
        return Prepared(shards, digest, [*results, *failed, *not_run])

    def _require_earlier_waves(self, wave: Portion, run_number: str) -> None:
        """Raises UserError if an earlier wave was not prepared: nobody knows what became of it."""
        for number in range(1, wave.number):
            if self._store.get_manifest(f"{run_number}/{number}") is None:
                raise UserError(
                    f"wave {number} of this run was never prepared; start the pipeline again"
                )

    def _get_ready(self, stacks: Sequence[Stack]) -> tuple[list[Plan], dict[str, Approvable]]:
        """Returns a plan of each of `stacks`, and of those that can be applied what is approved."""
        with private_folder() as folder, private_folder() as new_folder:
            current, digests = self._take_over(stacks, folder)
            names = {plan.stack for plan in current}
            rest = [stack for stack in stacks if stack.name not in names]
            planned, new_digests = self._plan_into(new_folder, rest) if rest else ([], {})
        shown, digests = [*current, *planned], digests | new_digests
        return shown, {
            plan.stack: Approvable(
                digests[plan.stack], tuple(map(str, plan.losses)), plan.stack in names
            )
            for plan in shown
            if plan.stack in digests
        }

    def deploy(self, wave: Portion, shard: Portion, run_number: str, digest: str) -> None:
        """Applies the plans of a shard exactly as they were approved, and stores a report.

        What this job has applied in an earlier attempt is left alone. Exits with 1 if a stack
        failed. Raises UserError if the plans are not the approved ones.
        """
        approved = self._store.get_manifest(f"{run_number}/{wave.number}", digest) or {}
        part = select_shard(select_wave(self._stacks, wave), shard)
        in_list = [stack for stack in part if stack.name in approved]
        chosen = self.find_changed(in_list)
        with private_folder() as folder:
            entries = self._store.get_plans((stack.name for stack in chosen), folder)
            for stack in chosen:
                entry = entries.get(stack.name)
                if not entry or plan_digest(folder, entry) != approved[stack.name].digest:
                    raise UserError(
                        f"the plan of {stack.name} is not the one that was approved; nothing was "
                        "applied: start the pipeline again"
                    )
            refused = self._refuse(
                [(plans.parse_plan(folder, entries[s.name]), approved[s.name]) for s in chosen]
            )
            report = folder.parent / "report.json"
            foreign = [
                s for s in chosen if s.name not in refused and approved[s.name].is_taken_over
            ]
            refused |= verification.verify(self._session, self._store, foreign, folder)
            ready = [stack for stack in chosen if stack.name not in refused]
            has_failed = self._apply(ready, folder, report) if ready else bool(refused)
            results = report_file.read(report)[1] if report.is_file() else []
            done = [Result(s.name, "unchanged") for s in in_list if s not in chosen]
            results = [*results, *refused.values(), *done]
            for result in refused.values():
                say(f"{result.stack}: {result.detail}")
            name = f"deploy/{run_number}/{wave.number}/{_APPLIED}-{_dashed(shard)}"
            self._put_results(name, results)
        if has_failed or refused:
            raise click.exceptions.Exit(1)

    def results(self, run_number: str) -> list[Result]:
        """Returns what has become of the stacks in a run; approved and not applied is "not run"."""
        with private_folder() as folder:
            paths = self._store.get_reports(f"deploy/{run_number}/", folder)
            reported = report_file.merge(paths)[1] if paths else []
        names = {result.stack for result in reported}
        waiting = [
            Result(stack_name, "not run", detail="it was planned and not applied")
            for number in range(1, MOST_WAVES + 1)
            for stack_name in self._store.get_manifest(f"{run_number}/{number}") or {}
            if stack_name not in names
        ]
        return [*reported, *waiting]

    def _apply(self, stacks: Sequence[Stack], folder: Path, report: Path) -> bool:
        options = replace(self._session.options, yes=True, plan_dir=folder, report=report)
        try:
            deployment.deploy_stacks(replace(self._session, options=options), stacks)
        except click.exceptions.Exit as end:
            return end.exit_code != 0
        return False

    def _plan_into(
        self, folder: Path, stacks: Sequence[Stack]
    ) -> tuple[list[Plan], dict[str, str]]:
        """Plans `stacks` into `folder`, stores the plans, and returns them with their digests."""
        session = replace(self._session, options=replace(self._session.options, plan_dir=folder))
        planned = deployment.plan_stacks(session, stacks)
        return planned, self._store.put_plans(folder, session.records)

    def _take_over(
        self, stacks: Sequence[Stack], folder: Path
    ) -> tuple[list[Plan], dict[str, str]]:
        """Fetches the stored plans that can still be applied, and returns them with digests.

        What they change is read from the plans themselves: their description may say something
        else. Whoever may plan a pull request may write both: `deploy` plans these again.
        """
        current, digests = [], {}
        entries = self._store.get_plans((stack.name for stack in stacks), folder)
        with self._session.runner().work(len(entries)) as run:
            for stack in (stack for stack in stacks if stack.name in entries):
                entry = entries[stack.name]
                plan = plans.parse_plan(folder, entry)
                if reason := self._why_stale(run, stack, plan, entry.get("state")):
                    say(f"{stack.name}: planned again: {reason}")
                    continue
                document = run.terraform.show_json(stack.path, plans.plan_path(folder, stack.name))
                current.append(verification.describe(plan, document))
                digests[stack.name] = plan_digest(folder, entry)
        return current, digests

    def _why_stale(self, run: Run, stack: Stack, plan: Plan, state: list[str | int] | None) -> str:
        if plan.inputs is None or state != state_version(run.records, stack):
            return "its state has changed since"
        # What is unknown is planned again: nobody can tell whether it has changed.
        changed_inputs = [*_changed_inputs(run, stack, plan), *run.records.inputs(stack).unknown]
        return next(iter(changed_inputs), "")

    def _refuse(self, chosen_plans: Sequence[tuple[Plan, Approvable]]) -> dict[str, Result]:
        """Returns a result for each plan that must not be applied."""
        refused = {}
        stacks_by_name = {stack.name: stack for stack in self._stacks}
        with self._session.runner().work(len(chosen_plans)) as run:
            for plan, approvable in chosen_plans:
                detail = ""
                if changed_inputs := _changed_inputs(run, stacks_by_name[plan.stack], plan):
                    detail = (
                        f"its plan has gone stale ({changed_inputs[0]}); start the pipeline again"
                    )
                elif approvable.losses and not self._session.options.allow_destroy:
                    detail = explain.describe_losses(
                        approvable.losses,
                        "If that is meant, start the pipeline by hand and allow it",
                    )
                if detail:
                    refused[plan.stack] = Result(plan.stack, "failed", detail=detail)
        return refused

    def _put_results(self, name: str, results: Sequence[Result], command: str = "deploy") -> None:
        with private_folder() as folder:
            report = folder / "report.json"
            report_file.write(report, results, command)
            self._store.put_report(name, report)


# https://docs.github.com/en/actions/reference/limits: jobs of a matrix
MOST_JOBS = 256
MOST_WAVES = 6  # of the files that are generated; the last has all later ones


def _changed_inputs(run: Run, stack: Stack, plan: Plan) -> list[str]:
    """Returns what `stack` reads now and did not when it was planned."""
    initialize(run, stack)  # the provider's version is one of its inputs
    if plan.inputs is None:
        return ["it is unknown what its plan has read"]
    return differences(plan.inputs, run.records.inputs(stack, fresh=True))


def too_deep(changed: Sequence[Stack]) -> dict[str, str]:
    """Returns those of a wave that read others of it, which only the last wave can have."""
    reads = graph.reads_among(changed)
    uncertain = graph.uncertain_names(changed) if find_dependence(changed) else set()
    detail = "there are more waves than the pipeline has; start it again"
    return {name: detail for name, above in reads.items() if above or name in uncertain}


def _plan_report(wave: Portion, shard: Portion) -> str:
    return f"plan/{_dashed(wave)}-{_dashed(shard)}"


def _outcome_without_plan(plan: Plan) -> Outcome:
    return "not run" if plan.status == "waiting" else "failed"


def _dashed(portion: Portion) -> str:
    return f"{portion.number}of{portion.of}"
