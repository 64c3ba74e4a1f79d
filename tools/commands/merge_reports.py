"""`tools merge-reports`."""

from pathlib import Path

import click

from tools.commands import options
from tools.console.messages import say
from tools.runs import report_file, summary


@click.command("merge-reports", short_help="Merge the reports of several runs into one.")
@click.argument("reports", nargs=-1, required=True, type=options.FILE)
@click.option(
    "--report",
    type=options.FILE,
    metavar="FILE",
    help="Write the merged report to a .json, .xml (JUnit) or .md file.",
)
def command(reports: tuple[Path, ...], report: Path | None) -> None:
    """Merge REPORTS, which runs on parts of the stacks wrote with --report FILE.json.

    Prints the outcome of each stack. If a stack is in more than one report, the last one counts.
    The exit code is 1 if a stack failed, was interrupted or was not run.

    \b
    Examples:
      tools merge-reports shard-1.json shard-2.json --report all.md
    """
    if report:
        report_file.check(report)
    name, results = report_file.merge(reports)
    summary.summarize(results)
    if report:
        report_file.write(report, results, name)
    if unfinished := sum(result.is_unfinished for result in results):
        say(f"{unfinished} of {len(results)} stacks failed or were not run")
        raise click.exceptions.Exit(1)
