"""Terraform's errors in one line, with the command that mends them."""

import re
from collections.abc import Sequence

from tools.engine.plans import Change
from tools.engine.run import Run
from tools.errors import UserError
from tools.layout.stack import Stack
from tools.state.file import is_whole
from tools.state.place import ERRORED
from tools.terraform.diagnostics import Diagnostic, TerraformError

# What AWS answers when a name is taken, each service in its own words, as the provider passes on.
# For S3: https://docs.aws.amazon.com/AmazonS3/latest/API/ErrorResponses.html
_EXISTS = re.compile(
    r"EntityAlreadyExists|BucketAlreadyOwnedByYou|BucketAlreadyExists|InvalidGroup\.Duplicate|"
    r"ResourceInUse|AlreadyExistsException|already exist|Cannot create a duplicate",
    re.IGNORECASE,
)
_REMOTE_STATE = re.compile(r"data\.terraform_remote_state\.(\w+)")
# Lines of Terraform's "Lock Info", such as "Created:   2026-01-02 03:04:05.678 +0000 UTC":
# https://github.com/hashicorp/terraform/blob/v1.5.7/internal/states/statemgr/locker.go
_LOCK_INFO = re.compile(r"\b(ID|Who|Created):\s+(\S+(?: [\d:]+)?)")


def report_failure(error: UserError | OSError, stack: Stack, run: Run) -> str:
    """Reports the errors with which `stack` failed, and returns the reason in one line."""
    if not isinstance(error, TerraformError):
        run.progress.say(stack.name, f"error: {error}")
        return str(error)
    for diagnostic in error.diagnostics:
        run.progress.say(stack.name, f"error: {diagnostic.text()}")
    return explain(error.diagnostics, stack, run)


def explain(diagnostics: Sequence[Diagnostic], stack: Stack, run: Run) -> str:
    """Returns the error that matters in one line, with the command that mends it if there is one.

    `diagnostics` are the errors of one Terraform that failed on `stack`, at least one.
    """
    missing = sorted({name for d in diagnostics if (name := _missing_upstream(d, stack))})
    if missing:
        return describe_missing_upstreams(missing, run.option)
    for diagnostic in diagnostics:
        if diagnostic.summary == "Error acquiring the state lock":
            return _describe_lock(diagnostic, stack, run)
    existing = sorted(d.address for d in diagnostics if d.address and _EXISTS.search(d.text()))
    if existing:
        names, exist = ", ".join(existing), "exists" if len(existing) == 1 else "exist"
        return (
            f"{names} {exist} already; to take what an earlier run made into the state: "
            f"tools adopt{run.option} {stack.name}"
        )
    if (stack.path / ERRORED).exists():  # of this run: one that was there before has been written
        return _describe_left_state(diagnostics[0], stack)
    return diagnostics[0].text()


def describe_losses(
    losses: Sequence[Change], remedy: str = "If that is meant, add --allow-destroy"
) -> str:
    """Returns why changes that take data away are not made; `remedy` says how to make them."""
    what = ", ".join(f"{change.action} {change.address}" for change in losses)
    return f"would {what}, and the data goes with it; nothing was changed. {remedy}"


def describe_missing_upstreams(names: Sequence[str], option: str) -> str:
    """Returns that the upstream stacks `names` are not deployed, and the command that does it."""
    are = "is" if len(names) == 1 else "are"
    command = f"tools deploy{option} {' '.join(names)}"
    return f"{', '.join(names)} {are} not deployed yet; deploy first: {command}"


def _describe_left_state(diagnostic: Diagnostic, stack: Stack) -> str:
    errored = stack.path / ERRORED
    if is_whole(errored):
        return f"{diagnostic.text()}; the state is kept in {errored}, and the next run writes it"
    return f"{diagnostic.text()}; {errored} is cut short too: make room, and run this again"


def _describe_lock(diagnostic: Diagnostic, stack: Stack, run: Run) -> str:
    lock = dict(_LOCK_INFO.findall(diagnostic.detail))
    command = (
        f"tools state unlock{run.option} {stack.name}"
        if run.records.place(stack)
        else f"{run.terraform.program} -chdir={stack.path} force-unlock {lock.get('ID')}"
    )
    return (
        f"another Terraform works on it ({lock.get('Who')}, since {lock.get('Created')} UTC); "
        f"wait for it, or if it has died: {command}"
    )


def _missing_upstream(diagnostic: Diagnostic, stack: Stack) -> str | None:
    """The stack that holds no state, or not the output that `stack` reads, if it is one alone."""
    if diagnostic.summary not in ("Unable to find remote state", "Unsupported attribute"):
        return None
    data_source = _REMOTE_STATE.search(diagnostic.address) or _REMOTE_STATE.search(diagnostic.code)
    stacks = stack.upstream_by_name.get(data_source[1], ()) if data_source else ()
    return stacks[0] if len(stacks) == 1 else None
