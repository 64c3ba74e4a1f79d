"""Lines that are many: some of them, and how many more there are."""

import pytest

from tools.console.messages import first_lines
from tools.console.terminal import wish


@pytest.mark.parametrize(("count", "shown", "last"), [(3, 3, "3"), (9, 9, "9"), (20, 9, "and 12")])
def test_of_many_reasons_the_first_are_shown(count: int, shown: int, last: str) -> None:
    found = first_lines([str(number) for number in range(1, count + 1)])
    assert len(found) == shown
    assert found[-1].startswith(last)


def test_with_v_all_are_shown(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(wish, "verbose", True)
    assert len(first_lines([str(number) for number in range(20)])) == 20
