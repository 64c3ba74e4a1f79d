"""`tools stop`, `open` and `status` on one notebook; tests/fleet has many, in LocalStack."""

import signal
import webbrowser
from collections.abc import Iterator
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import boto3
import pytest

from tests.unit.commands.conftest import Checkout
from tools.aws import logs, sagemaker
from tools.fleet.start_stop import StartStop

NAME = "notebook-dev"
ROLE = "arn:aws:iam::123456789012:role/notebooks"
URL = "https://notebook-dev.notebook.us-east-1.sagemaker.aws?authToken=x"


@pytest.fixture
def cloud(moto: str) -> Any:
    """SageMaker of moto, in which the notebook runs."""
    keys = {"aws_access_key_id": "test", "aws_secret_access_key": "test"}
    client = boto3.client("sagemaker", region_name="us-east-1", endpoint_url=moto, **keys)
    client.create_notebook_instance(
        NotebookInstanceName=NAME, InstanceType="ml.t3.medium", RoleArn=ROLE
    )
    return client


@pytest.fixture
def running(attached: Checkout, cloud: Any) -> Iterator[Checkout]:
    yield attached
    cloud.stop_notebook_instance(NotebookInstanceName=NAME)
    cloud.delete_notebook_instance(NotebookInstanceName=NAME)


def status(cloud: Any) -> str:
    answer = cloud.describe_notebook_instance(NotebookInstanceName=NAME)
    return str(answer["NotebookInstanceStatus"])


def test_an_interrupted_stop_ends_as_a_shell_expects_it(
    running: Checkout, cloud: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    change = StartStop.change

    def interrupted(*arguments: Any) -> Any:
        signal.raise_signal(signal.SIGINT)  # as Ctrl-C before the request does
        return change(*arguments)

    monkeypatch.setattr(StartStop, "change", interrupted)
    done = running.tools("stop", NAME, "--local")
    assert done.returncode == 128 + signal.SIGINT, done
    assert "interrupted before it was requested" in done.stdout
    assert status(cloud) == "InService"


def test_a_status_without_logs_is_shown_and_says_that_idleness_is_not_known(
    attached: Checkout,
) -> None:
    done = attached.tools("status", "--local", "--idle")
    assert done.returncode == 0, done
    assert "not deployed" in done.stdout
    (warning,) = (line for line in done.stderr.splitlines() if line.startswith("warning: "))
    assert "cannot tell which notebooks are idle: there is no log group" in warning


@pytest.mark.parametrize(("option", "code"), [((), 1), (("--follow",), 0)])
def test_ctrl_c_ends_the_logs(
    attached: Checkout,
    monkeypatch: pytest.MonkeyPatch,
    request: pytest.FixtureRequest,
    option: tuple[str, ...],
    code: int,
) -> None:
    """With --follow it is the end that its help names; else click's "Aborted!"."""

    def events(*_: object) -> Iterator[logs.Event]:
        for number in "12":
            yield logs.Event(number, datetime.now(UTC), NAME, "jupyter.log", f"line {number}")
            signal.raise_signal(signal.SIGINT)

    # Python's own, which one that starts in a shell's background has not: SIGINT is ignored there.
    before = signal.signal(signal.SIGINT, signal.default_int_handler)
    request.addfinalizer(lambda: signal.signal(signal.SIGINT, before))
    monkeypatch.setattr(logs, "events", events)
    monkeypatch.setattr(logs, "sleep", lambda _: None)
    done = attached.tools("logs", NAME, "--local", *option)
    assert done.returncode == code, done
    assert "line 1" in done.stdout
    assert "line 2" not in done.stdout


@pytest.fixture
def browsers(monkeypatch: pytest.MonkeyPatch) -> None:
    """No browser is known yet: Python looks for them once."""
    monkeypatch.setattr(webbrowser, "_tryorder", None)
    monkeypatch.setattr(webbrowser, "_browsers", {})
    # A stand-in: moto knows no such request.
    monkeypatch.setattr(sagemaker, "create_presigned_url", lambda *_: URL)


@pytest.mark.usefixtures("browsers")
def test_a_url_is_opened_in_the_browser_of_its_user(running: Checkout, tmp_path: Path) -> None:
    browser, opened = tmp_path / "browser", tmp_path / "opened"
    browser.write_text(f'#!/bin/sh\necho "$1" >"{opened}"\n')
    browser.chmod(0o755)
    done = running.tools("open", NAME, "--local", "--browser", BROWSER=str(browser))
    assert (done.returncode, done.stdout) == (0, ""), done
    assert opened.read_text() == f"{URL}\n"
    assert "authToken" not in done.stderr


@pytest.mark.usefixtures("browsers")
def test_that_there_is_no_browser_is_said_with_the_other_way(
    running: Checkout, tmp_path: Path
) -> None:
    """As on a server without a desktop."""
    (tmp_path / "bin").mkdir()
    done = running.tools("open", NAME, "--local", "--browser", PATH=str(tmp_path / "bin"))
    assert (done.returncode, done.stdout) == (1, ""), done
    assert "error: found no browser; leave out --browser to print the URL\n" in done.stderr
