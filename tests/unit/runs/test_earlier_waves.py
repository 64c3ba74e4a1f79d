"""What a failure in an earlier wave forbids."""

from pathlib import Path

from tests.trees import reading, write_stack
from tools.engine.run import Result
from tools.layout.repository import Repository
from tools.runs.earlier_waves import blocked_stacks


def test_a_failure_blocks_what_reads_it_directly_or_not(tmp_path: Path) -> None:
    write_stack(tmp_path, "shared-infra/a", "")
    write_stack(tmp_path, "shared-infra/b", reading("shared-infra/a"))
    write_stack(tmp_path, "notebooks/n", reading("shared-infra/b"))
    write_stack(tmp_path, "notebooks/m", "")
    stacks = Repository(tmp_path).stacks()
    failed = [Result("shared-infra/a", "failed"), Result("notebooks/gone", "failed")]
    assert blocked_stacks(failed, stacks) == {
        "shared-infra/b": "shared-infra/a",
        "notebooks/n": "shared-infra/a",
    }
    assert blocked_stacks([Result("shared-infra/a", "applied")], stacks) == {}
