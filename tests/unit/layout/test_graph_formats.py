"""Every drawing holds every stack and every edge, whatever the stacks are called."""

import json
import os
import re
from dataclasses import replace
from xml.etree import ElementTree

import pytest
from pygraphviz import AGraph

from tools.layout import graph_formats
from tools.layout.graph import Graph
from tools.layout.stack import FOLDERS

SHARED = {"s3": [], "iam": ["s3"], "security-groups": [], "vpc-endpoints": ["security-groups"]}
ODD = [
    'a "b" [c]',
    "end",
    "a\\",
    "a&b<i>;#x%",
    "-->",
    "é",
    "`x`",
    "{{y}}",
    "<br>",
    "a:b",
    "n;",
    "#9;",
]


def graph(notebooks: dict[str, list[str]]) -> Graph:
    """The four shared stacks, and notebooks that read some of them."""
    reads = {f"shared-infra/{name}": above for name, above in SHARED.items()}
    reads |= {f"notebooks/{name}": above for name, above in notebooks.items()}
    return Graph(
        {name: FOLDERS[name.split("/")[0]] for name in reads},
        {name: [f"shared-infra/{other}" for other in above] for name, above in reads.items()},
    )


def fleet(count: int) -> Graph:
    return graph({f"nb-{number}": list(SHARED) for number in range(count)})


def texts(svg: str) -> list[str]:
    root = ElementTree.fromstring(svg)
    return [str(part.text) for part in root.iter("{http://www.w3.org/2000/svg}text")]


def mermaid_labels(text: str) -> dict[str, str]:
    """Id to label, as Mermaid shows it: every line of the chart is a node or an arrow."""
    labels: dict[str, str] = {}
    for line in text.splitlines()[1:]:
        node = re.fullmatch(r'  (s\d+)\["([^"\n]*)"\]', line)
        if node:
            plain = node[2].replace("<br>", "\n")
            assert not re.search(r"[`<>{}\[\]&]", plain), line
            labels[node[1]] = re.sub(r"#(\d+);", lambda found: chr(int(found[1])), plain)
        else:
            arrow = re.fullmatch(r"  (s\d+) --> (s\d+)", line)
            assert arrow, line
            assert {arrow[1], arrow[2]} <= labels.keys()
    return labels


def test_a_tree_has_each_stack_below_the_last_that_it_reads() -> None:
    assert graph_formats.tree(graph({"a": list(SHARED), "b": ["iam"], "c": []})).splitlines() == [
        "shared-infra/s3",
        "└── shared-infra/iam",
        "    └── notebooks/b",
        "shared-infra/security-groups",
        "└── shared-infra/vpc-endpoints",
        "    └── notebooks/a  (also reads s3, iam, security-groups)",
        "notebooks/c",
    ]


def test_what_is_not_known_of_a_stack_is_said_beside_it() -> None:
    drawn = graph({"a": ["s3", "iam"], "b": ["iam"]})
    drawn = replace(drawn, unknown={"notebooks/a": ["its path depends on var.x", "more"]})
    assert graph_formats.tree(drawn).splitlines()[2:4] == [
        "    ├── notebooks/a  (also reads s3)  (unknown: its path depends on var.x)",
        "    └── notebooks/b",
    ]
    stacks = json.loads(graph_formats.as_json(drawn))["stacks"]
    assert [(s["name"], s["unknown"]) for s in stacks if "unknown" in s] == [
        ("notebooks/a", ["its path depends on var.x", "more"])
    ]


def test_a_tree_of_a_thousand_notebooks_fits_a_screen() -> None:
    lines = graph_formats.tree(fleet(1000)).splitlines()
    assert len(lines) == 5
    assert "1,000 alike: notebooks/nb-0 ... notebooks/nb-999" in lines[-1]


def test_a_dozen_notebooks_are_named_each() -> None:
    assert all(f"notebooks/nb-{n}" in graph_formats.tree(fleet(12)) for n in range(12))


def test_what_another_stack_reads_is_never_hidden_in_a_box() -> None:
    many = fleet(20)
    reads = {**many.reads, "notebooks/reader": ["notebooks/nb-7"]}
    drawn = graph_formats.tree(Graph({**many.kinds, "notebooks/reader": "notebook"}, reads))
    assert "── notebooks/nb-7  (" in drawn
    assert "19 alike: " in drawn
    assert "    └── notebooks/reader" in drawn


