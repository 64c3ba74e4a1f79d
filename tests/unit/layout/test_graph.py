import sys

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tools.errors import UserError
from tools.layout import graph


@st.composite
def acyclic(draw: st.DrawFn) -> dict[str, list[str]]:
    """Some stacks, in any order, each of which reads some of the ones with a lower number."""
    count = draw(st.integers(0, 12))
    reads = {
        str(n): [str(above) for above in sorted(draw(st.sets(st.integers(0, n - 1))))] if n else []
        for n in range(count)
    }
    return {name: reads[name] for name in draw(st.permutations(sorted(reads)))}


@given(acyclic())
def test_each_stack_comes_once_and_after_what_it_reads(upstream: dict[str, list[str]]) -> None:
    placed = graph.sort_names(upstream)
    assert sorted(placed) == sorted(upstream)
    for name, above in upstream.items():
        assert all(placed.index(other) < placed.index(name) for other in above)


def test_a_stack_comes_close_behind_what_it_reads() -> None:
    upstream = {"a": [], "b": ["a"], "iam": ["s3"], "s3": [], "z": []}
    assert graph.sort_names(upstream) == ["a", "b", "s3", "iam", "z"]


def test_a_chain_may_be_longer_than_python_s_stack() -> None:
    count = 10 * sys.getrecursionlimit()
    upstream = {str(n): [str(n + 1)] if n + 1 < count else [] for n in range(count)}
    assert graph.sort_names(upstream) == [str(n) for n in reversed(range(count))]


def test_a_circle_is_named() -> None:
    with pytest.raises(UserError, match=r"in a circle: (a -> b -> a|b -> a -> b);"):
        graph.sort_names({"a": ["b"], "b": ["a"], "c": []})


READS = {"s3": [], "iam": ["s3"], "n": ["iam", "s3"], "m": ["s3"], "z": []}


@pytest.mark.parametrize(
    ("names", "upstream", "downstream"),
    [
        (["n"], {"iam", "s3"}, set()),
        (["s3"], set(), {"iam", "n", "m"}),
        (["iam", "n"], {"iam", "s3"}, {"n"}),  # a name itself, if another leads to it
        (["z"], set(), set()),
        ([], set(), set()),
    ],
)
def test_what_names_lead_to_either_way(
    names: list[str], upstream: set[str], downstream: set[str]
) -> None:
    assert graph.reachable(names, READS) == upstream
    assert graph.reachable(names, graph.readers(READS)) == downstream
