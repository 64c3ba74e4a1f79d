"""`tools state bootstrap | enable | disable | list | unlock | history | restore`."""

from collections.abc import Sequence
from typing import Any

import click

from tools.commands import completions, options
from tools.console.messages import print_json, say
from tools.context import Context
from tools.engine.records import Records
from tools.errors import UserError
from tools.layout.files import holds_root
from tools.layout.selection import Selection
from tools.layout.stack import Stack
from tools.remote_state import bootstrap, listing, versions
from tools.remote_state.enable import disable_states, enable_states
from tools.remote_state.settings import BackendRequest, root_settings
from tools.remote_state.unlock import unlock_state
from tools.runs import orphans
from tools.runs.options import Options
from tools.runs.session import Session
from tools.state.backend import ROOT

_prefix = click.option("--prefix", help="Prefix of the states' keys.  [default: ml-infra]")
_lock = click.option(
    "--lock",
    "locking",
    type=click.Choice(["file", "table", "both"]),
    help="Lock states with a file beside each (Terraform 1.10 and later), with the DynamoDB table "
    "terraform-locks, or with both.  [default: file if this Terraform can, otherwise table]",
)


@click.group("state", short_help="Keep the states in a bucket that a team shares.")
def command() -> None:
    """Keep the states in an S3 bucket: create it, move states there and back, inspect them.

    docs/state.md describes each step and the permissions that it needs.

    \b
    Examples:
      tools state bootstrap --bucket acme-terraform-states
      tools state enable
      tools state list
    """


@command.command("bootstrap", short_help="Create the bucket.")
@click.option("--bucket", required=True, help="Name of the bucket, unique in all of AWS.")
@_prefix
@_lock
@options.local
@options.yes
@click.pass_obj
def bootstrap_(context: Context, /, local: bool, yes: bool, **given: Any) -> None:
    """Create the bucket, versioned, encrypted and private, and the lock table if one is needed.

    The bucket is a Terraform root module of its own, bootstrap/, whose state is moved into the
    bucket. A second run changes nothing.

    \b
    Examples:
      tools state bootstrap --bucket acme-terraform-states
    """
    session = _open_unchecked(context, local, yes)
    bootstrap.create_bucket(session, root_settings(BackendRequest(**given), session.target))


@command.command(short_help="Move every stack's state into the bucket.")
@click.option(
    "--bucket", help="Name of the bucket.  [default: state_bucket, or the bucket of bootstrap]"
)
@_prefix
@_lock
@click.option("--allow-unversioned", is_flag=True, help="Accept a bucket without versioning.")
@options.local
@options.yes
@click.pass_obj
def enable(context: Context, /, local: bool, yes: bool, **given: Any) -> None:
    """Write every stack's backend.tf, set state_bucket, and move the existing states.

    Moves one state after another and compares each with the original. After an interruption, run
    it again to continue; no other command works until then.

    \b
    Examples:
      tools state enable
      tools state enable --bucket acme-terraform-states --prefix ml
    """
    enable_states(_open_unchecked(context, local, yes), BackendRequest(**given))


@command.command(short_help="Move every stack's state back into its folder.")
@options.local
@options.yes
@click.pass_obj
def disable(context: Context, local: bool, yes: bool) -> None:
    """Remove every stack's backend.tf, and move the states back to this machine.

    The bucket keeps copies, which nothing uses or updates.

    \b
    Examples:
      tools state disable
    """
    disable_states(_open_unchecked(context, local, yes))


@command.command("list", short_help="Show where each state is, and who has locked it.")
@click.argument("stacks", nargs=-1, shell_complete=completions.stacks)
@options.local
@options.as_json
@click.pass_obj
def list_(context: Context, stacks: Sequence[str], local: bool, as_json: bool) -> None:
    """List the states of STACKS: place, serial, resources, size, and who holds the lock.

    Starts no Terraform. A state is at PLACE/STACK/terraform.tfstate; with -v the place is whole.

    \b
    Examples:
      tools state list
      tools state list nlp --json
    """
    session = Session.open_to_read(context, local)
    rows = listing.read_rows(session.records, _choose(session, stacks))
    if as_json:
        print_json(rows)
    else:
        listing.show(rows, session.target.repository.root)


