"""`tools report`."""

from pathlib import Path

import click

from tools import SCRATCH
from tools.context import Context
from tools.report import collect, page
from tools.system import files


@click.command("report", short_help="The fleet as one HTML page.")
@click.option(
    "--output",
    type=click.Path(dir_okay=False, path_type=Path),
    help="The file, - for standard output.  [default: .tools/report.html]",
)
@click.option("--offline", is_flag=True, help="Do not ask AWS: what the files declare is enough.")
@click.option("--local", is_flag=True, help="The local cloud instead of AWS.")
@click.pass_obj
def command(context: Context, output: Path | None, offline: bool, local: bool) -> None:
    """Write a page that shows the fleet, what it costs and what needs a look, and print its path.

    The page needs no network and no other file, can be sorted and searched, and printed. Where
    AWS cannot be asked it shows what the files declare, and says so.
    """
    text = page.render(collect.gather(context, local, offline))
    if output and str(output) == "-":
        click.echo(text, nl=False)
        return
    path = output or context.repository.root / SCRATCH / "report.html"
    files.write(path, text)
    click.echo(path)
