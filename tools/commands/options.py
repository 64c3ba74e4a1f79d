"""What `tools deploy` and `tools destroy` are asked alike."""

from collections.abc import Callable
from typing import Any

import click

_PARAMETERS = (
    click.argument("stacks", nargs=-1),
    click.option("--shared", is_flag=True, help="The stacks of shared-infra."),
    click.option("--local", is_flag=True, help="The local cloud instead of AWS."),
    click.option("--yes", is_flag=True, help="Do not ask."),
    click.option(
        "--jobs",
        type=click.IntRange(min=1),
        help="Terraforms at once.  [default: as many as cores, and memory for each]",
    ),
    click.option("--fail-fast", is_flag=True, help="Start nothing new after a failure."),
)


def of_a_run(function: Callable[..., Any]) -> Callable[..., Any]:
    """Adds STACKS and the options of a run to a command's function."""
    for parameter in reversed(_PARAMETERS):
        function = parameter(function)
    return function
