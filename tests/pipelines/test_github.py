"""The generated workflows of GitHub, run job by job: pull request, merge, and what goes wrong.

What is deployed is told by the states in the bucket, what was said by the stand-in for GitHub, and
what a role did by the requests that its jobs sent.
"""

import subprocess
import threading
from dataclasses import replace
from pathlib import Path
from uuid import uuid4

import pytest

from tests.children import interruptible

from .conftest import Team

STATES = (
    "PUT terraform.tfstate",
    "PUT terraform.tfstate.tflock",
    "PUT terraform.tfstate.record.json",
)


def test_a_pull_request_is_planned_and_its_merge_applies_those_plans(team: Team) -> None:
    team.pull_request()
    assert team.hub.outcome() == {
        "fork": "skipped",
        "select": "success",
        "plan": "success",
        "comment": "success",
    }
    team.pull_request()  # another commit: the same comment
    (comment,) = team.api.comments
    assert "| shared-infra/a | changed | 1 |" in comment["body"]
    assert "waits for shared-infra/a" in comment["body"]
    assert "A month costs" in comment["body"]
    assert comment["body"].count("tools ci: plan") == 1
    assert {job.role for job in team.hub.jobs} == {"plan"}
    assert [call for call in team.front.calls if call.action in STATES] == []

    asked: list[str] = []
    team.hub.approve = lambda job: asked.append(job) or True  # type: ignore[func-returns-value]
    team.merge()
    assert asked == ["wave-1 / apply", "wave-2 / apply"]
    logs = {job.name: job.log for job in team.hub.jobs}
    assert "terraform plan" not in logs["wave-1 / prepare"]  # the pull request's plan is taken
    assert "terraform plan" in logs["wave-1 / apply"]  # and made again by the one who applies
    assert "terraform plan" in logs["wave-2 / prepare"]
    assert "terraform plan" not in logs["wave-2 / apply"]
    assert (team.value("shared-infra/a"), team.value("notebooks/n", "read_a")) == ("one", "one")
    assert team.hub.outcome()["result"] == "success"
    roles = {job.name: job.role for job in team.hub.jobs}
    assert {name for name, role in roles.items() if role == "deploy"} == {*asked}


def test_a_fork_gets_no_credentials_and_is_told_so(team: Team) -> None:
    team.pull_request(repository="somebody/notebooks")
    (job,) = team.hub.jobs
    assert (job.name, job.result, job.role) == ("fork", "success", None)
    assert "comes from a fork" in team.hub.summary
    assert "nothing is planned" in team.hub.summary
    assert (team.api.comments, team.front.calls) == ([], [])


@pytest.mark.nightly
def test_what_is_not_approved_is_not_applied_nor_what_reads_it(team: Team) -> None:
    team.write("notebooks/m", "m")
    team.pull_request()
    team.hub.approve = lambda job: False
    team.merge()
    assert team.value("shared-infra/a") is None
    assert team.hub.outcome()["result"] == "failure"
    assert "| notebooks/n | not run |" in team.hub.summary
    team.hub.approve = lambda job: True
    team.merge()  # the same commit again
    assert team.value("notebooks/n", "read_a") == "one"
    assert team.hub.outcome()["result"] == "success"


@pytest.mark.nightly
def test_what_reads_a_failed_stack_is_not_run_and_the_rest_goes_on(team: Team) -> None:
    fails = (
        'resource "terraform_data" "no" {\n  provisioner "local-exec" {\n'
        '    command = "false"\n  }\n}\n'
    )
    team.write("shared-infra/a", "one")
    with (team.root / "shared-infra/a/main.tf").open("a") as file:
        file.write(fails)
    team.write("shared-infra/b", "two")
    team.write("notebooks/m", "m", "shared-infra/b")
    team.pull_request()
    team.merge()
    assert team.value("notebooks/m", "read_b") == "two"
    assert team.value("notebooks/n") is None
    assert "| shared-infra/a | failed |" in team.hub.summary
    assert "shared-infra/a failed or was not run" in team.hub.summary
    assert team.hub.outcome()["result"] == "failure"


