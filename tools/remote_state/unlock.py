"""Taking away a lock that a killed Terraform has left."""

import click

from tools.context import Context, Target
from tools.engine.init import initialize
from tools.engine.preparation import await_leftover
from tools.engine.records import Records
from tools.errors import UserError
from tools.layout.stack import Stack
from tools.remote_state.listing import told
from tools.runs import questions, runner, session
from tools.state.place import LOCK, LocalPlace


def unlock(context: Context, target: Target, known: Records, stack: Stack, yes: bool) -> None:
    """Shows who holds the lock of `stack`, asks, and takes it away.

    Raises UserError where there is none, and where its holder is at work on this machine.
    """
    place = known.place(stack)
    lock = place.lock() if place else None
    if place is None:
        raise UserError(f"{stack.name}: its files do not say where its state lies")
    if lock is None:
        raise UserError(f"{place} is not locked")
    click.echo(f"{place}: {told(lock)}, lock {lock.id}", err=True)
    if lock.is_held:
        raise UserError("that Terraform is at work on this machine; wait for it, or end it")
    questions.agree_to(
        "Is that Terraform over? Two at once would spoil the state. Unlock?", target, yes
    )
    if isinstance(place, LocalPlace):
        place.lock_note.unlink(missing_ok=True)
    elif lock.id == "?":  # cut short: Terraform cannot read it either
        place.delete(LOCK)
    else:
        with runner.Runner(context, target, known, session.Options()).how(1) as run:
            # Not `prepare`: to write a state that is left would need the lock.
            await_leftover(run, stack)
            initialize(run, stack)
            # Terraform itself refuses where another lock has taken this one's place meanwhile.
            target.terraform.force_unlock(stack.path, lock.id)
    click.echo("unlocked", err=True)
