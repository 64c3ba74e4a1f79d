"""What the commands for notebooks that run are asked alike."""

from collections.abc import Callable
from typing import Any

import click

LOCAL = click.option("--local", is_flag=True, help="The local cloud instead of AWS.")
WHERE = click.option(
    "--where",
    "conditions",
    multiple=True,
    metavar="KEY=VALUE",
    help="Those with this declared value (environment=dev, owner=al*, tags.Team!=growth); all of "
    "several have to hold.",
)

_OF_A_CHANGE = (
    click.argument("notebooks", nargs=-1),
    WHERE,
    LOCAL,
    click.option("--no-wait", is_flag=True, help="Return once AWS has accepted."),
    click.option(
        "--timeout",
        type=click.FloatRange(min=0),
        default=15,
        show_default=True,
        help="Minutes to wait.",
    ),
    click.option("--json", "as_json", is_flag=True, help="What became of each, for a script."),
)


def of_a_change(function: Callable[..., Any]) -> Callable[..., Any]:
    """Adds NOTEBOOKS and the options of `tools start` and `tools stop`."""
    for parameter in reversed(_OF_A_CHANGE):
        function = parameter(function)
    return function