def test_no_stacks_are_no_error() -> None:
    nothing = Graph({}, {})
    assert graph_formats.tree(nothing) == ""
    assert json.loads(graph_formats.as_json(nothing)) == {"stacks": []}
    assert texts(graph_formats.svg(nothing)) == []
    assert mermaid_labels(graph_formats.mermaid(nothing)) == {}


def test_json_has_each_stack_of_a_thousand_with_what_it_reads() -> None:
    drawn = json.loads(graph_formats.as_json(fleet(1000)))
    assert len(drawn["stacks"]) == 1004
    assert drawn["stacks"][1] == {
        "name": "shared-infra/iam",
        "kind": "shared",
        "reads": ["shared-infra/s3"],
    }
    assert drawn["stacks"][-1]["name"] == "notebooks/nb-999"
    assert drawn["stacks"][-1]["reads"] == [f"shared-infra/{name}" for name in SHARED]


def test_graphviz_reads_the_dot_as_the_same_graph() -> None:
    drawn = graph({"a": list(SHARED), "b": ["s3"]})
    read = AGraph(graph_formats.dot(drawn))
    assert sorted(read.nodes()) == sorted(drawn.kinds)
    edges = [(stack, reader) for reader, above in drawn.reads.items() for stack in above]
    assert sorted(read.edges()) == sorted(edges)
    assert read.get_node("notebooks/a").attr["class"] == "notebook"


@pytest.mark.parametrize("count", [3, 1000])
def test_a_picture_holds_every_name(count: int) -> None:
    names = [
        *(f"shared-infra/{name}" for name in SHARED),
        *(f"notebooks/nb-{n}" for n in range(count)),
    ]
    assert set(names) <= set(texts(graph_formats.svg(fleet(count))))
    shown = "\n".join(mermaid_labels(graph_formats.mermaid(fleet(count))).values()).splitlines()
    assert set(names) <= set(shown)


def test_many_alike_take_an_arrow_from_each_stack_that_they_read() -> None:
    assert len(AGraph(graph_formats.dot(fleet(1000))).edges()) == len(SHARED) + 2
    assert graph_formats.mermaid(fleet(1000)).count("-->") == len(SHARED) + 2


@pytest.mark.parametrize("name", ODD)
def test_odd_names_are_shown_as_they_are(name: str) -> None:
    drawn = graph({name: ["s3"]})
    full = f"notebooks/{name}"
    assert full in texts(graph_formats.svg(drawn))
    assert full in mermaid_labels(graph_formats.mermaid(drawn)).values()
    assert full in graph_formats.tree(drawn)
    assert json.loads(graph_formats.as_json(drawn))["stacks"][-1]["name"] == full
    assert len(AGraph(graph_formats.dot(drawn)).nodes()) == 5


def test_odd_names_in_a_box_of_many_are_shown_too() -> None:
    drawn = graph({name: ["s3"] for name in [*ODD, "x"]})
    full = {f"notebooks/{name}" for name in ODD}
    assert full <= set(texts(graph_formats.svg(drawn)))
    assert full <= set(
        "\n".join(mermaid_labels(graph_formats.mermaid(drawn)).values()).splitlines()
    )


@pytest.mark.parametrize(
    ("name", "shown"),
    [("a\x1b[31m", "a\\x1b[31m"), ("a\nb", "a\\nb"), (os.fsdecode(b"a\xff"), "a\\udcff")],
)
def test_what_no_terminal_or_xml_takes_is_escaped(name: str, shown: str) -> None:
    drawn = graph({name: []})
    assert graph_formats.tree(drawn).endswith(f"\nnotebooks/{shown}")
    assert f"notebooks/{shown}" in texts(graph_formats.svg(drawn))
    assert f"notebooks/{shown}" in mermaid_labels(graph_formats.mermaid(drawn)).values()


def test_a_picture_leaves_standard_error_to_real_complaints(
    capfd: pytest.CaptureFixture[str],
) -> None:
    graph_formats.svg(fleet(3))
    assert capfd.readouterr().err == ""


def test_a_complaint_of_the_drawing_program_is_said_and_fontconfig_s_is_not(
    capfd: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    def draw(*_: object, **__: object) -> bytes:  # a stand-in: no graph of ours makes it complain
        os.write(2, b"Fontconfig warning: line 1: x\nWarning: no hard-coded metrics for \xff\n")
        return b"<svg/>"

    monkeypatch.setattr(AGraph, "draw", draw)
    assert graph_formats.svg(fleet(3)) == "<svg/>"
    assert capfd.readouterr().err == "Warning: no hard-coded metrics for \ufffd\n"
