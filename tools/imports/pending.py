"""What is left to do of an import request, so that an interrupted import goes on."""

from collections.abc import Sequence
from dataclasses import dataclass

from tools.engine.records import Records
from tools.errors import UserError
from tools.imports import inventory, tfvars
from tools.imports.inventory import Inventory
from tools.imports.request import ImportRequest, ResourceImport
from tools.imports.tfvars import Edit
from tools.layout.repository import Repository
from tools.runs.session import Session
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


def find_pending(session: Session, request: ImportRequest) -> PendingImport:
    """Returns what is left to do of a request; writes nothing.

    Raises UserError if anything stands in the way: an address that holds another resource, a
    resource that another address holds, a value that a file sets otherwise, a directory of another
    notebook, a stack that does not exist or that was applied in another account.
    """
    records = session.records
    if any(records.place(stack) is None for stack in records.stacks):
        with session.runner().work(len(records.stacks)) as run:
            managed = inventory.read(records, records.stacks, run)
    else:
        managed = inventory.read(records, records.stacks)
    return find_left(records, managed, request, is_local=bool(session.target.endpoint))


def find_left(
    records: Records, managed: Inventory, request: ImportRequest, *, is_local: bool
) -> PendingImport:
    """Returns what is left to do of a request where the states hold what is `managed`.

    Raises UserError as `find_pending` does.
    """
    repository = records.repository
    imports = tuple(resource for resource in request.imports if not managed.holds(resource))
    notebooks = tuple(_missing(request.notebooks, repository))
    stacks = {resource.stack for resource in request.imports}
    new = {f"notebooks/{notebook.name}" for notebook in notebooks}
    if unknown := sorted(stacks - new - {stack.name for stack in records.stacks}):
        raise UserError(f"{unknown[0]} is not in this repository, so nothing can be imported there")
    for stack in records.stacks:
        if stack.name in stacks and (other := records.other_account(stack)):
            raise UserError(
                f"{stack.name} was applied in account {other}, but these credentials are for "
                f"{records.account}; use that account's credentials"
            )
    edits = tfvars.plan_edits(repository, request.values, is_local)
    stacks |= {edit.stack.name for edit in edits}
    return PendingImport(imports, tuple(edits), notebooks, request.notes, tuple(sorted(stacks)))


def _missing(notebooks: Sequence[Notebook], repository: Repository) -> list[Notebook]:
    """The notebooks without a directory. Raises UserError if one is for another instance."""
    instances = repository.instance_names()
    missing = [n for n in notebooks if instances.get(n.name) != n.instance_name]
    render.check_new(missing, repository)
    return missing
