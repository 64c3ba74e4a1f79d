"""Bar charts as static SVG, drawn by pygal: no script, no font, no colour of their own.

Colours are those of the page (report.css), which knows light, dark and paper.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from decimal import Decimal
from xml.etree import ElementTree

import pygal
from markupsafe import Markup
from pygal.style import Style

_SVG = "http://www.w3.org/2000/svg"
_WIDTH = 400  # narrow, so that a phone need not make the text small
_BAR, _AXIS, _LEGEND = 26, 32, 22
_LONGEST_LABEL = 24
# Scripts, styles that would hold for the whole page, and tooltips with numbers of the axis.
_LEFT_OUT = {"defs", "title"}


@dataclass(frozen=True)
class Bar:
    """A label and a value for each series, in US dollars; `note` stands behind the label."""

    label: str
    values: Sequence[Decimal]
    note: str = ""


def stacked(title: str, series: Sequence[str], bars: Sequence[Bar]) -> Markup:
    """Returns horizontal bars, the first on top, each of as many parts as there are `series`."""
    chart = pygal.HorizontalStackedBar(
        style=Style(
            background="none",
            plot_background="none",
            font_family="inherit",
            label_font_size=13,
            major_label_font_size=13,
            legend_font_size=13,
        ),
        css=[],
        js=[],
        width=_WIDTH,
        height=_BAR * max(len(bars), 1) + _AXIS + (_LEGEND if len(series) > 1 else 0),
        margin=4,
        margin_right=28,  # half of the last figure on the axis
        spacing=8,
        show_legend=len(series) > 1,
        legend_at_bottom=True,
        legend_box_size=10,
        truncate_legend=-1,
        truncate_label=-1,
        min_scale=3,
        max_scale=5,
        value_formatter=lambda value: f"${value:,.0f}",
        no_data_text="nothing to show",
    )
    chart.x_labels = [f"{_short(bar.label)}  {bar.note}".rstrip() for bar in reversed(bars)]
    for number, name in enumerate(series):
        chart.add(name, [float(bar.values[number]) for bar in reversed(bars)])
    return inline(chart.render(is_unicode=True), title)


def _short(label: str) -> str:
    label = "".join(c if c.isprintable() else "\N{REPLACEMENT CHARACTER}" for c in label)  # no XML
    return label if len(label) <= _LONGEST_LABEL else f"{label[: _LONGEST_LABEL - 1]}…"


def inline(drawing: str, title: str) -> Markup:
    """Returns `drawing` without ids, scripts and styles, and with a name, for use in a page."""
    svg = ElementTree.fromstring(drawing)  # which leaves comments out
    for element in list(svg.iter()):
        element.attrib.pop("id", None)
        for child in list(element):
            kind = child.tag.removeprefix(f"{{{_SVG}}}")
            if kind in _LEFT_OUT or (kind == "desc" and child.get("class") != "value"):
                element.remove(child)
            elif kind == "desc":  # where pygal puts a value for its script; a browser shows titles
                child.tag = f"{{{_SVG}}}title"
    svg.set("role", "img")
    svg.set("aria-label", title)
    ElementTree.register_namespace("", _SVG)
    return Markup(ElementTree.tostring(svg, encoding="unicode"))
