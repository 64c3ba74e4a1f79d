"""`tools status`: the table, the watch and the JSON."""

import json
import sys
import time
from collections import Counter
from collections.abc import Callable, Mapping
from datetime import UTC, datetime

import click
from rich.box import SIMPLE_HEAD
from rich.console import Console, Group
from rich.live import Live
from rich.table import Table
from rich.text import Text

from tools.commands import options
from tools.console.table import show_rich
from tools.context import Context
from tools.errors import UserError, in_one_line
from tools.fleet.fleet import Fleet
from tools.fleet.status import NOT_DEPLOYED, FleetStatus, NotebookStatus, read_status
from tools.hcl.reading import Value
from tools.system import signals

_COLOURS = {"InService": "green", "Failed": "red", NOT_DEPLOYED: "dim", "Stopped": "dim"}


@click.command("status", short_help="Every notebook, as declared and as AWS has it.")
@click.argument("notebooks", nargs=-1)
@options.where
@options.local
@click.option("--idle", is_flag=True, help="Also since when each is idle, from CloudWatch's logs.")
@click.option("--json", "as_json", is_flag=True, help="For a script; with --watch one a line.")
@click.option("--watch", is_flag=True, help="Look again and again, until Ctrl-C.")
@click.option(
    "--interval",
    type=click.FloatRange(min=0.1),
    default=5,
    show_default=True,
    help="Seconds between two looks.",
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
    """Show what NOTEBOOKS declare beside what AWS says of them, and mark the differences.

    A notebook is named by its directory, by the name that AWS knows or by a glob ('nlp-*'); all of
    them where none is named, and then the account's instances that no directory declares as well.
    AWS is asked for one listing of each region, whatever the number of notebooks. A listing shows
    instance type, code repositories and lifecycle configuration; tools deploy and terraform plan
    compare everything.
    """
    where = Fleet.open(context, local)

    def look() -> FleetStatus:
        chosen = where.notebooks(notebooks, conditions)
        return read_status(where, chosen, not (notebooks or conditions), idle)

    if watch:
        watch_notebooks(look, where, as_json, interval)
    else:
        _show(look(), where, as_json)


def _show(overview: FleetStatus, where: Fleet, as_json: bool) -> None:
    """Prints the overview, tables on stdout and the sum on stderr."""
    if as_json:
        click.echo(json.dumps(_as_json(overview, where), indent=2))
        _warn(overview)
        return
    if sys.stdout.isatty():
        Console().print(_tables(overview))
    else:
        show_rich(_tables(overview))
    for line in _sum(overview, where):
        click.echo(line, err=True)
    _warn(overview)


def watch_notebooks(
    look: Callable[[], FleetStatus], where: Fleet, as_json: bool, seconds: float
) -> None:
    """Looks every so many `seconds` until it is interrupted.

    On a terminal one table that changes; elsewhere a line for each change, or an object a look.
    Raises UserError where the first look fails; later ones say so, and the next may succeed.
    """
    found = look()
    with signals.counted() as interrupted:
        if sys.stdout.isatty() and not as_json:
            with Live(console=Console(), auto_refresh=False) as live:
                now = f"{datetime.now(UTC):%H:%M:%S} UTC, every {seconds:g} s, Ctrl-C ends"
                while not interrupted.count:
                    words = Text(
                        "\n".join([*_sum(found, where), *_unknown(found), now]), style="dim"
                    )
                    live.update(Group(_tables(found), words), refresh=True)
                    _rest(seconds, interrupted)
                    now = f"{datetime.now(UTC):%H:%M:%S} UTC, every {seconds:g} s, Ctrl-C ends"
                    try:
                        found = look()
                    except UserError as error:
                        now = f"{now}; as before, since this look failed: {error}"
            return
        before: dict[str, str] = {}
        _warn(found)
        while not interrupted.count:
            if as_json:
                click.echo(json.dumps(_as_json(found, where)))
            else:
                before = _changes(found, before)
            found = _next(look, seconds, interrupted) or found


def _next(
    look: Callable[[], FleetStatus], seconds: float, interrupted: signals.Interruption
) -> FleetStatus | None:
    """The next look that succeeds, with a line for each that does not; None if interrupted."""
    while True:
        _rest(seconds, interrupted)
        if interrupted.count:
            return None
        try:
            return look()
        except UserError as error:
            line = in_one_line(f"{datetime.now(UTC):%Y-%m-%dT%H:%M:%SZ} look failed: {error}")
            click.echo(line, err=True)


def _unknown(overview: FleetStatus) -> list[str]:
    return [f"which notebooks are idle is not known: {why}" for why in overview.idle_unknown]


def _warn(overview: FleetStatus) -> None:
    for line in _unknown(overview):
        click.secho(f"warning: {line}", fg="yellow", err=True)


def _rest(seconds: float, interrupted: signals.Interruption) -> None:
    until = time.monotonic() + seconds
    while not interrupted.count and (left := until - time.monotonic()) > 0:
        time.sleep(min(left, 0.2))


def _changes(found: FleetStatus, before: dict[str, str]) -> dict[str, str]:
    now = {notebook.declared.stack.name: notebook.status for notebook in found.notebooks}
    moment = f"{datetime.now(UTC):%Y-%m-%dT%H:%M:%SZ}"
    for name in sorted(now.keys() | before.keys()):
        if now.get(name) != before.get(name):
            click.echo(f"{moment} {name} {now.get(name, 'no longer declared')}")
    return now


def _tables(overview: FleetStatus) -> Group:
    parts = [_declared(overview)]
    if overview.undeclared:
        parts.append(_undeclared(overview))
    return Group(*parts)


def _declared(overview: FleetStatus) -> Table:
    regions = {notebook.declared.region for notebook in overview.notebooks}
    with_idle = any(notebook.decision for notebook in overview.notebooks)
    table = Table(box=SIMPLE_HEAD, pad_edge=False, title="Notebooks", title_justify="left")
    for column in ("Notebook", "Status", "Declared", "Environment", "Owner", "Changed"):
        table.add_column(column, overflow="fold")
    if len(regions) > 1:
        table.add_column("Region")
    if with_idle:
        table.add_column("Idle")
    table.add_column("Notes", overflow="fold")
    for notebook in overview.notebooks:
        own, instance = notebook.declared.values, notebook.instance
        cells = [
            Text(_name(notebook)),
            Text(notebook.status, style=_COLOURS.get(notebook.status, "yellow")),
            Text(_machine(own)),
            Text(str(own.get("environment") or "")),
            Text(str(own.get("owner") or "")),
            Text(f"{instance.modified:%Y-%m-%d %H:%M}" if instance else ""),
        ]
        if len(regions) > 1:
            cells.append(Text(notebook.declared.region))
        if with_idle:
            cells.append(Text(_idle(notebook)))
        cells.append(Text("\n".join(_notes(notebook)), style="red"))
        table.add_row(*cells)
    return table


def _undeclared(overview: FleetStatus) -> Table:
    title = "In the account, declared by no directory"
    table = Table(box=SIMPLE_HEAD, pad_edge=False, title=title, title_justify="left")
    for column in ("Instance", "Status", "Instance type", "Changed", "Region", "Notes"):
        table.add_column(column, overflow="fold")
    for found in overview.undeclared:
        instance = found.instance
        table.add_row(
            Text(instance.name),
            Text(instance.status),
            Text(instance.instance_type),
            Text(f"{instance.modified:%Y-%m-%d %H:%M}"),
            Text(found.region),
            Text(_origin(found.tags.get("Stack")) if found.tags else ""),
        )
    return table


def _origin(stack: str | None) -> str:
    return f"of this project, made as {stack}" if stack else "of this project"


def _name(notebook: NotebookStatus) -> str:
    directory, name = notebook.declared.stack.path.name, notebook.declared.name
    return directory if directory == name else f"{directory} ({name})"


def _machine(own: Mapping[str, Value]) -> str:
    size = f"{own['volume_size']} GB" if own.get("volume_size") else ""
    return ", ".join(filter(None, (str(own.get("instance_type") or ""), size)))


def _notes(notebook: NotebookStatus) -> list[str]:
    return [*([notebook.failure] if notebook.failure else []), *notebook.differences]


def _idle(notebook: NotebookStatus) -> str:
    decision = notebook.decision
    if not decision:
        return ""
    kept = ", kept alive" if decision.action == "kept alive" else ""
    return f"{decision.idle.total_seconds() // 60:.0f} min{kept}"


def _sum(overview: FleetStatus, where: Fleet) -> list[str]:
    counts = Counter(notebook.status for notebook in overview.notebooks)
    statuses = ", ".join(f"{count} {status}" for status, count in sorted(counts.items()))
    lines = [f"{_place(overview, where)}: {statuses or 'no notebooks'}"]
    for region in sorted({n.declared.region for n in overview.notebooks if not n.instance}):
        lines.append(
            f"not deployed means that {where.cloud(region)} was asked and has no such instance: "
            "it may be in another account or region, or gone"
        )
    return lines


def _place(overview: FleetStatus, where: Fleet) -> str:
    found = [n.instance for n in overview.notebooks if n.instance]
    accounts = {one.account for one in [*found, *(u.instance for u in overview.undeclared)]}
    regions = {n.declared.region for n in overview.notebooks} or {where.region}
    place = f"the local cloud, {where.endpoint}" if where.endpoint else "AWS"
    if accounts and not where.endpoint:
        place += f" account {', '.join(sorted(accounts))}"
    return f"{place}, region {', '.join(sorted(regions))}"


def _as_json(overview: FleetStatus, where: Fleet) -> dict[str, object]:
    regions = sorted({n.declared.region for n in overview.notebooks} or {where.region})
    return {"regions": regions, "endpoint": where.endpoint, **overview.as_json()}
