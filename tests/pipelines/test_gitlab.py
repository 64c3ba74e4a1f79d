"""The generated pipeline of GitLab: the script of each job, and those of its child pipelines.

A runner of a few lines: `extends`, `before_script`, `variables` and `script`, in the order of the
file; `rules` are evaluated apart. What GitLab makes of `needs` is in its schema, and in no test.
"""

import json
import os
import re
import subprocess
from collections.abc import Mapping
from pathlib import Path
from typing import Any
from uuid import uuid4

import pytest
import yaml

from tools.pipelines import files

from .conftest import Team
from .jobs import link_environment


class Pipeline:
    """The jobs of one pipeline, by name, each run in a clone of its own."""

    def __init__(self, team: Team, text: str, variables: dict[str, str]) -> None:
        self._team = team
        self._variables = variables
        self.jobs: dict[str, dict[str, Any]] = yaml.safe_load(text)

    def run(self, name: str) -> tuple[int, str, Path]:
        """Returns the exit code of a job, what it printed, and its clone."""
        job = extended(self.jobs, name)
        clone = self._team.hub.folder / uuid4().hex[:8]
        source = f"file://{self._team.hub.bare}"
        for command in (
            ["git", "clone", "-q", source, str(clone)],
            ["git", "-C", str(clone), "checkout", "-q", self._variables["COMMIT"]],
        ):
            subprocess.run(command, check=True)
        link_environment(clone)
        env = {
            **self._team.hub.env,
            "AWS_SECRET_ACCESS_KEY": "test",
            "AWS_TOKEN": "a-token-of-oidc",
            "CI_API_V4_URL": self._team.api.url,
            "CI_PROJECT_DIR": str(clone),
            "CI_PROJECT_ID": "1",
            "GITLAB_TOKEN": "a-token",
            "NOTEBOOKS_DEPLOY_ROLE": "arn:aws:iam::000000000000:role/deploy",
            "NOTEBOOKS_PLAN_ROLE": "arn:aws:iam::000000000000:role/plan",
            **self._variables,
        }
        for variable, value in job.get("variables", {}).items():
            env[variable] = re.sub(r"\$(\w+)", lambda match: env.get(match[1], ""), str(value))
        script = "\n".join([*job.get("before_script", []), *job["script"]])
        done = subprocess.run(
            ["bash", "-eo", "pipefail", "-c", script],
            cwd=clone,
            env=env,
            stdin=subprocess.DEVNULL,
            capture_output=True,
            text=True,
            check=False,
        )
        output = done.stdout + done.stderr
        print(f"--- {name}: {script}\n{output}")
        return done.returncode, output, clone

    def child(self, name: str, **variables: str) -> "Pipeline":
        """Runs a job that writes a child pipeline, and returns that."""
        code, output, clone = self.run(name)
        assert code == 0, output
        text = (clone / "child.yml").read_text()
        return Pipeline(self._team, text, {**self._variables, **variables})


def extended(jobs: Mapping[str, dict[str, Any]], name: str) -> dict[str, Any]:
    """A job with what it extends; variables are merged, and lists are not, as GitLab does it."""
    parents = jobs[name].get("extends", [])
    merged: dict[str, Any] = {}
    for job in (
        *(
            extended(jobs, parent)
            for parent in ([parents] if isinstance(parents, str) else parents)
        ),
        jobs[name],
    ):
        variables = {**merged.get("variables", {}), **job.get("variables", {})}
        merged = {**merged, **job, "variables": variables}
    return merged


FORK, PROJECT = "7", "1"
REQUEST = {
    "CI_PIPELINE_SOURCE": "merge_request_event",
    "CI_MERGE_REQUEST_PROJECT_ID": PROJECT,
    "CI_MERGE_REQUEST_SOURCE_PROJECT_ID": PROJECT,
    "CI_PROJECT_ID": PROJECT,
}
OF_FORK = {**REQUEST, "CI_MERGE_REQUEST_SOURCE_PROJECT_ID": FORK}
PUSH = {"CI_PIPELINE_SOURCE": "push", "CI_COMMIT_BRANCH": "main", "CI_PROJECT_ID": PROJECT}
NIGHT = {**PUSH, "CI_PIPELINE_SOURCE": "schedule"}


