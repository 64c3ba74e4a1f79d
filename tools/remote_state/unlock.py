"""Taking away a lock that a killed Terraform has left."""

import click

from tools.engine.init import initialize
from tools.engine.preparation import await_leftover
from tools.errors import UserError
from tools.layout.stack import Stack
from tools.remote_state.listing import describe_lock
from tools.runs.session import Session
from tools.state.place import LOCK, LocalPlace


def unlock(session: Session, stack: Stack) -> None:
    """Shows who holds the lock of `stack`, asks, and takes it away.

    Raises UserError where there is none, and where its holder is at work on this machine.
    """
    place = session.records.place(stack)
    lock = place.lock() if place else None
    if place is None:
        raise UserError(f"{stack.name}: its files do not say where its state lies")
    if lock is None:
        raise UserError(f"{place} is not locked")
    click.echo(f"{place}: {describe_lock(lock)}, lock {lock.id}", err=True)
    if lock.is_held:
        raise UserError("that Terraform is at work on this machine; wait for it, or end it")
    session.confirm("Is that Terraform over? Two at once would spoil the state. Unlock?")
    if isinstance(place, LocalPlace):
        place.lock_note.unlink(missing_ok=True)
    elif lock.id == "?":  # cut short: Terraform cannot read it either
        place.delete(LOCK)
    else:
        with session.runner().begin(1) as run:
            # Not `prepare`: to write a state that is left would need the lock.
            await_leftover(run, stack)
            initialize(run, stack)
            # Terraform itself refuses where another lock has taken this one's place meanwhile.
            run.terraform.force_unlock(stack.path, lock.id)
    click.echo("unlocked", err=True)
