"""`tools merge-reports` as a job of a pipeline runs it."""

from pathlib import Path

import pytest

from tests.unit.commands.conftest import Checkout
from tools.engine.run import Result
from tools.runs import report_file


@pytest.mark.parametrize(("outcome", "code"), [("applied", 0), ("failed", 1), ("not run", 1)])
def test_the_exit_code_is_that_of_the_worst(checkout: Checkout, outcome: str, code: int) -> None:
    for name, result in (("a", "applied"), ("b", outcome)):
        report = checkout.root / f"{name}.json"
        report_file.write(report, [Result(f"notebooks/{name}", result)], "deploy")  # type: ignore[arg-type]
    done = checkout.tools("merge-reports", "a.json", "b.json", "--report", "all.md")
    assert done.returncode == code, done.stderr
    assert "notebooks/a" in done.stderr
    assert "notebooks/b | " in (checkout.root / "all.md").read_text()


def test_a_missing_report_is_one_clear_error(checkout: Checkout) -> None:
    done = checkout.tools("merge-reports", "none.json", "--report", "all.md")
    assert (done.returncode, done.stdout) == (1, "")
    assert done.stderr == "error: cannot read none.json: No such file or directory\n"
    assert not Path(checkout.root / "all.md").exists()
