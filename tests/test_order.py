"""The tests of a file run on one worker: pytest-xdist's own report is the oracle."""

import subprocess
import sys
from pathlib import Path

from tests.trees import REPOSITORY

SHARING = "def test_{name}_{number}():\n    pass\n\n\n"


def test_the_tests_of_a_file_stay_together(tmp_path: Path) -> None:
    for name in ("a", "b", "c"):
        text = "".join(SHARING.format(name=name, number=number) for number in range(5))
        (tmp_path / f"test_{name}.py").write_text(text)
    done = subprocess.run(
        [
            *(sys.executable, "-m", "pytest", "-p", "tests.order", "-v", "-n", "2"),
            *("-c", "/dev/null", f"--rootdir={tmp_path}", str(tmp_path)),
            f"--basetemp={tmp_path / 'inner'}",  # so that it deletes no earlier session's folders
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
