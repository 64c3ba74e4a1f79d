"""Plan, apply and destroy over the graph: upstream first, or last. A failure is a result."""

import os
import re
import shutil
import tempfile
import threading
import time
from collections.abc import Callable, Iterable, Mapping, Sequence
from concurrent.futures import FIRST_COMPLETED, Future, ThreadPoolExecutor, wait
from contextlib import nullcontext
from dataclasses import dataclass, field
from functools import cache
from graphlib import TopologicalSorter
from pathlib import Path
from typing import Literal, TypeVar

from tools import initialized, plans
from tools.console.progress import Progress
from tools.errors import UserError
from tools.inputs import Inputs, differences
from tools.plans import Plan, Reading
from tools.records import Records
from tools.stack import Stack
from tools.states import ERRORED, is_whole
from tools.system import processes
from tools.system.signals import Interruption
from tools.terraform.binary import Terraform
from tools.terraform.diagnostics import Diagnostic, TerraformError
from tools.terraform.text import Event

T = TypeVar("T")
Outcome = Literal["applied", "unchanged", "destroyed", "failed", "not run"]

NOTHING_DEPLOYED = "nothing is deployed"

OWNER = "run.pid"  # beside the logs of a run: the process that it is, or was

_UNDONE = ("failed", "not run")
_MEMORY_OF_ONE = 700_000_000  # bytes: Terraform and one AWS provider, measured at 0.6 GB
_INIT_LOCK = threading.Lock()
_DETAILS = {"apply_complete", "apply_progress", "apply_start", "change_summary"}
_ALWAYS = {"apply_errored", "text"}
_ROOM = 10_000_000  # bytes that must be free: for a state, and for what Terraform saves it to

# What AWS, or the way there, answers for a while:
# https://docs.aws.amazon.com/AWSEC2/latest/APIReference/errors-overview.html
_TRANSIENT = re.compile(
    r"Throttl|RequestLimitExceeded|TooManyRequests|SlowDown|RequestTimeout|ServiceUnavailable|"
    r"InternalFailure|InternalServerError|InternalError|StatusCode: (?:429|500|502|503|504)\b|"
    r"connection re(?:set|fused)|i/o timeout|TLS handshake timeout|unexpected EOF|"
    r"no such host|Temporary failure in name resolution"
)
_EXISTS = re.compile(
    r"EntityAlreadyExists|BucketAlreadyOwnedByYou|BucketAlreadyExists|InvalidGroup\.Duplicate|"
    r"ResourceInUse|AlreadyExistsException|already exist|Cannot create a duplicate",
    re.IGNORECASE,
)
_NEEDS_INIT = re.compile(r"terraform init|tofu init|Required plugins are not installed")


@dataclass(frozen=True)
class Result:
    """What became of one stack; `detail` says why where it failed or was not run."""

    stack: str
    outcome: Outcome
    seconds: float = 0.0
    detail: str = ""
    changes: Mapping[str, int] = field(default_factory=dict)


@dataclass(frozen=True)
class Run:
    """How stacks are planned, applied or destroyed.

    Each stack's full output goes to files in `logs`. At most `jobs` Terraforms run at once;
    `option` is what a command in a message needs to reach the same target, such as " --local".
    `refresh` plans stacks that have not changed as well, `force` initializes them besides.
    `saved` are plans that a person has seen; with `exactly` nothing but they is applied.
    A transient error is tried again after each of `backoff`, in seconds. `gone` says why nothing
    more can succeed, in words, or nothing: the local cloud may end.
    """

    terraform: Terraform
    records: Records
    logs: Path
    progress: Progress
    interruption: Interruption
    jobs: int
    destroy: bool = False
    fail_fast: bool = False
    refresh: bool = False
    force: bool = False
    allow_destroy: bool = False
    saved: Mapping[str, Plan] = field(default_factory=dict)
    exactly: bool = False
    option: str = ""
    backoff: Sequence[float] = (5, 15, 45)
    gone: Callable[[], str] = str

    def log(self, stack: Stack, verb: str) -> Path:
        """The file for what Terraform says."""
        return self.logs / f"{stack.name.replace('/', '.')}.{verb}.log"


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


