"""Terraform's errors in one line, with the command that mends them."""

import re
from collections import Counter
from collections.abc import Sequence
from contextlib import suppress

from tools.aws.sagemaker import NOTEBOOK_TYPE
from tools.engine.plans import Change
from tools.engine.run import INTERRUPTED, Run
from tools.errors import UserError
from tools.layout.stack import Stack
from tools.state.addresses import names_former
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
# CloudWatch Logs of a key whose policy does not name it:
# https://docs.aws.amazon.com/AmazonCloudWatch/latest/logs/encrypt-log-data-kms.html
_KEY_REFUSED = "is not allowed to be used with"
# What an AWS provider of version 5 says of notebook-al2023-v1, which only a later one knows:
# https://github.com/hashicorp/terraform-provider-aws/pull/44570
_PLATFORM_REFUSED = "expected value of platform_identifier to match"
# https://github.com/hashicorp/terraform/blob/v1.11.4/internal/terraform/node_resource_abstract_instance.go
# OpenTofu 1.12 says it with another word.
_PREVENTED = ("Instance cannot be destroyed", "Resource instance cannot be destroyed")
# https://github.com/hashicorp/terraform/blob/v1.11.4/internal/command/clistate/state.go
_LOCKED = "Error acquiring the state lock"
# https://github.com/hashicorp/terraform/blob/v1.11.4/internal/builtin/providers/terraform/data_source_state.go
_NO_REMOTE_STATE = "Unable to find remote state"
_REMOTE_STATE = re.compile(
    r"((?:module\.[\w-]+\.)*)data\.terraform_remote_state\.([\w-]+)(\[\"[^\"]+\"\])?"
)
_REMOTE_OUTPUT = re.compile(
    r"data\.terraform_remote_state\.([\w-]+)\.outputs(?:\.([\w-]+)|\[\"([^\"]+)\"\])"
)
_MODULE_OUTPUT = re.compile(r"(module\.[\w-]+\.[\w-]+\.[\w-]+)\.([\w-]+)")
# https://github.com/hashicorp/hcl/blob/v2.23.0/ops.go
_UNSUPPORTED = "Unsupported attribute"
_NO_ATTRIBUTE = re.compile(r'not have an attribute named "?([\w-]+)')
# A notebook that failed, as the provider wants to change it, for which it would stop it first, and
# one that fails as the provider waits: https://github.com/hashicorp/terraform-provider-aws/issues/16767
_FAILED = re.compile(r"Status \(Failed\) not in|unexpected state 'Failed'")
# Lines of Terraform's "Lock Info", such as "Created:   2026-01-02 03:04:05.678 +0000 UTC":
# https://github.com/hashicorp/terraform/blob/v1.5.7/internal/states/statemgr/locker.go
_LOCK_INFO = re.compile(r"\b(ID|Who|Created):\s+(\S+(?: [\d:]+)?)")


def report_failure(error: UserError | OSError, stack: Stack, run: Run) -> str:
    """Reports the errors with which `stack` failed, and returns the reason in one line.

    That is "interrupted" for a Terraform that a person has stopped: its errors follow from that.
    """
    lines, reason = describe_failure(error, stack, run)
    for line in lines:
        run.progress.say(stack.name, line)
    return reason


def describe_failure(
    error: UserError | OSError, stack: Stack, run: Run
) -> tuple[tuple[str, ...], str]:
    """Returns the lines that report the errors with which `stack` failed, and the reason in one."""
    if not isinstance(error, TerraformError):
        return (f"error: {error}",), str(error)
    if run.interruption.count:
        return (f"{INTERRUPTED} (log: {run.logs})",), INTERRUPTED
    counts = Counter(d.text() for d in error.diagnostics).items()
    lines = (f"error: {text}{f' ({count} times)' if count > 1 else ''}" for text, count in counts)
    return tuple(lines), explain(error.diagnostics, stack, run)


def explain(diagnostics: Sequence[Diagnostic], stack: Stack, run: Run) -> str:
    """Returns the error that matters in one line, with the command that mends it if there is one.

    `diagnostics` are the errors of one Terraform that failed on `stack`, at least one.
    """
    missing = {name for d in diagnostics if (name := _missing_upstream(d, stack))}
    lacking = {missing_output for d in diagnostics if (missing_output := _missing_output(d, stack))}
    missing |= {name for name, _ in lacking if name in run.records.missing_upstreams(stack)}
    if missing:
        return describe_missing_upstreams(sorted(missing), run.option)
    if lacking:
        return "; ".join(
            _describe_lack(run, stack, *missing_output) for missing_output in sorted(lacking)
        )
    for diagnostic in diagnostics:
        if diagnostic.summary == _LOCKED and (described := _describe_lock(diagnostic, stack, run)):
            return described
    if any(names_former(stack.name, d.detail) for d in diagnostics if d.summary in _PREVENTED):
        return (
            "its state has addresses of an older layout, and nothing was changed; move them: "
            f"tools upgrade{run.option} {stack.name}"
        )
    existing = sorted(d.address for d in diagnostics if d.address and _EXISTS.search(d.text()))
    if existing:
        addresses, exist = ", ".join(existing), "exists" if len(existing) == 1 else "exist"
        return (
            f"{addresses} {exist} already; to take what an earlier run made into the state: "
            f"tools adopt{run.option} {stack.name}"
        )
    for diagnostic in diagnostics:
        if _KEY_REFUSED in diagnostic.text():
            return (
                f"{diagnostic.text()}; the key's policy has to let CloudWatch Logs use it: "
                "shared-infra/s3/README.md has the statement"
            )
        if _PLATFORM_REFUSED in diagnostic.text():
            return (
                f"{diagnostic.text()}; this AWS provider is older than that platform: leave "
                "platform_identifier out, and AWS takes its own default"
            )
    failed = [d for d in diagnostics if NOTEBOOK_TYPE in d.address and _FAILED.search(d.text())]
    if failed:
        return _describe_failed(run, stack, failed[0])
    if (stack.path / ERRORED).exists():  # of this run: one that was there before has been written
        return _describe_left_state(diagnostics[0], stack)
    return diagnostics[0].text()


