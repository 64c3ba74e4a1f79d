"""What is printed of results, plans and drift."""

import pytest

from tools.engine.plans import Change, Plan
from tools.engine.run import Result
from tools.runs.summary import drift_json, show_drift, show_plans, summarize

BUCKET = Change("aws_s3_bucket.this", "aws_s3_bucket", "replace")
NOTEBOOK = Change(
    "aws_sagemaker_notebook_instance.this", "aws_sagemaker_notebook_instance", "destroy"
)
TAGS = Change("aws_s3_bucket.this", "aws_s3_bucket", "update", ("tags",))


def rows(text: str) -> list[str]:
    """Each line that is not empty, with one space between its words."""
    return [" ".join(line.split()) for line in text.splitlines() if line.strip()]


def test_results_are_in_the_order_of_the_run(capsys: pytest.CaptureFixture[str]) -> None:
    summarize(
        [
            Result("notebooks/n", "applied", 2.4),
            Result("shared-infra/b", "failed", 61.0, "no: because"),
            Result("notebooks/zz", "not run", 0.0, "shared-infra/b failed or was not run"),
        ]
    )
    output = capsys.readouterr()
    assert output.out == ""
    assert rows(output.err) == [
        "Stack Outcome Time Notes",
        "notebooks/n applied 2 s",
        "shared-infra/b failed 61 s no: because",
        "notebooks/zz not run 0 s shared-infra/b failed or was not run",
    ]


def test_many_unchanged_stacks_are_counted(capsys: pytest.CaptureFixture[str]) -> None:
    unchanged = [Result(f"notebooks/n{number}", "unchanged") for number in range(30)]
    summarize(unchanged)
    assert len(rows(capsys.readouterr().err)) == 1 + 30
    summarize([*unchanged, Result("notebooks/m", "applied", 1.0)])
    assert rows(capsys.readouterr().err) == [
        "Stack Outcome Time",
        "notebooks/m applied 1 s",
        "30 stacks unchanged",
    ]


def test_a_plan_is_a_row_that_counts_and_says_what_is_lost(
    capsys: pytest.CaptureFixture[str],
) -> None:
    plans = [
        Plan("shared-infra/b", "changed", ("edited",), (BUCKET, NOTEBOOK, TAGS)),
        Plan("notebooks/m", "changed", outputs=("x",)),
        Plan("notebooks/n", "waiting", detail="waits for shared-infra/b"),
        Plan("notebooks/o", "unchanged"),
    ]
    show_plans(plans, err=False, why=True)
    output = capsys.readouterr()
    assert output.err == ""
    lines = rows(output.out)
    assert lines[0] == "Stack Create Update Replace Destroy Status Notes"
    assert lines[1].startswith("shared-infra/b - 1 1 1 ")
    assert "replace aws_s3_bucket.this: loses its data" in output.out
    assert "destroy aws_sagemaker_notebook_instance.this: loses its volume" in output.out
    assert lines[2] == "edited"
    assert lines[3] == "notebooks/m - - - - outputs: x"
    assert lines[4] == "notebooks/n - - - - waiting waits for shared-infra/b"
    assert lines[5] == "1 of 4 stacks: no changes"


def test_without_a_plan_there_is_no_table(capsys: pytest.CaptureFixture[str]) -> None:
    show_plans([Plan("notebooks/o", "unchanged", ("edited",))])
    assert capsys.readouterr().err == "1 of 1 stacks: no changes\n"


def test_drift_tells_a_change_outside_from_one_not_applied(
    capsys: pytest.CaptureFixture[str],
) -> None:
    gone = Change("aws_iam_role.this", "aws_iam_role", "destroy")
    plans = [
        Plan("shared-infra/b", "changed", outside=(TAGS, gone)),
        Plan("notebooks/m", "unchanged", ("notebooks/m/main.tf changed", "never applied")),
        Plan("notebooks/n", "failed", ("edited",), detail="no: because"),
        Plan("notebooks/o", "unchanged", ("never applied",), detail="nothing is deployed"),
    ]
    show_drift(plans)
    output = capsys.readouterr()
    assert rows(output.out) == [
        "Stack Difference Details",
        "shared-infra/b changed outside of Terraform aws_s3_bucket.this (tags)",
        "shared-infra/b gone outside of Terraform aws_iam_role.this",
        "notebooks/m not applied yet notebooks/m/main.tf changed; never applied",
        "notebooks/n failed no: because",
    ]
    assert output.err == "1 of 4 stacks was changed outside of Terraform\n"
    assert [drift_json(plan)["status"] for plan in plans] == [
        "drifted",
        "in sync",
        "failed",
        "in sync",
    ]