@command.command(short_help="Remove a lock that was left behind.")
@click.argument("stack", shell_complete=completions.stacks)
@options.local
@options.yes
@click.pass_obj
def unlock(context: Context, stack: str, local: bool, yes: bool) -> None:
    """Show who holds the lock of STACK, ask, and remove it.

    Use it after a Terraform was killed. A lock whose Terraform still runs on this machine stays.
    Name an orphan by its whole name, such as notebooks/nlp.

    \b
    Examples:
      tools state unlock nlp
    """
    session = _open_unchecked(context, local, yes, stack)
    if "/" in stack and not holds_root(session.target.repository.root / stack):
        for orphan in orphans.find_orphans(session.records):
            if orphan.name == stack.rstrip("/"):
                with orphans.open_orphans(session, [orphan]) as orphan_session:
                    unlock_state(orphan_session, orphan_session.records.stacks[0])
                return
    unlock_state(session, _choose_one(session, stack))


@command.command(short_help="List the versions of a state in the bucket.")
@click.argument("stack", shell_complete=completions.stacks)
@click.option(
    "--limit",
    type=click.IntRange(min=1),
    default=20,
    show_default=True,
    help="How many versions to list, newest first.",
)
@options.local
@options.as_json
@click.pass_obj
def history(context: Context, stack: str, limit: int, local: bool, as_json: bool) -> None:
    """List the newest versions of the state of STACK.

    \b
    Examples:
      tools state history nlp --limit 5
    """
    session = Session.open_to_read(context, local)
    rows = versions.read_rows(session.records, _choose_one(session, stack), limit)
    if as_json:
        print_json(rows)
    else:
        versions.show(rows)


@command.command(short_help="Restore an older version of a state.")
@click.argument("stack", shell_complete=completions.stacks)
@click.argument("version")
@options.local
@options.yes
@click.pass_obj
def restore(context: Context, stack: str, version: str, local: bool, yes: bool) -> None:
    """Make VERSION, or the version that begins with it, the state of STACK again.

    Shows what differs, and asks. Nothing in AWS changes: `tools plan` shows afterwards what
    Terraform would change there. The version that was the state stays in the history.

    \b
    Examples:
      tools state restore nlp 3sL4kqtJ
    """
    session = _open_unchecked(context, local, yes, stack)
    say(f"Restore {stack} ({session.account})")
    versions.restore(session, _choose_one(session, stack), version)


def _open_unchecked(context: Context, local: bool, yes: bool, stack: str = "") -> Session:
    """Opens a session for commands that repair states, which are not checked here.

    `stack` is the name that was typed, if any: an orphan's whole name is none of a stack.
    """
    is_stack = stack and stack.rstrip("/") != ROOT and "/" not in stack
    selection = Selection([stack]) if is_stack else None
    return Session.open(context, local, Options(yes=yes), selection, check=False)


def _choose(session: Session, patterns: Sequence[str]) -> list[Stack]:
    """Returns the stacks that `patterns` name, and bootstrap/, which is not among the stacks."""
    root = Stack(session.target.repository.root, ROOT)
    others = [name for name in patterns if name.rstrip("/") != ROOT or not root.path.is_dir()]
    stacks = session.select(Selection(others)) if others or not patterns else []
    is_named = len(others) < len(patterns)
    with_root = is_named or (not patterns and _has_state(session.records, root))
    return [*([root] if with_root else []), *stacks]


def _has_state(records: Records, root: Stack) -> bool:
    """Returns whether bootstrap/ has a state; also True if that cannot be read."""
    try:
        return root.path.is_dir() and records.state(root) is not None
    except UserError:
        return True


def _choose_one(session: Session, name: str) -> Stack:
    stacks = _choose(session, [name])
    if len(stacks) != 1:
        raise UserError(f"{name} names {len(stacks)} stacks; name one")
    return stacks[0]
