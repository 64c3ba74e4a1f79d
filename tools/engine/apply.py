"""Applies or destroys one stack."""

import tempfile
import time
from collections.abc import Callable, Mapping, Sequence
from contextlib import suppress
from pathlib import Path

from tools.engine import plans
from tools.engine.events import EventReporter, is_creation, is_of_data_source
from tools.engine.explain import describe_losses, describe_missing_upstreams, report_failure
from tools.engine.fingerprint import Inputs, differences
from tools.engine.in_use import describe_other_states, find_other_states
from tools.engine.init import retry_after_init
from tools.engine.leftovers import refuse_leftovers
from tools.engine.planning import run_plan
from tools.engine.plans import Change, PlanReader
from tools.engine.preparation import (
    await_earlier_terraform,
    prepare,
    require_disk_space,
    write_left_state,
)
from tools.engine.retry import retry_transient
from tools.engine.run import INTERRUPTED, Outcome, Result, Run
from tools.errors import UserError
from tools.layout.stack import Stack
from tools.terraform.text import Event

COUNTED = ("add", "change", "remove")  # what a result shows as numbers


def run_stack(run: Run, stack: Stack, on_waiting: Callable[[], object] = object) -> Result:
    """Applies `stack`, or destroys it if that is the run's task; a failure is a result too.

    Calls `on_waiting` with each change that Terraform begins: from the first one on it does little
    but wait.
    """
    return _StackRun(run, stack, on_waiting).run()


