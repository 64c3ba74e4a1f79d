"""`tools status`."""

import click

from tools import fleet, overview
from tools.commands.fleet_options import LOCAL, WHERE
from tools.context import Context


@click.command("status", short_help="Every notebook, as declared and as AWS has it.")
@click.argument("notebooks", nargs=-1)
@WHERE
@LOCAL
@click.option("--idle", is_flag=True, help="Also since when each is idle, from CloudWatch's logs.")
@click.option("--json", "as_json", is_flag=True, help="For a script; with --watch one a line.")
@click.option("--watch", is_flag=True, help="Look again and again, until Ctrl-C.")
@click.option(
    "--interval",
    type=click.FloatRange(min=0.1),
    default=5,
    show_default=True,
    help="Seconds between two looks.",
)
@click.pass_obj
def command(
    context: Context,
    notebooks: tuple[str, ...],
    conditions: tuple[str, ...],
    local: bool,
    idle: bool,
    as_json: bool,
    watch: bool,
    interval: float,
) -> None:
    """Show what NOTEBOOKS declare beside what AWS says of them, and mark the differences.

    A notebook is named by its directory, by the name that AWS knows or by a glob ('nlp-*'); all of
    them where none is named, and then the account's instances that no directory declares as well.
    AWS is asked for one listing of each region, whatever the number of notebooks. A listing shows
    instance type, code repositories and lifecycle configuration; tools deploy and terraform plan
    compare everything.
    """
    where = fleet.of(context, local)

    def look() -> fleet.Overview:
        chosen = fleet.declared(where, notebooks, conditions)
        return fleet.overview(where, chosen, bool(notebooks or conditions), idle)

    if watch:
        overview.watch(look, where, as_json, interval)
    else:
        overview.show(look(), where, as_json)
