"""What reviewers read: losses stand out, and no text outgrows a comment."""

from tools.engine.run import Result
from tools.pipelines import markdown

LOSS = "replace module.notebook.aws_sagemaker_notebook_instance.this"


def test_losses_come_first() -> None:
    results = [
        Result("notebooks/a", "changed", changes={"change": 1}),
        Result("notebooks/b", "changed", changes={"add": 1, "remove": 1}, losses=(LOSS,)),
        Result("notebooks/c", "unchanged"),
    ]
    text = markdown.describe_plan(results, [], "A month costs $1, as before.\n")
    assert text.index(f"🔴 **Data is lost:**\n> - **notebooks/b: {LOSS}**") < text.index("| stack")
    assert "| notebooks/a | changed |" in text
    assert "| notebooks/c |" not in text
    assert "1 more are unchanged" in text
    assert "A month costs $1" in text


def test_a_comment_is_never_longer_than_github_takes() -> None:
    detail = "no such thing " * 200
    results = [Result(f"notebooks/n{number}", "failed", detail=detail) for number in range(200)]
    text = markdown.describe_plan(results, [], "")
    assert len(text) < 65_536  # https://github.com/orgs/community/discussions/27190
    assert text.endswith("The rest is in the jobs' logs.\n")


def test_drift_is_named_and_silence_is_empty() -> None:
    entry = {"stack": "notebooks/a", "status": "in sync", "outside": [], "detail": ""}
    assert markdown.describe_drift([entry]) == ""
    change = {"address": "aws_iam_role.x", "action": "update", "attributes": ["tags"]}
    gone = {"address": "aws_iam_role.y", "action": "destroy", "attributes": []}
    text = markdown.describe_drift([{**entry, "outside": [change, gone]}])
    assert "- `notebooks/a`: `aws_iam_role.x` was changed: tags" in text
    assert "`aws_iam_role.y` is gone" in text
    failed = {**entry, "status": "failed", "detail": "no credentials"}
    assert "could not be compared: no credentials" in markdown.describe_drift([failed])
