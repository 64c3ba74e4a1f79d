"""Runs generated workflows of GitHub: each job in a clone of its own, each `run:` as a script.

It honours needs, if, matrix, outputs, permissions, environments and called workflows. An action is
replaced by what it does for these steps; one that is not known here is an error.
"""

import signal
import subprocess
import sys
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any
from uuid import uuid4

import yaml

from .expressions import condition, fill


@dataclass
class Job:
    """What became of one job."""

    name: str
    result: str
    outputs: dict[str, str] = field(default_factory=dict)
    log: str = ""
    role: str | None = None


@dataclass
class Hub:
    """A repository on a stand-in for GitHub: a bare clone, an API, the variables of its actions."""

    bare: Path
    env: Mapping[str, str]
    api: str
    folder: Path
    approve: Callable[[str], bool] = lambda job: True
    before_job: Callable[[str], None] = lambda job: None
    cancels: Callable[[str], bool] = lambda job: False  # asked now and then while a step runs
    jobs: list[Job] = field(default_factory=list)
    results: dict[str, str] = field(default_factory=dict)
    summary: str = ""
    cancelled: bool = False

    def run(self, name: str, commit: str, event: Mapping[str, Any], **inputs: Any) -> list[Job]:
        """Runs the workflow `name` of `commit`, and returns its jobs."""
        self.jobs, self.results, self.summary, self.cancelled = [], {}, "", False
        github = {
            "repository": "acme/notebooks",
            "run_id": str(uuid4().int % 10**9),
            "token": "a-token",
            "event": event,
            "sha": commit,
        }
        self._workflow(f".github/workflows/{name}.yml", github, inputs)
        return self.jobs

    def outcome(self) -> dict[str, str]:
        """The result of each job, also of those that were left out."""
        return dict(self.results)

    def _workflow(
        self, path: str, github: Mapping[str, Any], inputs: Mapping[str, Any], prefix: str = ""
    ) -> str:
        text = self._git("show", f"{github['sha']}:{path}")
        workflow = yaml.safe_load(text)
        done: dict[str, Job] = {}
        for name, job in workflow["jobs"].items():  # they stand in the order of their needs
            needed = [job["needs"]] if isinstance(job.get("needs"), str) else job.get("needs", [])
            functions = {
                "always": lambda: True,
                "cancelled": lambda: self.cancelled,
            }
            context = {
                "github": github,
                "inputs": inputs,
                "vars": {"NOTEBOOKS_PLAN_ROLE": "plan", "NOTEBOOKS_DEPLOY_ROLE": "deploy"},
                "needs": {
                    n: {"result": done[n].result, "outputs": done[n].outputs} for n in needed
                },
                "functions": functions,
            }
            succeeded = all(done[n].result == "success" for n in needed) and not self.cancelled
            if not condition(job.get("if"), context, succeeded):
                done[name] = Job(prefix + name, "skipped")
            elif "uses" in job:
                called = job["uses"].removeprefix("./")
                given = fill(job["with"], context)
                result = self._workflow(called, github, given, f"{prefix}{name} / ")
                done[name] = Job(prefix + name, result)
            else:
                done[name] = self._matrix(prefix + name, job, workflow, context)
            self.results[prefix + name] = done[name].result
        results = [job.result for job in done.values()]
        return next((r for r in ("failure", "cancelled") if r in results), "success")

    def _matrix(
        self, name: str, job: dict[str, Any], workflow: dict[str, Any], context: dict[str, Any]
    ) -> Job:
        matrix = fill(job.get("strategy", {}).get("matrix"), context)
        if matrix is None:
            instances: list[dict[str, Any]] = [{}]
        elif "include" in matrix:
            instances = matrix["include"]
        else:
            ((key, values),) = matrix.items()
            instances = [{key: value} for value in values]
        assert instances, "GitHub refuses an empty matrix"
        made = [
            self._instance(name, job, workflow, {**context, "matrix": instance})
            for instance in instances
        ]
        results = [one.result for one in made]
        worst = next((r for r in ("failure", "cancelled") if r in results), "success")
        return Job(name, worst, made[-1].outputs)

    def _instance(
        self, name: str, job: dict[str, Any], workflow: dict[str, Any], context: dict[str, Any]
    ) -> Job:
        self.before_job(name)
        made = Job(name, "success")
        self.jobs.append(made)
        if self.cancelled:
            made.result = "cancelled"
        elif job.get("environment") and not self.approve(name):
            made.result = "failure"
        else:
            self._steps(made, job, workflow, context)
        return made

    def _steps(
        self, made: Job, job: dict[str, Any], workflow: dict[str, Any], context: dict[str, Any]
    ) -> None:
        clone = self.folder / uuid4().hex[:8]
        output, summary = (self.folder / f"{clone.name}.{kind}" for kind in ("out", "md"))
        output.touch()
        summary.touch()
        permissions = job.get("permissions", workflow["permissions"])
        env = {name: v for name, v in self.env.items() if not name.startswith("AWS_SECRET")}
        env |= {
            "GITHUB_ACTIONS": "true",
            "GITHUB_API_URL": self.api,
            "GITHUB_OUTPUT": str(output),
            "GITHUB_REPOSITORY": context["github"]["repository"],
            "GITHUB_RUN_ID": context["github"]["run_id"],
            "GITHUB_STEP_SUMMARY": str(summary),
        }
        clone.mkdir()
        outputs: dict[str, dict[str, str]] = {}
        for step in job["steps"]:
            if "uses" in step:
                self._action(step, made, clone, permissions, env, context)
                continue
            given = {name: _as_env(v) for name, v in fill(step.get("env", {}), context).items()}
            output.write_text("")
            script = self.folder / f"{clone.name}.sh"
            script.write_text(fill(step["run"], context))
            code, said = self._run_step(made.name, script, clone, {**env, **given})
            made.log += said
            if "id" in step:
                lines = output.read_text().splitlines()
                outputs[step["id"]] = dict(line.split("=", 1) for line in lines)
            print(f"--- {made.name}: {step['run']}\n{said}")  # pytest shows it of a failure
            if code:
                made.result = "cancelled" if self.cancelled else "failure"
                break
        self.summary += summary.read_text()
        steps = {"steps": {name: {"outputs": values} for name, values in outputs.items()}}
        made.outputs = {
            name: fill(value, steps) or "" for name, value in job.get("outputs", {}).items()
        }

    def _run_step(
        self, job: str, script: Path, clone: Path, env: Mapping[str, str]
    ) -> tuple[int, str]:
        """As GitHub runs a step without `shell`; one that is cancelled is sent its first signal.

        Only the step's own process is. After 7.5 seconds GitHub sends SIGTERM, and after 2.5 more
        it kills: what would depend on a quick machine here is left out.
        https://docs.github.com/en/actions/reference/workflows-and-actions/workflow-cancellation
        """
        step = subprocess.Popen(
            ["bash", "-e", script],
            cwd=clone,
            env=env,
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
        )
        while True:
            try:
                said, _ = step.communicate(timeout=0.2)
                return step.returncode, said
            except subprocess.TimeoutExpired:
                if not self.cancelled and self.cancels(job):
                    self.cancelled = True
                    step.send_signal(signal.SIGINT)

    def _action(
        self,
        step: dict[str, Any],
        made: Job,
        clone: Path,
        permissions: Mapping[str, str],
        env: dict[str, str],
        context: Mapping[str, Any],
    ) -> None:
        action = step["uses"].partition("@")[0]
        if action == "actions/checkout":
            assert permissions["contents"] == "read"
            depth = str(step["with"].get("fetch-depth", 1))
            sha = context["github"]["sha"]
            for command in (
                ["init", "-q"],
                ["fetch", "-q", "--depth", depth, f"file://{self.bare}", sha],
                ["checkout", "-q", "FETCH_HEAD"],
            ):
                subprocess.run(["git", *command], cwd=clone, check=True)
            link_environment(clone)
        elif action == "aws-actions/configure-aws-credentials":
            assert permissions.get("id-token") == "write", "no token of OIDC without it"
            made.role = fill(step["with"]["role-to-assume"], context)
            env |= {"AWS_SECRET_ACCESS_KEY": "test", "AWS_REGION": step["with"]["aws-region"]}
        else:
            assert action in ("actions/setup-python", "hashicorp/setup-terraform"), action

    def _git(self, *arguments: str) -> str:
        command = ["git", "-C", str(self.bare), *arguments]
        return subprocess.run(command, capture_output=True, text=True, check=True).stdout


def link_environment(clone: Path) -> None:
    """Gives a clone the environment that these tests run in: `make setup-tools` finds it ready."""
    venv = clone / ".venv"
    venv.mkdir()
    for path in Path(sys.executable).parents[1].iterdir():
        if not path.name.startswith(".ready"):
            (venv / path.name).symlink_to(path)
    (venv / ".ready").touch()
    with (clone / ".git/info/exclude").open("a") as file:
        file.write(".venv\n")


def _as_env(value: Any) -> str:
    return str(value).lower() if isinstance(value, bool) else "" if value is None else str(value)
