"""`tools local`, through a real shell."""

import json
import os
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.conftest import free_port

BIN = Path(sys.executable).parent
# what a user's shell may hold that would lead away from the emulator
HOSTILE = {
    "AWS_ACCESS_KEY_ID": "AKIAIOSFODNN7EXAMPLE",
    "AWS_CA_BUNDLE": "/nowhere/ca.pem",
    "AWS_ENDPOINT_URL_STS": "http://127.0.0.1:1",
    "AWS_PROFILE": "production",
    "AWS_SESSION_TOKEN": "token",
    "HTTP_PROXY": "http://127.0.0.1:1",
    "http_proxy": "http://127.0.0.1:1",
}


@pytest.fixture(scope="module")
def repository(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Path]:
    root = tmp_path_factory.mktemp("it's a repository")
    for folder in ("shared-infra", "modules", "notebooks"):
        (root / folder).mkdir()
    yield root
    assert tools(root, "down").returncode == 0


def shell(repository: Path, script: str) -> "subprocess.CompletedProcess[str]":
    path = f"{BIN}{os.pathsep}{os.environ['PATH']}"
    return subprocess.run(
        ["sh", "-euc", script],
        cwd=repository,
        env={**os.environ, **HOSTILE, "PATH": path},
        capture_output=True,
        text=True,
        timeout=300,
        check=False,
    )


def tools(repository: Path, arguments: str) -> "subprocess.CompletedProcess[str]":
    return shell(repository, f"tools local {arguments}")


def test_nothing_runs_at_first(repository: Path) -> None:
    told = tools(repository, "status --json")
    assert json.loads(told.stdout)["running"] is False
    refused = tools(repository, "env")
    assert refused.returncode == 1
    assert refused.stdout == ""
    assert "tools local up" in refused.stderr
    assert len(refused.stderr.splitlines()) == 1


@pytest.mark.nightly  # each step of it is in test_process.py and in the journey
def test_it_is_started_used_and_emptied(repository: Path) -> None:
    port = free_port()
    endpoint = f"http://127.0.0.1:{port}\n"
    for _ in range(2):
        started = tools(repository, f"up --port {port}")
        assert (started.returncode, started.stdout) == (0, endpoint), started.stderr
    told = json.loads(tools(repository, "status --json").stdout)
    assert (told["running"], told["port"]) == (True, port)
    assert tools(repository, "status").stdout == endpoint

    used = shell(
        repository,
        'eval "$(tools local env)"; aws s3 mb s3://bucket; aws sts get-caller-identity; '
        "python -c \"import boto3; print(boto3.client('s3').list_buckets()['Buckets'])\"",
    )
    assert used.returncode == 0, used.stderr
    assert "000000000000" in used.stdout
    assert "'Name': 'bucket'" in used.stdout

    # The shell's own list of its variables: none is there afterwards that was not there before.
    listed = "env | grep -vE '^(NO_PROXY|_)=' | sort"
    undone = shell(
        repository,
        f'{listed} > before; eval "$(tools local env)"; eval "$(tools local env --unset)"; '
        f"{listed} | comm -13 before -; rm before",
    )
    assert (undone.returncode, undone.stdout) == (0, ""), undone
    assert "AWS_ACCESS_KEY_ID" in undone.stderr
    assert "AWS_PROFILE" in undone.stderr
    untouched = tools(repository, "env --unset")
    assert (untouched.returncode, untouched.stdout) == (0, "")

    working_copy = repository / ".tools" / "local" / "workspace"
    working_copy.mkdir()
    kept = tools(repository, f"up --port {port}")
    assert kept.returncode == 0
    assert working_copy.exists()
    assert tools(repository, "reset").stdout == endpoint
    assert not working_copy.exists()
    emptied = shell(repository, 'eval "$(tools local env)"; aws s3 ls')
    assert (emptied.returncode, emptied.stdout) == (0, "")

    working_copy.mkdir()
    assert tools(repository, "down").returncode == 0
    assert not working_copy.exists()
    assert json.loads(tools(repository, "status --json").stdout)["running"] is False


def test_another_port_than_the_running_one_is_one_clear_line(repository: Path) -> None:
    port = free_port()
    assert tools(repository, f"up --port {port}").returncode == 0
    refused = tools(repository, f"up --port {port - 1}")
    assert refused.returncode == 1
    assert f"already runs on port {port}" in refused.stderr
    assert len(refused.stderr.splitlines()) == 1


def test_a_port_that_no_port_is_is_a_usage_error(repository: Path) -> None:
    assert tools(repository, "up --port 70000").returncode == 2
