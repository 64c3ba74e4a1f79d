"""The generated pipeline of GitLab: the script of each job, and those of its child pipelines.

A runner of a few lines: `extends`, `before_script`, `variables` and `script`, in the order of the
file. What GitLab makes of `rules` and `needs` is in its schema, and in no test here.
"""

import os
import re
import subprocess
from pathlib import Path
from typing import Any
from uuid import uuid4

import pytest
import yaml

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
        job = self._extended(name)
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

    def _extended(self, name: str) -> dict[str, Any]:
        job = self.jobs[name]
        parents = job.get("extends", [])
        merged: dict[str, Any] = {}
        for parent in [parents] if isinstance(parents, str) else parents:
            merged |= self._extended(parent)
        return {**merged, **job}


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
    text = (team.root / ".gitlab/notebooks.yml").read_text()
    pipeline = Pipeline(team, text, {"COMMIT": commit, "CI_PIPELINE_ID": "41"})
    plans = pipeline.child("notebooks-select", REQUEST="7", BASE="HEAD^1")
    for name in [name for name in plans.jobs if name.startswith("plan ")] + ["note"]:
        assert plans.run(name)[0] == 0
    (note,) = team.api.comments
    assert "| shared-infra/a | changed | 1 |" in note["body"]
    assert team.value("shared-infra/a") is None
    for wave in range(1, 7):
        child = pipeline.child(f"notebooks-prepare-{wave}")
        names = [name for name in child.jobs if name.startswith("apply ")]
        assert ("approve" in child.jobs) == bool(names) == (wave < 3)
        for name in [*names, *(["nothing"] if not names else [])]:
            assert child.run(name)[0] == 0
    assert pipeline.run("notebooks-result")[0] == 0
    assert team.value("notebooks/n", "read_a") == "one"
