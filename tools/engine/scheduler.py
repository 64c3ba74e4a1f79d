"""Starts stacks in the order of the graph, independent ones in parallel. A failure is a result."""

import os
from collections.abc import Collection, Mapping, Sequence
from concurrent.futures import FIRST_COMPLETED, Future, ThreadPoolExecutor, wait
from dataclasses import dataclass
from graphlib import TopologicalSorter
from heapq import heappop, heappush

from tools.engine.apply import run_stack
from tools.engine.preparation import prepare_ahead
from tools.engine.run import INTERRUPTED, Result, Run
from tools.layout import graph
from tools.layout.stack import Stack
from tools.system import processes

_BARRIER = ""  # no stack's name
# As many as Terraform makes changes at once within one stack:
# https://developer.hashicorp.com/terraform/cli/commands/apply#parallelism-n
_AT_ONCE = 10
_BYTES_PER_JOB = 700_000_000  # Terraform and one AWS provider, measured at 0.6 GB


def run_stacks(run: Run, stacks: Sequence[Stack]) -> list[Result]:
    """Applies, or destroys, those of `stacks` in which something has changed.

    A stack starts once the stacks that it reads are done; a destroy goes the other way round. A
    stack that needs a failed one is not run. The others go on, unless the run is to fail fast. A
    stack that may read any other starts after all that do not read it, and is destroyed before
    them: where it could not be destroyed, what it may read stays. A stack whose Terraform has come
    to make its changes leaves its job to the next: AWS takes minutes for a notebook. A job without
    a stack prepares one whose turn is to come.
    Returns a result for each stack, in the order in which they ended.
    """
    prerequisites = _prerequisites(stacks, run.destroy)
    by_name = {stack.name: stack for stack in stacks}
    position = {name: number for number, name in enumerate(by_name)}
    uncertain = graph.uncertain_names(stacks)
    readers = [stack for stack in stacks if stack.may_read_any]
    order = TopologicalSorter(_with_barrier(prerequisites, uncertain, run.destroy))
    order.prepare()
    results: dict[str, Result] = {}
    waiting: list[tuple[int, str]] = []  # a heap of those that may start, by position
    started: set[str] = set()
    ahead = [] if run.destroy else list(reversed(stacks))  # to be prepared, the next one last
    prepared: dict[str, Future[None]] = {}
    running: dict[Future[None], str] = {}
    at_work: set[Future[None]] = set()  # what has a job: each ends as its job is free again
    with ThreadPoolExecutor(run.jobs + run.more) as pool:
        while order.is_active():
            ready = set(order.get_ready())
            if _BARRIER in ready:
                order.done(_BARRIER)
                ready.update(order.get_ready())
            for name in ready - {_BARRIER}:
                heappush(waiting, (position[name], name))
            while waiting and len(at_work) < run.jobs and len(running) < run.jobs + run.more:
                _, name = heappop(waiting)
                started.add(name)
                others = prerequisites[name]
                if run.destroy:
                    others = [*others, *(s.name for s in readers if s.may_read(name))]
                job: Future[None] = Future()
                at_work.add(job)
                attempt = _Attempt(run, by_name[name], others, results, job, prepared.get(name))
                running[pool.submit(attempt.run)] = name
            while ahead and not waiting and len(at_work) < run.jobs:
                if (stack := ahead.pop()).name not in started:
                    prepared[stack.name] = pool.submit(prepare_ahead, run, stack)
                    at_work.add(prepared[stack.name])
            ended = wait([*running, *at_work], return_when=FIRST_COMPLETED).done
            at_work -= ended
            for future in ended & running.keys():
                future.result()
                order.done(running.pop(future))
    return list(results.values())


def default_jobs() -> tuple[int, int]:
    """How many stacks are worked on at once, and how many more may wait for AWS meanwhile.

    The former are as many as there are cores, both together ten or more, and fewer if there is
    less memory than their providers need.
    """
    most = max(1, processes.free_memory() // _BYTES_PER_JOB)
    jobs = min(os.cpu_count() or 1, most)
    return jobs, max(0, min(_AT_ONCE, most) - jobs)


def _prerequisites(stacks: Sequence[Stack], destroy: bool) -> dict[str, list[str]]:
    """Name of a stack to the names of those that must be done before it starts."""
    reads = graph.reads_among(stacks)
    return graph.readers(reads) if destroy else reads


def _with_barrier(
    prerequisites: Mapping[str, Sequence[str]], uncertain: Collection[str], destroy: bool
) -> dict[str, list[str]]:
    """`prerequisites` with a point that the `uncertain` stacks wait for, or that waits for them."""
    if not uncertain:
        return {name: list(others) for name, others in prerequisites.items()}
    certain = prerequisites.keys() - uncertain
    before, after = (uncertain, certain) if destroy else (certain, uncertain)
    with_barrier = {n: [*o, _BARRIER] if n in after else [*o] for n, o in prerequisites.items()}
    return {**with_barrier, _BARRIER: list(before)}


@dataclass
class _Attempt:
    """One stack's turn, which has `job` until there is nothing to do but wait for AWS.

    `ahead` is the stack's preparation, if that has begun, which is to end first.
    """

    _run: Run
    _stack: Stack
    _prerequisites: Sequence[str]
    _results: dict[str, Result]
    _job: Future[None]
    _ahead: Future[None] | None

    def run(self) -> None:
        """Runs the stack, unless something forbids it, and adds its result to the results.

        It is added here and not by the scheduler, so that the next stack to start sees a failure.
        """
        run, stack, results = self._run, self._stack, self._results
        try:
            if self._ahead:
                self._ahead.result()
            if reason := _reason_not_to_run(run, stack, self._prerequisites, results):
                if reason != INTERRUPTED:  # the run's end counts them
                    run.progress.say(stack.name, f"not run: {reason}")
                results[stack.name] = Result(stack.name, "not run", detail=reason)
            else:
                results[stack.name] = run_stack(run, stack, self._leave_job)
            run.progress.end(stack.name, results[stack.name].outcome)
        finally:
            self._leave_job()

    def _leave_job(self) -> None:
        if not self._job.done():
            self._job.set_result(None)


def _reason_not_to_run(
    run: Run, stack: Stack, needed_names: Sequence[str], results: Mapping[str, Result]
) -> str:
    for name in needed_names:
        # Two that may read each other have no order between them.
        if name in results and results[name].outcome in ("failed", "not run"):
            return f"{name} failed or was not run"
    if failed_upstream := run.blocked.get(stack.name):
        return f"{failed_upstream} failed or was not run"
    if run.interruption.count:
        return INTERRUPTED
    if gone := run.gone():
        return gone
    if run.exactly and (saved := run.saved[stack.name]).file is None:
        return f"there is no plan of it: {saved.detail or saved.status}"
    # A copy: other stacks add their results in the meantime.
    failed = [result.stack for result in [*results.values()] if result.outcome == "failed"]
    return f"{failed[0]} failed" if run.fail_fast and failed else ""
