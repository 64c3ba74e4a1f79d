from datetime import UTC, datetime

import pytest

from tools.aws.client import Cloud
from tools.aws.sagemaker import Instance
from tools.fleet import platforms


def test_what_was_made_since_aws_makes_none_is_not_asked_for() -> None:
    """A request would fail: nothing listens there."""
    made = datetime(2026, 7, 1, tzinfo=UTC)
    young = Instance("n", "arn", "InService", "ml.t3.medium", made, created=made)
    nowhere = Cloud("eu-west-1", "http://127.0.0.1:9")
    assert platforms.find_retired(nowhere, [young]) == {"n": False}


def test_the_commands_name_the_instance_and_the_platform() -> None:
    move = platforms.describe_move("nlp", "ml.t3.medium", "eu-west-1", "InService")
    assert "--notebook-instance-name nlp --region eu-west-1 --platform-identifier" in move
    assert move.endswith("--platform-identifier notebook-al2023-v1")


def test_a_type_without_drivers_changes_with_the_platform() -> None:
    move = platforms.describe_move("nlp", "ml.p3.2xlarge", "eu-west-1", "Stopped")
    assert move.endswith("--instance-type TYPE")
    assert "does not run on ml.p3.2xlarge" in move


@pytest.mark.parametrize(
    ("status", "stops", "waits"),
    [
        ("InService", True, True),
        ("Stopping", False, True),
        ("Updating", False, True),
        ("Stopped", False, False),
        ("Failed", False, False),
    ],
)
def test_only_what_runs_is_stopped_first(status: str, stops: bool, waits: bool) -> None:
    """AWS: a stop takes InService alone, and an update what is stopped."""
    move = platforms.describe_move("nlp", "ml.t3.medium", "eu-west-1", status)
    assert ("stop-notebook-instance" in move, "wait notebook-instance" in move) == (stops, waits)
    assert ("once it is stopped" in move) == waits
