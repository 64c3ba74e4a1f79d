"""Runs the benchmarks and prints their figures as Markdown."""

import importlib
import os
import platform
import sys

import click

from benchmarks.measure import Figure

# Each is a module with a TITLE and `run(repetitions) -> list[Figure]`.
BENCHMARKS = ("start", "scaffold", "graph", "page", "sync", "pipeline", "changes", "deploy", "warm")


@click.command()
@click.argument("names", nargs=-1, type=click.Choice(BENCHMARKS))
@click.option("--repetitions", type=click.IntRange(min=1), default=5, show_default=True)
def main(names: tuple[str, ...], repetitions: int) -> None:
    """Measure NAMES, or everything, and say which aims are met.

    What is compared runs by turns in one run, so that a busy machine slows all alike; figures are
    medians. The exit code is 0 whatever they say.
    """
    python = platform.python_version()
    click.echo(f"{platform.system()} {platform.machine()}, {os.cpu_count()} cores, Python {python}")
    for name in names or BENCHMARKS:
        module = importlib.import_module(f"benchmarks.{name}")
        click.echo(f"\n## {module.TITLE}\n\n| What | Measured | Aim | |\n| --- | --- | --- | --- |")
        for figure in module.run(repetitions):
            click.echo(_row(figure))
            sys.stdout.flush()


def _row(figure: Figure) -> str:
    verdict = {None: "", True: "met", False: "**missed**"}[figure.met]
    return f"| {figure.what} | {figure.measured} | {figure.aim} | {verdict} |"


if __name__ == "__main__":
    main()
