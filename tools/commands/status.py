"""`tools status`: tables, JSON, and a watch of either."""

import json
import sys
from collections import Counter
from collections.abc import Callable, Sequence
from datetime import UTC, datetime

import click
from rich.console import Console, Group
from rich.live import Live
from rich.text import Text

from tools.commands import completions, options
from tools.console import table, terminal
from tools.console.messages import print_json, say, warn
from tools.console.table import Cell, Column
from tools.context import Context
from tools.engine.explain import advise_on_failed
from tools.errors import UserError, in_one_line
from tools.fleet import platforms
from tools.fleet.fleet import Fleet
from tools.fleet.status import (
    NOT_DEPLOYED,
    TAGS_UNKNOWN,
    FleetStatus,
    NotebookStatus,
    UndeclaredInstance,
    read_status,
)
from tools.system import signals

# A table's title, columns and rows.
_Shown = tuple[str, Sequence[Column], Sequence[Sequence[Cell]]]
_COLOURS = {"InService": "green", "Failed": "red", NOT_DEPLOYED: "dim", "Stopped": "dim"}


@click.command("status", short_help="Show every notebook as declared and as it is in AWS.")
@click.argument("notebooks", nargs=-1, shell_complete=completions.notebooks)
@options.where
@options.local
@click.option("--idle", is_flag=True, help="Also show idle times, from CloudWatch Logs.")
@options.as_json
@click.option("--watch", is_flag=True, help="Update until Ctrl-C. With --json: a line an update.")
@click.option(
    "--interval",
    type=click.FloatRange(min=0.1),
    default=5,
    show_default=True,
    help="With --watch: seconds between updates.",
)
@click.pass_obj
def command(
    context: Context,
    notebooks: tuple[str, ...],
    conditions: tuple[str, ...],
    local: bool,
    idle: bool,
    as_json: bool,
    watch: bool,
    interval: float,
) -> None:
    """Show what NOTEBOOKS declare beside what AWS has, and mark the differences.

    A notebook is named by its directory, its name in AWS, or a glob ('nlp-*'). Without names,
    shows all of them, and the account's instances that no directory declares. Asks AWS for one
    listing of each region, which has instance type, code repositories and lifecycle configuration;
    tools deploy and terraform plan compare everything. Marks instances on Amazon Linux 2, which AWS
    does not start again: that takes a request for each that was created before 2026-07-01.

    \b
    Examples:
      tools status
      tools status 'nlp-*' --idle
      tools status --where environment=dev --watch
    """
    fleet = Fleet.open(context, local)
    in_states: dict[str, bool | None] = {}

    def read() -> FleetStatus:
        selected = fleet.notebooks(notebooks, conditions)
        return read_status(fleet, selected, not (notebooks or conditions), idle, in_states)

    if watch:
        watch_notebooks(read, fleet, as_json, interval)
        return
    status = read()
    if as_json:
        print_json(_to_json(status, fleet))
    else:
        show_tables(status)
        for line in _summarize(status, fleet):
            say(line)
    for problem in _idle_problems(status):
        warn(problem)


def watch_notebooks(
    read: Callable[[], FleetStatus], fleet: Fleet, as_json: bool, seconds: float
) -> None:
    """Reads the status again every so many `seconds`, until it is interrupted.

    On a terminal it shows one table that changes, elsewhere a line for each change, and as JSON an
    object for each update. Raises UserError if the first update fails. If a later one fails, it
    says so and continues.
    """
    status = read()
    with signals.count_signals() as interruption:
        if sys.stdout.isatty() and not as_json:
            _watch_table(read, status, fleet, seconds, interruption)
            return
        for problem in _idle_problems(status):
            warn(problem)
        shown: dict[str, str] = {}
        while not interruption.count:
            if as_json:
                click.echo(json.dumps(_to_json(status, fleet)))
            else:
                shown = _show_changes(status, shown)
            interruption.sleep(seconds)
            while not interruption.count:
                try:
                    status = read()
                    break
                except UserError as error:
                    say(in_one_line(f"{_timestamp()} update failed: {error}"))
                    interruption.sleep(seconds)


