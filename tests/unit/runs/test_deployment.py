"""Which saved plans a deployment applies."""

from pathlib import Path

import pytest

from tests.unit.engine.conftest import Bench, bench
from tools.context import Context, Target
from tools.engine.records import Records
from tools.errors import UserError
from tools.layout.repository import Repository
from tools.runs.deployment import deploy_stacks, plan_stacks
from tools.runs.options import Options
from tools.runs.session import Account, Session

__all__ = ["bench"]  # a fixture


def session(bench: Bench, folder: Path) -> Session:
    repository = Repository(bench.root)
    return Session(
        Context(bench.root, {}),
        Target(repository, bench.terraform, "us-east-1", bench.root / "logs" / "run"),
        Records(repository, bench.terraform),
        Options(plan_dir=folder, warm_providers=False),
        Account("123456789012", "AWS account 123456789012"),
    )


def test_plans_of_other_stacks_alone_are_refused(bench: Bench, tmp_path: Path) -> None:
    planned, other = bench.write("notebooks/y"), bench.write("notebooks/x")
    plan_stacks(session(bench, tmp_path / "plans"), [planned])
    with pytest.raises(UserError, match="plans holds no plan of notebooks/x; make it: tools plan"):
        deploy_stacks(session(bench, tmp_path / "plans"), [other])


def test_a_folder_of_no_plans_asks_nothing(bench: Bench, tmp_path: Path) -> None:
    stack = bench.write("notebooks/x")
    plan_stacks(session(bench, tmp_path / "plans"), [])  # as `tools plan --changed` may
    deploy_stacks(session(bench, tmp_path / "plans"), [stack])


def test_stacks_without_a_plan_are_counted(
    bench: Bench, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    planned, other = bench.write("notebooks/y"), bench.write("notebooks/x")
    plan_stacks(session(bench, tmp_path / "plans"), [planned])
    capsys.readouterr()
    with pytest.raises(UserError, match="stdin is not a terminal"):
        deploy_stacks(session(bench, tmp_path / "plans"), [planned, other])
    said = capsys.readouterr().err
    assert f"1 of 2 stacks have no plan in {tmp_path}/plans.\n" in said
