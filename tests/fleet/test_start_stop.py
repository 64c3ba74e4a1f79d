"""`tools start` and `tools stop`: who is meant, what AWS is asked, how it ends."""

import json
from collections.abc import Mapping
from dataclasses import replace
from datetime import UTC, datetime
from typing import Any

import click
import pytest
from click.testing import CliRunner

from tools.aws.sagemaker import Instance
from tools.commands.start_stop import confirm
from tools.console import prompt
from tools.console.progress import Lines
from tools.errors import UserError
from tools.fleet import start_stop
from tools.fleet.fleet import Fleet
from tools.fleet.start_stop import NotebookResult, StartStop
from tools.localcloud.client import environment
from tools.localcloud.process import Running
from tools.system.signals import Interruption

from .conftest import Place, put_log
from .faults import Faults


@pytest.fixture
def three(place: Place) -> Place:
    """nlp-a and nlp-b run, vision is stopped, and future is not deployed."""
    place.declare("nlp-a")
    place.declare("nlp-b", environment="prod")
    place.declare("vision")
    place.declare("future")
    place.create("nlp-a", "nlp-b", "vision")
    place.stop("vision")
    return place


def outcomes(text: str) -> dict[str, str]:
    return {one["notebook"].split("/")[1]: one["outcome"] for one in json.loads(text)}


def change(
    place: Place, verb: start_stop.Verb, there: Mapping[str, str], seconds: float = 60
) -> dict[str, NotebookResult]:
    """Makes the change where a listing has said that the notebooks have the statuses `there`."""
    listed = {
        name: Instance(
            name, f"arn:aws:sagemaker:::x/{name}", status, "ml.t3.medium", datetime.now(UTC)
        )
        for name, status in there.items()
    }
    where = place.fleet
    change = StartStop(where, verb, Lines(), Interruption(), seconds)
    done = change.change(where.notebooks(list(there)), {place.region: listed})
    return {result.notebook.name: result for result in done}


def test_stops_what_a_glob_and_a_value_name_and_waits(three: Place) -> None:
    done = three.tools("stop", "--local", "nlp-*", "--where", "environment=dev", "--json")
    assert done.exit_code == 0, done.output
    assert outcomes(done.stdout) == {"nlp-a": "stopped"}
    assert (three.status("nlp-a"), three.status("nlp-b")) == ("Stopped", "InService")


def test_what_cannot_change_is_told_and_skipped_and_keeps_no_other(three: Place) -> None:
    done = three.tools("start", "--local", "*")
    assert done.exit_code == 1
    rows = done.stdout.splitlines()[1:]
    words = {line.split()[0].split("/")[1]: line for line in rows}
    assert "unchanged  already InService" in words["nlp-a"]
    assert "started" in words["vision"]
    assert "skipped" in words["future"]
    assert (
        f"there is no instance future in the local cloud, region {three.region}" in words["future"]
    )
    assert "tools deploy notebooks/future --local" in words["future"]
    assert "skipped: " not in done.stderr, "once is enough"
    assert three.status("vision") == "InService"


@pytest.mark.parametrize(
    ("verb", "status", "why"),
    [
        (
            "start",
            "Stopping",
            "it is Stopping, and only a notebook that is Stopped or Failed can start",
        ),
        (
            "start",
            "Updating",
            "it is Updating, and only a notebook that is Stopped or Failed can start",
        ),
        ("start", "Deleting", "it is Deleting, and"),
        ("stop", "Pending", "it is Pending, and only a notebook that is InService can stop"),
        ("stop", "Failed", "it is Failed, and only a notebook that is InService can stop"),
        ("stop", "Updating", "it is Updating, and"),
    ],
)
def test_a_status_that_allows_no_change_is_not_asked_to(
    place: Place, faults: Faults, verb: start_stop.Verb, status: str, why: str
) -> None:
    place.declare("n")
    result = change(place, verb, {"n": status})["n"]
    assert (result.outcome, result.succeeded) == ("skipped", False)
    assert result.detail.startswith(why)
    assert faults.asked == []


def test_one_on_its_way_is_waited_for_and_not_asked_again(three: Place, faults: Faults) -> None:
    three.sagemaker.start_notebook_instance(NotebookInstanceName="vision")
    assert change(three, "start", {"vision": "Pending"})["vision"].outcome == "started"
    assert set(faults.asked) == {"ListNotebookInstances"}


def test_many_are_asked_for_at_once_and_waited_for_together(place: Place) -> None:
    names = [f"n-{number}" for number in range(20)]
    for name in names:
        place.declare(name)
    place.create(*names)
    done = place.tools("stop", "--local", "*", "--json")
    assert set(outcomes(done.stdout).values()) == {"stopped"}
    assert {place.status(name) for name in names} == {"Stopped"}


