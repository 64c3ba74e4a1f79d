"""The tests that share what takes long to make run on one worker (tests/order.py)."""

import subprocess
import sys
from pathlib import Path

from tests.order import APART, FIRST, TOGETHER, group_of
from tests.trees import REPOSITORY

SHARING = "def test_{name}_{number}():\n    pass\n\n\n"


def test_what_is_named_is_there() -> None:
    named = {*FIRST, *APART} - {*TOGETHER}
    assert [name for name in named if not (REPOSITORY / name).exists()] == []


def test_groups() -> None:
    assert group_of("tests/cli/test_help.py::test_a[b::c]") == "tests/cli/test_help.py"
    assert group_of("tests/faults/test_kills.py::test_a") == "tests/faults/test_kills.py::test_a"
    stories = {group_of(f"tests/journey/test_{number}.py::test_a") for number in (1, 2)}
    assert stories == {"tests/journey"}


def test_the_tests_of_a_file_stay_together(tmp_path: Path) -> None:
    for name in ("a", "b", "c"):
        text = "".join(SHARING.format(name=name, number=number) for number in range(5))
        (tmp_path / f"test_{name}.py").write_text(text)
    done = subprocess.run(
        [
            *(sys.executable, "-m", "pytest", "-p", "tests.order", "-v", "-n", "2"),
            *("-c", "/dev/null", f"--rootdir={tmp_path}", str(tmp_path)),
        ],
        cwd=REPOSITORY,
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 0, done.stdout + done.stderr
    passed = [line.split() for line in done.stdout.splitlines() if " PASSED " in line]
    assert len(passed) == 15
    workers = {(words[-1].partition("::")[0], words[0]) for words in passed}
    assert len(workers) == 3, workers
