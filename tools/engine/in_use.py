"""Refuses to destroy what a deployed stack still reads."""

from collections.abc import Iterable, Sequence

from tools.engine.preparation import prepare
from tools.engine.run import Run
from tools.errors import UserError
from tools.layout.stack import Stack
from tools.state.place import ERRORED
from tools.terraform.diagnostics import TerraformError


def refuse_in_use(run: Run, chosen: Sequence[Stack], all_stacks: Iterable[Stack]) -> None:
    """Raises UserError if a stack that is not `chosen` holds resources and reads one that is.

    To destroy what it reads would leave it broken: Terraform could not even plan it afterwards.
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
    """Whether `stack` holds resources, or may hold some that are in no state yet."""
    place = run.records.place(stack)
    if place and not run.records.unreadable(stack):
        state = run.records.state(stack)
        is_unwritten = (stack.path / ERRORED).exists() or run.records.why_incomplete(stack)
        return bool((state and state.resources) or is_unwritten) or place.lock() is not None
    try:
        prepare(run, stack)
        return run.terraform.holds_resources(stack.path)
    except TerraformError as error:
        raise UserError(f"cannot tell whether {stack.name} is deployed: {error}") from None