@pytest.mark.nightly
def test_a_plan_that_goes_stale_is_made_again_and_never_applied(team: Team) -> None:
    team.pull_request()
    deploy_by_hand(team, "meddled", "one")
    team.merge()
    logs = {job.name: job.log for job in team.hub.jobs}
    assert "shared-infra/a: planned again: its state has changed" in logs["wave-1 / prepare"]
    assert team.value("shared-infra/a") == "one"

    team.write("shared-infra/a", "two")
    team.pull_request()

    def meddle(job: str) -> bool:
        """Between the approval of a wave and its jobs the state changes."""
        if job == "wave-1 / apply":
            deploy_by_hand(team, "meddled again", "two")
        return True

    team.hub.approve = meddle
    team.merge()
    assert team.hub.outcome()["result"] == "failure"
    assert "stale" in next(job.log for job in team.hub.jobs if job.name == "wave-1 / apply")
    assert team.value("shared-infra/a") == "meddled again"
    team.hub.approve = lambda job: True
    team.merge()
    assert team.hub.outcome()["result"] == "success"
    assert team.value("notebooks/n", "read_a") == "two"


@pytest.mark.nightly
def test_a_plan_that_somebody_has_replaced_is_refused(team: Team) -> None:
    team.pull_request()

    def replace_plan(job: str) -> bool:
        s3 = team.client("s3")
        s3.put_object(Bucket=team.bucket, Key=plan_key(team), Body=b"another plan")
        return True

    team.hub.approve = replace_plan
    team.merge()
    assert team.value("shared-infra/a") is None
    log = next(job.log for job in team.hub.jobs if job.name == "wave-1 / apply")
    assert "is not the one that was approved" in log


@pytest.mark.nightly
def test_a_provisioner_that_somebody_has_put_into_a_plan_never_runs(
    team: Team, tmp_path: Path
) -> None:
    """A plan of Terraform's own with the same changes, for the same state: nothing shows it."""
    team.pull_request()
    mark = tmp_path / "ran"
    key = plan_key(team)
    team.client("s3").put_object(Bucket=team.bucket, Key=key, Body=forge_plan(team, tmp_path, mark))
    team.merge()
    assert team.value("shared-infra/a") == "one"
    assert not mark.exists()
    logs = {job.name: job.log for job in team.hub.jobs}
    assert "terraform plan" not in logs["wave-1 / prepare"]  # it was taken over, and shown


def forge_plan(team: Team, folder: Path, mark: Path) -> bytes:
    """A plan of shared-infra/a with a provisioner, which makes `mark`."""
    clone, plan = folder / "clone", folder / "forged"
    subprocess.run(["git", "clone", "-q", "-b", "change", team.hub.bare, clone], check=True)
    file = clone / "shared-infra/a/main.tf"
    start = 'resource "terraform_data" "this" {\n'
    provisioner = f'  provisioner "local-exec" {{\n    command = "touch {mark}"\n  }}\n'
    assert start in file.read_text()
    file.write_text(file.read_text().replace(start, start + provisioner))
    env = {**team.hub.env, "AWS_SECRET_ACCESS_KEY": "test", "AWS_REGION": "us-east-1"}
    for command in (
        ["init", "-input=false"],
        ["plan", "-input=false", "-lock=false", f"-out={plan}"],
    ):
        run = ["terraform", *command]
        subprocess.run(run, cwd=file.parent, env=env, check=True, capture_output=True)
    return plan.read_bytes()


def plan_key(team: Team) -> str:
    found = team.client("s3").list_objects_v2(Bucket=team.bucket, Prefix="pipeline/")["Contents"]
    (key,) = (item["Key"] for item in found if item["Key"].endswith("shared-infra.a.tfplan"))
    return str(key)


@pytest.mark.nightly
def test_a_cancelled_deployment_is_continued_by_the_next(team: Team) -> None:
    team.pull_request()

    def cancel(job: str) -> None:
        team.hub.cancelled = team.hub.cancelled or job.startswith("wave-2")

    team.hub.before_job = cancel
    team.merge()
    assert (team.value("shared-infra/a"), team.value("notebooks/n")) == ("one", None)
    team.hub.before_job = lambda job: None
    team.merge()
    assert team.value("notebooks/n", "read_a") == "one"


