"""Refuses to destroy what a deployed stack still reads, or may read."""

from collections.abc import Collection, Iterable, Sequence

from tools.engine.preparation import prepare
from tools.engine.records import Records
from tools.engine.run import Run
from tools.errors import UserError
from tools.layout.stack import Stack
from tools.layout.unmanaged_roots import Unmanaged
from tools.state.place import ERRORED, BucketPlace
from tools.terraform.diagnostics import NotAwaitedError, TerraformError


def refuse_in_use(
    run: Run,
    chosen: Sequence[Stack],
    all_stacks: Collection[Stack],
    unmanaged: Iterable[Unmanaged] = (),
) -> None:
    """Raises UserError if a stack that is not `chosen` holds resources and may read one that is.

    To destroy what it reads would leave it broken: Terraform could not even plan it afterwards.
    It does so too for the root modules in `unmanaged`, and if their states cannot be read.
    """
    names = {stack.name for stack in chosen}
    for stack in all_stacks:
        if stack.name in names:
            continue
        if (use := describe_use(stack, names)) and _is_deployed(run, stack):
            raise UserError(
                f"{stack.name} is deployed and {use}; destroy it first: "
                f"tools destroy{run.option} {stack.name}{_where_else(run, stack)}"
            )
    managed = {stack.address for stack in all_stacks} - {None}
    for root in unmanaged:
        if root.stack.address in managed:
            continue  # a link to a stack, or a copy with its backend: the state is the stack's
        use = describe_use(root.stack, names)
        if use and may_hold_resources(run.records, root.stack):
            raise UserError(
                f"{root.stack.name}, which is not managed here ({root.reason}), may hold resources "
                f"and {use}; destroy it first: {run.terraform.program} "
                f"-chdir={root.stack.path} destroy{_where_else(run, root.stack)}"
            )


def describe_use(stack: Stack, names: Iterable[str]) -> str:
    """Whether `stack` uses, or may use, one of the stacks called `names`, in words; "" if not."""
    names = set(names)
    if names and is_unread(stack):
        return f"may use {', '.join(sorted(names))} (another program reads its files)"
    if used := names.intersection(stack.upstream):
        return f"uses {', '.join(sorted(used))}"
    if not stack.may_read_any:
        return ""
    if may_use := [name for name in sorted(names) if stack.may_read(name)]:
        return f"may use {', '.join(may_use)} ({stack.unknown_reads[0]})"
    return ""


def describe_other_states(others: Sequence[str]) -> str:
    """Returns what to do about `others`, the states of a stack that are not its own."""
    return (
        f"{', '.join(others)} may hold more of it: destroy that too, of a workspace after "
        "`workspace select`; or move an old copy out of the directory"
    )


def find_other_states(run: Run, stack: Stack) -> list[str]:
    """Returns where resources of `stack` may be beside its own state, which has to be initialized.

    Of a stack whose files do not say where its states are Terraform names the workspaces. Raises
    UserError if it cannot, or if a bucket cannot be asked.
    """
    others = run.records.other_states(stack)
    kind, arguments, _ = stack.backend() or ("", {}, False)
    is_local = kind == "local" and set(arguments) <= {"path"}
    if run.records.place(stack) is None and not is_local:
        others += [f"workspace {name}" for name in run.terraform.other_workspaces(stack.path)]
    return others


def _where_else(run: Run, stack: Stack) -> str:
    try:
        others = run.records.other_states(stack)
    except UserError:
        return ""
    return f" ({describe_other_states(others)})" if others else ""


def is_unread(stack: Stack) -> bool:
    """Whether `stack` is a root of files that the program at hand does not read, OpenTofu's."""
    return not stack.config_files()


def _is_deployed(run: Run, stack: Stack) -> bool:
    """Whether `stack` holds resources, or may hold some that are in no state yet.

    Raises UserError if nobody can tell: its state may be elsewhere, or Terraform fails.
    """
    if run.records.may_be_elsewhere(stack):
        why = run.records.why_no_place(stack)
        raise UserError(f"cannot tell whether {stack.name} is deployed: {why}")
    if run.records.place(stack) and not run.records.unreadable(stack):
        return _holds_resources(run.records, stack)
    try:
        prepare(run, stack)
        return run.terraform.holds_resources(stack.path) or bool(find_other_states(run, stack))
    except NotAwaitedError:
        raise
    except TerraformError as error:
        raise UserError(f"cannot tell whether {stack.name} is deployed: {error}") from None


def may_hold_resources(records: Records, stack: Stack) -> bool:
    """Whether `stack` holds resources, or may, as files and states say: no Terraform is started."""
    try:
        place = records.place(stack)
        if records.endpoint and isinstance(place, BucketPlace) and place.has_no_bucket:
            return False  # the local cloud never had it: its bucket is AWS's
        return place is None or _holds_resources(records, stack)
    except UserError:
        return True


def _holds_resources(records: Records, stack: Stack) -> bool:
    place, state = records.place(stack), records.state(stack)
    is_locked = place is not None and place.lock() is not None
    is_unwritten = (stack.path / ERRORED).exists() or bool(records.why_incomplete(stack))
    is_held = bool(state and state.resources) or is_unwritten or is_locked
    return is_held or bool(records.other_states(stack))
