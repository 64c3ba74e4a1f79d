"""How the auto-stop stops an instance, against LocalStack's SageMaker.

No Jupyter answers here, which is the quickest way to be idle.
"""

import json
import sys
from collections.abc import Callable
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest

from tests.conftest import free_port
from tests.roles import TRUST
from tools.aws.logs import Event
from tools.fleet import idle

from .jupyter import Jupyter, until
from .scripts import Rendered, run
from .service import WITH_BOTO3, WITHOUT_BOTO3, watching

AWS_CLI = Path(sys.executable).with_name("aws")

NewNotebook = Callable[[str], None]


@pytest.fixture
def sagemaker(client: Callable[..., Any]) -> Any:
    return client("sagemaker")


@pytest.fixture
def new_notebook(sagemaker: Any, client: Callable[..., Any]) -> NewNotebook:
    """Makes a notebook instance, and waits until it is in service or stopped already."""

    def make(name: str) -> None:
        role = client("iam").create_role(RoleName=name, AssumeRolePolicyDocument=json.dumps(TRUST))
        sagemaker.create_notebook_instance(
            NotebookInstanceName=name,
            InstanceType="ml.t3.medium",
            RoleArn=role["Role"]["Arn"],
        )
        until(lambda: status(sagemaker, name) != "Pending")

    return make


def status(sagemaker: Any, name: str) -> str:
    return str(
        sagemaker.describe_notebook_instance(NotebookInstanceName=name)["NotebookInstanceStatus"]
    )


def metadata(folder: Path, name: str) -> str:
    """The option that names the metadata file of an instance, as SageMaker writes it.

    https://docs.aws.amazon.com/sagemaker/latest/dg/nbi-metadata.html; ARNs have no capitals.
    """
    arn = f"arn:aws:sagemaker:us-east-1:000000000000:notebook-instance/{name.lower()}"
    path = folder / "resource-metadata.json"
    path.write_text(json.dumps({"ResourceArn": arn, "ResourceName": name}))
    return f"--metadata={path}"


@pytest.fixture
def nowhere() -> str:
    return f"https://127.0.0.1:{free_port()}"


@pytest.mark.parametrize(
    ("command", "means"), [(WITH_BOTO3, "boto3"), (WITHOUT_BOTO3, "aws")], ids=["boto3", "aws-cli"]
)
def test_instance_stops(
    sagemaker: Any,
    new_notebook: NewNotebook,
    aws_env: dict[str, str],
    tmp_path: Path,
    nowhere: str,
    command: tuple[str, ...],
    means: str,
) -> None:
    name = f"Stopped-by-{means}"
    new_notebook(name)
    env = {**aws_env, "PATH": str(AWS_CLI.parent)}
    option = metadata(tmp_path, name)
    with watching(tmp_path, nowhere, option, command=command, env=env) as autostop:
        stopping = autostop.wait_for("stopping ")
        expected = f"stopping {name} in us-east-1, through {means}; idle "
        assert autostop.lines[stopping].startswith(expected)
        line = autostop.log.read_text().splitlines()[stopping]
    decision = idle.parse_decision(Event("id", datetime.now(UTC), name, "jupyter.log", line))
    assert decision is not None
    assert decision.action == "stopping"
    assert status(sagemaker, name) in {"Stopping", "Stopped"}


def test_refused_stop_is_tried_again_until_it_is_accepted(
    sagemaker: Any,
    new_notebook: NewNotebook,
    aws_env: dict[str, str],
    tmp_path: Path,
    nowhere: str,
) -> None:
    option = metadata(tmp_path, "late")
    env = {**aws_env, "PATH": ""}
    with watching(tmp_path, nowhere, option, command=WITH_BOTO3, env=env) as autostop:
        refused = autostop.wait_for("cannot stop")
        assert "boto3: An error occurred (ValidationException)" in autostop.lines[refused]
        new_notebook("late")
        autostop.wait_for("stopping late", after=refused)
    assert status(sagemaker, "late") in {"Stopping", "Stopped"}


def test_instance_that_runs_on_after_an_accepted_stop_is_stopped_again(
    sagemaker: Any,
    new_notebook: NewNotebook,
    aws_env: dict[str, str],
    tmp_path: Path,
    nowhere: str,
) -> None:
    new_notebook("runs-on")
    options = (metadata(tmp_path, "runs-on"), "--settle-seconds=0.1")
    with watching(tmp_path, nowhere, *options, command=WITH_BOTO3, env=aws_env) as autostop:
        first = autostop.wait_for("stopping runs-on")
        until(lambda: status(sagemaker, "runs-on") == "Stopped")
        sagemaker.start_notebook_instance(NotebookInstanceName="runs-on")
        autostop.wait_for("stopping runs-on", after=first + 1)


def test_without_boto3_and_aws_cli_the_log_says_what_was_tried(
    tmp_path: Path, nowhere: str
) -> None:
    option = metadata(tmp_path, "alone")
    with watching(tmp_path, nowhere, option, env={"PATH": "/nowhere"}) as autostop:
        last = autostop.wait_for("cannot stop", times=2)
    assert "boto3: No module named 'boto3'; aws: [Errno 2]" in autostop.lines[last]


@pytest.mark.parametrize("text", [None, "{", "[]"])
def test_instance_whose_name_is_not_to_be_found_is_logged_and_tried_again(
    tmp_path: Path, nowhere: str, text: str | None
) -> None:
    path = tmp_path / "metadata.json"
    if text is not None:
        path.write_text(text)
    with watching(tmp_path, nowhere, f"--metadata={path}") as autostop:
        last = autostop.wait_for("cannot stop", times=2)
    assert f"tried {path}: " in autostop.lines[last]


def test_service_that_the_lifecycle_script_installs_stops_the_instance(
    lifecycle: Rendered,
    jupyter: Jupyter,
    sagemaker: Any,
    new_notebook: NewNotebook,
    aws_env: dict[str, str],
    tmp_path: Path,
) -> None:
    """The whole way: Terraform, the script at start, the service's command line, a real idle
    kernel, SageMaker. systemd and the hour of waiting are left out."""
    new_notebook("whole-way")
    installed = run(lifecycle["default"]["on_start"], tmp_path / "instance")
    assert installed.unit["ExecStart"] == (
        "/usr/bin/python3 -I /opt/notebook-lifecycle/autostop --idle-seconds 3600 --processes"
    )
    # The Python of this machine's system has no boto3, the tests' own has.
    words = installed.unit["ExecStart"].replace("/opt/", f"{installed.root}/opt/").split()
    command = [sys.executable, *words[1:]]
    option = metadata(tmp_path, "whole-way")
    with (
        jupyter.client(jupyter.start_kernel()),
        watching(tmp_path, jupyter.url, option, command=command, env=aws_env) as autostop,
    ):
        stopping = autostop.wait_for("stopping whole-way")
        assert "1 kernels, 0 terminals" in autostop.lines[stopping]
    assert status(sagemaker, "whole-way") in {"Stopping", "Stopped"}
