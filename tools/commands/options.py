"""What the commands that work on stacks are asked alike."""

from collections.abc import Callable
from pathlib import Path
from typing import Any

import click

from tools.layout.selection import Selection

_CHOICE = (
    click.argument("stacks", nargs=-1),
    click.option("--all", "everything", is_flag=True, help="Every stack, as without STACKS."),
    click.option("--shared", is_flag=True, help="The stacks of shared-infra."),
    click.option("--changed", is_flag=True, help="Only those in which something has changed."),
    click.option("--with-upstream", is_flag=True, help="And the stacks that they read."),
    click.option("--with-downstream", is_flag=True, help="And the stacks that read them."),
    click.option(
        "--where",
        "conditions",
        multiple=True,
        metavar="KEY=VALUE",
        help="Only those that declare it: environment=dev, owner=al*; may be repeated.",
    ),
    click.option("--local", is_flag=True, help="The local cloud instead of AWS."),
)
_YES = click.option("--yes", is_flag=True, help="Do not ask.")
_RUN = (
    click.option(
        "--jobs",
        type=click.IntRange(min=1),
        help="Terraforms at once.  [default: as many as cores, and memory for each]",
    ),
)
_REPORT = click.option(
    "--report",
    type=click.Path(dir_okay=False, path_type=Path),
    metavar="FILE",
    help="Write what became of each stack: .json, .xml (JUnit) or .md.",
)
_FAIL_FAST = click.option("--fail-fast", is_flag=True, help="Start nothing new after a failure.")
_ANYWAY = (
    click.option(
        "--refresh", is_flag=True, help="Ask the cloud about stacks that have not changed, too."
    ),
    click.option(
        "--force", is_flag=True, help="As --refresh, and init where nothing calls for it."
    ),
)
_PLAN_DIR = click.option(
    "--plan-dir",
    type=click.Path(file_okay=False, path_type=Path),
    metavar="DIR",
    help="Plans in a folder: `tools plan` saves them, `tools deploy` applies them as shown.",
)
_ALLOW_DESTROY = click.option(
    "--allow-destroy",
    is_flag=True,
    help="Agree that notebooks, buckets or keys are replaced or destroyed, with their data.",
)
_WHY = click.option("--why", is_flag=True, help="Say why each stack counts as changed.")
_JSON = click.option("--json", "as_json", is_flag=True, help="For a script (docs/json.md).")
_EXIT_CODE = click.option(
    "--detailed-exitcode", is_flag=True, help="Exit with 2 where something would change."
)

Decorator = Callable[[Callable[..., Any]], Callable[..., Any]]


def _all_of(*parameters: Decorator) -> Decorator:
    def decorate(function: Callable[..., Any]) -> Callable[..., Any]:
        for parameter in reversed(parameters):
            function = parameter(function)
        return function

    return decorate


of_a_choice = _all_of(*_CHOICE)
of_a_plan = _all_of(*_CHOICE, *_RUN, *_ANYWAY, _PLAN_DIR, _WHY, _JSON, _EXIT_CODE, _REPORT)
of_drift = _all_of(*_CHOICE, *_RUN, _JSON, _EXIT_CODE, _REPORT)
of_a_deployment = _all_of(
    *_CHOICE, _YES, *_RUN, _FAIL_FAST, *_ANYWAY, _ALLOW_DESTROY, _PLAN_DIR, _WHY, _REPORT
)
of_a_destruction = _all_of(*_CHOICE, _YES, *_RUN, _FAIL_FAST, _REPORT)


def selection(given: dict[str, Any]) -> Selection:
    """Takes the options of a choice out of what a command was given.

    Raises UsageError where everything is asked for and something besides.
    """
    patterns = given.pop("stacks")
    shared = given.pop("shared")
    if given.pop("everything") and (patterns or shared):
        raise click.UsageError("--all, or STACKS and --shared")
    return Selection(
        patterns,
        shared,
        given.pop("changed"),
        given.pop("conditions"),
        given.pop("with_upstream"),
        given.pop("with_downstream"),
    )
