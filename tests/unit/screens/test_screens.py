"""The oracle is a person who has looked at the golden files; a change shows in their difference."""

import re
from pathlib import Path

import pytest

from tests.unit.screens.screens import GOLDEN, SCREENS, WIDTH, render

_AS_IT_IS = re.compile(r"error|# ", re.IGNORECASE)
AGAIN = ".venv/bin/python -m tests.unit.screens"


@pytest.mark.parametrize("name", SCREENS)
def test_a_screen_is_as_it_was_looked_at(name: str, tmp_path: Path) -> None:
    golden = GOLDEN / f"{name}.txt"
    assert golden.is_file(), f"make it, and look at it: {AGAIN}"
    assert render(name, tmp_path) == golden.read_text(), f"look at the difference of: {AGAIN}"


def test_no_screen_is_left_over() -> None:
    assert sorted(path.stem for path in GOLDEN.iterdir()) == sorted(SCREENS)


@pytest.mark.parametrize("path", sorted(GOLDEN.glob("*.txt")), ids=lambda path: path.stem)
def test_no_line_is_wider_than_the_terminal(path: Path) -> None:
    # An error is one line, whatever its length: a terminal wraps it, and its command can be copied.
    # What begins with # is of a file, as it would be written.
    lines = [line for line in path.read_text().splitlines() if not _AS_IT_IS.match(line)]
    assert [line for line in lines if len(line) > WIDTH] == []
