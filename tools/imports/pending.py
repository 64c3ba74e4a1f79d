"""What is left to do of an import request, so that an interrupted import goes on."""

from collections.abc import Sequence
from dataclasses import dataclass

from tools.context import Context, Target
from tools.engine.records import Records
from tools.errors import UserError
from tools.imports import inventory, tfvars
from tools.imports.request import ImportRequest, ResourceImport
from tools.imports.tfvars import Edit
from tools.runs import runner
from tools.runs.session import Options
from tools.scaffold import render
from tools.scaffold.notebook import Notebook


@dataclass(frozen=True)
class PendingImport:
    """What is left to do: imports, edits of .tfvars files and directories to make.

    `stacks` are all that the request is about, also those with nothing left to do.
    """

    imports: tuple[ResourceImport, ...]
    edits: tuple[Edit, ...]
    notebooks: tuple[Notebook, ...]
    notes: tuple[str, ...]
    stacks: tuple[str, ...]

    @property
    def is_done(self) -> bool:
        return not (self.imports or self.edits or self.notebooks)


def find_pending(
    context: Context, target: Target, known: Records, request: ImportRequest, options: Options
) -> PendingImport:
    """Returns what is left to do of a request; writes nothing.

    Raises UserError if anything stands in the way: an address that holds another resource, a
    resource that another address holds, a value that a file sets otherwise, a directory of another
    notebook, a stack that does not exist or that was applied in another account.
    """
    if any(known.place(stack) is None for stack in known.stacks):
        with runner.working(context, target, known, options, len(known.stacks)) as run:
            managed = inventory.read(known, known.stacks, run)
    else:
        managed = inventory.read(known, known.stacks)
    imports = tuple(one for one in request.imports if not managed.holds(one))
    notebooks = tuple(_missing(request.notebooks, target))
    stacks = {resource.stack for resource in request.imports}
    new = {f"notebooks/{notebook.name}" for notebook in notebooks}
    if unknown := sorted(stacks - new - {stack.name for stack in known.stacks}):
        raise UserError(f"{unknown[0]} is not in this repository, so nothing can be imported there")
    for stack in known.stacks:
        if stack.name in stacks and (other := known.other_account(stack)):
            raise UserError(
                f"{stack.name} was applied in account {other}, but these credentials are for "
                f"{known.account}; use that account's credentials"
            )
    edits = tfvars.plan_edits(target.repository, request.values, bool(target.endpoint))
    stacks |= {edit.stack.name for edit in edits}
    return PendingImport(imports, tuple(edits), notebooks, request.notes, tuple(sorted(stacks)))


def _missing(notebooks: Sequence[Notebook], target: Target) -> list[Notebook]:
    """The notebooks without a directory. Raises UserError if one is for another instance."""
    instances = target.repository.instance_names()
    missing = [one for one in notebooks if instances.get(one.name) != one.instance_name]
    render.check_new(missing, target.repository)
    return missing
