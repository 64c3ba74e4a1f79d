"""Plans stacks and saves the plans."""

import time
from collections.abc import Callable, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from pathlib import Path

from tools.engine import drift, plans
from tools.engine.events import report_warnings
from tools.engine.explain import describe_failure
from tools.engine.init import initialize, retry_after_init
from tools.engine.plans import Change, Plan, PlanReader, Status
from tools.engine.preparation import finish_earlier_run
from tools.engine.retry import retry_transient
from tools.engine.run import INTERRUPTED, NOTHING_DEPLOYED, Run
from tools.errors import UserError
from tools.layout.stack import Stack
from tools.terraform.text import Event

# What a plan changes of which it names no resource and no output, such as actions to invoke.
UNSEEN = "changes of a kind that this tool does not know: tools plan --details"


def plan_stacks(
    run: Run, stacks: Sequence[Stack], folder: Path, outside_only: bool = False
) -> list[Plan]:
    """Plans those of `stacks` in which something has changed, and saves the plans to `folder`.

    With `outside_only`, asks for nothing but what was changed outside of Terraform, in all of
    them. Returns a plan for each, in their order; a failure is one too.
    """
    with ThreadPoolExecutor(run.jobs) as pool:
        futures = [pool.submit(_plan_stack, run, stack, folder, outside_only) for stack in stacks]
        return [future.result() for future in futures]


def run_plan(
    run: Run,
    stack: Stack,
    out: Path,
    on_event: Callable[[Event], None],
    outside_only: bool = False,
) -> PlanReader:
    """Runs `terraform plan`, saved to `out`, and returns what it said; events go to `on_event` too.

    Raises TerraformError if it fails.
    """
    reader = PlanReader(on_event)
    log = run.log(stack, "drift" if outside_only else "plan")
    reader.has_changes = run.terraform.plan(
        stack.path, log, reader, run.interruption, out, refresh_only=outside_only, lock=run.locks
    )
    return reader


def _plan_stack(run: Run, stack: Stack, folder: Path, outside_only: bool) -> Plan:
    started = time.monotonic()
    try:
        finish_earlier_run(run, stack)
        why = tuple(run.records.reasons_to_apply(stack))
        plan = _plan_by_records(run, stack, why, outside_only)
        plan = plan or _plan_by_terraform(run, stack, why, folder, outside_only)
    except (UserError, OSError) as error:
        errors, reason = describe_failure(error, stack, run)
        plan = Plan(stack.name, "failed", detail=reason, errors=errors)
    outcome = "planned" if plan.status == "changed" else plan.status
    if plan.errors and run.expects_waiting:
        outcome = "waiting"  # or failed: that is told once the plans upstream are known
    for line in () if run.expects_waiting else plan.errors:
        run.progress.say(stack.name, line)
    run.progress.end(stack.name, INTERRUPTED if plan.detail == INTERRUPTED else outcome)
    return replace(plan, seconds=time.monotonic() - started)


def _plan_by_records(
    run: Run, stack: Stack, why: tuple[str, ...], outside_only: bool
) -> Plan | None:
    """The plan, if records and states tell it; None if Terraform has to be asked."""
    missing = run.records.missing_upstreams(stack)
    if run.interruption.count:
        return Plan(stack.name, "failed", why, detail=INTERRUPTED)
    if outside_only and _holds_nothing(run, stack):
        return Plan(stack.name, "unchanged", why, detail=NOTHING_DEPLOYED)
    if missing and not outside_only:
        return Plan(stack.name, "waiting", why, detail=f"waits for {', '.join(missing)}")
    if why or run.refresh or run.force or outside_only:
        return None
    return Plan(stack.name, "unchanged")


def _holds_nothing(run: Run, stack: Stack) -> bool:
    """Whether it is certain that nothing of `stack` is deployed."""
    if run.records.place(stack) is None or run.records.unreadable(stack):
        return False
    state = run.records.state(stack)
    return not (state and state.resources)


def _plan_by_terraform(
    run: Run, stack: Stack, why: tuple[str, ...], folder: Path, outside_only: bool
) -> Plan:
    initialize(run, stack)
    inputs = run.records.inputs(stack, fresh=True)
    run.progress.step(stack.name, f"{run.terraform.program} plan")
    file = plans.plan_path(folder, stack.name)

    def attempt() -> PlanReader:
        with report_warnings(run.progress, stack) as on_event:
            return run_plan(run, stack, file, on_event, outside_only)

    reader = retry_transient(run, stack, lambda: retry_after_init(run, stack, attempt))
    if outside_only:
        outside = _read_outside(run, stack, file) if reader.outside else ()
        plan = Plan(stack.name, "changed" if outside else "unchanged", why, outside=outside)
    else:
        changes, outputs = tuple(reader.changes), tuple(reader.outputs)
        status: Status = "changed" if reader.has_changes else "unchanged"
        detail = "" if changes or outputs or status == "unchanged" else UNSEEN
        plan = Plan(stack.name, status, why, changes, outputs, tuple(reader.outside), detail)
    return replace(plan, inputs=inputs, file=file)


def _read_outside(run: Run, stack: Stack, file: Path) -> tuple[Change, ...]:
    run.records.prefetch(run.records.stacks)
    others = drift.resources_of_others(run.records, stack)
    return tuple(drift.outside_changes(run.terraform.show_json(stack.path, file), others))
