"""What a plan says, and when Terraform is not asked at all."""

from pathlib import Path
from typing import Any

import pytest

from tests.unit.engine.conftest import Bench
from tests.unit.engine.fake_terraform import Answer, failure, planned
from tools.engine.apply import run_stack
from tools.engine.planning import plan_stacks
from tools.engine.plans import Change, Plan


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    (tmp_path / "plans").mkdir()
    return tmp_path / "plans"


def plan(bench: Bench, folder: Path, outside_only: bool = False, **options: Any) -> dict[str, Plan]:
    bench.terraform.calls.clear()
    plans = plan_stacks(bench.run(**options), bench.stacks(), folder, outside_only)
    return {plan.stack: plan for plan in plans}


def test_a_stack_waits_for_its_upstream_which_is_no_failure(chain: Bench, folder: Path) -> None:
    bucket = planned("aws_s3_bucket.this", "create")
    outputs = {"type": "outputs", "outputs": {"x": {"action": "create"}, "y": {"action": "noop"}}}
    chain.terraform.will("plan shared-infra/b", Answer([bucket, outputs]))
    plans = plan(chain, folder)
    assert {name: plan.status for name, plan in plans.items()} == {
        "shared-infra/b": "changed",
        "shared-infra/a": "waiting",
        "notebooks/n": "waiting",
        "notebooks/m": "unchanged",
    }
    assert plans["notebooks/n"].detail == "waits for shared-infra/a"
    upstream = plans["shared-infra/b"]
    assert upstream.changes == (Change("aws_s3_bucket.this", "aws_s3_bucket", "create"),)
    assert (upstream.outputs, upstream.why) == (("x",), ("never applied",))
    assert upstream.file == folder / "shared-infra.b.tfplan"
    assert upstream.file.read_text().startswith("a plan")
    assert upstream.inputs is not None
    assert chain.told.outcomes["shared-infra/b"] == "planned"
    assert chain.told.outcomes["notebooks/n"] == "waiting"


def test_what_has_not_changed_is_not_planned(bench: Bench, folder: Path) -> None:
    stack = bench.write("notebooks/n")
    run_stack(bench.run(), stack)
    assert plan(bench, folder)["notebooks/n"].status == "unchanged"
    assert bench.terraform.calls == []
    assert plan(bench, folder, refresh=True)["notebooks/n"].status == "unchanged"
    assert bench.terraform.calls == ["plan notebooks/n"]


def test_an_error_is_told_and_explained(bench: Bench, folder: Path) -> None:
    bench.write("notebooks/n")
    bench.terraform.will("plan notebooks/n", failure("no", file="main.tf", line=2))
    failed = plan(bench, folder)["notebooks/n"]
    assert (failed.status, failed.detail) == ("failed", "main.tf, line 2: no")
    assert "[notebooks/n] error: main.tf, line 2: no" in bench.told.lines


def test_what_no_event_shows_is_no_unchanged_stack(bench: Bench, folder: Path) -> None:
    # Such as the actions of Terraform 1.14: its exit code says that there is something to apply.
    bench.write("notebooks/n")
    bench.terraform.will("plan notebooks/n", Answer(has_changes=True))
    found = plan(bench, folder)["notebooks/n"]
    assert (found.status, found.detail) == (
        "changed",
        "changes of a kind that this tool does not know: tools plan --details",
    )


def test_a_plan_that_was_interrupted_is_one_line(bench: Bench, folder: Path) -> None:
    bench.write("notebooks/n")
    halted = failure("execution halted").errors
    answer = Answer(errors=[*halted] * 12, meanwhile=lambda: bench.interruption.note(2, None))
    bench.terraform.will("plan notebooks/n", answer)
    assert plan(bench, folder)["notebooks/n"].detail == "interrupted"
    assert bench.told.outcomes == {"notebooks/n": "interrupted"}
    assert [line.partition(" (log: ")[0] for line in bench.told.lines] == [
        "[notebooks/n] interrupted"
    ]


def test_a_state_that_cannot_be_read_is_a_failure(bench: Bench, folder: Path) -> None:
    (bench.write("notebooks/n").path / "terraform.tfstate").write_text("{")
    failed = plan(bench, folder)["notebooks/n"]
    assert failed.status == "failed"
    assert "is not a complete Terraform state" in failed.detail


def test_an_interruption_plans_nothing_more(bench: Bench, folder: Path) -> None:
    bench.write("notebooks/n")
    bench.interruption.note(2, None)
    assert plan(bench, folder)["notebooks/n"].detail == "interrupted"
    assert bench.terraform.calls == []


def test_an_error_that_passes_is_tried_again(bench: Bench, folder: Path) -> None:
    bench.write("notebooks/n")
    bench.terraform.will("plan notebooks/n", failure("no", "Throttling: Rate exceeded"))
    assert plan(bench, folder)["notebooks/n"].status == "unchanged"
    assert bench.interruption.slept == [5]


def test_drift_asks_for_what_was_changed_outside_alone(bench: Bench, folder: Path) -> None:
    stack = bench.write("notebooks/n")
    bench.write("notebooks/never")
    run_stack(bench.run(), stack)
    (stack.path / "main.tf").write_text("# edited\n")
    drifted = planned("aws_s3_bucket.this", "update", kind="resource_drift")
    bench.terraform.will("drift notebooks/n", Answer([drifted]))
    before, after = {"tags": {}, "id": "b"}, {"tags": {"by": "hand"}, "id": "b"}
    bench.terraform.plan_json["resource_drift"] = [
        {
            "address": "aws_s3_bucket.this",
            "type": "aws_s3_bucket",
            "change": {"actions": ["update"], "before": before, "after": after},
        }
    ]
    plans = plan(bench, folder, outside_only=True)
    drift = plans["notebooks/n"]
    assert drift.status == "changed"
    assert drift.outside == (Change("aws_s3_bucket.this", "aws_s3_bucket", "update", ("tags",)),)
    assert (drift.changes, drift.why) == ((), ("notebooks/n/main.tf changed",))
    assert plans["notebooks/never"].detail == "nothing is deployed"
    assert bench.terraform.calls == ["drift notebooks/n", "show notebooks/n"]
