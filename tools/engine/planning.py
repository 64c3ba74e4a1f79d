"""Plans stacks and saves the plans."""

import time
from collections.abc import Callable, Sequence
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

from tools.engine import plans
from tools.engine.events import warnings_to
from tools.engine.explain import explain
from tools.engine.init import initialize, with_init
from tools.engine.plans import Plan, Reading
from tools.engine.preparation import finish_earlier_run
from tools.engine.retry import retrying
from tools.engine.run import NOTHING_DEPLOYED, Run
from tools.errors import UserError
from tools.layout.stack import Stack
from tools.terraform.diagnostics import TerraformError
from tools.terraform.text import Event


def plan(run: Run, stacks: Sequence[Stack], folder: Path, outside_only: bool = False) -> list[Plan]:
    """Plans those of `stacks` in which something has changed, and saves the plans to `folder`.

    With `outside_only`, asks for nothing but what was changed outside of Terraform, in all of
    them. Returns a plan for each, in their order; a failure is one too.
    """
    with ThreadPoolExecutor(run.jobs) as pool:
        futures = [pool.submit(_plan, run, stack, folder, outside_only) for stack in stacks]
        return [future.result() for future in futures]


def read_plan(
    run: Run,
    stack: Stack,
    out: Path | None,
    pass_on: Callable[[Event], None],
    outside_only: bool = False,
) -> Reading:
    reading = Reading(pass_on)
    log = run.log(stack, "drift" if outside_only else "plan")
    run.terraform.plan(stack.path, log, reading, run.interruption, out, refresh_only=outside_only)
    return reading


def _plan(run: Run, stack: Stack, folder: Path, outside_only: bool) -> Plan:
    started = time.monotonic()
    found = _planned(run, stack, folder, outside_only)
    run.progress.end(stack.name, "planned" if found.status == "changed" else found.status)
    return Plan(**{**vars(found), "seconds": time.monotonic() - started})


def _planned(run: Run, stack: Stack, folder: Path, outside_only: bool) -> Plan:
    try:
        finish_earlier_run(run, stack)
        why = tuple(run.records.why(stack))
        missing = run.records.missing_upstream(stack)
        if run.interruption.count:
            return Plan(stack.name, "failed", why, detail="interrupted")
        state = run.records.state(stack)
        if outside_only and run.records.place(stack) and not (state and state.resources):
            return Plan(stack.name, "unchanged", why, detail=NOTHING_DEPLOYED)
        if missing and not outside_only:
            return Plan(stack.name, "waiting", why, detail=f"waits for {', '.join(missing)}")
        if not (why or run.refresh or run.force or outside_only):
            return Plan(stack.name, "unchanged")
        initialize(run, stack)
        inputs = run.records.inputs(stack, fresh=True)
        run.progress.step(stack.name, "terraform plan")
        file = plans.file_of(folder, stack.name)
        warn = warnings_to(run, stack)

        def read() -> Reading:
            return read_plan(run, stack, file, warn, outside_only)

        found = retrying(run, stack, lambda: with_init(run, stack, read))
        outside = found.outside
        if outside and outside_only:
            outside = plans.outside(run.terraform.planned_values(stack.path, file))
    except TerraformError as error:
        for diagnostic in error.diagnostics:
            run.progress.say(stack.name, f"error: {diagnostic.text()}")
        detail = explain(error.diagnostics, stack, run)
        return Plan(stack.name, "failed", detail=detail)
    except (UserError, OSError) as error:
        run.progress.say(stack.name, f"error: {error}")
        return Plan(stack.name, "failed", detail=str(error))
    changed = outside if outside_only else [*found.changes, *found.outputs]
    return Plan(
        stack.name,
        "changed" if changed else "unchanged",
        why,
        () if outside_only else tuple(found.changes),
        () if outside_only else tuple(found.outputs),
        tuple(outside),
        inputs=inputs,
        file=file,
    )
