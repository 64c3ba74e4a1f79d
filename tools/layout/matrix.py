"""The graph as a matrix of jobs: one for each shard of each wave."""

from collections.abc import Collection, Iterator, Sequence
from dataclasses import dataclass
from typing import TypedDict

from tools.layout.stack import Stack
from tools.layout.waves import Portion, find_dependence, select_shard, select_wave, split_into_waves


@dataclass(frozen=True)
class Job:
    """What one job of a pipeline works on."""

    wave: Portion
    shard: Portion
    stacks: Sequence[Stack]


class JobEntry(TypedDict):
    """A job as a pipeline is given it; of `stacks` the names."""

    wave: str
    shard: str
    stacks: list[str]


def jobs_of(stacks: Collection[Stack], shard_size: int) -> Iterator[Job]:
    """Yields the jobs for all of `stacks`, wave by wave."""
    number_of_waves = len(split_into_waves(stacks))
    for number in range(1, number_of_waves + 1):
        yield from jobs_of_wave(stacks, Portion(number, number_of_waves), shard_size)


def jobs_of_wave(stacks: Collection[Stack], wave: Portion, shard_size: int) -> Iterator[Job]:
    """Yields the jobs of one wave; a single one if some of its stacks read others of it."""
    in_wave = select_wave(stacks, wave)
    parts = 1 if find_dependence(in_wave) else -(-len(in_wave) // shard_size)
    for number in range(1, parts + 1):
        shard = Portion(number, parts)
        yield Job(wave, shard, select_shard(in_wave, shard))


def entries(
    stacks: Collection[Stack], shard_size: int, chosen: Collection[Stack] | None = None
) -> list[JobEntry]:
    """Returns the jobs of the matrix; with `chosen` only those that have one of these.

    A job's part of a wave depends on the wave alone, and not on what is chosen.
    """
    names = None if chosen is None else {stack.name for stack in chosen}
    rows: list[JobEntry] = []
    for job in jobs_of(stacks, shard_size):
        in_job = [stack.name for stack in job.stacks if names is None or stack.name in names]
        if in_job:
            rows.append({"wave": str(job.wave), "shard": str(job.shard), "stacks": in_job})
    return rows