def advise_on_failed(directory: str, option: str) -> str:
    """Returns what to do about a notebook that AWS says has Failed: it keeps its volume."""
    start = f"tools start{option} {directory}"
    return (
        f"its volume is kept; start it again: {start}; if AWS has no capacity for its type, with "
        f"another one: {start} --instance-type TYPE"
    )


def _describe_failed(run: Run, stack: Stack, diagnostic: Diagnostic) -> str:
    """Returns the error of a notebook that failed, and what to do.

    Terraform can neither stop nor change the notebook, and would replace one it marked.
    """
    directory = stack.name.removeprefix("notebooks/")
    after = f"; then: tools deploy{run.option} --refresh {stack.name}"
    run.records.forget(stack)
    state = run.records.state(stack)
    for resource in state.of_type(NOTEBOOK_TYPE) if state else ():
        if resource.status == "tainted":
            program = f"{run.terraform.program} -chdir={stack.path}"
            after += f", once it is not to be replaced any more: {program} untaint "
            after += f"'{resource.address}'"
    return f"{diagnostic.text()}; {advise_on_failed(directory, run.option)}{after}"


def describe_losses(
    losses: Sequence[Change] | Sequence[str], remedy: str = "If that is meant, add --allow-destroy"
) -> str:
    """Returns why changes that take data away are not made; `remedy` says how to make them."""
    what = ", ".join(map(str, losses))
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


def _describe_lock(diagnostic: Diagnostic, stack: Stack, run: Run) -> str | None:
    """Who holds the lock; None if nobody does: Terraform says so too of a state it cannot read."""
    lock = dict(_LOCK_INFO.findall(diagnostic.detail))
    place = run.records.place(stack)
    if not lock:
        with suppress(UserError):
            if note := place.lock() if place else None:
                lock = {"ID": note.id, "Who": note.who, "Created": note.created}
    if not lock:
        return None
    command = (
        f"tools state unlock{run.option} {stack.name}"
        if place
        else f"{run.terraform.program} -chdir={stack.path} force-unlock {lock.get('ID')}"
    )
    return (
        f"another {run.terraform.product} works on it ({lock.get('Who')}, since "
        f"{lock.get('Created')} UTC); wait for it, or if it has died: {command}"
    )


def _missing_upstream(diagnostic: Diagnostic, stack: Stack) -> str | None:
    """The stack whose state, which `stack` reads, does not exist, if it is one alone."""
    if diagnostic.summary != _NO_REMOTE_STATE:
        return None
    match = _REMOTE_STATE.search(diagnostic.address) or _REMOTE_STATE.search(diagnostic.code)
    address = "".join(part or "" for part in match.groups()) if match else ""
    stacks = stack.upstream_by_instance.get(address, ())
    return stacks[0] if len(stacks) == 1 else None


def _missing_output(diagnostic: Diagnostic, stack: Stack) -> tuple[str, str] | None:
    """The stack and the output of it that `stack` reads and that its state does not have."""
    lacks = _NO_ATTRIBUTE.search(diagnostic.detail)
    if diagnostic.summary != _UNSUPPORTED or not lacks:
        return None
    stacks_by_name = {**stack.upstream_by_name, **stack.upstream_by_output}
    output_reads = [
        *_REMOTE_OUTPUT.findall(diagnostic.code),
        *_MODULE_OUTPUT.findall(diagnostic.code),
    ]
    for data_source, *read_names in output_reads:
        upstream_names = stacks_by_name.get(data_source, ())
        if len(upstream_names) == 1 and lacks[1] in read_names:
            return upstream_names[0], lacks[1]
    return None


def _describe_lack(run: Run, stack: Stack, upstream: str, output: str) -> str:
    lack = f"{upstream} has no output {output}, which {stack.name} reads"
    above = next((s for s in run.records.stacks if s.name == upstream), None)
    if above and run.records.has_changed(above):
        return f"{lack}; it is not applied as it is: tools deploy{run.option} {upstream}"
    state = run.records.state(above) if above else None
    outputs = f" (it has {', '.join(sorted(state.outputs))})" if state and state.outputs else ""
    return f"{lack}{outputs}; correct the name, or add the output there"
