"""`tools sync`."""

from pathlib import Path

import click

from tools.commands import completions, options, retire, wrong_rows
from tools.console import table
from tools.console.messages import say
from tools.console.prompt import require_terminal
from tools.context import Context
from tools.errors import first_of
from tools.hcl import cache
from tools.roster import plan as planning
from tools.roster import roster as rosters
from tools.roster import write
from tools.roster.plan import SyncPlan
from tools.runs.options import Options
from tools.scaffold import render, rows

_GRACE_DAYS = 14.0


@click.command("sync", short_help="Make notebooks' directories what a file says.")
@click.argument("file", required=False, type=click.Path(path_type=Path))
@click.argument("notebooks", metavar="[NAME]...", nargs=-1, shell_complete=completions.notebooks)
@click.option("--dry-run", is_flag=True, help="Show what would be written, and write nothing.")
@click.option(
    "retires",
    "--retire",
    is_flag=True,
    help="Also stop, and later destroy, the notebooks that the roster no longer names.",
)
@click.option(
    "--grace",
    type=click.FloatRange(min=0, max=3650),
    metavar="DAYS",
    help="With --retire: days from the stop to the destruction.  [default: 14]",
)
@click.option(
    "--allow-destroy",
    is_flag=True,
    help="With --retire: also destroy notebooks whose time has come.",
)
@options.local
@options.yes
@click.pass_obj
def command(
    context: Context,
    /,
    file: Path | None,
    notebooks: tuple[str, ...],
    dry_run: bool,
    retires: bool,
    grace: float | None,
    allow_destroy: bool,
    local: bool,
    yes: bool,
) -> None:
    """Make and change the directories of notebooks as FILE, the roster, says.

    FILE is a CSV or YAML file with a notebook in each row, as for `tools new-notebook --from-file`.
    The default is notebooks.csv or notebooks.yaml at the root. Makes the directories that are
    missing, and sets in the terraform.tfvars of the others what their rows name; comments and other
    values stay. Lists the directories that the roster has kept and no longer names. Directories
    that are in no row and were not made by a roster are left alone.

    Shows everything first and asks once. Writes all of it or nothing. Nothing is deployed: review
    the change with git, then run `tools deploy`.

    With --retire, takes one step with each notebook that the roster has kept and no longer names,
    or with those of them that NAME chooses.
    If its backup (docs/backup.md) is whole and of the last hour in which it ran, stops it. After
    DAYS, if nobody has started it, `--retire --allow-destroy` destroys it with its volume. Asks
    before each.
    A notebook of which anything is unknown is refused, and the exit code is 1.

    \b
    Examples:
      tools sync --dry-run
      tools sync --retire --dry-run
      tools sync --retire nlp-project
      tools sync team.yaml --yes
    """
    if not retires and (local or grace is not None or allow_destroy or notebooks):
        raise click.UsageError("--grace, --allow-destroy, --local and NAME belong to --retire")
    if retires and file and not file.suffix:  # as a roster has, and no notebook's name
        file, notebooks = None, (str(file), *notebooks)
    repository = context.repository
    with cache.persisted(repository.root):
        types = render.variables(context.templates)
        with wrong_rows.show():
            roster = rosters.read(repository.root, file, rows.keys(types))
            plan = planning.plan_sync(roster, repository, types)
    gone = planning.select_gone(plan, notebooks)
    _show(plan)
    if plan.writes and not dry_run:
        _write(context, plan, yes)
    if retires and gone:
        days = _GRACE_DAYS if grace is None else grace
        run_options = Options(yes=yes, allow_destroy=allow_destroy)
        retire.run(context, gone, days, run_options, local=local, dry_run=dry_run)


def _write(context: Context, plan: SyncPlan, yes: bool) -> None:
    if not yes:
        require_terminal()
        click.confirm(f"Write {_count(plan.writes)}?", abort=True, err=True)
    write.write(plan, context.repository, context.templates)
    say("next: review with git diff, then tools deploy")


def _show(plan: SyncPlan) -> None:
    lines = [(made.name, "new", str(made.values["instance_type"])) for made in plan.new]
    for edit in plan.edits:
        loss = click.style("; replaces it, and its volume is lost", fg="red")
        note = "; ".join(planning.describe(edit)) + loss * edit.loses_volume
        lines.append((edit.name, "change", note))
    lines += [(name, "no longer named", "") for name in plan.gone]
    table.show(lines, ("Notebook", "Row", table.Column("Values", note=True)))
    say(f"{plan.roster.name}: {plan.unchanged} of {len(plan.roster.rows)} rows unchanged")
    if plan.others:
        names = first_of(plan.others, 5)
        say(f"in no row, and not made by this roster; left alone: {names}")


def _count(number: int) -> str:
    return "1 directory" if number == 1 else f"{number} directories"
