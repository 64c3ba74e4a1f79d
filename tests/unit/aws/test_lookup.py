"""What exists under a name; LocalStack deletes at once, so here an answer stands in for AWS's."""

from typing import Any

import boto3
import pytest
from botocore.stub import Stubber

from tools.aws import lookup
from tools.aws.client import Cloud

# The states that end an endpoint, in AWS's letters and in those of its older answers:
# https://docs.aws.amazon.com/AWSEC2/latest/APIReference/API_VpcEndpoint.html
GONE = ("Deleting", "Deleted", "Rejected", "Failed", "Expired", "deleting")


@pytest.mark.parametrize("state", GONE)
def test_an_endpoint_that_goes_away_is_none(state: str, monkeypatch: pytest.MonkeyPatch) -> None:
    client = boto3.client("ec2", "us-east-1", aws_access_key_id="x", aws_secret_access_key="x")
    monkeypatch.setattr(Cloud, "client", lambda *_: client)
    values = {"service_name": "com.amazonaws.us-east-1.s3", "vpc_id": "vpc-1"}
    gone = {"VpcEndpointId": "vpce-1", "State": state}
    present = {"VpcEndpointId": "vpce-2", "State": "available"}
    for endpoints, identifier in (([gone], None), ([gone, present], "vpce-2")):
        with Stubber(client) as stubber:
            stubber.add_response("describe_vpc_endpoints", {"VpcEndpoints": endpoints})
            assert _identifier(values) == identifier


def _identifier(values: dict[str, Any]) -> str | None:
    return lookup.identifier(Cloud("us-east-1"), "aws_vpc_endpoint", values)
