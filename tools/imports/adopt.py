"""Repairs a stack after an apply that died: imports what it left in AWS but not in the state."""

from tools.console import table
from tools.console.messages import say
from tools.engine.leftovers import find_leftovers
from tools.imports.request import ResourceImport, question
from tools.imports.state_import import import_resource
from tools.layout.stack import Stack
from tools.runs.session import Session


def adopt(session: Session, stack: Stack) -> None:
    """Imports what `stack` would create and what exists already, after one question.

    Exits with 130 if it was interrupted; the same command goes on.
    """
    target = session.target
    total = 0
    # A second look finds parts of what the first one imported, such as the rules of a group.
    while existing := _find_existing(session, stack):
        say(f"Import in {session.account}, into the state of {stack.name}:")
        rows = ((resource.address, resource.identifier) for resource in existing)
        table.show(rows, ("Address", "Imported from"), indent="  ", err=True)
        session.confirm(question(len(existing)))
        with session.runner().work(1) as run:
            for resource in existing:
                if run.interruption.count:
                    break
                import_resource(run, stack, resource)
        total += len(existing)
    if total:
        say(f"imported {total}; next: tools deploy{target.option} {stack.name}")
    else:
        say(
            f"Nothing to adopt in {stack.name}. To import a resource that has no name to look for: "
            f"{target.terraform.program} -chdir={stack.path} import ADDRESS ID"
        )


def _find_existing(session: Session, stack: Stack) -> list[ResourceImport]:
    with session.runner().work(1) as run:
        leftovers = find_leftovers(run, stack).existing
    return [ResourceImport(stack.name, *leftover) for leftover in leftovers]
