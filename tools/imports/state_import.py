"""Runs `terraform import` for the stacks, upstream stacks first."""

from collections.abc import Iterator, Sequence
from contextlib import contextmanager

from tools.engine import explain, retry
from tools.engine.preparation import finish_earlier_run, prepare
from tools.engine.run import Run
from tools.errors import UserError
from tools.imports import inventory
from tools.imports.request import ResourceImport
from tools.layout.stack import Stack
from tools.terraform.diagnostics import TerraformError


def import_all(run: Run, resources: Sequence[ResourceImport]) -> None:
    """Imports what the states do not hold yet, until the run is interrupted.

    Raises UserError if Terraform fails; what was imported before stays.
    """
    refreshed: set[str] = set()
    for stack in run.records.stacks:
        wanted = [resource for resource in resources if resource.stack == stack.name]
        if wanted:
            _refresh_upstreams(run, stack, refreshed)
        if wanted and not run.interruption.count:
            for resource in _still_missing(run, stack, wanted):
                _import(run, stack, resource)


def import_resource(run: Run, stack: Stack, resource: ResourceImport) -> None:
    """Imports a resource into the state of `stack`. Raises TerraformError if Terraform fails."""
    run.progress.say(stack.name, f"importing {resource.address}")
    run.records.delete_record(stack)
    log = run.log(stack, "import")
    run.terraform.import_resource(stack.path, log, resource.address, resource.identifier)


def _import(run: Run, stack: Stack, resource: ResourceImport) -> None:
    if run.interruption.count:
        return
    with _explained(run, stack):
        prepare(run, stack)
        retry.retry_transient(run, stack, lambda: import_resource(run, stack, resource))


def _still_missing(
    run: Run, stack: Stack, wanted: Sequence[ResourceImport]
) -> list[ResourceImport]:
    """What the state does not hold, once a Terraform that a killed run left behind has ended."""
    with _explained(run, stack):
        finish_earlier_run(run, stack)
        if not run.interruption.count:
            run.records.forget(stack)  # that Terraform may have imported since it was read
            managed = inventory.read(run.records, [stack], run)
            return [resource for resource in wanted if not managed.holds(resource)]
    return []


def _refresh_upstreams(run: Run, stack: Stack, refreshed: set[str]) -> None:
    """Refreshes what `stack` reads and is not deployed, each once: one may read another.

    Terraform 1.11 fails to apply a second refresh, which changes nothing ("non-applyable plan"):
    https://github.com/hashicorp/terraform/blob/v1.11.4/internal/terraform/context_apply.go
    """
    for name in run.records.missing_upstreams(stack):
        if name not in refreshed:
            refreshed.add(name)
            upstream = next(other for other in run.records.stacks if other.name == name)
            _refresh_outputs(run, upstream, refreshed)


def _refresh_outputs(run: Run, stack: Stack, refreshed: set[str]) -> None:
    """Gives a stack that holds nothing the outputs it already can have, for those that read it."""
    # `terraform import` evaluates the stack's data sources, and terraform_remote_state fails for a
    # state without outputs. A refresh writes those that need no resource, such as names.
    # https://developer.hashicorp.com/terraform/language/state/remote-state-data
    if run.interruption.count:
        return
    run.progress.say(stack.name, "not deployed: working out the outputs it already has")
    _refresh_upstreams(run, stack, refreshed)
    if run.interruption.count:
        return
    with _explained(run, stack):
        prepare(run, stack)
        run.terraform.refresh_outputs(stack.path, run.log(stack, "refresh"), lambda event: None)
    run.records.forget(stack)


@contextmanager
def _explained(run: Run, stack: Stack) -> Iterator[None]:
    """Raises Terraform's errors as a UserError of one line, with the command that helps."""
    try:
        yield
    except TerraformError as error:
        if run.interruption.count:
            return  # the interruption ended it
        reason = explain.explain(error.diagnostics, stack, run)
        raise UserError(
            f"{stack.name}: {reason}; what was imported before stays, and the same command goes on"
        ) from None
