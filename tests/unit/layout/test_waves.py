"""Waves and shards, held against what they promise: order, completeness, evenness, few moves."""

from collections.abc import Sequence
from pathlib import Path

import pytest
from hypothesis import assume, given, settings
from hypothesis import strategies as st

from tests.trees import reading, write_stack
from tools.errors import UserError
from tools.layout import matrix
from tools.layout.repository import Repository
from tools.layout.stack import Stack
from tools.layout.waves import Portion, select_shard, select_wave, split_into_waves, split_names

NAMES = st.sets(st.integers(0, 999), min_size=1, max_size=40).map(
    lambda numbers: [f"notebooks/n{number}" for number in sorted(numbers)]
)


@pytest.fixture
def stacks(tmp_path: Path) -> list[Stack]:
    """a <- b <- c, d reads a, e reads nothing, and z may read any."""
    write_stack(tmp_path, "shared-infra/a", "")
    write_stack(tmp_path, "shared-infra/b", reading("shared-infra/a"))
    write_stack(tmp_path, "notebooks/c", reading("shared-infra/b"))
    write_stack(tmp_path, "notebooks/d", reading("shared-infra/a"))
    write_stack(tmp_path, "notebooks/e", "")
    unknown = (
        'variable "path" {}\ndata "terraform_remote_state" "x" {\n  backend = "local"\n'
        "  config  = { path = var.path }\n}\n"
    )
    write_stack(tmp_path, "notebooks/z", unknown)
    return Repository(tmp_path).stacks()


def names(stacks: Sequence[Stack]) -> list[str]:
    return sorted(stack.name for stack in stacks)


def test_each_wave_reads_only_earlier_ones(stacks: list[Stack]) -> None:
    assert [names(wave) for wave in split_into_waves(stacks)] == [
        ["notebooks/e", "shared-infra/a"],
        ["notebooks/d", "shared-infra/b"],
        ["notebooks/c"],
        ["notebooks/z"],  # after all that it may read
    ]


def test_the_last_wave_has_all_later_ones(stacks: list[Stack]) -> None:
    assert names(select_wave(stacks, Portion(2, 6))) == ["notebooks/d", "shared-infra/b"]
    assert names(select_wave(stacks, Portion(2, 2))) == [
        "notebooks/c",
        "notebooks/d",
        "notebooks/z",
        "shared-infra/b",
    ]
    assert select_wave(stacks, Portion(6, 6)) == []


def test_stacks_that_read_one_another_are_not_split(stacks: list[Stack]) -> None:
    with pytest.raises(UserError, match=r"--shard 1/2: .* reads .*--wave"):
        select_shard(select_wave(stacks, Portion(2, 2)), Portion(1, 2))
    (job,) = matrix.jobs_of_wave(stacks, Portion(2, 2), shard_size=1)
    assert len(job.stacks) == 4
    certain = [stack for stack in stacks if stack.name in ("notebooks/e", "notebooks/z")]
    with pytest.raises(UserError, match=r"notebooks/z reads notebooks/e"):
        select_shard(certain, Portion(1, 2))


@settings(max_examples=30)
@given(NAMES, st.integers(1, 9))
def test_shards_are_whole_even_and_do_not_depend_on_the_order(chosen: list[str], of: int) -> None:
    shards = split_names(chosen, of)
    assert sorted(name for shard in shards for name in shard) == sorted(chosen)
    assert max(map(len, shards)) <= -(-len(chosen) // of)
    assert split_names(chosen[::-1], of) == shards


@settings(max_examples=30)
@given(NAMES, st.integers(2, 9))
def test_a_new_stack_moves_few(chosen: list[str], of: int) -> None:
    """With the same share for each part, at most one moves out of each, whatever the number."""
    before = chosen[1:]
    assume(-(-len(before) // of) == -(-len(chosen) // of))
    pairs = zip(split_names(before, of), split_names(chosen, of), strict=True)
    assert max(len(old - now) for old, now in pairs) <= 1


@pytest.mark.parametrize("text", ["0/3", "4/3", "3", "1/0", "-1/2", "1/2/3", "a/b", "", "01/2"])
def test_what_is_no_part_is_refused(text: str) -> None:
    with pytest.raises(ValueError, match="is not a part such as 3/8"):
        Portion.parse(text)
