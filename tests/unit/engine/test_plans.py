"""Plans as Terraform says them, and as they are saved."""

from pathlib import Path
from typing import Any

import pytest

from tests.unit.engine.fake_terraform import planned
from tools.engine import plans
from tools.engine.fingerprint import Inputs
from tools.engine.plans import Change, Plan, PlanReader
from tools.errors import UserError
from tools.terraform.text import Event

INPUTS = Inputs({"main.tf": "1"}, {}, {}, {"Terraform": "1.11.4"})


@pytest.mark.parametrize(
    ("action", "ours"),
    [
        ("create", "create"),
        ("update", "update"),
        ("replace", "replace"),
        ("delete", "destroy"),
        ("import", "import"),
        ("move", "move"),
        ("remove", "forget"),
        ("invented", "unknown"),
    ],
)
def test_each_action_of_a_plan(action: str, ours: str) -> None:
    reader = PlanReader(lambda event: None)
    reader(planned("aws_kms_key.this", action))
    assert reader.changes == [Change("aws_kms_key.this", "aws_kms_key", ours)]  # type: ignore[arg-type]
    assert reader.changes[0].loses_data == (ours in ("replace", "destroy", "unknown"))


@pytest.mark.parametrize(
    ("actions", "ours"),
    [
        (["no-op"], None),
        (["read"], None),
        (["create"], None),
        (["update"], None),
        (["forget"], None),
        (["delete"], "destroy"),
        (["delete", "create"], "replace"),
        (["create", "delete"], "replace"),
        (["invented"], "unknown"),
        (["create", "invented"], "unknown"),
        ([], "unknown"),
    ],
)
def test_what_a_plan_s_json_takes_away(actions: list[str], ours: Any) -> None:
    changes = [
        {"address": f"{kind}.a", "type": kind, "change": {"actions": actions}}
        for kind in ("aws_s3_bucket", "aws_iam_role")
    ]
    losses = [Change("aws_s3_bucket.a", "aws_s3_bucket", ours)] if ours else []
    assert plans.planned_losses({"resource_changes": changes}) == losses
    assert plans.planned_losses({}) == []


def test_what_changes_nothing_is_left_out_and_every_event_goes_on() -> None:
    passed: list[Event] = []
    reader = PlanReader(passed.append)
    events = [
        planned("data.aws_region.this", "read"),
        planned("aws_iam_role.this", "noop"),
        planned("aws_iam_role.this", "update", kind="resource_drift"),
        {"type": "log"},
    ]
    for event in events:
        reader(event)
    assert (reader.changes, reader.outputs) == ([], [])
    assert reader.outside == [Change("aws_iam_role.this", "aws_iam_role", "update")]
    assert passed == events


def saved(folder: Path) -> list[Plan]:
    file = plans.plan_path(folder, "notebooks/n")
    file.write_text("a plan")
    change = Change("aws_s3_bucket.this", "aws_s3_bucket", "replace")
    return [
        Plan("notebooks/n", "changed", ("edited",), (change,), ("x",), inputs=INPUTS, file=file),
        Plan("notebooks/m", "waiting", detail="waits for shared-infra/b"),
    ]


def test_plans_are_loaded_as_they_were_saved(tmp_path: Path) -> None:
    folder = tmp_path / "plans"
    plans.make_folder(folder)
    assert folder.stat().st_mode & 0o077 == 0
    plans.save(folder, saved(folder), "AWS account 1", str)
    assert plans.load(folder, "AWS account 1", str) == saved(folder)
    plans.make_folder(folder)
    assert list(folder.iterdir()) == []


def test_plans_for_another_account_are_refused(tmp_path: Path) -> None:
    plans.save(tmp_path, saved(tmp_path), "AWS account 1", str)
    with pytest.raises(UserError, match="were made for AWS account 1, and this is AWS account 2"):
        plans.load(tmp_path, "AWS account 2", str)


def test_a_plan_of_a_state_that_was_moved_is_refused(tmp_path: Path) -> None:
    plans.save(tmp_path, saved(tmp_path), "here", lambda stack: f"{stack}/terraform.tfstate")
    with pytest.raises(UserError, match=r"the plan of notebooks/n .* plan it again"):
        plans.load(tmp_path, "here", lambda stack: f"s3://states/{stack}")


@pytest.mark.parametrize("text", [None, "", "{}", '{"where": 1, "plans": [{}]}', "[]"])
def test_a_folder_without_plans_is_refused(tmp_path: Path, text: str | None) -> None:
    if text is not None:
        (tmp_path / "plans.json").write_text(text)
    with pytest.raises(UserError, match="holds no plans; make them: tools plan --plan-dir"):
        plans.load(tmp_path, "here", str)


def test_a_folder_with_other_things_is_left_alone(tmp_path: Path) -> None:
    for name in ("mine.txt", "plans.json"):
        (tmp_path / name).touch()
    with pytest.raises(UserError, match="holds other things than plans"):
        plans.make_folder(tmp_path)
    assert (tmp_path / "plans.json").exists()


def test_a_folder_that_cannot_be_made_is_said(tmp_path: Path) -> None:
    (tmp_path / "file").touch()
    with pytest.raises(UserError, match=r"cannot use .*file: "):
        plans.make_folder(tmp_path / "file")
