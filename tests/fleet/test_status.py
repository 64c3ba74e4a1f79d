"""`tools status`: what is declared beside what AWS says."""

import json
import os
import re
import subprocess
from datetime import UTC, datetime
from typing import Any

import pytest

from tests.cli.conftest import TOOLS
from tools.errors import UserError
from tools.fleet import platforms
from tools.localcloud.client import environment
from tools.localcloud.process import Running

from .conftest import PROJECT, Place
from .faults import Faults


def statuses(found: dict[str, Any]) -> dict[str, str]:
    return {notebook["notebook"]: notebook["status"] for notebook in found["notebooks"]}


@pytest.fixture
def fleet(place: Place) -> Place:
    """Three declared notebooks, of which one is not deployed, and three instances besides."""
    place.declare("same", idle_stop_minutes=0)
    place.declare("larger", instance_type="ml.m5.xlarge", name="Larger")
    place.declare("absent", owner="bob")
    place.create("same", "Larger", "stranger")
    place.create("old", tags={"Project": PROJECT, "Stack": "notebooks/old"})
    place.create("theirs", tags={"Project": "another"})
    place.stop("same")
    return place


def test_shows_declared_values_beside_aws_s_and_marks_differences(fleet: Place) -> None:
    done = fleet.tools("status", "--local", "--json")
    assert done.exit_code == 0, done.output
    found = json.loads(done.stdout)
    assert found["regions"] == [fleet.region]
    assert statuses(found) == {
        "notebooks/absent": "not deployed",
        "notebooks/larger": "InService",
        "notebooks/same": "Stopped",
    }
    absent, larger, same = found["notebooks"]
    assert (absent["declared"]["owner"], absent["instance"]) == ("bob", None)
    assert larger["name"] == "Larger"
    assert larger["differences"] == [
        "instance_type is ml.t3.medium, declared ml.m5.xlarge",
        "no lifecycle configuration: it does not stop when idle",
    ]
    assert same["differences"] == []
    assert same["instance"]["instance_type"] == "ml.t3.medium"
    described = fleet.sagemaker.describe_notebook_instance(NotebookInstanceName="same")
    modified = described["LastModifiedTime"].astimezone(UTC)
    assert same["instance"]["last_modified"] == modified.isoformat()
    assert same["instance"]["url"] == f"https://{described['Url']}"


def test_lists_what_no_directory_declares_apart_and_knows_its_own_by_their_tags(
    fleet: Place,
) -> None:
    found = json.loads(fleet.tools("status", "--local", "--json").stdout)
    assert [(one["name"], one["of_this_project"]) for one in found["undeclared"]] == [
        ("old", True),
        ("stranger", False),
        ("theirs", False),
    ]
    assert found["undeclared"][0]["tags"]["Stack"] == "notebooks/old"


def test_marks_what_aws_does_not_start_again(place: Place, monkeypatch: pytest.MonkeyPatch) -> None:
    """The emulator makes what AWS makes no more, so that here no date excludes it."""
    monkeypatch.setattr(platforms, "_LAST_CREATED", datetime.max.replace(tzinfo=UTC))
    place.declare("old", idle_stop_minutes=0)
    place.declare("new", idle_stop_minutes=0)
    place.create("old", "stranger", PlatformIdentifier="notebook-al2-v3")
    place.create("new")
    found = json.loads(place.tools("status", "--local", "--json").stdout)
    marked = {n["name"]: n["platform_retired"] for n in found["notebooks"] + found["undeclared"]}
    assert marked == {"old": True, "stranger": True, "new": False}
    done = place.tools("status", "--local")
    assert done.stdout.count(platforms.RETIRED) == 2
    assert "update-notebook-instance --notebook-instance-name old" in done.stderr


