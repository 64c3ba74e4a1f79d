"""Runs stacks and shows how it goes."""

import os
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path

import click

from tools.console import progress
from tools.context import Context, Target
from tools.engine import in_use, planning, preparation, scheduler
from tools.engine.plans import Plan
from tools.engine.records import Records
from tools.engine.run import Run
from tools.errors import UserError
from tools.layout.stack import Stack
from tools.runs import report_file
from tools.runs.session import Options
from tools.runs.summary import summarize
from tools.system import processes, signals


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
            results = scheduler.run_stacks(how, stacks)
        summarize(results)
        if self._options.report:
            report_file.write(self._options.report, results, "destroy" if destroy else "deploy")
        self._leave(how, any(result.outcome in ("failed", "not run") for result in results))

    def plan(self, stacks: Sequence[Stack], folder: Path, outside_only: bool = False) -> list[Plan]:
        """Plans `stacks` into `folder`."""
        with self.how(len(stacks)) as how:
            found = planning.plan_stacks(how, stacks, folder, outside_only)
        if how.interruption.count:
            raise click.exceptions.Exit(130)
        return found

    def refuse_in_use(self, stacks: Sequence[Stack]) -> None:
        """Raises UserError where a deployed stack that is not to go reads one that is."""
        with self.how(len(stacks), destroy=True) as how:
            in_use.refuse_in_use(how, stacks, self._known.stacks)

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
                options.jobs or scheduler.default_jobs(),
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


def _note_owner(logs: Path) -> None:
    """Notes this process beside its logs: a Terraform whose run lives on is no leftover."""
    logs.mkdir(parents=True, exist_ok=True)
    processes.note(os.getpid(), logs / preparation.OWNER)
