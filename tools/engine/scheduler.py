"""Starts stacks in the order of the graph, independent ones in parallel. A failure is a result."""

import os
from collections.abc import Collection, Mapping, Sequence
from concurrent.futures import FIRST_COMPLETED, Future, ThreadPoolExecutor, wait
from graphlib import TopologicalSorter

from tools.engine.apply import run_stack
from tools.engine.preparation import prepare_ahead
from tools.engine.run import INTERRUPTED, Result, Run
from tools.layout import graph
from tools.layout.stack import Stack
from tools.system import processes

_BARRIER = ""  # no stack's name
_BYTES_PER_JOB = 700_000_000  # Terraform and one AWS provider, measured at 0.6 GB


def run_stacks(run: Run, stacks: Sequence[Stack]) -> list[Result]:
    """Applies, or destroys, those of `stacks` in which something has changed.

    A stack starts once the stacks that it reads are done; a destroy goes the other way round. A
    stack that needs a failed one is not run. The others go on, unless the run is to fail fast. A
    stack that may read any other starts after all that do not read it, and is destroyed before
    them: where it could not be destroyed, what it may read stays. While fewer stacks can run than
    there are jobs, others are prepared: a bucket alone takes a minute, in which nothing else works.
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
    running: dict[Future[None], str] = {}
    waiting = [] if run.destroy else list(reversed(stacks))  # the next one last
    prepared: dict[str, Future[None]] = {}
    with ThreadPoolExecutor(run.jobs) as pool:
        while order.is_active():
            ready = set(order.get_ready())
            if _BARRIER in ready:
                order.done(_BARRIER)
                ready.update(order.get_ready())
            for name in sorted(ready - {_BARRIER}, key=position.__getitem__):
                others = prerequisites[name]
                if run.destroy:
                    others = [*others, *(s.name for s in readers if s.may_read(name))]
                ahead = prepared.get(name)
                future = pool.submit(_attempt, run, by_name[name], others, results, ahead)
                running[future] = name
            preparing = [future for future in prepared.values() if not future.done()]
            while waiting and len(running) + len(preparing) < run.jobs:
                if (stack := waiting.pop()).name not in {*running.values(), *results}:
                    prepared[stack.name] = pool.submit(prepare_ahead, run, stack)
                    preparing.append(prepared[stack.name])
            for future in wait([*running, *preparing], return_when=FIRST_COMPLETED).done:
                future.result()
                if future in running:
                    order.done(running.pop(future))
    return list(results.values())


def default_jobs() -> int:
    """The number of cores, or fewer if there is less memory than their providers need."""
    cores = os.cpu_count() or 1
    return max(1, min(cores, processes.free_memory() // _BYTES_PER_JOB))


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
    waiting = {n: [*o, _BARRIER] if n in after else [*o] for n, o in prerequisites.items()}
    return {**waiting, _BARRIER: list(before)}


def _attempt(
    run: Run,
    stack: Stack,
    prerequisites: Sequence[str],
    results: dict[str, Result],
    ahead: Future[None] | None,
) -> None:
    """Runs `stack`, unless something forbids it, and adds its result to `results`.

    `ahead` is its preparation, if that has begun, which is to end first.

    It is added here and not by the scheduler, so that the next stack to start sees a failure.
    """
    if ahead:
        ahead.result()
    if reason := _reason_not_to_run(run, stack, prerequisites, results):
        if reason != INTERRUPTED:  # the run's end counts them
            run.progress.say(stack.name, f"not run: {reason}")
        results[stack.name] = Result(stack.name, "not run", detail=reason)
    else:
        results[stack.name] = run_stack(run, stack)
    run.progress.end(stack.name, results[stack.name].outcome)


def _reason_not_to_run(
    run: Run, stack: Stack, prerequisites: Sequence[str], results: Mapping[str, Result]
) -> str:
    for name in prerequisites:
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
