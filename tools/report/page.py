"""Renders a report as one HTML page, with everything in it that the page needs."""

import base64
import hashlib
from collections.abc import Mapping, Sequence
from decimal import Decimal
from pathlib import Path

from jinja2 import Environment, FileSystemLoader, StrictUndefined
from markupsafe import Markup

from tools.cost import comparison
from tools.cost.comparison import Comparison
from tools.cost.model import Amount, NotebookCost, total
from tools.layout import graph_formats
from tools.layout.graph import Graph
from tools.report import charts, script
from tools.report.charts import Bar
from tools.report.collect import IDLE_FOR, Report

_HERE = Path(__file__).parent
_MOST_BARS = 20


def render(report: Report) -> str:
    """Returns the page.

    Every value is escaped, and only the page's own script runs: the page's policy
    (https://developer.mozilla.org/docs/Web/HTTP/Guides/CSP) names it by its hash, and forbids
    everything from a network.
    """
    environment = Environment(
        loader=FileSystemLoader(_HERE),
        undefined=StrictUndefined,
        autoescape=True,
        trim_blocks=True,
        lstrip_blocks=True,
    )
    module = script.compose()
    return environment.get_template("page.html.j2").render(
        report=report,
        estimate=report.estimate,
        charts=_charts(report),
        saves_nothing_on=comparison.saves_nothing_on(report.estimate),
        idle_minutes=int(IDLE_FOR.total_seconds() // 60),
        graph=graph(report),
        style=Markup((_HERE / "page.css").read_text(encoding="utf-8")),
        script=Markup(module),
        script_hash=Markup(_hash(module)),
    )


def graph(report: Report) -> Markup:
    """Returns which stack reads which, as an SVG; empty if there are no stacks."""
    if not report.stacks:
        return Markup("")
    return charts.inline(
        graph_formats.svg(Graph.from_stacks(report.stacks)), "Which stack reads which"
    )


def _hash(module: str) -> str:
    digest = hashlib.sha256(module.encode()).digest()
    return f"'sha256-{base64.b64encode(digest).decode()}'"


def _charts(report: Report) -> dict[str, Markup]:
    most_expensive = sorted(report.estimate.notebooks, key=lambda cost: -cost.amount.usd)
    return {
        "notebook": charts.stacked(
            "A month by notebook", ["compute", "volume"], _by_notebook(most_expensive)
        ),
        "owner": charts.stacked("A month by owner", ["a month"], _bars(report.costs_by("owner"))),
        "environment": charts.stacked(
            "A month by environment", ["a month"], _bars(report.costs_by("environment"))
        ),
        "comparison": charts.stacked(
            "Separate against shared infrastructure",
            ["overhead", "notebooks"],
            _comparison_bars(report.comparisons),
        ),
    }


def _by_notebook(most_expensive: Sequence[NotebookCost]) -> list[Bar]:
    shown, others = most_expensive[:_MOST_BARS], most_expensive[_MOST_BARS:]
    bars = [_bar(cost.spec.name, [cost]) for cost in shown]
    return [*bars, _bar(f"{len(others)} others", others)] if others else bars


def _bar(label: str, costs: Sequence[NotebookCost]) -> Bar:
    compute = total(cost.compute.amount for cost in costs)
    volume = total(cost.volume.amount for cost in costs)
    return Bar(label, [compute.usd, volume.usd], _round(compute + volume))


def _bars(amounts: Mapping[str, Amount]) -> list[Bar]:
    items = list(amounts.items())
    bars = [Bar(name, [amount.usd], _round(amount)) for name, amount in items[:_MOST_BARS]]
    others = [amount for _, amount in items[_MOST_BARS:]]
    if others:
        rest = total(others)
        bars.append(Bar(f"{len(others)} others", [rest.usd], _round(rest)))
    return bars


def _comparison_bars(comparisons: Sequence[Comparison]) -> list[Bar]:
    return [
        Bar(f"{row.notebooks} {kind}", [overhead.usd, row.compute.usd], _round(whole))
        for row in comparisons
        for kind, overhead, whole in (
            ("separate", row.separate_overhead, row.separate),
            ("shared", row.shared_overhead, row.shared),
        )
    ]


def _round(amount: Amount) -> str:
    """Returns an amount in whole dollars, for the end of a chart's label."""
    return f"{'' if amount.complete else '≥ '}${amount.usd.quantize(Decimal(1)):,}"