def test_one_that_aws_refuses_keeps_no_other(three: Place) -> None:
    """The listing is older than what somebody else has done since."""
    done = change(three, "stop", {"nlp-a": "InService", "vision": "InService"})
    assert (done["nlp-a"].outcome, done["vision"].outcome) == ("stopped", "failed")
    assert "cannot stop vision" in done["vision"].detail
    assert "Status (Stopped) not in ([InService])" in done["vision"].detail


def test_one_that_fails_on_its_way_says_why(three: Place, faults: Faults) -> None:
    def fail(operation: str, answer: dict[str, Any]) -> dict[str, Any]:
        for instance in answer.get("NotebookInstances", []):
            if instance["NotebookInstanceStatus"] == "InService":
                instance["NotebookInstanceStatus"] = "Failed"
        if operation == "DescribeNotebookInstance":
            answer["FailureReason"] = "no capacity"
        return answer

    faults.rewrite = fail
    result = change(three, "start", {"vision": "Stopped"})["vision"]
    assert result.outcome == "failed"
    assert "no capacity" in result.detail


def test_without_waiting_aws_is_asked_and_goes_on(three: Place) -> None:
    done = three.tools("start", "--local", "vision", "--no-wait", "--json")
    assert done.exit_code == 0
    assert outcomes(done.stdout) == {"vision": "asked"}
    assert change(three, "start", {"vision": "Pending"})["vision"].outcome == "started"


def test_an_end_of_patience_is_a_failure_that_says_that_aws_goes_on(three: Place) -> None:
    result = change(three, "stop", {"nlp-a": "InService"}, seconds=1e-9)["nlp-a"]
    assert result.outcome == "failed"
    assert (
        result.detail == "still Stopping, and AWS goes on; see where it ends: tools status --local"
    )


def test_an_interruption_ends_the_wait_and_what_was_not_begun(three: Place) -> None:
    where = three.fleet
    interrupted = Interruption()
    interrupted.note(2, None)
    stop = StartStop(where, "stop", Lines(), interrupted, 60)
    chosen = where.notebooks(["nlp-a"])
    (result,) = stop.change(chosen, where.instances(chosen))
    assert (result.outcome, result.detail) == ("failed", "interrupted before it was requested")
    assert three.status("nlp-a") == "InService"


