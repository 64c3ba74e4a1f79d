"""What AWS says of notebook instances. botocore itself reads the answer, as AWS would send it."""

import io
import json
import time
from collections.abc import Iterator
from datetime import UTC, datetime
from typing import Any

import pytest
from botocore.awsrequest import AWSResponse

from tools.aws import sagemaker
from tools.aws.client import Cloud

ANSWER = {
    "NotebookInstanceName": "nlp",
    "NotebookInstanceArn": "arn:aws:sagemaker:eu-west-1:123456789012:notebook-instance/nlp",
    "NotebookInstanceStatus": "InService",
    "InstanceType": "ml.t3.medium",
    "LastModifiedTime": 1769847300.5,  # 2026-01-31 08:15 UTC
}


class Raw(io.BytesIO):
    def stream(self, **_: Any) -> Iterator[bytes]:
        yield self.read()


@pytest.fixture
def tokyo(monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    monkeypatch.setenv("TZ", "Asia/Tokyo")
    time.tzset()
    yield
    monkeypatch.undo()
    time.tzset()


@pytest.mark.usefixtures("tokyo")
def test_times_are_in_utc_wherever_the_user_is(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("AWS_ACCESS_KEY_ID", "test")
    monkeypatch.setenv("AWS_SECRET_ACCESS_KEY", "test")
    cloud = Cloud("eu-west-1", "http://127.0.0.1:1")
    body = Raw(json.dumps({"NotebookInstances": [ANSWER]}).encode())
    answer = AWSResponse("http://127.0.0.1:1", 200, {}, body)
    events = cloud.client("sagemaker").meta.events
    events.register("before-send.sagemaker.ListNotebookInstances", lambda **_: answer, "here")
    try:
        found = sagemaker.list_instances(cloud)["nlp"].modified
    finally:
        events.unregister("before-send.sagemaker.ListNotebookInstances", unique_id="here")
    assert f"{found:%Y-%m-%d %H:%M %Z}" == "2026-01-31 08:15 UTC"
    assert found == datetime(2026, 1, 31, 8, 15, 0, 500_000, UTC)