def _watch_table(
    read: Callable[[], FleetStatus],
    status: FleetStatus,
    fleet: Fleet,
    seconds: float,
    interruption: signals.Interruption,
) -> None:
    failure = ""
    with Live(console=Console(), auto_refresh=False) as live:
        while not interruption.count:
            updated = f"{datetime.now(UTC):%H:%M:%S} UTC, every {seconds:g} s, Ctrl-C ends{failure}"
            lines = [*_summarize(status, fleet), *_idle_problems(status), updated]
            footer = Text("\n".join(lines), style="dim")
            live.update(Group(_live_text(status), footer), refresh=True)
            interruption.sleep(seconds)
            try:
                status, failure = read(), ""
            except UserError as error:
                failure = f"; not updated: {error}"


def _timestamp() -> str:
    return f"{datetime.now(UTC):%Y-%m-%dT%H:%M:%SZ}"


def _show_changes(status: FleetStatus, shown: dict[str, str]) -> dict[str, str]:
    """Prints each notebook whose status is another than was `shown`, and returns all statuses."""
    statuses = {notebook.declared.stack.name: notebook.status for notebook in status.notebooks}
    for name in sorted(statuses.keys() | shown.keys()):
        if statuses.get(name) != shown.get(name):
            click.echo(f"{_timestamp()} {name} {statuses.get(name, 'no longer declared')}")
    return statuses


def _idle_problems(status: FleetStatus) -> list[str]:
    return [f"cannot tell which notebooks are idle: {why}" for why in status.idle_unknown]


def show_tables(status: FleetStatus) -> None:
    """Prints the notebooks, and the instances that are not managed here, if there are any."""
    for number, (title, columns, rows) in enumerate(_tables(status)):
        if number:
            click.echo()
        table.show(rows, columns, title=title)


def _live_text(status: FleetStatus) -> Text:
    """The tables as they fit the terminal now."""
    lines: list[str] = []
    for title, columns, rows in _tables(status):
        width = terminal.columns(sys.stdout)
        lines += [click.style(title, bold=True)]
        lines += table.lay_out(rows, columns, width=width, droppable=True)
    return Text.from_ansi("\n".join(lines))


def _tables(status: FleetStatus) -> list[_Shown]:
    tables = [_notebooks_table(status)]
    return [*tables, _undeclared_table(status)] if status.undeclared else tables


def _notebooks_table(status: FleetStatus) -> _Shown:
    cell_by_column: dict[Column, Callable[[NotebookStatus], str]] = {
        Column("Notebook"): _describe_name,
        Column("Status"): lambda n: _coloured(n.status, _COLOURS.get(n.status, "yellow")),
        Column("Declared", rank=3): _describe_machine,
        Column("Environment", rank=4): lambda n: _value(n, "environment"),
        Column("Owner", rank=1): lambda n: _value(n, "owner"),
        Column("Changed", rank=5): lambda n: _minute(n.instance.modified) if n.instance else "",
    }
    if len({notebook.declared.region for notebook in status.notebooks}) > 1:
        cell_by_column[Column("Region", rank=2)] = lambda notebook: notebook.declared.region
    if any(notebook.decision for notebook in status.notebooks):
        cell_by_column[Column("Idle", to_right=True)] = _describe_idle
    cell_by_column[Column("Notes", note=True)] = lambda n: _coloured("\n".join(_notes(n)), "red")
    rows = [[cell(notebook) for cell in cell_by_column.values()] for notebook in status.notebooks]
    return "Notebooks", list(cell_by_column), rows


def _notes(notebook: NotebookStatus) -> list[str]:
    return [
        *([notebook.failure] if notebook.failure else []),
        *notebook.differences,
        *(["in no state"] if notebook.in_state is False else []),
        *([platforms.RETIRED] if notebook.platform_retired else []),
    ]


def _undeclared_table(status: FleetStatus) -> _Shown:
    columns = [
        Column("Instance"),
        Column("Status"),
        Column("Instance type", rank=1),
        Column("Changed", rank=3),
        Column("Region", rank=2),
        Column("Notes", note=True),
    ]
    rows = []
    for undeclared in status.undeclared:
        instance = undeclared.instance
        retired = platforms.RETIRED if undeclared.platform_retired else ""
        notes = filter(None, (_describe_origin(undeclared), retired))
        rows.append(
            [
                instance.name,
                instance.status,
                instance.instance_type,
                _minute(instance.modified),
                undeclared.region,
                "\n".join(notes),
            ]
        )
    return "Not managed here", columns, rows


