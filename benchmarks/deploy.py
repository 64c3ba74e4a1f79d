"""The first deployment of the shared infrastructure and ten notebooks."""

import os
import shutil
import tempfile
from pathlib import Path

from benchmarks import local
from benchmarks.measure import Cost, Figure, process

TITLE = "First deployment"
_NOTEBOOKS = 10
_FASTER = 2.5
_NEAR = 1.15


def run(repetitions: int) -> list[Figure]:
    """`tools deploy` against the documented loop, `terraform init && terraform apply` in order.

    Both begin with an empty LocalStack. It cannot be faster than the processors carry the same
    Terraform commands, nor than the longest chain of stacks that wait for each other, nor can the
    notebooks' commands be carried before what they all read is there.
    """
    loops: list[dict[str, Cost]] = []
    ours: list[Cost] = []
    for _ in range(max(1, repetitions // 2)):  # minutes each
        with (
            tempfile.TemporaryDirectory() as folder,
            local.with_notebooks(Path(folder) / "fleet", _NOTEBOOKS) as place,
        ):
            loops.append(_loop(place))
            shutil.rmtree(place.work)
            place.cloud.reset()
            ours.append(place.deploy())
    by_time = sorted(range(len(ours)), key=lambda n: ours[n].seconds)
    middle = by_time[len(by_time) // 2]
    loop, tool = loops[middle], ours[middle].seconds
    whole = sum(cost.seconds for cost in loop.values())
    cores = os.cpu_count() or 1
    carried = sum(cost.cpu for cost in loop.values()) / cores
    chain = _longest(loop)
    notebooks = [cost for name, cost in loop.items() if name.startswith("notebooks/")]
    # No notebook can begin before what all of them read is there.
    waited = chain - max(cost.seconds for cost in notebooks)
    after = waited + sum(cost.cpu for cost in notebooks) / cores
    limit = max(carried, chain, after)
    return [
        Figure("the loop, stack by stack", f"{whole:.0f} s"),
        Figure(
            f"`tools deploy` of the same {len(loop)} stacks",
            f"{tool:.0f} s, {whole / tool:.1f} times faster",
            f"{_FASTER} times, or the limit",
            whole / tool >= _FASTER or tool <= _NEAR * limit,
        ),
        Figure(
            "the limit: the longest of the loop's processor time by the cores, its longest chain, "
            "and what all notebooks wait for before their own processor time by the cores",
            f"{limit:.0f} s ({carried:.0f}, {chain:.0f}, and {waited:.0f} and then "
            f"{after - waited:.0f}), {whole / limit:.1f} times faster than the loop",
        ),
        Figure(
            "`tools deploy` against the limit",
            f"{tool / limit:.2f} times",
            f"at most {_NEAR:.2f} times",
            tool <= _NEAR * limit,
        ),
    ]


def _loop(place: local.Local) -> dict[str, Cost]:
    """What a person does by hand: stack to what its init and apply took."""
    costs = {}
    for stack in place.refresh():
        init = process(["terraform", "init"], stack.path, place.env())
        apply = process(["terraform", "apply", "-auto-approve"], stack.path, place.env())
        costs[stack.name] = Cost(
            init.seconds + apply.seconds,
            init.cpu + apply.cpu,
            max(init.memory, apply.memory),
        )
    return costs


def _longest(loop: dict[str, Cost]) -> float:
    """Seconds of the longest chain: a stack after the slowest of those that it reads."""
    notebooks = [cost.seconds for name, cost in loop.items() if name.startswith("notebooks/")]
    storage = loop["shared-infra/s3"].seconds + loop["shared-infra/iam"].seconds
    network = (
        loop["shared-infra/security-groups"].seconds + loop["shared-infra/vpc-endpoints"].seconds
    )
    return max(storage, network) + max(notebooks)
