"""The workflows that run these tests; `make lint` holds them against GitHub's own schema."""

import re
from typing import Any

import pytest
import yaml

from tests.trees import REPOSITORY

WORKFLOWS = sorted((REPOSITORY / ".github/workflows").glob("*.yml"))
TARGETS = re.findall(r"^([a-z-]+):", (REPOSITORY / "Makefile").read_text(), re.MULTILINE)


def steps(workflow: dict[str, Any]) -> list[dict[str, Any]]:
    return [step for job in workflow["jobs"].values() for step in job["steps"]]


@pytest.mark.parametrize("path", WORKFLOWS, ids=lambda path: path.name)
def test_a_workflow_trusts_nobody_and_runs_what_is_there(path: Any) -> None:
    workflow = yaml.safe_load(path.read_text())
    assert workflow["permissions"] == {"contents": "read"}
    for step in steps(workflow):
        if "uses" in step:  # a tag may be moved to other code, a commit not
            assert re.fullmatch(r"[\w-]+/[\w-]+@[0-9a-f]{40}", step["uses"])
        else:
            command = step["run"].removeprefix("make ")
            assert command in TARGETS or (REPOSITORY / command).stat().st_mode & 0o100


def test_no_test_is_skipped_for_want_of_history() -> None:
    for path in WORKFLOWS:
        for job in yaml.safe_load(path.read_text())["jobs"].values():
            [checkout] = [step for step in job["steps"] if "/checkout@" in step.get("uses", "")]
            runs_tests = any(
                step.get("run") in (".ci/run", "make nightly") for step in job["steps"]
            )
            assert (checkout["with"].get("fetch-depth") == 0) == runs_tests, path.name


def test_the_nightly_tests_start_by_themselves() -> None:
    workflow = yaml.safe_load((REPOSITORY / ".github/workflows/nightly.yml").read_text())
    # YAML 1.1, which PyYAML reads, takes the word "on" for true.
    assert re.fullmatch(r"\d+ \d+ \* \* \*", workflow[True]["schedule"][0]["cron"])
    assert "make nightly" in [step.get("run") for step in steps(workflow)]