def test_what_moves_a_stopped_one_works_as_it_is_printed(
    place: Place, local_cloud: Running, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The emulator refuses to stop what is stopped, as AWS does."""
    monkeypatch.setattr(platforms, "_LAST_CREATED", datetime.max.replace(tzinfo=UTC))
    place.declare("old", idle_stop_minutes=0)
    place.create("old", PlatformIdentifier="notebook-al2-v3")
    place.stop("old")
    (printed,) = re.findall("aws sagemaker .*", place.tools("status", "--local").stderr)
    env = {**os.environ, **environment(local_cloud.endpoint, place.region)}
    path = f"{TOOLS.parent}{os.pathsep}{env['PATH']}"
    done = subprocess.run(
        ["bash", "-c", printed], env={**env, "PATH": path}, capture_output=True, text=True
    )
    assert done.returncode == 0, done.stderr
    found = place.sagemaker.describe_notebook_instance(NotebookInstanceName="old")
    assert found["PlatformIdentifier"] == "notebook-al2023-v1"


def test_a_person_reads_the_same_in_tables(fleet: Place) -> None:
    done = fleet.tools("status", "--local")
    rows = {line.split()[0]: line for line in done.stdout.splitlines() if line.strip()}
    assert "InService" in rows["larger"]
    assert "(Larger)" in rows["larger"]
    assert "instance_type is ml.t3.medium, declared ml.m5.xlarge" in rows["larger"]
    assert "not deployed" in rows["absent"]
    assert "created as notebooks/old" in rows["old"]
    assert f"region {fleet.region}: 1 InService, 1 Stopped, 1 not deployed" in done.stderr
    assert f"region {fleet.region} was asked and has no such instance" in done.stderr


@pytest.mark.parametrize(
    ("arguments", "chosen"),
    [
        (["same"], ["same"]),
        (["notebooks/same", "Larger"], ["larger", "same"]),
        (["*a*e"], ["same"]),
        (["--where", "owner=bob"], ["absent"]),
        (["s*", "larger", "--where", "instance_type=ml.m5.*"], ["larger"]),
    ],
)
def test_shows_the_chosen_alone(fleet: Place, arguments: list[str], chosen: list[str]) -> None:
    found = json.loads(fleet.tools("status", "--local", "--json", *arguments).stdout)
    assert list(statuses(found)) == [f"notebooks/{name}" for name in chosen]
    assert found["undeclared"] == []


@pytest.mark.parametrize("name", ["stranger", "sam", "shared-infra"])
def test_what_no_directory_declares_is_refused_by_name(fleet: Place, name: str) -> None:
    done = fleet.tools("status", "--local", name)
    assert isinstance(done.exception, UserError)
    assert f"no directory of notebooks/ declares a notebook {name}; " in str(done.exception)
    assert done.stdout == ""


@pytest.fixture
def crowd(place: Place) -> Place:
    """More than the 100 notebooks that a page of a listing holds."""
    names = [f"n-{number:03}" for number in range(101)]
    for name in names:
        place.declare(name)
    place.create(*names)
    return place


def test_asks_for_one_listing_whatever_the_number_of_notebooks(
    crowd: Place, faults: Faults
) -> None:
    found = json.loads(crowd.tools("status", "--local", "--json").stdout)
    assert set(statuses(found).values()) == {"InService"}
    assert faults.asked == ["ListNotebookInstances"] * 2


def test_faults_in_the_middle_of_a_listing(crowd: Place, faults: Faults) -> None:
    """Throttling is waited out, and half a listing is none."""
    # The second page, twice.
    faults.refuse = lambda operation, before: "ThrottlingException" if before in (1, 2) else None
    found = json.loads(crowd.tools("status", "--local", "--json").stdout)
    assert set(statuses(found).values()) == {"InService"}
    assert faults.asked == ["ListNotebookInstances"] * 4

    for error, complaint in {
        "ThrottlingException": "AWS throttled it 2 times in a row",
        "ExpiredTokenException": "AWS's session has expired (ExpiredTokenException of a test)",
        "UnrecognizedClientException": "AWS refuses the credentials",
        "AccessDeniedException": "AccessDeniedException of a test",
    }.items():
        faults.asked.clear()
        faults.refuse = lambda operation, before, error=error: error if before else None
        done = crowd.tools("status", "--local", AWS_MAX_ATTEMPTS="2")
        assert isinstance(done.exception, UserError)
        assert complaint in str(done.exception)
        assert "\n" not in str(done.exception)
        assert done.stdout == ""


def test_describes_what_has_failed_and_nothing_else(place: Place, faults: Faults) -> None:
    place.declare("well")
    place.declare("ill")
    place.create("well", "ill")

    def fail(operation: str, answer: dict[str, Any]) -> dict[str, Any]:
        for instance in answer.get("NotebookInstances", []):
            if instance["NotebookInstanceName"] == "ill":
                instance["NotebookInstanceStatus"] = "Failed"
        if operation == "DescribeNotebookInstance":
            answer["FailureReason"] = "its script took too long"
        return answer

    faults.rewrite = fail
    found = json.loads(place.tools("status", "--local", "--json").stdout)
    assert [(n["status"], n["failure"]) for n in found["notebooks"]] == [
        ("Failed", "its script took too long"),
        ("InService", None),
    ]
    assert faults.asked.count("DescribeNotebookInstance") == 1
    assert "its script took too long" in place.tools("status", "--local").stdout


def test_notebooks_of_two_regions_are_refused(place: Place) -> None:
    for name in ("here", "there"):
        place.declare(name)
        (place.root / f"notebooks/{name}/region.auto.tfvars").write_text(
            f'region = "{place.region if name == "here" else "us-west-2"}"\n'
        )
    done = place.tools("status", "--local", "--json")
    assert isinstance(done.exception, UserError)
    assert str(done.exception).startswith(
        f"region is {place.region} in notebooks/here and us-west-2 in notebooks/there; "
    )
    assert done.stdout == ""


def test_no_network_is_said(place: Place, faults: Faults) -> None:
    place.declare("n")
    place.behind(1)  # nobody listens there, and nobody but root could
    done = place.tools("status", "--local", AWS_MAX_ATTEMPTS="1")
    assert isinstance(done.exception, UserError)
    assert f"cannot list the notebook instances in the local cloud, region {place.region}: " in (
        str(done.exception)
    )
    assert "no network to it" in str(done.exception)


def test_tags_that_may_not_be_read_leave_the_rest(fleet: Place, faults: Faults) -> None:
    faults.refuse = lambda operation, _: (
        "AccessDeniedException" if operation == "GetResources" else None
    )
    done = fleet.tools("status", "--local", "--json")
    assert [one["of_this_project"] for one in json.loads(done.stdout)["undeclared"]] == [None] * 3


def test_a_broken_file_is_named(place: Place) -> None:
    place.declare("n")
    (place.root / "notebooks/n/terraform.tfvars").write_text("owner = = 1\n")
    done = place.tools("status", "--local")
    assert isinstance(done.exception, UserError)
    assert "notebooks/n/terraform.tfvars, line 1 cannot be read by this" in str(done.exception)
    place.declare("well")
    assert place.tools("status", "--local", "well").exit_code == 0, "another's mistake"


def test_the_local_cloud_is_reached_whatever_the_user_s_settings_for_aws(place: Place) -> None:
    place.declare("n")
    place.create("n")
    nowhere = "http://127.0.0.1:1"
    done = place.tools(
        "status",
        "--local",
        "--json",
        AWS_PROFILE="missing",
        AWS_ENDPOINT_URL=nowhere,
        HTTP_PROXY=nowhere,
        http_proxy=nowhere,
    )
    assert statuses(json.loads(done.stdout)) == {"notebooks/n": "InService"}


NOBODY = {
    "AWS_CONFIG_FILE": os.devnull,
    "AWS_SHARED_CREDENTIALS_FILE": os.devnull,
    "AWS_EC2_METADATA_DISABLED": "true",
}


@pytest.mark.parametrize(
    ("env", "complaint"),
    [
        (NOBODY, "no AWS credentials found"),
        (
            NOBODY | {"AWS_PROFILE": "missing"},
            "AWS's settings are wrong: The config profile (missing)",
        ),
        (NOBODY | {"AWS_ENDPOINT_URL": "http://127.0.0.1:1"}, "add --local"),
    ],
)
def test_aws_that_cannot_be_asked_is_one_line(
    place: Place, env: dict[str, str], complaint: str
) -> None:
    place.declare("n")
    done = place.tools("status", **env)
    assert isinstance(done.exception, UserError), done.exception
    assert complaint in str(done.exception)
    assert done.stdout == ""
