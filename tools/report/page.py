"""Renders a report as one HTML page, with everything in it that the page needs."""

import base64
import hashlib
from functools import partial
from pathlib import Path

from jinja2 import Environment, FileSystemLoader, StrictUndefined
from markupsafe import Markup

from tools.console import figures
from tools.cost import comparison, prices
from tools.report import attention, drawing, links, money, script
from tools.report.history import Trend
from tools.report.model import NotebookRow, Report

_HERE = Path(__file__).parent
_TEMPLATES = _HERE / "templates"


def render(report: Report, trend: Trend | None = None, to_root: str | None = None) -> str:
    """Returns the page; `to_root` is the way from it to the repository, if it lies in that.

    Every value is escaped, and only the page's own script runs: the page's policy
    (https://developer.mozilla.org/docs/Web/HTTP/Guides/CSP) names it by its hash, and forbids
    everything from a network.
    """
    environment = Environment(
        loader=FileSystemLoader(_TEMPLATES),
        undefined=StrictUndefined,
        autoescape=True,
        trim_blocks=True,
        lstrip_blocks=True,
    )
    environment.filters.update(
        money=money.format_amount,
        change=money.format_change,
        usd=figures.money,
        quantity=figures.quantity,
        unit_price=figures.unit_price,
        signed=figures.signed_money,
        price_of=prices.describe,
    )
    environment.globals.update(count=figures.count, directory=partial(links.directory_url, to_root))
    environment.globals.update(console=partial(_console, report))
    module = script.compose()
    breakdowns = [*money.breakdowns(report), money.dearest(report)]
    return environment.get_template("page.html.j2").render(
        report=report,
        estimate=report.estimate,
        trend=trend,
        concerns=attention.concerns(report),
        in_need=attention.count(report),
        breakdowns=breakdowns,
        are_few=money.are_few(breakdowns),
        filters=_filters(report),
        saves_nothing_on=comparison.saves_nothing_on(report.estimate),
        drawing=drawing.draw(report.stacks),
        style=Markup((_HERE / "page.css").read_text(encoding="utf-8")),
        script=Markup(module),
        script_hash=Markup(_hash(module)),
    )


def _hash(module: str) -> str:
    digest = hashlib.sha256(module.encode()).digest()
    return f"'sha256-{base64.b64encode(digest).decode()}'"


def _console(report: Report, row: NotebookRow) -> str:
    """The address of a notebook's instance in the AWS console, if there may be one."""
    if report.option or not row.may_exist:
        return ""
    return links.console_url(row.declared.region, row.declared.name)


def _filters(report: Report) -> dict[str, list[str]]:
    """What the table can be filtered by, and the values that occur."""
    rows = report.rows
    values_by_filter = {
        "Owner": {row.cost.spec.owner for row in rows},
        "Environment": {row.cost.spec.environment for row in rows},
        "Status": {row.status for row in rows},
        "Instance type": {row.cost.spec.instance_type for row in rows},
        "Needs attention": {mark for row in rows for mark in row.marks},
    }
    return {name: sorted(values - {""}) for name, values in values_by_filter.items()}
