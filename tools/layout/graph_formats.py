"""The graph of stacks as text and as a picture."""

import json
import math
import os
import sys
import tempfile
from collections import defaultdict
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from html import escape

from tools.layout.graph import Graph, readers

# Beyond this number, stacks that read the same and are read by none are drawn as one box.
_MOST_ALIKE = 12
_MOST_COLUMNS = 6


@dataclass(frozen=True)
class _Box:
    """One stack, or many that read the same and are read by none."""

    names: Sequence[str]
    kind: str
    reads: Sequence[str]

    @property
    def title(self) -> str:
        if len(self.names) == 1:
            return _shown(self.names[0])
        first, last = _shown(self.names[0]), _shown(self.names[-1])
        return f"{len(self.names):,} alike: {first} ... {last}"


def as_json(graph: Graph) -> str:
    """The graph as JSON: `{"stacks": [{"name", "kind", "reads", "unknown"}]}`, upstream first.

    `kind` is shared or notebook; `reads` are the names of the stacks whose state it reads.
    `unknown`, if it is there, says why it is not known what the stack reads besides.
    """
    unknown = graph.unknown
    stacks = [
        {
            "name": name,
            "kind": kind,
            "reads": list(graph.reads[name]),
        }
        | ({"unknown": list(unknown[name])} if name in unknown else {})
        for name, kind in graph.kinds.items()
    ]
    return json.dumps({"stacks": stacks}, indent=2)


def tree(graph: Graph) -> str:
    """The graph as an indented tree.

    Each stack stands once, below the last of those that it reads; the others are named beside it.
    """
    rank = {name: number for number, name in enumerate(graph.kinds)}
    below: dict[str, list[_Box]] = defaultdict(list)
    for box in _boxes(graph):
        below[max(box.reads, key=rank.__getitem__, default="")].append(box)
    lines = []
    ahead = [(box, "", "") for box in reversed(below[""])]
    while ahead:
        box, branch, indent = ahead.pop()
        parent = max(box.reads, key=rank.__getitem__, default="")
        others = [_short(name) for name in box.reads if name != parent]
        beside = f"  (also read{'s' * (len(box.names) == 1)} {', '.join(others)})" if others else ""
        if box.names[0] in graph.unknown:
            beside += f"  (unknown: {graph.unknown[box.names[0]][0]})"
        lines.append(f"{branch}{box.title}{beside}")
        children = below[box.names[0]]
        for child in reversed(children):
            is_last = child is children[-1]
            corner, line = ("└── ", "    ") if is_last else ("├── ", "│   ")
            ahead.append((child, indent + corner, indent + line))
    return "\n".join(lines)


def dot(graph: Graph, direction: str = "") -> str:
    """The graph in Graphviz's language; an arrow leads from a stack to one that reads it.

    It runs in `direction`, LR or TB, or where it is read best. https://graphviz.org/doc/info/lang.html
    """
    boxes = list(_boxes(graph))
    direction = direction or _direction(boxes)
    lines = [
        "digraph stacks {",
        f"  graph [rankdir={direction}, bgcolor=transparent, ranksep=1]",
        '  node [shape=box, style=rounded, fontname="Helvetica", fontsize=12]',
    ]
    for box in boxes:
        lines.append(f"  {_dot_id(box)} [class={box.kind}, label=<{_dot_label(box)}>]")
        lines += [f"  {_dot_quoted(name)} -> {_dot_id(box)}" for name in box.reads]
    return "\n".join([*lines, "}"])


def svg(graph: Graph, direction: str = "") -> str:
    """The picture of `dot` as SVG. A stack's shape has its kind, shared or notebook, as a class."""
    from pygraphviz import AGraph

    with _fontconfig_silenced():
        drawn: bytes = AGraph(dot(graph, direction)).draw(format="svg", prog="dot")
    return drawn.decode()


