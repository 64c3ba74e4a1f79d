"""What reviewers read: losses stand out, and no text outgrows a comment."""

import json
import subprocess
from pathlib import Path

import pytest

from tests.unit.commands.conftest import Checkout
from tests.unit.commands.conftest import checkout as checkout
from tools.context import Context
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
    assert "`tools deploy --refresh notebooks/a`" in text  # alone it would plan nothing
    many = [{**entry, "stack": f"notebooks/n{n}", "outside": [change]} for n in range(11)]
    assert "`tools deploy --refresh`" in markdown.describe_drift(many)
    failed = {**entry, "status": "failed", "detail": "no credentials"}
    assert "could not be compared: no credentials" in markdown.describe_drift([failed])


def test_a_month_is_reckoned_at_both_commits(checkout: Checkout) -> None:
    """Against `tools cost` in either, whose amounts tests/unit/commands/test_cost.py reckons."""
    commit(checkout.root, "init", "-q")
    totals = []
    values = checkout.root / "notebooks/notebook-dev/terraform.tfvars"
    for instance_type in ("ml.t3.medium", "ml.m5.xlarge"):
        values.write_text(values.read_text().replace("ml.t3.medium", instance_type))
        totals.append(json.loads(checkout.tools("cost", "--json").stdout)["total"]["all"]["usd"])
        commit(checkout.root, "add", "--all")
        commit(checkout.root, "commit", "-q", "-m", instance_type)
    before, after = totals
    context = Context(checkout.root, checkout.env)
    told = markdown.describe_cost(context, "HEAD^1")
    assert told == f"A month costs ${after}. Before: ${before}.\n"
    assert markdown.describe_cost(context, "HEAD") == f"A month costs ${after}, as before.\n"
    assert "Before: unknown: git has no commit nowhere" in markdown.describe_cost(
        context, "nowhere"
    )
    assert len(commit(checkout.root, "worktree", "list").splitlines()) == 1


def test_a_git_that_fails_otherwise_is_told_as_it_says_it(
    checkout: Checkout, monkeypatch: pytest.MonkeyPatch
) -> None:
    commit(checkout.root, "init", "-q")
    commit(checkout.root, "commit", "-q", "--allow-empty", "-m", "first")
    context = Context(checkout.root, checkout.env)
    (checkout.root / ".git/worktrees").touch()  # a file where git makes a folder
    told = markdown.describe_cost(context, "HEAD")
    assert "Before: unknown: fatal: " in told
    assert "worktrees" in told
    # As in a container whose user does not own the checkout; a variable of git's own tests.
    monkeypatch.setenv("GIT_TEST_ASSUME_DIFFERENT_OWNER", "1")
    monkeypatch.setenv("HOME", str(checkout.root))
    monkeypatch.setenv("GIT_CONFIG_NOSYSTEM", "1")
    assert "unknown: fatal: detected dubious ownership" in markdown.describe_cost(context, "HEAD")


def test_an_amount_without_a_price_is_neither_a_saving_nor_as_before(checkout: Checkout) -> None:
    commit(checkout.root, "init", "-q")
    values = checkout.root / "notebooks/notebook-dev/terraform.tfvars"
    for old, new in (("", ""), ("ml.t3.medium", "ml.t3.large"), ("ml.t3.large", "ml.t3.xlarge")):
        values.write_text(values.read_text().replace(old, new))
        commit(checkout.root, "add", "--all")
        commit(checkout.root, "commit", "-q", "--allow-empty", "-m", new or "first")
    context = Context(checkout.root, checkout.env)
    told = markdown.describe_cost(context, "HEAD^1")
    assert "as before" not in told  # both types have no price in the table, and both totals are one
    assert told.count("(no price is known for ml.t3.") == 2


def commit(root: Path, *arguments: str) -> str:
    who = ["-c", "user.name=a", "-c", "user.email=a@example.com"]
    command = ["git", *who, *arguments]
    return subprocess.run(command, cwd=root, check=True, capture_output=True, text=True).stdout