class _StackRun:
    """One stack's part of a run, and how far Terraform is with it."""

    def __init__(self, run: Run, stack: Stack, on_waiting: Callable[[], object]) -> None:
        self._run = run
        self._stack = stack
        self._on_waiting = on_waiting
        self._command = f"{run.terraform.program} {'destroy' if run.destroy else 'apply'}"
        self._report = EventReporter(run.progress, stack)
        self._done = 0
        self._total = 0
        self._changes: dict[str, int] = {}
        self._outputs: Sequence[str] = ()
        self._has_changes = False
        self._is_locked = False
        self._was_unfinished: bool | None = None  # known once an apply begins
        self._inputs: Inputs | None = None  # what that apply reads
        self._unfinished_note = ""  # what an earlier one may have left
        self._creates = False
        self._saved = run.saved.get(stack.name)

    def run(self) -> Result:
        started = time.monotonic()
        outcome: Outcome = "unchanged"
        detail = ""
        try:
            await_earlier_terraform(self._run, self._stack)
            self._refuse_other_account()
            retry_transient(
                self._run, self._stack, lambda: write_left_state(self._run, self._stack)
            )
            detail = self._destroy() if self._run.destroy else self._apply()
            if self._has_changes or any(self._changes.values()):
                outcome = "destroyed" if self._run.destroy else "applied"
        except (UserError, OSError) as error:
            self._close_if_nothing_was_made()
            detail = report_failure(error, self._stack, self._run)
            outcome = INTERRUPTED if detail == INTERRUPTED else "failed"
            if outcome == INTERRUPTED and self._total:
                detail += f" after {self._done} of {self._total} resources"
        finally:
            self._report.report_warnings()
        seconds = time.monotonic() - started
        return Result(self._stack.name, outcome, seconds, detail, self._changes)

    def _close_if_nothing_was_made(self) -> None:
        """Deletes the note of an apply that failed before it created anything."""
        if self._was_unfinished is False and not self._creates:
            with suppress(UserError):  # the note only asks for a look
                self._run.records.close_apply(self._stack)

    def _refuse_other_account(self) -> None:
        """Raises UserError if the stack was applied in another account.

        Terraform would find nothing of it there, forget it, and create it a second time.
        """
        other = self._run.records.other_account(self._stack)
        if other and not self._run.force:
            raise UserError(
                f"its state is of account {other}, where it was applied, and this is "
                f"{self._run.records.account}; use that account's credentials, or --force"
            )

    def _apply(self) -> str:
        records, stack = self._run.records, self._stack
        if self._run.exactly:
            self._apply_saved()
            return self._describe_changes()
        why = records.reasons_to_apply(stack)
        if not why and not self._run.refresh and not self._run.force:
            return ""
        if missing := records.missing_upstreams(stack):
            raise UserError(describe_missing_upstreams(missing, self._run.option))
        retry_transient(self._run, stack, self._apply_once)
        return self._describe_changes()

    def _describe_changes(self) -> str:
        """What an apply has changed that the numbers of resources do not show."""
        others = {name: n for name, n in self._changes.items() if name not in COUNTED and n}
        parts = [f"{name}: {number}" for name, number in others.items()]
        parts += [self._unfinished_note] if self._unfinished_note else []
        if self._outputs and not any(self._changes.values()):
            parts.append(f"outputs changed: {', '.join(self._outputs)}")
        return "; ".join(parts)

    def _destroy(self) -> str:
        stack = self._stack
        refuse_leftovers(self._run, stack)
        records = self._run.records
        place = records.place(stack)
        if records.may_be_elsewhere(stack):
            raise UserError(records.why_no_place(stack))  # the empty place is not the one to read
        # Terraform says who holds a lock: another run may be making what is in no state yet.
        self._is_locked = place is not None and place.lock() is not None
        if place and not self._is_locked and not records.unreadable(stack):
            state = records.state(stack)
            if not (state and state.resources):
                self._refuse_other_states()
                records.close_apply(stack)
                return "nothing to destroy"
        retry_transient(self._run, stack, self._destroy_once)
        if not self._has_changes and not any(self._changes.values()):
            self._refuse_other_states()
            records.close_apply(stack)
            return ""
        records.close_apply(stack)
        try:
            others = find_other_states(self._run, stack)
        except UserError as error:  # no reason to say that it is not destroyed
            return f"what its other states hold is not known: {error}"
        return describe_other_states(others) if others else ""

    def _refuse_other_states(self) -> None:
        """Raises UserError if the stack's own state holds nothing, and another one of it may."""
        if others := find_other_states(self._run, self._stack):
            raise UserError(f"nothing is in its own state; {describe_other_states(others)}")

    def _destroy_once(self) -> None:
        run, stack = self._run, self._stack
        self._prepare()
        if not self._is_locked and not run.terraform.holds_resources(stack.path):
            return
        run.records.delete_record(stack)  # from here on, whatever happens
        self._step()
        log = run.log(stack, "destroy")
        run.terraform.apply(stack.path, log, self._on_event, run.interruption, destroy=True)

    def _apply_once(self) -> None:
        self._prepare()
        self._inputs = inputs = self._run.records.inputs(self._stack, fresh=True)
        self._warn_of_unfinished()
        self._step()
        retry_after_init(self._run, self._stack, lambda: self._apply_safely(inputs))
        self._record(inputs)

    def _begin(self) -> None:
        """Notes that an apply has begun: until it succeeds, it counts as unfinished."""
        records, stack = self._run.records, self._stack
        assert self._inputs  # read before Terraform is asked for anything
        if self._was_unfinished is None:
            self._was_unfinished = bool(records.why_incomplete(stack))
        records.begin_apply(stack, self._inputs)

    def _warn_of_unfinished(self) -> None:
        """Says if an earlier apply did not finish, and this one may forget what that one made."""
        records, stack = self._run.records, self._stack
        sign = records.why_incomplete(stack)
        if (
            sign
            and not self._unfinished_note
            and (changes := records.changes_since_incomplete(stack))
        ):
            self._unfinished_note = (
                f"{sign} ({changes[0]}): what it made may be in AWS and in no state; look for it: "
                f"tools status{self._run.option}"
            )
            self._run.progress.warn(self._stack.name, self._unfinished_note)

    def _begin_approved(self) -> None:
        """Notes that an apply with changes has begun: Terraform asks to approve nothing else."""
        self._has_changes = True
        self._begin()

    def _may_lose_data(self) -> bool:
        """Whether data could go with an apply, as far as state and files tell."""
        records = self._run.records
        if records.place(self._stack) is None or records.unreadable(self._stack):
            return True
        # An import block may bring in a resource and replace it in one apply:
        # https://developer.hashicorp.com/terraform/language/import
        if any(b"import" in file.read_bytes() for file in self._stack.config_files()):
            return True
        state = records.state(self._stack)
        return state is not None and state.holds_data

    def _apply_safely(self, inputs: Inputs) -> None:
        """Applies, but takes no data away unless that was allowed."""
        run, stack = self._run, self._stack
        # A plan that was applied in part is stale: another attempt makes its own.
        saved, self._saved = self._saved, None
        log = run.log(stack, "apply")
        if saved and saved.file and saved.inputs and not differences(saved.inputs, inputs):
            self._apply_plan(saved.file, saved.status == "changed", saved.outputs)
        elif (run.allow_destroy and not run.saved) or not self._may_lose_data():
            self._begin()
            run.terraform.apply(stack.path, log, self._on_event, run.interruption)
        elif not run.terraform.apply_unless_destructive(
            stack.path, log, self._on_event, run.interruption, self._begin_approved
        ):
            with tempfile.TemporaryDirectory() as folder:
                file = Path(folder) / "plan"
                plan = run_plan(run, stack, file, self._on_event)
                self._refuse_losses(plans.planned_losses(run.terraform.show_json(stack.path, file)))
                self._apply_plan(file, plan.has_changes, plan.outputs)

    def _refuse_losses(self, losses: list[Change]) -> None:
        """Raises UserError for losses of data that nobody has agreed to.

        A person who was shown plans has agreed to what was in them, and to nothing else.
        """
        if losses and self._run.allow_destroy:
            raise UserError(
                f"{describe_losses(losses, '')}this was not in the plans that you saw: run it again"
            )
        if losses:
            raise UserError(describe_losses(losses))

    def _apply_saved(self) -> None:
        saved = self._run.saved[self._stack.name]
        assert saved.file  # the scheduler runs no stack without one
        assert saved.inputs
        self._inputs = saved.inputs
        self._warn_of_unfinished()
        self._prepare()
        self._apply_plan(saved.file, saved.status == "changed", saved.outputs)
        self._record(saved.inputs)

    def _apply_plan(self, file: Path, has_changes: bool, outputs: Sequence[str]) -> None:
        self._has_changes, self._outputs = has_changes, outputs
        self._step()
        run = self._run
        log = run.log(self._stack, "apply")
        self._begin()
        run.terraform.apply(self._stack.path, log, self._on_event, run.interruption, plan=file)

    def _record(self, inputs: Inputs) -> None:
        """Records that `inputs` are applied, unless they were edited in the meantime."""
        now = self._run.records.inputs(self._stack, fresh=True)
        if not self._run.exactly and (edited := differences(inputs, now)):
            self._say(f"edited while it was applied, so it still counts as changed: {edited[0]}")
            self._run.records.close_apply(self._stack)
            return
        try:
            self._run.records.record_apply(self._stack, inputs)
        except UserError as error:
            self._run.progress.warn(
                self._stack.name,
                f"applied, but not recorded, so the next run plans it again: {error}",
            )

    def _prepare(self) -> None:
        prepare(self._run, self._stack)
        require_disk_space(self._stack.path)

    def _on_event(self, event: Event) -> None:
        kind = event.get("type")
        if kind == "change_summary":
            self._count(event["changes"])
        elif kind in ("outputs", "planned_change"):
            self._on_planned(event)
        elif kind == "apply_start" and not is_of_data_source(event):
            self._on_waiting()
            self._creates = self._creates or is_creation(event)
        elif kind == "apply_complete" and not is_of_data_source(event):
            self._done += 1
            self._step()
        self._report(event)

    def _on_planned(self, event: Event) -> None:
        """Takes in a part of the plan that Terraform makes as it applies."""
        part = PlanReader(lambda event: None)
        part(event)
        self._outputs = part.outputs or self._outputs
        self._has_changes = self._has_changes or bool(part.changes or part.outputs)

    def _count(self, changes: Mapping[str, int | str]) -> None:
        counts = {name: int(number) for name, number in changes.items() if name != "operation"}
        if changes["operation"] == "plan":
            # A replacement is one to add and one to remove, and each of them is completed.
            self._done, self._total = 0, sum(counts.get(name, 0) for name in COUNTED)
        else:
            self._changes = counts

    def _step(self) -> None:
        self._run.progress.step(self._stack.name, self._command, self._done, self._total)

    def _say(self, line: str) -> None:
        self._run.progress.say(self._stack.name, line)
