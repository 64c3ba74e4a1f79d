"""`tools lock`."""

from pathlib import Path

import click

from tools.commands import completions
from tools.console.messages import say
from tools.context import Context
from tools.engine import lock_files
from tools.engine.lock_files import PLATFORMS, Locked
from tools.engine.records import Records
from tools.hcl.scanning import LOCK_FILE
from tools.layout.stack import Stack
from tools.state.backend import ROOT


@click.command("lock", short_help="Write the providers' lock files for every platform.")
@click.argument("stacks", nargs=-1, shell_complete=completions.stacks)
@click.option("--upgrade", is_flag=True, help="Take the newest versions that the stacks allow.")
@click.pass_obj
def command(context: Context, stacks: tuple[str, ...], upgrade: bool) -> None:
    """Write .terraform.lock.hcl of STACKS for Linux, macOS and Windows. Commit the files.

    A lock file keeps everybody, and CI, on the same provider, and proves that nobody changed it.
    Asks the registry for the hashes of every platform, which downloads the provider for each (about
    150 MB). If the registry cannot be reached, the hashes are those of the platforms in a local
    mirror, and the command says which.

    \b
    Examples:
      tools lock
      tools lock --upgrade
    """
    repository = context.repository
    records = Records(repository, context.terraform())
    selected = context.stacks(stacks)
    root_stack = Stack(repository.root, ROOT)
    roots = [root_stack] if root_stack.path.is_dir() and not stacks else []
    for locked in lock_files.write_locks(records, [*roots, *selected], upgrade, say):
        _report(locked, repository.root)


def _report(locked: Locked, root: Path) -> None:
    versions = ", ".join(
        f"{address.partition('/')[2]} {version}" for address, version in locked.versions.items()
    )
    for directory in locked.directories:
        click.echo(f"{directory.relative_to(root) / LOCK_FILE}: {versions}")
    say(f"for {', '.join(locked.platforms)}")
    missing = ", ".join(p for p in PLATFORMS if p not in locked.platforms)
    if missing:
        say(
            "the registry cannot be reached, so the hashes are those of a mirror on this machine. "
            f"`terraform init` fails on {missing} with these files: run tools lock where the "
            "registry can be reached before you commit them"
        )