def mermaid(graph: Graph) -> str:
    """The graph as a Mermaid flowchart; an arrow leads from a stack to one that reads it.

    https://mermaid.js.org/syntax/flowchart.html
    """
    boxes = list(_boxes(graph))
    lines = [f"flowchart {_direction(boxes)}"]
    ids: dict[str, str] = {}
    for number, box in enumerate(boxes):
        ids[box.names[0]] = f"s{number}"
        label = "<br>".join(map(_mermaid_text, _lines(box)))
        lines.append(f'  s{number}["{label}"]')
        lines += [f"  {ids[name]} --> s{number}" for name in box.reads]
    return "\n".join(lines)


def _boxes(graph: Graph) -> Iterator[_Box]:
    """The boxes to draw, upstream first; one of many stands in the place of its first stack."""
    read_by = readers(graph.reads)
    alike: dict[tuple[str, ...], list[str]] = defaultdict(list)
    for name in graph.kinds:
        if not read_by[name]:
            alike[_likeness(graph, name)].append(name)
    for name, kind in graph.kinds.items():
        same = alike[_likeness(graph, name)] if not read_by[name] else []
        if len(same) <= _MOST_ALIKE:
            yield _Box([name], kind, graph.reads[name])
        elif name == same[0]:
            yield _Box(same, kind, graph.reads[name])


def _likeness(graph: Graph, name: str) -> tuple[str, ...]:
    """What stacks in one box have in common; with something unknown each has its own."""
    own_name = (name,) if name in graph.unknown else ()
    return (graph.kinds[name], *graph.reads[name], *own_name)


def _direction(boxes: Sequence[_Box]) -> str:
    """The direction to draw in: to the right, or downwards if one box holds many stacks.

    Nothing would be seen beside such a box.
    """
    return "TB" if any(len(box.names) > 1 for box in boxes) else "LR"


def _lines(box: _Box) -> list[str]:
    names = [_shown(name) for name in box.names]
    return names if len(names) == 1 else [f"{len(names):,} alike", *names]


def _short(name: str) -> str:
    return _shown(name.split("/")[1])


def _shown(name: str) -> str:
    """`name` with an escape for each character that a terminal or XML may not take."""
    return "".join(c if c.isprintable() else c.encode("unicode_escape").decode() for c in name)


def _dot_id(box: _Box) -> str:
    return _dot_quoted(box.names[0])


def _dot_quoted(name: str) -> str:
    return '"' + _shown(name).replace("\\", "\\\\").replace('"', '\\"') + '"'


def _dot_label(box: _Box) -> str:
    """The label of a box in Graphviz's HTML; many names stand in columns."""
    names = [escape(line) for line in _lines(box)]
    if len(names) == 1:
        return names[0]
    title, *names = names
    columns = min(_MOST_COLUMNS, math.ceil(math.sqrt(len(names) / 9)))
    height = math.ceil(len(names) / columns)
    rows = [f'<TR><TD COLSPAN="{columns}"><B>{title}</B></TD></TR>']
    for start in range(height):
        cells = (f'<TD ALIGN="LEFT">{name}</TD>' for name in names[start::height])
        rows.append(f"<TR>{''.join(cells)}</TR>")
    return f'<TABLE BORDER="0" CELLSPACING="2">{"".join(rows)}</TABLE>'


@contextmanager
def _fontconfig_silenced() -> Iterator[None]:
    """Drops Fontconfig's warnings from standard error.

    The one inside pygraphviz (2.0.4 has Fontconfig's library 1.12) warns of settings that a newer
    one has installed on the machine. It writes to file descriptor 2, past sys.stderr.
    """
    sys.stderr.flush()
    stderr = os.dup(2)
    with tempfile.TemporaryFile() as caught:
        os.dup2(caught.fileno(), 2)
        try:
            yield
        finally:
            os.dup2(stderr, 2)
            os.close(stderr)
            caught.seek(0)
            for line in caught:
                if not line.startswith(b"Fontconfig"):
                    sys.stderr.write(line.decode(errors="replace"))


def _mermaid_text(text: str) -> str:
    return "".join(c if c.isalnum() or c in " -_./,:" else f"#{ord(c)};" for c in text)
