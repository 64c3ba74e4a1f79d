"""Apply and destroy over the graph: upstream first, or last. A failure is a result."""

import os
import re
import threading
import time
from collections.abc import Callable, Sequence
from concurrent.futures import FIRST_COMPLETED, Future, ThreadPoolExecutor, wait
from contextlib import nullcontext
from dataclasses import dataclass
from graphlib import TopologicalSorter
from pathlib import Path
from typing import Literal

from tools.errors import UserError
from tools.interruption import Interruption
from tools.stack import Stack
from tools.terraform import Diagnostic, Event, Terraform, TerraformError

Outcome = Literal["applied", "unchanged", "destroyed", "failed", "not run"]
Say = Callable[[str, str], None]

_UNDONE = ("failed", "not run")
_MEMORY_OF_ONE = 700_000_000  # bytes: Terraform and one AWS provider, measured at 0.6 GB
_INIT_LOCK = threading.Lock()
_SHOWN = {
    "apply_complete",
    "apply_errored",
    "apply_progress",
    "apply_start",
    "change_summary",
    "text",
}


@dataclass(frozen=True)
class Result:
    """What became of one stack; `detail` says why where it failed or was not run."""

    stack: str
    outcome: Outcome
    seconds: float = 0.0
    detail: str = ""


@dataclass(frozen=True)
class Run:
    """How stacks are applied or destroyed.

    `say` gets a stack's name and a line, as it happens, from any thread. Each stack's full output
    goes to a file in `logs`. At most `jobs` Terraforms run at once; `option` is what
    a command in a message needs to reach the same target, such as " --local".
    `gone` says why nothing more can succeed, in words, or nothing: the local cloud may end.
    """

    terraform: Terraform
    logs: Path
    say: Say
    interruption: Interruption
    jobs: int
    destroy: bool = False
    fail_fast: bool = False
    option: str = ""
    gone: Callable[[], str] = str


