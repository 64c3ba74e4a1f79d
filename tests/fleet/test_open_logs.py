"""`tools open` and `tools logs`."""

import json
import signal
import subprocess
import sys
from pathlib import Path

import pytest

from tests.children import interruptible
from tools.aws import logs
from tools.aws.client import Cloud
from tools.errors import UserError

from .conftest import PATIENCE, Place, put_log, until

TOOLS = Path(sys.executable).with_name("tools")


@pytest.fixture
def one(place: Place) -> Place:
    place.declare("nlp")
    place.declare("nlp-2", name="Other")
    place.create("nlp")
    return place


def test_prints_the_address_alone_on_stdout_and_says_what_it_is(one: Place) -> None:
    done = one.tools("open", "--local", "nlp", "--session-minutes", "30")
    assert done.exit_code == 0, done.output
    url = done.stdout.rstrip("\n")
    assert url.startswith("https://nlp-")
    assert "authToken=" in url
    assert "\n" not in url
    assert "within 5 minutes is signed in to the notebook for 30 minutes" in done.stderr
    assert "no Jupyter behind" in done.stderr


@pytest.mark.parametrize(
    ("name", "complaint"),
    [
        ("nlp*", "nlp* names 2 notebooks (nlp, nlp-2); name one"),
        ("nowhere", "no directory of notebooks/ declares a notebook nowhere"),
        ("nlp-2", "there is no instance Other in the local cloud, region "),
    ],
)
def test_what_cannot_be_opened_is_said(one: Place, name: str, complaint: str) -> None:
    done = one.tools("open", "--local", name)
    assert isinstance(done.exception, UserError)
    assert complaint in str(done.exception)
    assert done.stdout == ""


def test_a_stopped_notebook_is_not_opened(one: Place) -> None:
    one.stop("nlp")
    done = one.tools("open", "--local", "nlp")
    assert isinstance(done.exception, UserError)
    assert "notebooks/nlp is Stopped" in str(done.exception)
    assert "tools start nlp --local" in str(done.exception)


@pytest.fixture
def logged(one: Place) -> Place:
    put_log(one, "nlp", "LifecycleConfigOnStart", "auto-stop: starts", "auto-stop: done", age=7200)
    put_log(one, "nlp", "jupyter.log", "Serving notebooks", age=60)
    put_log(one, "nlp-2", "jupyter.log", "of another notebook")
    return one


def test_shows_lifecycle_and_jupyter_logs_of_one_notebook(logged: Place) -> None:
    done = logged.tools("logs", "--local", "nlp")
    assert done.exit_code == 0, done.output
    words = [line.split(" ", 1)[1] for line in done.stdout.splitlines()]
    assert words == [
        "LifecycleConfigOnStart  auto-stop: starts",
        "LifecycleConfigOnStart  auto-stop: done",
        "jupyter.log  Serving notebooks",
    ]


@pytest.mark.parametrize(
    ("options", "messages"),
    [
        (["--since", "1h"], ["Serving notebooks"]),
        (["--stream", "LifecycleConfigOnStart"], ["auto-stop: starts", "auto-stop: done"]),
        (["--since", "2000-01-01T00:00", "--stream", "jupyter.log"], ["Serving notebooks"]),
    ],
)
def test_shows_what_was_asked_for(logged: Place, options: list[str], messages: list[str]) -> None:
    done = logged.tools("logs", "--local", "nlp", "--json", *options)
    assert [json.loads(line)["message"] for line in done.stdout.splitlines()] == messages


def test_a_notebook_without_logs_says_so(logged: Place) -> None:
    logged.declare("mute")
    done = logged.tools("logs", "--local", "mute")
    assert (done.exit_code, done.stdout) == (0, "")
    assert "mute has logged nothing since 1d" in done.stderr
    assert "nothing runs that could write logs" in done.stderr
    assert "add `logs` to interface_services" in logs.why_none(Cloud("eu-west-1"))


def test_a_stream_that_is_not_there_is_told_beside_those_that_are(logged: Place) -> None:
    done = logged.tools("logs", "--local", "nlp", "--stream", "jupiter.log")
    assert done.stdout == ""
    assert "nlp: nothing in jupiter.log since 1d, only in " in done.stderr
    assert "jupyter.log" in done.stderr.split("only in ")[1]


def test_a_region_without_any_log_is_an_error(one: Place) -> None:
    done = one.tools("logs", "--local", "nlp")
    assert isinstance(done.exception, UserError)
    assert str(done.exception).startswith(
        "there is no log group /aws/sagemaker/NotebookInstances in the local cloud, region "
        f"{one.region}: no notebook has logged anything there"
    )


def test_follows_what_comes_each_line_once_until_it_is_interrupted(
    logged: Place, tmp_path: Path
) -> None:
    output = tmp_path / "output"
    with output.open("wb") as file, interruptible():
        process = subprocess.Popen(
            [TOOLS, "--root", logged.root, "logs", "--local", "nlp", "--follow", "--json"],
            stdout=file,
            stderr=subprocess.PIPE,
        )

    def messages() -> list[str]:
        whole = output.read_text().rpartition("\n")[0]
        return [json.loads(line)["message"] for line in whole.splitlines()]

    try:
        until(lambda: len(messages()) == 3)
        put_log(logged, "nlp", "jupyter.log", "later")
        until(lambda: "later" in messages())
        put_log(logged, "nlp", "jupyter.log", "last")
        until(lambda: "last" in messages())
        process.send_signal(signal.SIGINT)
        assert process.wait(PATIENCE) == 0
    finally:
        process.kill()
        _, errors = process.communicate()
    assert errors == b""
    assert messages()[3:] == ["later", "last"]
