"""Moves resources in states from the addresses of older layouts to today's."""

from collections.abc import Mapping, Sequence

from tools.console.messages import say
from tools.engine.preparation import prepare
from tools.engine.records import Records
from tools.layout.stack import S3, Stack
from tools.runs.session import Session
from tools.state.addresses import moved_addresses

Moves = Mapping[Stack, Mapping[str, str]]  # former address to today's


def find_moves(records: Records, stacks: Sequence[Stack]) -> Moves:
    """Returns what has to move in the states of `stacks`.

    Raises UserError if a state cannot be read. One whose place is not known is left, with a note.
    """
    moves_by_stack = {}
    for stack in stacks:
        state = records.state(stack)
        if state is None and stack.name == S3 and records.place(stack) is None:
            say(f"{stack.name}: {records.why_no_place(stack)}; docs/upgrading.md moves it by hand")
        addresses = [resource.address for resource in state.resources] if state else []
        if moves := moved_addresses(stack.name, addresses):
            moves_by_stack[stack] = moves
    return moves_by_stack


def move_addresses(session: Session, moves: Moves) -> None:
    """Moves what `find_moves` found, by `terraform state mv`, which locks the state.

    Terraform keeps a copy of a local state from before each move, a bucket its versions. A second
    run continues. Exits with 130 if it was interrupted.
    """
    with session.runner().resume(len(moves)) as run:
        for stack, moved in moves.items():
            prepare(run, stack)
            for former, today in moved.items():
                if run.interruption.count:
                    return
                run.terraform.move_in_state(stack.path, former, today)
                run.records.forget(stack)
                run.progress.say(stack.name, f"{former} is {today} now")