def plan(run: Run, stacks: Sequence[Stack], folder: Path, outside_only: bool = False) -> list[Plan]:
    """Plans those of `stacks` in which something has changed, and saves the plans to `folder`.

    With `outside_only`, asks for nothing but what was changed outside of Terraform, in all of
    them. Returns a plan for each, in their order; a failure is one too.
    """
    with ThreadPoolExecutor(run.jobs) as pool:
        futures = [pool.submit(_plan, run, stack, folder, outside_only) for stack in stacks]
        return [future.result() for future in futures]


def default_jobs() -> int:
    """As many Terraforms at once as there are cores, and memory for their providers."""
    cores = os.cpu_count() or 1
    return max(1, min(cores, processes.free_memory() // _MEMORY_OF_ONE))


def _waits_for(stacks: Sequence[Stack], destroy: bool) -> dict[str, list[str]]:
    upstream = {stack.name: stack.upstream for stack in stacks}
    waits: dict[str, list[str]] = {name: [] for name in upstream}
    for name, above in upstream.items():
        for other in above:
            if other in upstream:
                waits[other if destroy else name].append(name if destroy else other)
    return waits


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
        results[stack.name] = _Work(run, stack).run()
    run.progress.end(stack.name, results[stack.name].outcome)


def _is_bad(result: Result) -> bool:
    return result.outcome == "failed"


class _Work:
    """One stack's part of a run."""

    def __init__(self, run: Run, stack: Stack) -> None:
        self._run = run
        self._stack = stack
        self._done = 0
        self._total = 0
        self._changes: dict[str, int] = {}
        self._is_locked = False
        self._saved = run.saved.get(stack.name)

    def run(self) -> Result:
        started = time.monotonic()
        outcome: Outcome = "unchanged"
        detail = ""
        try:
            await_leftover(self._run, self._stack)
            self._refuse_other_account()
            retrying(self._run, self._stack, lambda: recover(self._run, self._stack))
            detail = self._destroy() if self._run.destroy else self._apply()
            if any(self._changes.values()):
                outcome = "destroyed" if self._run.destroy else "applied"
        except TerraformError as error:
            outcome, detail = "failed", self._reason(error)
            for diagnostic in error.diagnostics:
                self._say(f"error: {diagnostic.text()}")
        except (UserError, OSError) as error:
            outcome, detail = "failed", str(error)
            self._say(f"error: {error}")
        seconds = time.monotonic() - started
        return Result(self._stack.name, outcome, seconds, detail, self._changes)

    def _refuse_other_account(self) -> None:
        """What a state says of one account would be made anew in another, and forgotten there."""
        other = self._run.records.other_account(self._stack)
        if other and not self._run.force:
            raise UserError(
                f"its state is of account {other}, where it was applied, and this is "
                f"{self._run.records.account}; use that account's credentials, or --force"
            )

    def _reason(self, error: TerraformError) -> str:
        """Why it failed; what the errors of an interruption say is its consequence alone."""
        if self._run.interruption.count:
            done = f" after {self._done} of {self._total} resources" if self._total else ""
            return f"interrupted{done}"
        return explain(error.diagnostics, self._stack, self._run)

    def _apply(self) -> str:
        records, stack = self._run.records, self._stack
        if self._run.exactly:
            self._apply_saved()
            return ""
        why = records.why(stack)
        if not why and not self._run.refresh and not self._run.force:
            return ""
        missing = records.missing_upstream(stack)
        if missing:
            raise UserError(waiting(missing, self._run.option))
        retrying(self._run, stack, self._apply_once)
        return ""

    def _destroy(self) -> str:
        stack = self._stack
        state = self._run.records.state(stack)
        place = self._run.records.place(stack)
        # Terraform says who holds a lock: another run may be making what is in no state yet.
        self._is_locked = place is not None and place.lock() is not None
        if place and not self._is_locked and not (state and state.resources):
            return "nothing to destroy"
        retrying(self._run, stack, self._destroy_once)
        return ""

    def _destroy_once(self) -> None:
        self._prepare()
        if not self._is_locked and not self._run.terraform.holds_resources(self._stack.path):
            return
        self._begin()
        self._step("terraform destroy")
        log = self._run.log(self._stack, "destroy")
        self._run.terraform.apply(
            self._stack.path, log, self._on_event, self._run.interruption, destroy=True
        )

    def _apply_once(self) -> None:
        self._prepare()
        read = self._run.records.inputs(self._stack, fresh=True)
        self._step("terraform apply")
        _with_init(self._run, self._stack, lambda: self._apply_safely(read))
        self._note(read)

    def _begin(self) -> None:
        """From here until it has succeeded the stack counts as changed, whatever happens."""
        self._run.records.drop(self._stack)

    def _may_lose_data(self) -> bool:
        """Whether data could go with an apply, as far as the state tells."""
        if self._run.records.place(self._stack) is None:
            return True
        state = self._run.records.state(self._stack)
        return state is not None and state.holds_data

    def _apply_safely(self, read: Inputs) -> None:
        """Applies, but takes no data away unless that was allowed."""
        run, stack = self._run, self._stack
        # A plan that was applied in part is stale: another attempt makes its own.
        saved, self._saved = self._saved, None
        log = run.log(stack, "apply")
        if saved and saved.file and saved.inputs and not differences(saved.inputs, read):
            self._apply_plan(saved.file)
        elif (run.allow_destroy and not run.saved) or not self._may_lose_data():
            self._begin()
            run.terraform.apply(stack.path, log, self._on_event, run.interruption)
        elif not run.terraform.apply_unless(
            stack.path, log, self._on_event, run.interruption, self._begin
        ):
            with tempfile.TemporaryDirectory() as folder:
                found = _read_plan(run, stack, Path(folder) / "plan", self._on_event)
                self._refuse_losses(found)
                self._apply_plan(Path(folder) / "plan")

    def _refuse_losses(self, found: Reading) -> None:
        """A person who was shown plans has agreed to what was in them, and to nothing else."""
        lost = [change for change in found.changes if change.loses_data]
        if lost and self._run.allow_destroy:
            raise UserError(
                f"{refusal(lost, '')}this was not in the plans that you saw: run it again"
            )
        if lost:
            raise UserError(refusal(lost))

    def _apply_saved(self) -> None:
        saved = self._run.saved[self._stack.name]
        assert saved.file  # else it is not run
        assert saved.inputs
        self._prepare()
        self._apply_plan(saved.file)
        self._note(saved.inputs)

    def _apply_plan(self, file: Path) -> None:
        self._step("terraform apply")
        run = self._run
        log = run.log(self._stack, "apply")
        self._begin()
        run.terraform.apply(self._stack.path, log, self._on_event, run.interruption, plan=file)

    def _note(self, read: Inputs) -> None:
        now = self._run.records.inputs(self._stack, fresh=True)
        if not self._run.exactly and (edited := differences(read, now)):
            self._say(f"edited while it was applied, so it still counts as changed: {edited[0]}")
            return
        try:
            self._run.records.note(self._stack, read)
        except UserError as error:
            self._say(
                f"warning: applied, but not recorded, so the next run plans it again: {error}"
            )

    def _prepare(self) -> None:
        recover(self._run, self._stack)
        initialize(self._run, self._stack)
        _require_room(self._stack.path)

    def _on_event(self, event: Event) -> None:
        kind = event.get("type")
        if kind == "change_summary":
            self._count(event["changes"])
        elif kind == "apply_complete" and not _is_read(event):
            self._done += 1
            self._step("terraform destroy" if self._run.destroy else "terraform apply")
        _say_event(self._run.progress, self._stack, event)

    def _count(self, changes: Mapping[str, int | str]) -> None:
        counts = {name: int(changes[name]) for name in ("add", "change", "remove")}
        if changes["operation"] == "plan":
            # A replacement is one to add and one to remove, and each of them is completed.
            self._done, self._total = 0, sum(counts.values())
        else:
            self._changes = counts

    def _step(self, what: str) -> None:
        self._run.progress.step(self._stack.name, what, self._done, self._total)

    def _say(self, line: str) -> None:
        self._run.progress.say(self._stack.name, line)


def retrying(run: Run, stack: Stack, once: Callable[[], T]) -> T:
    """What `once` returns; called again after an error that passes."""
    delays = list(run.backoff)
    while True:
        try:
            return once()
        except TerraformError as error:
            passing = any(_TRANSIENT.search(d.text()) for d in error.diagnostics)
            if not (passing and delays) or run.interruption.count or run.gone():
                raise
            delay = delays.pop(0)
            line = f"{error.diagnostics[0].text()}; trying again in {delay:.0f} s"
            run.progress.say(stack.name, line)
            _sleep(delay, run.interruption)
        finally:
            run.records.forget(stack)


def _sleep(seconds: float, interruption: Interruption) -> None:
    end = time.monotonic() + seconds
    while time.monotonic() < end and not interruption.count:
        time.sleep(0.1)


def await_leftover(run: Run, stack: Stack) -> None:
    """Waits for a Terraform that an earlier run, killed since, has left at work on `stack`."""
    name = run.log(stack, "").stem
    for file in _pid_files(run.logs):
        pid = processes.noted(file) if file.name.startswith(name) else None
        if pid is None or processes.noted(file.parent / OWNER):
            continue
        run.progress.say(
            stack.name,
            f"Terraform (process {pid}) still works on it for an earlier run that was killed; "
            f"waiting for it to end (log: {file.with_suffix('.log')})",
        )
        while processes.noted(file) and not run.interruption.count:
            time.sleep(0.2)
        run.records.forget(stack)


@cache
def _pid_files(logs: Path) -> list[Path]:
    """What earlier runs noted of their Terraforms and could not take away; looked for once a run.

    `logs` is the folder of this run.
    """
    found = logs.parent.glob("*/*.pid")
    return [file for file in found if file.parent != logs and file.name != OWNER]


def recover(run: Run, stack: Stack) -> None:
    """Writes to its place the state that an earlier run could not write there, if one is left.

    Raises UserError where it is not whole.
    """
    errored = stack.path / ERRORED
    if not errored.exists():
        return
    if not is_whole(errored):
        raise UserError(
            f"{errored} is cut short, as on a full disk, and cannot be used: rm {errored}; then "
            f"deploy again, and take in what exists already: tools adopt{run.option} {stack.name}"
        )
    run.progress.say(
        stack.name, f"{ERRORED}: an earlier run could not write its state; writing it now"
    )
    run.records.state(stack)  # which sets aside one that is cut short
    initialize(run, stack)
    run.terraform.push_state(stack.path, errored)
    errored.rename(errored.with_name(f"pushed-{ERRORED}"))
    run.records.forget(stack)


def _require_room(folder: Path) -> None:
    free = shutil.disk_usage(folder).free
    if free < _ROOM:
        raise UserError(
            f"only {free / 1e6:.1f} MB are free in {folder}, too little for Terraform to be sure "
            "to write its state; make room first"
        )


def _with_init(run: Run, stack: Stack, once: Callable[[], T]) -> T:
    """What `once` returns; called again after an init where Terraform says that it wants one."""
    try:
        return once()
    except TerraformError as error:
        if not any(_NEEDS_INIT.search(d.text()) for d in error.diagnostics):
            raise
        initialized.forget(stack.path)
        initialize(run, stack)
        return once()


def initialize(run: Run, stack: Stack) -> None:
    """`terraform init`, where something that it reads has changed."""
    files = run.records.terraform_files(stack)
    if not run.force and initialized.is_current(stack.path, files, run.terraform):
        return
    run.progress.step(stack.name, "terraform init")
    initialized.forget(stack.path)
    initialized.drop_half_written(stack.path)
    warn = _warn(run, stack)
    with _INIT_LOCK if run.terraform.shares_plugin_cache else nullcontext():
        run.terraform.init(stack.path, run.log(stack, "init"), run.interruption, warn)
    initialized.note(stack.path, files, run.terraform)


def _read_plan(
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
        await_leftover(run, stack)
        recover(run, stack)
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
        read = run.records.inputs(stack, fresh=True)
        run.progress.step(stack.name, "terraform plan")
        file = plans.file_of(folder, stack.name)
        warn = _warn(run, stack)

        def read_plan() -> Reading:
            return _read_plan(run, stack, file, warn, outside_only)

        found = retrying(run, stack, lambda: _with_init(run, stack, read_plan))
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
        inputs=read,
        file=file,
    )


def _warn(run: Run, stack: Stack) -> Callable[[Event], None]:
    def on_event(event: Event) -> None:
        if event.get("type") in ("diagnostic", "warning", "text"):
            _say_event(run.progress, stack, event)

    return on_event


def _say_event(progress: Progress, stack: Stack, event: Event) -> None:
    """What a person wants to know of an event; errors come with the result."""
    kind = event.get("type")
    if kind == "warning":
        progress.say(stack.name, f"warning: {event['warning'].text()}")
    elif kind == "diagnostic" and event["diagnostic"]["severity"] == "warning":
        progress.say(stack.name, f"warning: {Diagnostic.of(event['diagnostic']).text()}")
    elif (kind in _DETAILS or kind in _ALWAYS) and not _is_read(event):
        progress.say(stack.name, str(event.get("@message", "")), important=kind in _ALWAYS)


def _is_read(event: Event) -> bool:
    """Whether the event is about a data source, which changes nothing."""
    return bool(event.get("hook", {}).get("action") == "read")


def refuse_in_use(run: Run, chosen: Sequence[Stack], all_stacks: Iterable[Stack]) -> None:
    """Raises UserError where a stack that is not `chosen` holds resources and reads one that is.

    To destroy what it reads would leave it broken, and Terraform could not even plan it any more.
    """
    names = {stack.name for stack in chosen}
    for stack in all_stacks:
        used = names.intersection(stack.upstream)
        if stack.name not in names and used and _is_deployed(run, stack):
            raise UserError(
                f"{stack.name} is deployed and uses {', '.join(sorted(used))}; "
                f"destroy it first: tools destroy{run.option} {stack.name}"
            )


def _is_deployed(run: Run, stack: Stack) -> bool:
    if place := run.records.place(stack):
        state = run.records.state(stack)
        unwritten = (stack.path / ERRORED).exists()
        return bool(state and state.resources) or unwritten or place.lock() is not None
    try:
        initialize(run, stack)
        return run.terraform.holds_resources(stack.path)
    except TerraformError as error:
        raise UserError(f"cannot tell whether {stack.name} is deployed: {error}") from None


def refusal(
    lost: Sequence[plans.Change], way: str = "If that is meant, add --allow-destroy"
) -> str:
    """Why a change is not made that takes data away, and the `way` to make it."""
    what = ", ".join(f"{change.action} {change.address}" for change in lost)
    return f"would {what}, and the data goes with it; nothing was changed. {way}"


def explain(diagnostics: Sequence[Diagnostic], stack: Stack, run: Run) -> str:
    """The error that matters in one line, with the command that mends it where we know one."""
    missing = sorted({name for d in diagnostics if (name := _missing_upstream(d, stack))})
    if missing:
        return waiting(missing, run.option)
    for diagnostic in diagnostics:
        if diagnostic.summary == "Error acquiring the state lock":
            return _locked(diagnostic, stack, run)
    existing = sorted(d.address for d in diagnostics if d.address and _EXISTS.search(d.text()))
    if existing:
        names, exist = ", ".join(existing), "exists" if len(existing) == 1 else "exist"
        return (
            f"{names} {exist} already; to take what an earlier run made into the state: "
            f"tools adopt{run.option} {stack.name}"
        )
    if (stack.path / ERRORED).exists():  # by this run: one that was there before is gone
        return _unwritten(diagnostics[0], stack)
    return diagnostics[0].text()


def _unwritten(diagnostic: Diagnostic, stack: Stack) -> str:
    errored = stack.path / ERRORED
    if is_whole(errored):
        return f"{diagnostic.text()}; the state is kept in {errored}, and the next run writes it"
    return f"{diagnostic.text()}; nor is {errored} whole: make room, and run this again"


def waiting(missing: Sequence[str], option: str) -> str:
    """That stacks are `missing` which a stack reads, and the command that deploys them."""
    names, are = ", ".join(missing), "is" if len(missing) == 1 else "are"
    command = f"tools deploy{option} {' '.join(missing)}"
    return f"{names} {are} not deployed yet; deploy first: {command}"


def _locked(diagnostic: Diagnostic, stack: Stack, run: Run) -> str:
    # Such as "Created:   2026-01-02 03:04:05.678 +0000 UTC".
    found = dict(re.findall(r"\b(ID|Who|Created):\s+(\S+(?: [\d:]+)?)", diagnostic.detail))
    command = (
        f"tools state unlock{run.option} {stack.name}"
        if run.records.place(stack)
        else f"{run.terraform.program} -chdir={stack.path} force-unlock {found.get('ID')}"
    )
    return (
        f"another Terraform works on it ({found.get('Who')}, since {found.get('Created')} UTC); "
        f"wait for it, or if it has died: {command}"
    )


def _missing_upstream(diagnostic: Diagnostic, stack: Stack) -> str | None:
    if diagnostic.summary not in ("Unable to find remote state", "Unsupported attribute"):
        return None
    pattern = r"data\.terraform_remote_state\.(\w+)"
    found = re.search(pattern, diagnostic.address) or re.search(pattern, diagnostic.code)
    return stack.upstream_by_name.get(found[1]) if found else None
