"""`tools report`."""

from pathlib import Path

import click

from tools import SCRATCH
from tools.commands import options
from tools.context import Context
from tools.report import collect, page
from tools.system import files


@click.command("report", short_help="Write a report on the fleet as one HTML page.")
@click.option(
    "--output",
    type=click.Path(dir_okay=False, path_type=Path),
    help="File to write, or - for standard output.  [default: .tools/report.html]",
)
@click.option(
    "--offline", is_flag=True, help="Use only what the files declare, and do not ask AWS."
)
@options.local
@click.pass_obj
def command(context: Context, output: Path | None, offline: bool, local: bool) -> None:
    """Write a page with the fleet, its cost and what needs attention, and print its path.

    The page needs no network and no other file. Its table can be sorted and searched. If AWS
    cannot be asked, the page shows what the files declare, and says so.

    \b
    Examples:
      tools report
      tools report --offline --output fleet.html
    """
    text = page.render(collect.collect(context, local, offline))
    if output and str(output) == "-":
        click.echo(text, nl=False)
        return
    path = output or context.repository.root / SCRATCH / "report.html"
    files.write(path, text)
    click.echo(path)
