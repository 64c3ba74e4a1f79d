"""`tools state bootstrap | enable | disable | list | unlock | history | restore`."""

import json
from collections.abc import Sequence
from typing import Any

import click

from tools.context import Context, Target
from tools.engine.records import Records
from tools.errors import UserError
from tools.layout.selection import Selection
from tools.layout.stack import Stack
from tools.remote_state import bootstrap, listing, versions
from tools.remote_state.enable import Wanted, settings_of_root
from tools.remote_state.enable import disable as disable_states
from tools.remote_state.enable import enable as enable_states
from tools.remote_state.unlock import unlock as take_away
from tools.runs import orphans, session
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
    target, known, where = _unchecked(context, local)
    there = settings_of_root(Wanted(**given), target)
    bootstrap.make(context, target, known, where, there, yes)


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
    target, known, where = _unchecked(context, local)
    enable_states(context, target, known, where, Wanted(**given), yes)


@command.command(short_help="Move every stack's state back into its folder.")
@_local
@_yes
@click.pass_obj
def disable(context: Context, local: bool, yes: bool) -> None:
    """Take every stack's backend.tf away, and bring the states back to this machine.

    What is in the bucket stays there, and is nobody's any more.
    """
    target, known, where = _unchecked(context, local)
    disable_states(context, target, known, where, yes)


@command.command("list", short_help="Where each state lies, and who works on it.")
@click.argument("stacks", nargs=-1)
@_local
@_json
@click.pass_obj
def list_(context: Context, stacks: Sequence[str], local: bool, as_json: bool) -> None:
    """List STACKS: where the state lies, its serial, resources and size, and who holds its lock.

    Starts no Terraform.
    """
    target = context.target(local)
    known = session.records(target)
    rows = listing.rows(known, _chosen(context, target, known, stacks))
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
    target, known, where = _unchecked(context, local)
    if "/" in stack and not (target.repository.root / stack).is_dir():
        gone = [one for one in orphans.find(known) if one.name == stack]
        if gone:
            with orphans.of_orphans(target, where, gone) as (there, theirs):
                take_away(context, there, theirs, theirs.stacks[0], yes)
            return
    take_away(context, target, known, _one(context, target, known, stack), yes)


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
    target, known = _known(context, local)
    rows = versions.history(known, _one(context, target, known, stack), limit)
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
    target, known, where = _unchecked(context, local)
    click.echo(f"Restore {stack} ({where})", err=True)
    chosen = _one(context, target, known, stack)
    versions.restore(context, target, known, chosen, version, yes)


def _unchecked(context: Context, local: bool) -> tuple[Target, Records, session.Where]:
    """For what brings states into order that are not."""
    target = context.target(local)
    where = session.where(target, checked=False)
    return target, session.records(target, where), where


def _known(context: Context, local: bool) -> tuple[Target, Records]:
    target = context.target(local)
    return target, session.records(target)


def _chosen(
    context: Context, target: Target, known: Records, patterns: Sequence[str]
) -> list[Stack]:
    """The stacks that `patterns` name; the bucket's own root is no stack of the others."""
    own = Stack(target.repository.root, ROOT)
    named = [one for one in patterns if one.rstrip("/") != ROOT or not own.path.is_dir()]
    found = context.select(known, Selection(named)) if named or not patterns else []
    is_named = len(named) < len(patterns)
    return [*([own] if is_named or (not patterns and _is_made(known, own)) else []), *found]


def _is_made(known: Records, own: Stack) -> bool:
    """Whether the bucket's own root has a state; one that cannot be read is one."""
    try:
        return own.path.is_dir() and known.state(own) is not None
    except UserError:
        return True


def _one(context: Context, target: Target, known: Records, name: str) -> Stack:
    found = _chosen(context, target, known, [name])
    if len(found) != 1:
        raise UserError(f"{name} names {len(found)} stacks; name one")
    return found[0]
