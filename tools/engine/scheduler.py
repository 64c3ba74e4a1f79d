"""Starts stacks in the order of the graph, independent ones at once. A failure is a result."""

import os
from collections.abc import Sequence
from concurrent.futures import FIRST_COMPLETED, Future, ThreadPoolExecutor, wait
from graphlib import TopologicalSorter

from tools.engine.apply import StackRun
from tools.engine.run import Result, Run
from tools.layout import graph
from tools.layout.stack import Stack
from tools.system import processes

_UNDONE = ("failed", "not run")
_MEMORY_OF_ONE = 700_000_000  # bytes: Terraform and one AWS provider, measured at 0.6 GB


def deploy(run: Run, stacks: Sequence[Stack]) -> list[Result]:
    """Applies or destroys those of `stacks` in which something has changed.

    A stack starts when those that it reads are done, or to be destroyed, those that read it. One
    that needs a failed one is not run; the others go on, unless the run is to fail fast. Returns a
    result for each stack, in the order in which they ended.
    """
    waits_for = _waits_for(stacks, run.destroy)
    by_name = {stack.name: stack for stack in stacks}
    place = {name: number for number, name in enumerate(by_name)}
    order = TopologicalSorter(waits_for)
    order.prepare()
    results: dict[str, Result] = {}
    running: dict[Future[None], str] = {}
    with ThreadPoolExecutor(run.jobs) as pool:
        while order.is_active():
            for name in sorted(order.get_ready(), key=place.__getitem__):
                failed = [n for n in waits_for[name] if results[n].outcome in _UNDONE]
                running[pool.submit(_attempt, run, by_name[name], failed, results)] = name
            for future in wait(running, return_when=FIRST_COMPLETED).done:
                future.result()
                order.done(running.pop(future))
    return list(results.values())


def default_jobs() -> int:
    """As many Terraforms at once as there are cores, and memory for their providers."""
    cores = os.cpu_count() or 1
    return max(1, min(cores, processes.free_memory() // _MEMORY_OF_ONE))


def _waits_for(stacks: Sequence[Stack], destroy: bool) -> dict[str, list[str]]:
    reads = graph.reads_among(stacks)
    return graph.readers(reads) if destroy else reads


def _attempt(run: Run, stack: Stack, failed: Sequence[str], results: dict[str, Result]) -> None:
    """Runs `stack` unless there is a reason not to; the next one looks at `results` at once."""
    reason = ""
    if failed:
        reason = f"{failed[0]} failed or was not run"
    elif run.interruption.count:
        reason = "interrupted"
    elif gone := run.gone():
        reason = gone
    elif run.exactly and (saved := run.saved[stack.name]).file is None:
        reason = f"there is no plan of it: {saved.detail or saved.status}"
    elif run.fail_fast and (first := next(filter(_is_bad, list(results.values())), None)):
        reason = f"{first.stack} failed"
    if reason:
        run.progress.say(stack.name, f"not run: {reason}")
        results[stack.name] = Result(stack.name, "not run", detail=reason)
    else:
        results[stack.name] = StackRun(run, stack).run()
    run.progress.end(stack.name, results[stack.name].outcome)


def _is_bad(result: Result) -> bool:
    return result.outcome == "failed"
