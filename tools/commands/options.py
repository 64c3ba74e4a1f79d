"""The arguments and options that several commands share."""

from collections.abc import Callable
from pathlib import Path
from typing import Any

import click

from tools.commands import completions
from tools.context import Context
from tools.errors import shorten
from tools.layout.selection import Selection
from tools.layout.stack import Stack
from tools.layout.waves import Portion
from tools.runs.options import Options
from tools.runs.session import Session


class PortionType(click.ParamType[Portion]):
    """A part such as 3/8."""

    name = "I/N"

    def convert(
        self, value: Any, param: click.Parameter | None, ctx: click.Context | None
    ) -> Portion:
        try:
            return value if isinstance(value, Portion) else Portion.parse(value)
        except ValueError as error:
            self.fail(str(error), param, ctx)


Decorator = Callable[[Callable[..., Any]], Callable[..., Any]]

FILE = click.Path(dir_okay=False, path_type=Path)


def parse_pairs(
    ctx: click.Context, option: click.Parameter, pairs: tuple[str, ...]
) -> dict[str, str]:
    """Returns the values of an option such as `--tag KEY=VALUE`, by their keys."""
    values: dict[str, str] = {}
    for pair in pairs:
        key, equals, value = pair.partition("=")
        if not equals or not key:
            raise click.BadParameter(f"{shorten(pair)} is not {option.metavar}")
        if key in values:
            raise click.BadParameter(f"{shorten(key)} is given twice")
        values[key] = value
    return values


local = click.option("--local", is_flag=True, help="Use the local cloud instead of AWS.")
yes = click.option("--yes", is_flag=True, help="Do not ask for confirmation. --local never asks.")
as_json = click.option("--json", "as_json", is_flag=True, help="Print JSON (docs/json.md).")
where = click.option(
    "--where",
    "conditions",
    multiple=True,
    metavar="KEY=VALUE",
    help="Only stacks with this value: environment=dev, owner=al*, tags.Team!=growth. May be "
    "repeated; all must match.",
)
why = click.option("--why", is_flag=True, help="Say why each stack counts as changed.")

_choice = (
    click.argument("stacks", nargs=-1, shell_complete=completions.stacks),
    click.option("--all", "everything", is_flag=True, help="Every stack. This is the default."),
    click.option("--shared", is_flag=True, help="Only the stacks of shared-infra."),
    click.option("--changed", is_flag=True, help="Only stacks that have changed."),
    click.option("--with-upstream", is_flag=True, help="Also the stacks that they read."),
    click.option("--with-downstream", is_flag=True, help="Also the stacks that read them."),
    where,
    local,
)
_jobs = click.option(
    "--jobs",
    type=click.IntRange(min=1),
    help="Stacks to run in parallel.  [default: one per core, and up to ten with those that wait "
    "for AWS]",
)
_warm_providers = click.option(
    "--warm-providers/--no-warm-providers",
    default=None,
    help="Keep one AWS provider running for each parallel job, until the run ends: faster, and "
    "what Terraform documents for developing providers.  [default: for the local cloud only]",
)
_parts = (
    click.option(
        "--wave",
        type=PortionType(),
        help="Only one wave of the graph: 2/6 is the second, 6/6 the sixth and all later ones.",
    ),
    click.option(
        "--shard",
        type=PortionType(),
        help="Only one part of the chosen stacks, split evenly by name: 3/8 is the third of eight.",
    ),
)
_locks = click.option(
    "--no-lock",
    "locks",
    flag_value=False,
    default=True,
    help="Do not lock the states: for a role that only reads, since a lock is a write.",
)
_earlier = click.option(
    "--earlier-report",
    "earlier",
    type=click.Path(exists=True, dir_okay=False, path_type=Path),
    multiple=True,
    metavar="FILE",
    help="JSON report of an earlier wave: what reads a stack that failed there is not run. "
    "May be repeated.",
)
_report = click.option(
    "--report",
    type=FILE,
    metavar="FILE",
    help="Write the outcome of each stack to a .json, .xml (JUnit) or .md file.",
)
_fail_fast = click.option("--fail-fast", is_flag=True, help="Start no more stacks after a failure.")
_refresh = click.option("--refresh", is_flag=True, help="Also plan stacks that have not changed.")
_force_apply = click.option("--force", is_flag=True, help="Run init and apply on every stack.")
_force_plan = click.option("--force", is_flag=True, help="Run init and plan on every stack.")
_plan_dir = click.option(
    "--plan-dir",
    type=click.Path(file_okay=False, path_type=Path),
    metavar="DIR",
    help="Folder for plans: `tools plan` saves them, `tools deploy` applies them as shown.",
)
_allow_destroy = click.option(
    "--allow-destroy",
    is_flag=True,
    help="Allow notebooks, buckets and keys to be replaced or destroyed, with their data.",
)
_exit_code = click.option(
    "--detailed-exitcode", is_flag=True, help="Exit with 2 if something would change."
)


def _combine(*parameters: Decorator) -> Decorator:
    def decorate(function: Callable[..., Any]) -> Callable[..., Any]:
        for parameter in reversed(parameters):
            function = parameter(function)
        return function

    return decorate


for_stacks = _combine(*_choice)
_exit_code_of_drift = click.option(
    "--detailed-exitcode",
    is_flag=True,
    help="Exit with 2 if something was changed outside of Terraform.",
)
_parallel = (_jobs, _warm_providers)
for_drift = _combine(*_choice, *_parallel, _locks, as_json, _exit_code_of_drift, _report)
for_plan = _combine(
    *_choice,
    *_parts,
    *_parallel,
    _locks,
    _refresh,
    _force_plan,
    _plan_dir,
    why,
    as_json,
    _exit_code,
    _report,
)
for_deploy = _combine(
    *_choice,
    *_parts,
    yes,
    *_parallel,
    _fail_fast,
    _refresh,
    _force_apply,
    _allow_destroy,
    _plan_dir,
    why,
    _earlier,
    _report,
)
for_destroy = _combine(*_choice, yes, *_parallel, _fail_fast, _report)
for_start_and_stop = _combine(
    click.argument("notebooks", nargs=-1, shell_complete=completions.notebooks),
    where,
    local,
    click.option("--no-wait", is_flag=True, help="Do not wait for the notebooks."),
    click.option(
        "--timeout",
        type=click.FloatRange(min=0),
        default=15,
        show_default=True,
        help="Minutes to wait.",
    ),
    as_json,
)


def take_selection(given: dict[str, Any]) -> Selection:
    """Takes the arguments and options that choose stacks out of what a command was `given`.

    Raises UsageError if everything and a part of it are asked for, or if a part of a wave is to
    have stacks of other waves besides.
    """
    patterns = given.pop("stacks")
    shared = given.pop("shared")
    wave, shard = given.pop("wave", None), given.pop("shard", None)
    if (wave or shard) and (given["with_upstream"] or given["with_downstream"]):
        raise click.UsageError("give --wave and --shard without --with-upstream, --with-downstream")
    if given.pop("everything") and (patterns or shared):
        raise click.UsageError("give --all alone, or STACKS and --shared")
    return Selection(
        patterns,
        shared,
        given.pop("changed"),
        given.pop("conditions"),
        given.pop("with_upstream"),
        given.pop("with_downstream"),
        wave,
        shard,
    )


def open_session(
    context: Context, local: bool, given: dict[str, Any]
) -> tuple[Session, list[Stack]]:
    """Opens the session of a command that runs stacks, and selects the stacks."""
    selection = take_selection(given)
    session = Session.open(context, local, Options(**given), selection)
    return session, session.select(selection)
