"""What is left to do of an import request, so that an interrupted import goes on."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from functools import partial

from tools.engine.records import Records
from tools.errors import UserError
from tools.imports import inventory, tfvars
from tools.imports.inventory import Inventory
from tools.imports.request import ImportRequest, ResourceImport
from tools.imports.tfvars import ValuesEdit
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
    edits: tuple[ValuesEdit, ...]
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
    managed, is_local = _read_inventory(session), bool(session.target.endpoint)
    return find_left(session.records, managed, request, is_local=is_local)


@dataclass(frozen=True)
class Conflict:
    """What stands in the way of an import: `what` is an address, a stack or a notebook."""

    what: str
    reason: str


def find_conflicts(session: Session, request: ImportRequest) -> list[Conflict]:
    """Returns all that stands in the way, of which `find_pending` raises the first."""
    managed, repository = _read_inventory(session), session.records.repository
    conflicts: list[Conflict] = []

    def attempt(what: str, check: Callable[[], object]) -> None:
        try:
            check()
        except UserError as error:
            conflicts.append(Conflict(what, str(error)))

    for resource in request.imports:
        attempt(f"{resource.stack} {resource.address}", partial(managed.holds, resource))
    for made in request.notebooks:
        attempt(f"notebooks/{made.name}", partial(_missing, [made], repository))
    is_local = bool(session.target.endpoint)
    for stack, values in request.values.items():
        values_of_stack = {stack: values}
        attempt(stack, partial(tfvars.plan_edits, repository, values_of_stack, is_local))
    return conflicts


def _read_inventory(session: Session) -> Inventory:
    records = session.records
    if any(records.place(stack) is None for stack in records.stacks):
        with session.runner().work(len(records.stacks)) as run:
            return inventory.read(records, records.stacks, run)
    return inventory.read(records, records.stacks)


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
