"""The graph of the stacks as SVG that fits a page: notebooks that read the same are one box."""

from collections import defaultdict
from collections.abc import Sequence
from dataclasses import dataclass
from xml.etree import ElementTree

from markupsafe import Markup

from tools.layout import graph_formats
from tools.layout.graph import Graph, readers
from tools.layout.stack import Kind, Stack

_SVG = "http://www.w3.org/2000/svg"
_MOST_BOXES = 40  # more are a list, since nobody could read their names
_LONGEST_NAME = 20


@dataclass(frozen=True)
class StackGroup:
    """Stacks that read the same and are read by none, or one stack."""

    title: str
    kind: Kind
    reads: Sequence[str]


@dataclass(frozen=True)
class Drawing:
    """The groups, and pictures of them: `wide` for a screen or paper, `tall` for a phone."""

    groups: Sequence[StackGroup]
    wide: str = ""
    tall: str = ""


def draw(stacks: Sequence[Stack]) -> Drawing:
    """Returns the drawing of `stacks`, without pictures if they would have too many boxes."""
    groups = _groups(Graph.from_stacks(stacks))
    if not groups or len(groups) > _MOST_BOXES:
        return Drawing(groups)
    graph = Graph(
        {group.title: group.kind for group in groups},
        {group.title: group.reads for group in groups},
    )
    wide, tall = (_inline(graph_formats.svg(graph, direction)) for direction in ("LR", "TB"))
    return Drawing(groups, wide, tall)


def _groups(graph: Graph) -> list[StackGroup]:
    read_by = readers(graph.reads)
    alike: dict[tuple[str, ...], list[str]] = defaultdict(list)
    for name, kind in graph.kinds.items():
        # One that others read, or of which something is not known, stands alone.
        alone = (name,) if read_by[name] or name in graph.unknown or kind == "shared" else ()
        alike[(kind, *graph.reads[name], *alone)].append(name)
    return [
        StackGroup(_title(names), graph.kinds[names[0]], graph.reads[names[0]])
        for names in alike.values()
    ]


def _title(names: Sequence[str]) -> str:
    if len(names) == 1:
        return names[0]
    first, last = (_short(name) for name in (names[0], names[-1]))
    between = " and " if len(names) == 2 else " … "
    return f"{len(names):,} notebooks: {first}{between}{last}"


def _short(name: str) -> str:
    name = name.split("/", 1)[1]
    return name if len(name) <= _LONGEST_NAME else f"{name[: _LONGEST_NAME - 1]}…"


def _inline(drawing: str) -> Markup:
    """Returns `drawing` without ids and titles, and with a name, for use in a page."""
    svg = ElementTree.fromstring(drawing)  # which leaves comments out
    for element in list(svg.iter()):
        element.attrib.pop("id", None)
        for child in list(element):
            if child.tag == f"{{{_SVG}}}title":
                element.remove(child)
    svg.set("role", "img")
    svg.set("aria-label", "Which stack reads which; the same is in the list")
    ElementTree.register_namespace("", _SVG)
    return Markup(ElementTree.tostring(svg, encoding="unicode"))