def deploy(run: Run, stacks: Sequence[Stack]) -> list[Result]:
    """Runs `terraform init` and `apply`, or destroy, in each of `stacks`.

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
    try:
        free = os.sysconf("SC_AVPHYS_PAGES") * os.sysconf("SC_PAGE_SIZE")
    except (ValueError, OSError):  # macOS does not say
        return cores
    return max(1, min(cores, free // _MEMORY_OF_ONE))


def _waits_for(stacks: Sequence[Stack], destroy: bool) -> dict[str, list[str]]:
    upstream = {stack.name: stack.upstream for stack in stacks}
    if destroy:
        return {name: [n for n, above in upstream.items() if name in above] for name in upstream}
    return {name: [n for n in above if n in upstream] for name, above in upstream.items()}


def _attempt(run: Run, stack: Stack, failed: Sequence[str], results: dict[str, Result]) -> None:
    """Runs `stack` unless there is a reason not to; the next one looks at `results` at once."""
    reason = ""
    if failed:
        reason = f"{failed[0]} failed or was not run"
    elif run.interruption.count:
        reason = "interrupted"
    elif gone := run.gone():
        reason = gone
    elif run.fail_fast and (first := next(filter(_is_bad, list(results.values())), None)):
        reason = f"{first.stack} failed"
    if reason:
        run.say(stack.name, f"not run: {reason}")
    results[stack.name] = (
        Result(stack.name, "not run", detail=reason) if reason else _apply(run, stack)
    )


def _is_bad(result: Result) -> bool:
    return result.outcome == "failed"


def refuse_in_use(
    terraform: Terraform,
    chosen: Sequence[Stack],
    all_stacks: Sequence[Stack],
    logs: Path,
    option: str,
) -> None:
    """Raises UserError where a stack that is not `chosen` holds resources and reads one that is.

    To destroy what it reads would leave it broken, and Terraform could not even plan it any more.
    """
    names = {stack.name for stack in chosen}
    for stack in all_stacks:
        used = names.intersection(stack.upstream)
        if stack.name in names or not used:
            continue
        try:
            terraform.init(stack.path, _log(logs, stack, "init"))
            in_use = terraform.holds_resources(stack.path)
        except TerraformError as error:
            raise UserError(f"cannot tell whether {stack.name} is deployed: {error}") from None
        if in_use:
            raise UserError(
                f"{stack.name} is deployed and uses {', '.join(sorted(used))}; "
                f"destroy it first: tools destroy{option} {stack.name}"
            )


def _apply(run: Run, stack: Stack) -> Result:
    started = time.monotonic()
    outcome: Outcome = "unchanged"
    detail = ""
    verb = "destroy" if run.destroy else "apply"
    changed = False

    def on_event(event: Event) -> None:
        nonlocal changed
        changed = changed or _changed(event)
        diagnostic = event.get("diagnostic", {})
        if diagnostic.get("severity") == "warning":
            run.say(stack.name, f"warning: {Diagnostic.of(diagnostic).text()}")
        if event.get("type") in _SHOWN and not _is_read(event):
            run.say(stack.name, str(event.get("@message", "")))

    try:
        run.say(stack.name, "terraform init")
        with _INIT_LOCK if run.terraform.shares_plugin_cache else nullcontext():
            run.terraform.init(stack.path, _log(run.logs, stack, "init"), run.interruption)
        if run.destroy and not run.terraform.holds_resources(stack.path):
            detail = "nothing to destroy"
        else:
            run.say(stack.name, f"terraform {verb}")
            log = _log(run.logs, stack, verb)
            run.terraform.apply(stack.path, log, on_event, run.interruption, run.destroy)
        if changed:
            outcome = "destroyed" if run.destroy else "applied"
    except TerraformError as error:
        outcome = "failed"
        detail = explain(error.diagnostics, stack, run.option)
        for diagnostic in error.diagnostics:
            run.say(stack.name, f"error: {diagnostic.text()}")
    return Result(stack.name, outcome, time.monotonic() - started, detail)


def _log(logs: Path, stack: Stack, verb: str) -> Path:
    return logs / f"{stack.name.replace('/', '.')}.{verb}.log"


def _is_read(event: Event) -> bool:
    """Whether the event is about a data source, which changes nothing."""
    return bool(event.get("hook", {}).get("action") == "read")


def _changed(event: Event) -> bool:
    if event.get("type") != "change_summary":
        return False
    changes = event["changes"]
    return changes["operation"] != "plan" and any(changes[k] for k in ("add", "change", "remove"))


def explain(diagnostics: Sequence[Diagnostic], stack: Stack, option: str) -> str:
    """The error that matters in one line, with the command that mends it where we know one."""
    missing = sorted({name for d in diagnostics if (name := _missing_upstream(d, stack))})
    if missing:
        names, are = ", ".join(missing), "is" if len(missing) == 1 else "are"
        command = f"tools deploy{option} {' '.join(missing)}"
        return f"{names} {are} not deployed yet; deploy first: {command}"
    for diagnostic in diagnostics:
        if diagnostic.summary == "Error acquiring the state lock":
            return _locked(diagnostic, stack)
    return diagnostics[0].text()


def _locked(diagnostic: Diagnostic, stack: Stack) -> str:
    found = dict(re.findall(r"\b(ID|Who|Created):\s+(\S+)", diagnostic.detail))
    return (
        f"another Terraform works on it ({found.get('Who')}, since {found.get('Created')}); wait "
        f"for it, or if it has died: terraform -chdir={stack.path} force-unlock {found.get('ID')}"
    )


def _missing_upstream(diagnostic: Diagnostic, stack: Stack) -> str | None:
    if diagnostic.summary not in ("Unable to find remote state", "Unsupported attribute"):
        return None
    pattern = r"data\.terraform_remote_state\.(\w+)"
    found = re.search(pattern, diagnostic.address) or re.search(pattern, diagnostic.code)
    return stack.upstream_by_name.get(found[1]) if found else None
