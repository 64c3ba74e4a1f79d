"""A graph that is deeper than the pipeline has waves: nothing is applied out of order."""

from pathlib import Path

from tests.trees import reading, write_stack
from tools.layout.repository import Repository
from tools.layout.waves import Portion, select_wave
from tools.pipelines import steps


def test_what_reads_another_of_the_last_wave_waits_for_the_next_run(tmp_path: Path) -> None:
    write_stack(tmp_path, "shared-infra/s1", "")
    for number in range(2, 9):
        write_stack(tmp_path, f"shared-infra/s{number}", reading(f"shared-infra/s{number - 1}"))
    write_stack(tmp_path, "notebooks/n", reading("shared-infra/s5"))
    stacks = Repository(tmp_path).stacks()
    last = select_wave(stacks, Portion(steps.MOST_WAVES, steps.MOST_WAVES))
    assert {stack.name.split("/")[1] for stack in last} == {"s6", "s7", "s8", "n"}
    assert steps.too_deep(last).keys() == {"shared-infra/s7", "shared-infra/s8"}
    unchanged_between = [stack for stack in last if stack.name != "shared-infra/s7"]
    assert steps.too_deep(unchanged_between).keys() == set()