@pytest.mark.nightly
def test_a_job_that_is_cancelled_while_it_applies_leaves_its_state_and_no_lock(
    team: Team, tmp_path: Path
) -> None:
    """Terraform hears of it, though GitHub sends its signal to the step's first process alone."""
    mark = tmp_path / "applying"
    command = f"[ -e {mark} ] && exit 0; touch {mark}; exec sleep 600"
    with (team.root / "shared-infra/a/main.tf").open("a") as file:
        file.write(
            'resource "terraform_data" "slow" {\n  depends_on = [terraform_data.this]\n'
            f'  provisioner "local-exec" {{\n    command = "{command}"\n  }}\n}}\n'
        )
    team.pull_request()
    team.hub.cancels = lambda job: mark.exists()
    with interruptible():  # not in the hub, which other tests run in threads: those set no signal
        team.merge()
    assert team.hub.outcome()["wave-1 / apply"] == "cancelled"
    key = "ml-infra/shared-infra/a/terraform.tfstate"
    listed = team.client("s3").list_objects_v2(Bucket=team.bucket, Prefix=key)["Contents"]
    assert key in (names := [item["Key"] for item in listed])
    assert f"{key}.tflock" not in names
    team.hub.cancels = lambda job: False
    team.merge()
    assert team.hub.outcome()["result"] == "success"
    assert team.value("notebooks/n", "read_a") == "one"


@pytest.mark.nightly
def test_two_deployments_at_once_apply_each_plan_once(team: Team) -> None:
    """GitHub's concurrency group keeps them apart; where it does not, states and locks do."""
    team.pull_request()
    team.git("push", "-q", "--force", "origin", "HEAD:refs/heads/main")
    commit = team.git("rev-parse", "HEAD")
    hubs = [replace(team.hub, jobs=[]), replace(team.hub, jobs=[])]
    threads = [
        threading.Thread(target=hub.run, args=("notebooks-deploy", commit, {})) for hub in hubs
    ]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert "success" in [hub.outcome()["result"] for hub in hubs]
    assert team.value("notebooks/n", "read_a") == "one"
    team.merge()
    assert [job.name for job in team.hub.jobs if "apply" in job.name] == []  # nothing is left


@pytest.mark.nightly
def test_drift_opens_one_issue_and_then_replaces_its_text(team: Team) -> None:
    """The workflow of each night: nothing has changed, then a user of IAM twice, by hand."""
    name = f"drift-{uuid4().hex[:8]}"
    with (team.root / "shared-infra/a/main.tf").open("a") as file:
        file.write(f'provider "aws" {{\n  region = var.region\n}}\n{user(name)}')
    team.push("with a user")
    commit = team.merge()
    assert team.value("shared-infra/a") == "one"

    def compare() -> list[tuple[int, str, str]]:
        team.front.calls.clear()
        (job,) = team.hub.run("notebooks-drift", commit, {})
        assert (job.result, job.role) == ("success", "plan"), job.log
        assert [call for call in team.front.calls if call.action in STATES] == []
        return [(i["number"], i.get("state", "open"), i["body"]) for i in team.api.issues]

    iam = team.client("iam")
    assert compare() == []
    assert "No drift." in team.hub.summary
    iam.tag_user(UserName=name, Tags=[{"Key": "by", "Value": "hand"}])
    ((number, state, text),) = compare()
    assert (number, state) == (1, "open")
    assert "`shared-infra/a`: `aws_iam_user.this` was changed: tags" in text
    assert text.endswith(team.hub.summary)
    iam.delete_user(UserName=name)
    ((number, state, text),) = compare()  # the same issue, with another text
    assert (number, state) == (1, "open")
    assert "`shared-infra/a`: `aws_iam_user.this` is gone" in text


def user(name: str) -> str:
    return (
        f'resource "aws_iam_user" "this" {{\n  name = "{name}"\n'
        '  tags = { by = "terraform" }\n}\n'
    )


def deploy_by_hand(team: Team, value: str, committed: str) -> None:
    """Somebody deploys shared-infra/a from a terminal, with a value that is in no commit."""
    team.write("shared-infra/a", value)
    env = {**team.hub.env, "AWS_SECRET_ACCESS_KEY": "test", "AWS_REGION": "us-east-1"}
    command = [".venv/bin/tools", "deploy", "--yes", "shared-infra/a"]
    subprocess.run(command, cwd=team.root, env=env, check=True, capture_output=True)
    team.write("shared-infra/a", committed)
