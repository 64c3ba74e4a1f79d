"""Terraform's errors in one line, with the command that mends them."""

import re
from collections.abc import Sequence

from tools.engine import plans
from tools.engine.run import Run
from tools.layout.stack import Stack
from tools.state.file import is_whole
from tools.state.place import ERRORED
from tools.terraform.diagnostics import Diagnostic

_EXISTS = re.compile(
    r"EntityAlreadyExists|BucketAlreadyOwnedByYou|BucketAlreadyExists|InvalidGroup\.Duplicate|"
    r"ResourceInUse|AlreadyExistsException|already exist|Cannot create a duplicate",
    re.IGNORECASE,
)


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
