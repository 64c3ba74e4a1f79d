"""`tools report`."""

from pathlib import Path

import click

from tools import SCRATCH
from tools.commands import options
from tools.console.messages import warn
from tools.context import Context
from tools.report import collect, history, links, page
from tools.report.model import Report
from tools.system import files


@click.command("report", short_help="Write a report on the fleet as one HTML page.")
@click.option(
    "--output",
    type=options.FILE,
    help="File to write, or - for standard output.  [default: .tools/report.html]",
)
@click.option(
    "--offline",
    is_flag=True,
    help="Use only what the files and local states say, and do not ask AWS.",
)
@options.local
@click.pass_obj
def command(context: Context, output: Path | None, offline: bool, local: bool) -> None:
    """Write a page with what needs attention, the cost and every notebook, and print its path.

    The page needs no network and no other file. Its table can be sorted, filtered and saved as CSV.
    If AWS cannot be asked, the page shows what the files declare, and says so; so does a warning.

    The figures of each day are kept beside the page (.tools/report.history.json): the next page
    shows how the cost has changed. With `--output -` nothing is kept.

    \b
    Examples:
      tools report
      tools report --offline --output fleet.html
    """
    report = collect.collect(context, local, offline)
    # --offline asked for it, and no notebook of the local cloud tells whether it is idle.
    is_usual = offline or (local and report.was_asked and report.states_are_known)
    if output and str(output) == "-":
        click.echo(page.render(report), nl=False)
    else:
        click.echo(_write(report, context.repository.root, output))
    if report.unread and not is_usual:
        number = len(report.unread) - 1
        more = f" {number} more in the page's notes." if number else ""
        warn(f"not all could be read. {report.unread[0]}{more}")


def _write(report: Report, root: Path, output: Path | None) -> Path:
    """Writes the page, keeps its figures beside it, and returns its path."""
    path = output or root / SCRATCH / "report.html"
    kept = history.path_beside(path)
    entry = history.entry_of(report)
    entries = history.add(history.read(kept), entry)
    trend = history.trend(entries, entry.subject)
    text = page.render(report, trend, links.path_to_root(path, root))
    files.write(path, text.encode(errors="backslashreplace"))  # a file's name may be no UTF-8
    history.write(kept, entries)
    return path
