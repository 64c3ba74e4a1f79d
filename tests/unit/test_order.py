"""The tests that share what takes long to make run on one worker (tests/order.py)."""

from tests.order import APART, FIRST, TOGETHER, group_of
from tests.trees import REPOSITORY


def test_what_is_named_is_there() -> None:
    named = {*FIRST, *APART} - {*TOGETHER}
    assert [name for name in named if not (REPOSITORY / name).exists()] == []


def test_groups() -> None:
    assert group_of("tests/cli/test_help.py::test_a[b::c]") == "tests/cli/test_help.py"
    assert group_of("tests/faults/test_kills.py::test_a") == "tests/faults/test_kills.py::test_a"
    stories = {group_of(f"tests/journey/test_{number}.py::test_a") for number in (1, 2)}
    assert stories == {"tests/journey"}