def test_a_listing_that_fails_in_the_wait_says_what_was_asked_for(
    three: Place, faults: Faults, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("AWS_MAX_ATTEMPTS", "1")
    faults.refuse = lambda operation, _: (
        "ExpiredTokenException" if operation == "ListNotebookInstances" else None
    )
    result = change(three, "stop", {"nlp-a": "InService"})["nlp-a"]
    assert result.outcome == "failed"
    assert "requested, but its end was not seen: AWS's session has expired" in result.detail


def test_throttled_requests_are_made_again(three: Place, faults: Faults) -> None:
    faults.refuse = lambda operation, before: (
        "ThrottlingException" if operation == "StopNotebookInstance" and before == 0 else None
    )
    assert change(three, "stop", {"nlp-a": "InService"})["nlp-a"].outcome == "stopped"
    assert faults.asked.count("StopNotebookInstance") == 2


@pytest.mark.parametrize("verb", ["start", "stop"])
def test_nothing_is_meant_where_nothing_is_named(place: Place, verb: str) -> None:
    done = place.tools(verb, "--local")
    assert done.exit_code == 2
    assert f"name notebooks to {verb}, --where, --idle, or '*' for all of them" in done.stderr


@pytest.mark.parametrize("verb", ["start", "stop"])
def test_what_no_directory_declares_is_refused_and_nothing_is_changed(
    three: Place, verb: str
) -> None:
    three.create("stranger")
    done = three.tools(verb, "--local", "nlp-a", "stranger")
    assert isinstance(done.exception, UserError)
    assert "declares a notebook stranger; there are " in str(done.exception)
    assert three.status("nlp-a") == "InService"


# What auto-stops write (tests/autostop checks that it is this).
WORKING = "2026-01-31T08:00:00Z autostop: running on, idle 0 of 3600 s: 1 kernels, 0 terminals"
IDLE = "2026-01-31T08:00:00Z autostop: running on, idle 1200 of 3600 s: 1 kernels, 0 terminals"
KEPT = (
    "2026-01-31T08:00:00Z autostop: kept alive by /x, idle 9999 of 3600 s: 0 kernels, 0 terminals"
)
STOPPING = "2026-01-31T08:00:00Z autostop: stopping {} in x, through aws; idle 3600 of 3600 s: 0 k"


def test_stops_those_that_their_own_auto_stop_says_are_idle(place: Place) -> None:
    for name in ("restarted", "idle", "working", "kept", "silent", "old"):
        place.declare(name)
        if name == "restarted":
            put_log(place, name, "jupyter.log", IDLE)
        place.create(name)
    put_log(place, "working", "jupyter.log", IDLE, "Kernel started", WORKING)
    put_log(place, "kept", "jupyter.log", KEPT)
    put_log(place, "idle", "jupyter.log", WORKING, IDLE, "[I 08:00 ServerApp] Saving file")
    put_log(place, "old", "jupyter.log", IDLE, age=3600)
    done = place.tools("stop", "--local", "--idle", "--json")
    assert done.exit_code == 0, done.output
    assert outcomes(done.stdout) == {"idle": "stopped"}
    assert "their auto-stop says nothing: old, restarted, silent" in done.stderr
    assert "--idle selects 1 of 6 notebooks" in done.stderr
    longer = place.tools("stop", "--local", "--idle", "--idle-minutes", "21", "--json")
    assert outcomes(longer.stdout) == {}


def test_status_shows_since_when_a_notebook_is_idle(place: Place) -> None:
    place.declare("n")
    place.create("n")
    put_log(place, "n", "jupyter.log", IDLE)
    (found,) = json.loads(place.tools("status", "--local", "--idle", "--json").stdout)["notebooks"]
    assert found["idle_seconds"] == 1200
    assert "20 min" in place.tools("status", "--local", "--idle").stdout


def test_status_without_any_log_shows_the_rest_and_warns(three: Place) -> None:
    done = three.tools("status", "--local", "--idle")
    assert done.exit_code == 0, done.output
    assert "nlp-a" in done.stdout
    assert done.stderr.count("cannot tell which notebooks are idle: there is no log group") == 1


def test_starts_those_that_have_stopped_themselves(place: Place) -> None:
    for name in ("itself", "by-hand", "runs"):
        place.declare(name)
        place.create(name)
        put_log(place, name, "jupyter.log", STOPPING.format(name), age=7200)
    put_log(place, "itself", "jupyter.log", IDLE, STOPPING.format("itself"))
    place.stop("itself", "by-hand")
    done = place.tools("start", "--local", "--idle", "--json")
    assert done.exit_code == 0, done.output
    assert outcomes(done.stdout) == {"itself": "started"}
    assert place.status("by-hand") == "Stopped"


def test_idleness_that_nothing_is_known_of_stops_nothing(three: Place) -> None:
    done = three.tools("stop", "--local", "--idle")
    assert isinstance(done.exception, UserError)
    assert "there is no log group /aws/sagemaker/NotebookInstances" in str(done.exception)


@pytest.fixture
def as_aws(three: Place, local_cloud: Running, monkeypatch: pytest.MonkeyPatch) -> Fleet:
    """The fleet as one in AWS, which the emulator stands for by the user's environment alone."""
    for name, value in environment(local_cloud.endpoint, three.region).items():
        monkeypatch.setenv(name, value)
    return replace(three.fleet, endpoint=None)


def test_stopping_asks_once_and_names_account_region_and_notebooks(as_aws: Fleet) -> None:
    chosen = as_aws.notebooks(["nlp-*"])

    @click.command()
    def command() -> None:
        confirm(as_aws, chosen, agreed=False)

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(prompt, "is_interactive", lambda: True)
        agreed = CliRunner().invoke(command, input="y\n")
        refused = CliRunner().invoke(command, input="n\n")
    assert agreed.exit_code == 0, agreed.output
    assert f"Stop in AWS account 000000000000, region {as_aws.region}, as arn:aws:" in agreed.stderr
    assert "  notebooks/nlp-a\n  notebooks/nlp-b\n" in agreed.stderr
    assert agreed.stderr.count("Stop these 2 notebooks, and lose what their kernels hold") == 1
    assert refused.exit_code == 1


def test_stopping_without_anybody_to_ask_needs_yes(as_aws: Fleet) -> None:
    chosen = as_aws.notebooks(["nlp-a"])
    with pytest.raises(UserError, match="pass --yes"):
        confirm(as_aws, chosen, agreed=False)
    confirm(as_aws, chosen, agreed=True)


def test_an_expired_session_is_said_before_the_question(
    as_aws: Fleet, faults: Faults, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("AWS_ENDPOINT_URL", f"http://127.0.0.1:{faults.port}")
    faults.refuse = lambda operation, _: "ExpiredToken"
    with pytest.raises(UserError, match="session has expired"):
        confirm(as_aws, as_aws.notebooks(["nlp-a"]), agreed=False)
