"""Runs stacks and shows how it goes."""

import os
import time
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import replace
from pathlib import Path

import click

from tools.console import progress
from tools.console.messages import exit_interrupted, say
from tools.context import Target
from tools.engine import in_use, planning, preparation, scheduler
from tools.engine.plans import Plan
from tools.engine.records import Records
from tools.engine.run import Result, Run
from tools.errors import UserError
from tools.layout.stack import Stack
from tools.localcloud.process import LocalCloud
from tools.runs import closing, report_file
from tools.runs.earlier_waves import blocked_stacks
from tools.runs.options import Options
from tools.runs.summary import summarize
from tools.system import processes, signals
from tools.terraform.binary import Terraform
from tools.terraform.diagnostics import NotAwaitedError
from tools.terraform.keeper import Keeper
from tools.terraform.warm import WarmProviders


class Runner:
    """Runs stacks and shows how it goes."""

    def __init__(
        self, target: Target, records: Records, options: Options, local_cloud: LocalCloud
    ) -> None:
        self._target = target
        self._records = records
        self._options = options
        self._local_cloud = local_cloud

    def run(
        self,
        stacks: Sequence[Stack],
        destroy: bool = False,
        saved: Sequence[Plan] = (),
        exactly: bool = False,
    ) -> None:
        """Applies or destroys `stacks`, prints the summary and writes the report.

        Exits with 1 if a stack failed, and with 130 if it was interrupted. Raises UserError if the
        local cloud ended meanwhile.
        """
        before = closing.find_deployed_notebooks(self._records, stacks)
        started = time.monotonic()
        with self._begin(len(stacks), destroy, saved, exactly) as run:
            results = scheduler.run_stacks(run, stacks)
        self._close(run, stacks, results, before, time.monotonic() - started)
        if self._options.report:
            report_file.write(self._options.report, results, "destroy" if destroy else "deploy")
        self._leave(run, any(result.is_unfinished for result in results))

    def _close(
        self,
        run: Run,
        stacks: Sequence[Stack],
        results: Sequence[Result],
        before: dict[str, str],
        seconds: float,
    ) -> None:
        if run.interruption.count:
            closing.say_interruption(results, seconds)
            return
        summarize(results)
        closing.say_totals(results, seconds)
        if not self._options.says_next:
            return
        option, repository = self._target.option, self._target.repository
        if run.destroy:
            is_all = len(results) == len(repository.stacks())
            closing.say_next_of_destroy(results, option, is_all)
            return
        after = closing.find_deployed_notebooks(self._records, stacks)
        closing.show_new_notebooks(before, after)
        closing.say_next(results, option, bool(repository.notebook_names()))

    @contextmanager
    def work(self, total: int, destroy: bool = False) -> Iterator[Run]:
        """Yields a run on `total` stacks for what is neither plan nor deployment.

        Says so if it was interrupted, and exits with 130; a Terraform at work has ended then. What
        must not begin after an interruption is for the caller to leave out.
        """
        error = ""
        with self._begin(total, destroy) as run:
            try:
                yield run
            except UserError as failure:  # as a rule of a Terraform that was interrupted
                if not run.interruption.count or isinstance(failure, NotAwaitedError):
                    raise
                error = f": {failure}"
        if run.interruption.count:
            click.echo(f"interrupted{error}", err=True)
            raise click.exceptions.Exit(130)

    @contextmanager
    def resume(self, total: int) -> Iterator[Run]:
        """Yields a run like `work`, of a command that continues when it is run again.

        Says so if it was interrupted, and exits with 130.
        """
        with self._begin(total) as run:
            try:
                yield run
            except UserError:  # of a Terraform that was interrupted
                if not run.interruption.count:
                    raise
        if run.interruption.count:
            exit_interrupted()

    def plan(self, stacks: Sequence[Stack], folder: Path, outside_only: bool = False) -> list[Plan]:
        """Plans `stacks` and returns the plans, whose files are in `folder`."""
        with self._begin(len(stacks)) as run:
            plans = planning.plan_stacks(run, stacks, folder, outside_only)
        if run.interruption.count:
            say("interrupted; nothing was changed")
            raise click.exceptions.Exit(130)
        return plans

    def refuse_in_use(self, stacks: Sequence[Stack]) -> None:
        """Raises UserError if what is deployed and not among `stacks` reads, or may read, one.

        Exits with 130 if it was interrupted.
        """
        with self.work(len(stacks), destroy=True) as run:
            records = self._records
            in_use.refuse_in_use(run, stacks, records.stacks, records.other_roots)

    @contextmanager
    def _begin(
        self,
        total: int,
        destroy: bool = False,
        saved: Sequence[Plan] = (),
        exactly: bool = False,
    ) -> Iterator[Run]:
        """Yields a run on `total` stacks, shown as it goes, in which Ctrl-C is counted."""
        target, options = self._target, self._options
        earlier = report_file.merge(options.earlier)[1] if options.earlier else []
        _note_owner(target.logs)
        jobs, more = (options.jobs, 0) if options.jobs else scheduler.default_jobs()
        with (
            signals.count_signals() as interruption,
            progress.choose(total) as display,
            self._warm(jobs + more, display) as terraform,
        ):
            yield Run(
                terraform,
                self._records,
                target.logs,
                display,
                interruption,
                jobs,
                destroy,
                options.fail_fast,
                options.refresh,
                options.force,
                options.allow_destroy,
                {plan.stack: plan for plan in saved},
                exactly,
                target.option,
                gone=self._gone,
                region=target.region,
                blocked=blocked_stacks(earlier, self._records.stacks),
                expects_waiting=options.expects_waiting,
                locks=options.locks,
                more=more,
            )

    @contextmanager
    def _warm(self, jobs: int, display: progress.Progress) -> Iterator[Terraform]:
        """Yields the target's Terraform, with providers that keep running if they are wanted."""
        terraform, wanted = self._target.terraform, self._options.warm_providers
        if wanted is None:
            wanted = self._target.endpoint is not None
        if not wanted:
            yield terraform
            return
        with Keeper(jobs) as keeper:
            warm = WarmProviders(
                keeper,
                terraform.platform,
                lambda line: display.say("warm providers", line),
                says_why=self._options.warm_providers is True,
                product=terraform.product,
            )
            yield replace(terraform, warm=warm)

    def _leave(self, run: Run, failed: bool) -> None:
        if run.interruption.count:
            raise click.exceptions.Exit(130)
        if failed and (gone := self._gone()):
            log = self._local_cloud.log
            raise UserError(f"{gone} (log: {log}); start again: tools local up")
        if failed:
            click.echo(f"logs: {self._target.logs}", err=True)
            raise click.exceptions.Exit(1)

    def _gone(self) -> str:
        ended = self._target.endpoint and self._local_cloud.status() is None
        return "LocalStack ended while this ran" if ended else ""


def _note_owner(logs: Path) -> None:
    """Notes this process beside its logs: until it ends, no other run waits for its Terraforms."""
    logs.mkdir(parents=True, exist_ok=True)
    processes.write_note(os.getpid(), logs / preparation.OWNER)
