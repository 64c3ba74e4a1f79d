"""What commands print alike: JSON on stdout, warnings and notes on stderr."""

import json
from dataclasses import asdict
from typing import Any, NoReturn

import click


def print_json(document: Any) -> None:
    """Prints `document`, in which dataclasses may stand, as indented JSON on stdout."""
    click.echo(json.dumps(document, indent=2, default=asdict))


def say(line: str) -> None:
    """Prints a line for a person, on stderr."""
    click.echo(line, err=True)


def warn(warning: str) -> None:
    """Prints a warning, in yellow, on stderr."""
    click.secho(f"warning: {warning}", fg="yellow", err=True)


def exit_interrupted() -> NoReturn:
    """Says that the command was interrupted and goes on if it is run again; exits with 130."""
    say("interrupted; run the command again to continue")
    raise click.exceptions.Exit(130)
