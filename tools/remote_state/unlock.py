"""Removes a lock that a killed Terraform has left."""

from tools.console.messages import say
from tools.engine.init import initialize
from tools.engine.preparation import await_earlier_terraform
from tools.errors import UserError
from tools.layout.stack import Stack
from tools.remote_state.listing import describe_lock
from tools.remote_state.transfer import UNKNOWN_PLACE
from tools.runs.session import Session
from tools.state.place import LOCK, LocalPlace


def unlock_state(session: Session, stack: Stack) -> None:
    """Shows who holds the lock of `stack`, asks, and removes it.

    Raises UserError if there is no lock, or if its Terraform still runs on this machine. Raises
    NotAwaitedError if a person does not wait for one that an earlier run left at work. Exits with
    130 if it was interrupted.
    """
    place = session.records.place(stack)
    if place is None:
        raise UserError(f"{stack.name}: {UNKNOWN_PLACE}")
    lock = place.lock()
    if lock is None:
        raise UserError(f"{place} is not locked")
    say(f"{place}: {describe_lock(lock)}, lock {lock.id}")
    if lock.is_held:
        raise UserError("that Terraform still runs on this machine; wait for it, or end it")
    session.confirm("Has that Terraform ended? Two at once would corrupt the state. Unlock?")
    if isinstance(place, LocalPlace):
        place.lock_note.unlink(missing_ok=True)
    elif lock.id == "?":  # incomplete: Terraform cannot read it either
        place.delete(LOCK)
    else:
        with session.runner().work(1) as run:
            # Not `prepare`, which may write a leftover state, for which it would need the lock.
            await_earlier_terraform(run, stack)
            initialize(run, stack)
            if not run.interruption.count:
                # By Terraform, which refuses if another lock has replaced this one meanwhile:
                # https://developer.hashicorp.com/terraform/language/state/locking#force-unlock
                run.terraform.force_unlock(stack.path, lock.id)
                run.interruption.forget()
    say("unlocked")