def _describe_origin(undeclared: UndeclaredInstance) -> str:
    if undeclared.tags is None:
        return TAGS_UNKNOWN
    stack = undeclared.tags.get("Stack")
    origin = f"of this project{f', created as {stack}' if stack else ''}"
    return origin if undeclared.tags else ""


def _coloured(text: str, colour: str) -> str:
    if not text:
        return ""
    return click.style(text, dim=True) if colour == "dim" else click.style(text, fg=colour)


def _value(notebook: NotebookStatus, name: str) -> str:
    return str(notebook.declared.values.get(name) or "")


def _minute(moment: datetime) -> str:
    return f"{moment:%Y-%m-%d %H:%M}"


def _describe_name(notebook: NotebookStatus) -> str:
    directory, name = notebook.declared.stack.path.name, notebook.declared.name
    return directory if directory == name else f"{directory} ({name})"


def _describe_machine(notebook: NotebookStatus) -> str:
    values = notebook.declared.values
    size = f"{values['volume_size']} GB" if values.get("volume_size") else ""
    return ", ".join(filter(None, (str(values.get("instance_type") or ""), size)))


def _describe_idle(notebook: NotebookStatus) -> str:
    decision = notebook.decision
    if not decision:
        return ""
    kept = ", kept alive" if decision.action == "kept alive" else ""
    return f"{decision.idle.total_seconds() // 60:.0f} min{kept}"


def _summarize(status: FleetStatus, fleet: Fleet) -> list[str]:
    """Returns where the notebooks are and how many have each status, in words."""
    counts = Counter(notebook.status for notebook in status.notebooks)
    counted = ", ".join(f"{count} {status}" for status, count in sorted(counts.items()))
    lines = [f"{_describe_cloud(status, fleet)}: {counted or 'no notebooks'}"]
    for region in sorted({n.declared.region for n in status.notebooks if not n.instance}):
        lines.append(
            f"not deployed means that {fleet.cloud(region)} was asked and has no such instance: "
            "it may be in another account or region, or deleted"
        )
    for notebook in status.notebooks:
        if notebook.in_state is False:
            name = notebook.declared.stack.name
            lines.append(
                f"{name} exists in no state, so that Terraform does not know it: an apply died, or "
                f"it was made by hand; to import it: tools adopt{fleet.option} {name}"
            )
        if notebook.platform_retired and notebook.instance:
            instance = notebook.instance
            region = notebook.declared.region
            move = platforms.describe_move(
                instance.name, instance.instance_type, region, instance.status
            )
            lines.append(f"{notebook.declared.stack.name}: {move}")
        elif notebook.status == "Failed":  # on a retired platform AWS would refuse the start
            advice = advise_on_failed(notebook.declared.stack.path.name, fleet.option)
            lines.append(
                f"{notebook.declared.stack.name} has Failed, and Terraform cannot change it so; "
                f"{advice}"
            )
    unknown = sum(n.instance is not None and n.in_state is None for n in status.notebooks)
    if unknown:
        why = fleet.other_states or "their states cannot be read here (tools list says why)"
        lines.append(f"whether a state holds {unknown} of the instances is not known: {why}")
    return lines


def _describe_cloud(status: FleetStatus, fleet: Fleet) -> str:
    instances = [
        *(notebook.instance for notebook in status.notebooks if notebook.instance),
        *(undeclared.instance for undeclared in status.undeclared),
    ]
    accounts = ", ".join(sorted({instance.account for instance in instances}))
    cloud = f"AWS account {accounts}" if accounts else "AWS"
    if fleet.endpoint:
        cloud = f"the local cloud, {fleet.endpoint}"
    return f"{cloud}, region {', '.join(_regions(status, fleet))}"


def _regions(status: FleetStatus, fleet: Fleet) -> list[str]:
    return sorted({notebook.declared.region for notebook in status.notebooks} or {fleet.region})


def _to_json(status: FleetStatus, fleet: Fleet) -> dict[str, object]:
    return {
        "regions": _regions(status, fleet),
        "endpoint": fleet.endpoint,
        **status.as_json(),
    }
