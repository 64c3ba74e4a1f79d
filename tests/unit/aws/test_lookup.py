"""What exists under a name; LocalStack deletes at once, so here an answer stands in for AWS's."""

from collections.abc import Iterator
from typing import Any

import boto3
import pytest
from botocore.stub import Stubber

from tools.aws import lookup
from tools.aws.client import Cloud

# The states that end an endpoint, in AWS's letters and in those of its older answers:
# https://docs.aws.amazon.com/AWSEC2/latest/APIReference/API_VpcEndpoint.html
GONE = ("Deleting", "Deleted", "Rejected", "Failed", "Expired", "deleting")
SERVICE = {"service_name": "com.amazonaws.us-east-1.s3", "vpc_id": "vpc-1"}
PRESENT = {"VpcEndpointId": "vpce-2", "State": "available"}


@pytest.fixture
def service() -> str:
    return "ec2"


@pytest.fixture
def stubber(service: str, monkeypatch: pytest.MonkeyPatch) -> Iterator[Stubber]:
    client = boto3.client(service, "us-east-1", aws_access_key_id="x", aws_secret_access_key="x")
    monkeypatch.setattr(Cloud, "client", lambda *_: client)
    with Stubber(client) as stubber:
        yield stubber


def identifier(resource_type: str, values: dict[str, Any]) -> str | None:
    return lookup.identifier(Cloud("us-east-1"), resource_type, values)


@pytest.mark.parametrize("state", GONE)
def test_an_endpoint_that_goes_away_is_none(state: str, stubber: Stubber) -> None:
    gone = {"VpcEndpointId": "vpce-1", "State": state}
    for endpoints, found in (([gone], None), ([gone, PRESENT], "vpce-2")):
        stubber.add_response("describe_vpc_endpoints", {"VpcEndpoints": endpoints})
        assert identifier("aws_vpc_endpoint", SERVICE) == found


def test_which_of_several_is_meant_is_not_known(stubber: Stubber) -> None:
    endpoints = [PRESENT, {**PRESENT, "VpcEndpointId": "vpce-3"}]
    stubber.add_response("describe_vpc_endpoints", {"VpcEndpoints": endpoints})
    with pytest.raises(KeyError):
        identifier("aws_vpc_endpoint", SERVICE)
    groups = [{"GroupId": "sg-1"}, {"GroupId": "sg-2"}]  # a filter takes * for any text
    stubber.add_response("describe_security_groups", {"SecurityGroups": groups})
    with pytest.raises(KeyError):
        identifier("aws_security_group", {"name": "a*", "vpc_id": "vpc-1"})


@pytest.mark.parametrize("service", ["s3"])
def test_a_bucket_that_may_not_be_looked_at_is_this_accounts_if_its_list_says_so(
    stubber: Stubber,
) -> None:
    for names, found in ((["acme-models"], "acme-models"), (["other"], None), ([], None)):
        stubber.add_client_error("head_bucket", "403", http_status_code=403)
        stubber.add_response("list_buckets", {"Buckets": [{"Name": name} for name in names]})
        assert identifier("aws_s3_bucket", {"bucket": "acme-models"}) == found
    stubber.add_client_error("head_bucket", "403", http_status_code=403)
    stubber.add_client_error("list_buckets", "AccessDenied", http_status_code=403)
    with pytest.raises(KeyError):
        identifier("aws_s3_bucket", {"bucket": "acme-models"})
    stubber.add_client_error("head_bucket", "404", http_status_code=404)
    assert identifier("aws_s3_bucket", {"bucket": "acme-models"}) is None
