"""The benchmarks run: small ones here, since `make benchmark` takes minutes."""

import subprocess
import sys
from pathlib import Path

import pytest
from jinja2 import Environment

from benchmarks import fleet, graph, measure, pipeline, scaffold
from tests.trees import REPOSITORY


def test_a_process_costs_time_and_memory() -> None:
    held = "import time; held = bytearray(50_000_000); time.sleep(0.2)"
    cost = measure.process([sys.executable, "-c", held])
    assert cost.seconds >= 0.2
    assert cost.memory >= 50_000_000


def test_a_process_that_fails_ends_the_benchmark() -> None:
    with pytest.raises(RuntimeError, match="no such thing"):
        measure.process([sys.executable, "-c", "raise SystemExit('no such thing')"])


def test_tasks_run_by_turns_and_the_first_round_does_not_count() -> None:
    said: list[str] = []

    def task(name: str) -> int:
        said.append(name)
        return len(said)

    found = measure.by_turns({"a": lambda: task("a"), "b": lambda: task("b")}, 2)
    assert said == ["a", "b"] * 3
    assert found == {"a": [3, 5], "b": [4, 6]}


def test_the_graph_is_measured_for_each_size() -> None:
    figures = [figure for figure in graph.run(1, (2, 4)) if not figure.aim]
    assert [figure.what.split(",")[0] for figure in figures] == [
        "0 notebooks",
        "2 notebooks",
        "4 notebooks",
    ] * 2


def test_peers_are_given_the_product_s_templates(tmp_path: Path) -> None:
    root = fleet.with_notebooks(tmp_path / "repository", 1)
    made = root / "notebooks" / fleet.name(0)
    values = (made / "terraform.tfvars").read_text().split("\n\n", 1)[1].rstrip("\n")
    environment = Environment(keep_trailing_newline=True)
    for peer in ("cookiecutter", "copier"):
        scaffold.write_template(peer, REPOSITORY / "templates" / "notebook", tmp_path / peer)
        for file in made.iterdir():
            if not file.is_symlink():
                [template] = [
                    path
                    for path in (tmp_path / peer).rglob("*")
                    if path.name.removesuffix(".jinja") == file.name
                ]
                given = {"values": values, "cookiecutter": {"text": values}}
                text = environment.from_string(template.read_text()).render(given)
                assert text == file.read_text(), template


def test_the_command_says_what_it_can_measure() -> None:
    done = subprocess.run(
        [sys.executable, "-m", "benchmarks", "nothing"],
        cwd=REPOSITORY,
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 2
    assert "'start', 'scaffold', 'graph'" in done.stderr


@pytest.mark.nightly
def test_a_pipeline_s_commands_are_measured_in_two_fleets() -> None:
    *steps, both = pipeline.run(1, (2, 3))
    assert [figure.what for figure in steps] == [
        f"`tools ci {step}`, one of {stacks} stacks changed"
        for stacks in (2, 3)
        for step in ("matrix", "plan")
    ]
    assert both.what == "both commands: of 3 stacks against 2"
