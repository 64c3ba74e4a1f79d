"""A notebook that has Failed: what is said of it, and how it runs again with its volume."""

import json
from typing import Any

import pytest

from .conftest import Place, until

# The emulator fails a start while the instance is of this type (tools/emulator/README.md).
TAG = {"emulator:start": "capacity ml.t3.medium"}


@pytest.fixture
def failed(place: Place) -> Place:
    """nlp ran with a volume of 17 GB, was stopped, and finds no capacity now."""
    place.declare("nlp")
    place.create("nlp")
    place.stop("nlp")
    place.sagemaker.update_notebook_instance(NotebookInstanceName="nlp", VolumeSizeInGB=17)
    until(lambda: place.status("nlp") == "Stopped")
    arn = described(place)["NotebookInstanceArn"]
    tags = [{"Key": key, "Value": value} for key, value in TAG.items()]
    place.sagemaker.add_tags(ResourceArn=arn, Tags=tags)
    return place


def described(place: Place) -> Any:
    return place.sagemaker.describe_notebook_instance(NotebookInstanceName="nlp")


def test_a_start_that_fails_offers_another_type_which_runs_with_the_same_volume(
    failed: Place,
) -> None:
    before = described(failed)
    done = failed.tools("start", "nlp", "--local", "--json")
    assert done.exit_code == 1
    (result,) = json.loads(done.stdout)
    assert "Insufficient notebook instance capacity" in result["detail"]
    command = "tools start --local nlp --instance-type TYPE"
    assert command in result["detail"]

    shown = failed.tools("status", "--local").output
    assert (
        "notebooks/nlp has Failed, and Terraform cannot change it so; its volume is kept" in shown
    )
    assert command in shown

    words = command.replace("TYPE", "ml.m5.xlarge").split()[1:]
    done = failed.tools(*words, "--json")
    assert done.exit_code == 0, done.output
    (result,) = json.loads(done.stdout)
    assert result["outcome"] == "started"
    assert 'declare it: instance_type = "ml.m5.xlarge"' in result["detail"]
    after = described(failed)
    assert (after["NotebookInstanceStatus"], after["InstanceType"]) == ("InService", "ml.m5.xlarge")
    kept = ("VolumeSizeInGB", "CreationTime", "NotebookInstanceArn")
    assert [after[key] for key in kept] == [before[key] for key in kept]
    assert "has Failed" not in failed.tools("status", "--local").output


def test_a_running_notebook_keeps_its_type(place: Place) -> None:
    place.declare("nlp")
    place.create("nlp")
    done = place.tools("start", "nlp", "--local", "--json", "--instance-type", "ml.m5.xlarge")
    (result,) = json.loads(done.stdout)
    assert (done.exit_code, result["outcome"]) == (1, "skipped")
    assert "stop it before it gets another type" in result["detail"]
    assert described(place)["InstanceType"] == "ml.t3.medium"


def test_a_type_that_aws_does_not_have_is_refused(place: Place) -> None:
    place.declare("nlp")
    done = place.tools("start", "nlp", "--local", "--instance-type", "ml.m5.huge")
    assert done.exit_code == 2
    assert "--instance-type" in done.output
