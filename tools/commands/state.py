"""`tools state bootstrap | enable | disable | list | unlock | history | restore`."""

import json
from collections.abc import Sequence
from typing import Any

import click

from tools.context import Context
from tools.engine.records import Records
from tools.errors import UserError
from tools.layout.selection import Selection
from tools.layout.stack import Stack
from tools.remote_state import bootstrap, listing, versions
from tools.remote_state.enable import Wanted, settings_of_root
from tools.remote_state.enable import disable as disable_states
from tools.remote_state.enable import enable as enable_states
from tools.remote_state.unlock import unlock as unlock_state
from tools.runs import orphans
from tools.runs.options import Options
from tools.runs.session import Session
from tools.state.backend import ROOT

_local = click.option("--local", is_flag=True, help="The local cloud instead of AWS.")
_yes = click.option("--yes", is_flag=True, help="Do not ask.")
_json = click.option("--json", "as_json", is_flag=True, help="For a script (docs/json.md).")
_prefix = click.option("--prefix", help="Begins the keys of the states.  [default: ml-infra]")
_lock = click.option(
    "--lock",
    "locking",
    type=click.Choice(["file", "table", "both"]),
    help="How states are locked: by a file beside them (Terraform 1.10 and later), by the DynamoDB "
    "table terraform-locks, or by both.  [default: file where this Terraform can, else table]",
)


@click.group("state", short_help="States in a bucket that a team shares.")
def command() -> None:
    """Keep the states in an S3 bucket: make it, move them there and back, look at them.

    docs/state.md has the whole way, and who needs which permissions.
    """


@command.command("bootstrap", short_help="Make the bucket.")
@click.option("--bucket", required=True, help="Its name, unlike any other in the world.")
@_prefix
@_lock
@_local
@_yes
@click.pass_obj
def make(context: Context, /, local: bool, yes: bool, **given: Any) -> None:
    """Make the bucket, versioned, encrypted and closed, and the lock table where one is needed.

    It is a Terraform root of its own, bootstrap/, whose state ends up in the bucket. Running it
    again changes nothing.
    """
    session = _open_unchecked(context, local, yes)
    bootstrap.make(session, settings_of_root(Wanted(**given), session.target))


@command.command(short_help="Move every stack's state into the bucket.")
@click.option("--bucket", help="The one that bootstrap has made, or state_bucket, by default.")
@_prefix
@_lock
@click.option(
    "--allow-unversioned", is_flag=True, help="Take a bucket that keeps no older versions, too."
)
@_local
@_yes
@click.pass_obj
def enable(context: Context, /, local: bool, yes: bool, **given: Any) -> None:
    """Write every stack's backend.tf, set state_bucket, and move what states there are.

    One stack after the other, each compared with what was there before. Cut short, it goes on
    when it is run again; nothing else works until then.
    """
    enable_states(_open_unchecked(context, local, yes), Wanted(**given))


@command.command(short_help="Move every stack's state back into its folder.")
@_local
@_yes
@click.pass_obj
def disable(context: Context, local: bool, yes: bool) -> None:
    """Take every stack's backend.tf away, and bring the states back to this machine.

    What is in the bucket stays there, and is nobody's any more.
    """
    disable_states(_open_unchecked(context, local, yes))


@command.command("list", short_help="Where each state lies, and who works on it.")
@click.argument("stacks", nargs=-1)
@_local
@_json
@click.pass_obj
def list_(context: Context, stacks: Sequence[str], local: bool, as_json: bool) -> None:
    """List STACKS: where the state lies, its serial, resources and size, and who holds its lock.

    Starts no Terraform.
    """
    session = Session.open_to_read(context, local)
    rows = listing.rows(session.records, _choose(session, stacks))
    if as_json:
        click.echo(json.dumps([row.to_json() for row in rows], indent=2))
    else:
        listing.show(rows)


@command.command(short_help="Take a lock away that was left behind.")
@click.argument("stack")
@_local
@_yes
@click.pass_obj
def unlock(context: Context, stack: str, local: bool, yes: bool) -> None:
    """Show who holds the lock of STACK, ask, and take it away.

    For a Terraform that was killed. A lock whose holder is at work on this machine stays. An
    orphan's is taken away by its whole name, such as notebooks/nlp.
    """
    session = _open_unchecked(context, local, yes)
    if "/" in stack and not (session.target.repository.root / stack).is_dir():
        named = [one for one in orphans.find_orphans(session.records) if one.name == stack]
        if named:
            with orphans.open_orphans(session, named) as orphan_session:
                unlock_state(orphan_session, orphan_session.records.stacks[0])
            return
    unlock_state(session, _choose_one(session, stack))


@command.command(short_help="The versions of a state that the bucket keeps.")
@click.argument("stack")
@click.option(
    "--limit",
    type=click.IntRange(min=1),
    default=20,
    show_default=True,
    help="How many, the newest first.",
)
@_local
@_json
@click.pass_obj
def history(context: Context, stack: str, limit: int, local: bool, as_json: bool) -> None:
    """List the newest versions of the state of STACK."""
    session = Session.open_to_read(context, local)
    rows = versions.history(session.records, _choose_one(session, stack), limit)
    if as_json:
        click.echo(json.dumps([row.to_json() for row in rows], indent=2))
    else:
        versions.show(rows)


@command.command(short_help="Bring an older version of a state back.")
@click.argument("stack")
@click.argument("version")
@_local
@_yes
@click.pass_obj
def restore(context: Context, stack: str, version: str, local: bool, yes: bool) -> None:
    """Make VERSION, or the one that begins so, the state of STACK again.

    Shows what differs, and asks. AWS stays as it is: `tools plan` shows afterwards what Terraform
    would change there. The version that was the state until then stays in the history.
    """
    session = _open_unchecked(context, local, yes)
    click.echo(f"Restore {stack} ({session.account})", err=True)
    versions.restore(session, _choose_one(session, stack), version)


def _open_unchecked(context: Context, local: bool, yes: bool) -> Session:
    """Opens a session for what brings states into order that are not."""
    return Session.open(context, local, Options(yes=yes), check=False)


def _choose(session: Session, patterns: Sequence[str]) -> list[Stack]:
    """The stacks that `patterns` name; the bucket's own root is no stack of the others."""
    root = Stack(session.target.repository.root, ROOT)
    others = [name for name in patterns if name.rstrip("/") != ROOT or not root.path.is_dir()]
    stacks = session.select(Selection(others)) if others or not patterns else []
    is_named = len(others) < len(patterns)
    with_root = is_named or (not patterns and _is_made(session.records, root))
    return [*([root] if with_root else []), *stacks]


def _is_made(records: Records, root: Stack) -> bool:
    """Whether the bucket's own root has a state; one that cannot be read is one."""
    try:
        return root.path.is_dir() and records.state(root) is not None
    except UserError:
        return True


def _choose_one(session: Session, name: str) -> Stack:
    stacks = _choose(session, [name])
    if len(stacks) != 1:
        raise UserError(f"{name} names {len(stacks)} stacks; name one")
    return stacks[0]
