"""`tools upgrade`."""

from collections.abc import Sequence
from pathlib import Path

import click

from tools.commands import completions, options
from tools.console.messages import say
from tools.context import Context
from tools.errors import UserError
from tools.layout.selection import Selection
from tools.layout.stack import Stack
from tools.localcloud.workspace import is_from_repository
from tools.remote_state.readdress import Moves, find_moves, move_addresses
from tools.runs.options import Options
from tools.runs.session import Session
from tools.scaffold import upgrade
from tools.scaffold.merge import MergeConflict
from tools.scaffold.upgrade import LeftAlone, Upgrade
from tools.state.checks import check_states
from tools.system import files


@click.command("upgrade", short_help="Bring notebooks and states to today's layout.")
@click.argument("stacks", nargs=-1, shell_complete=completions.stacks)
@click.option("--dry-run", is_flag=True, help="Print what would change, and change nothing.")
@options.local
@options.yes
@click.pass_obj
def command(context: Context, stacks: Sequence[str], dry_run: bool, local: bool, yes: bool) -> None:
    """Bring STACKS, or all, to the templates and the addresses of this version.

    Run it after you have taken a newer version of the repository into yours. It shows the
    difference and asks once. What you changed in a notebook's files stays. If you changed what the
    templates change too, it names file and lines, and writes nothing. It also moves resources in
    states whose addresses are of an older layout. Nothing changes in AWS: a plan afterwards has new
    outputs at most (docs/upgrading.md).

    \b
    Examples:
      tools upgrade --dry-run
      tools upgrade
    """
    here = files.working_directory()
    session = Session.open_to_read(context, local, Options(yes=yes))
    if not dry_run:
        check_states(session.target.repository)
        upgrade.clear_interrupted(session.target.repository.root / "notebooks")
    chosen = session.select(Selection(stacks))
    upgrades = _plan_all(chosen, context.templates, bool(session.target.endpoint), named=stacks)
    moves = find_moves(session.records, chosen)
    _show(upgrades, moves)
    if not upgrades and not moves:
        say("nothing to upgrade")
    if dry_run or not (upgrades or moves):
        return
    session.confirm("Upgrade?")
    if moves:
        move_addresses(session, moves)
    for change in upgrades:
        upgrade.write(change)
        say(f"upgraded notebooks/{change.directory.name}")
    option = session.target.option
    say(f"next: tools plan{option} (nothing changes in AWS)")
    if any(here.is_relative_to(change.directory) for change in upgrades):
        say('your shell is in a directory that was replaced: cd "$PWD"')


def _plan_all(
    chosen: Sequence[Stack], templates: Path, is_local: bool, named: Sequence[str]
) -> list[Upgrade]:
    """Plans the directories of all notebooks. Raises UserError if one of them does not fit."""
    upgrades: list[Upgrade] = []
    conflicts: list[MergeConflict] = []
    for stack in chosen:
        if stack.kind != "notebook" or (is_local and is_from_repository(stack.path)):
            continue
        planned = upgrade.plan_upgrade(stack.path, templates)
        if isinstance(planned, Upgrade):
            upgrades.append(planned)
        elif isinstance(planned, LeftAlone):
            if named or planned.why != upgrade.UP_TO_DATE:
                say(f"{stack.name}: {planned.why}")
        else:
            conflicts += planned
    for conflict in conflicts:
        say(str(conflict))
    if conflicts:
        places = "the lines above" if len(conflicts) > 1 else "these lines"
        raise UserError(
            f"{len(conflicts)} of your changes cannot be merged; nothing was written. Put {places} "
            "back as the template had them, upgrade, and make your change again"
        )
    return upgrades


def _show(upgrades: Sequence[Upgrade], moves: Moves) -> None:
    for change in upgrades:
        click.echo(change.diff(), nl=False)
    for change in upgrades:
        if change.kept:
            say(f"notebooks/{change.directory.name} keeps your {', '.join(change.kept)}")
    for stack, addresses in moves.items():
        for former, today in addresses.items():
            say(f"{stack.name}: {former} becomes {today} in the state")