@pytest.mark.parametrize(
    ("variables", "expected"),
    [
        (REQUEST, {"notebooks-select", "notebooks-plan"}),
        # The pipeline runs in the fork, or here if a member starts it:
        # https://docs.gitlab.com/ci/pipelines/merge_request_pipelines/#use-with-forked-projects
        ({**OF_FORK, "CI_PROJECT_ID": FORK}, {"notebooks-fork"}),
        (OF_FORK, {"notebooks-fork"}),
        (PUSH, {"notebooks-deploy"}),
        ({**PUSH, "CI_COMMIT_BRANCH": "main2"}, set()),
        ({"CI_PIPELINE_SOURCE": "push", "CI_COMMIT_TAG": "v1"}, set()),
        (NIGHT, set()),
        ({**NIGHT, "NOTEBOOKS_DRIFT": "true"}, {"notebooks-drift"}),
    ],
)
def test_which_jobs_a_pipeline_has(variables: dict[str, str], expected: set[str]) -> None:
    assert rules_that_hold(variables).keys() == expected


def test_plans_that_lose_data_are_allowed_by_hand_alone() -> None:
    """Whatever variables the project has: one that always allows would be in every merge."""
    always = {"NOTEBOOKS_ALLOW_DESTROY": "true", "NOTEBOOKS_ALLOW": "--allow-destroy"}
    allowed = {"NOTEBOOKS_ALLOW": "--allow-destroy"}
    by_hand = {**PUSH, "CI_PIPELINE_SOURCE": "web"}
    for variables, expected in (
        ({**PUSH, **always}, {"NOTEBOOKS_ALLOW": ""}),
        ({**by_hand, "NOTEBOOKS_ALLOW": "--allow-destroy"}, {"NOTEBOOKS_ALLOW": ""}),
        ({**by_hand, **always}, allowed),
    ):
        rule = rules_that_hold(variables)["notebooks-deploy"]
        assert rule["variables"] == expected


def rules_that_hold(variables: Mapping[str, str]) -> dict[str, dict[str, Any]]:
    """The first rule that holds of each job in .gitlab/notebooks.yml: a job without one stays out.

    https://docs.gitlab.com/ci/jobs/job_rules/
    """
    options = {"branch": "main", "terraform": "1.11.4", "environment": "notebooks"}
    jobs = yaml.safe_load(files.render("gitlab.yml.j2", "gitlab", "eu-west-1", options))
    found = {}
    for name in (name for name in jobs if not name.startswith(".")):
        for rule in extended(jobs, name)["rules"]:
            if all(holds(part, variables) for part in rule["if"].split(" && ")):
                found[name] = rule
                break
    return found


def holds(condition: str, variables: Mapping[str, str]) -> bool:
    """Of the expressions of GitLab those that are generated; another one is an error here."""
    left, sign, right = condition.split(" ")
    one, other = (
        variables.get(word[1:]) if word.startswith("$") else json.loads(word)
        for word in (left, right)
    )
    return {"==": one == other, "!=": one != other}[sign]


@pytest.mark.nightly
def test_a_merge_request_and_its_merge(team: Team) -> None:
    subprocess.run(
        [".venv/bin/tools", "ci", "gitlab"],
        cwd=team.root,
        env={**os.environ, **team.hub.env},
        check=True,
        capture_output=True,
    )
    commit = team.push("with the pipeline of GitLab")

    def read(name: str) -> Pipeline:
        text = (team.root / ".gitlab" / name).read_text()
        return Pipeline(team, text, {"COMMIT": commit, "CI_PIPELINE_ID": "41"})

    pipeline, deployment = read("notebooks.yml"), read("notebooks-deploy.yml")
    assert "comes from a fork" in pipeline.run("notebooks-fork")[1]
    plans = pipeline.child("notebooks-select", REQUEST="7", BASE="HEAD^1")
    for name in [name for name in plans.jobs if name.startswith("plan ")] + ["note"]:
        assert plans.run(name)[0] == 0
    (note,) = team.api.comments
    assert "| shared-infra/a | changed | 1 |" in note["body"]
    assert team.value("shared-infra/a") is None
    for wave in range(1, 7):
        child = deployment.child(f"prepare-{wave}")
        names = [name for name in child.jobs if name.startswith("apply ")]
        assert ("approve" in child.jobs) == bool(names) == (wave < 3)
        for name in ["approve", *names] if names else ["nothing"]:
            assert child.run(name)[0] == 0
    assert deployment.run("result")[0] == 0
    assert team.value("notebooks/n", "read_a") == "one"
    assert pipeline.run("notebooks-drift")[0] == 0
    assert team.api.issues == []
    plans = pipeline.child("notebooks-select", REQUEST="7", BASE="HEAD^1")
    assert [name for name in plans.jobs if not name.startswith(".") and name != "stages"] == [
        "note"
    ]
    assert plans.run("note")[0] == 0
    assert "Nothing." in note["body"]
