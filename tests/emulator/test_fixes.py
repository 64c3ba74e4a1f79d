"""Faults of the emulator that are mended as it starts, each seen through boto3."""

import re
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

from tests.conftest import free_port
from tools.localcloud.process import LocalCloud

from .conftest import Account, Network

PORTS = {"IpProtocol": "tcp", "FromPort": 443, "ToPort": 443}
EVERYTHING = {"IpProtocol": "-1"}


@pytest.fixture
def prefix_list(account: Account) -> str:
    answer = account.ec2.create_managed_prefix_list(
        PrefixListName="s3", MaxEntries=1, AddressFamily="IPv4"
    )
    return str(answer["PrefixList"]["PrefixListId"])


@pytest.fixture(params=["group", "prefix list", "addresses"])
def source(
    request: pytest.FixtureRequest, network: Network, prefix_list: str
) -> Callable[[str], dict[str, Any]]:
    """The source of a rule with a description."""

    def described(description: str) -> dict[str, Any]:
        key, member = {
            "group": ("UserIdGroupPairs", {"GroupId": network.default_group}),
            "prefix list": ("PrefixListIds", {"PrefixListId": prefix_list}),
            "addresses": ("IpRanges", {"CidrIp": "10.0.0.0/8"}),
        }[request.param]
        return {key: [{**member, "Description": description}]}

    return described


@pytest.mark.parametrize("what", [PORTS, EVERYTHING], ids=lambda what: str(what["IpProtocol"]))
@pytest.mark.parametrize("direction", ["ingress", "egress"])
def test_a_rule_keeps_its_description_and_takes_a_new_one(
    account: Account,
    network: Network,
    source: Callable[[str], dict[str, Any]],
    what: dict[str, Any],
    direction: str,
) -> None:
    authorize = getattr(account.ec2, f"authorize_security_group_{direction}")
    [rule] = authorize(
        GroupId=network.group, IpPermissions=[{**what, **source("from the notebooks")}]
    )["SecurityGroupRules"]
    rule_id = rule["SecurityGroupRuleId"]

    def description() -> str:
        [found] = account.ec2.describe_security_group_rules(SecurityGroupRuleIds=[rule_id])[
            "SecurityGroupRules"
        ]
        return str(found["Description"])

    assert rule["Description"] == description() == "from the notebooks"
    changed = {**what, "Description": "changed"}
    if "ReferencedGroupInfo" in rule:
        changed["ReferencedGroupId"] = rule["ReferencedGroupInfo"]["GroupId"]
    elif "PrefixListId" in rule:
        changed["PrefixListId"] = rule["PrefixListId"]
    else:
        changed["CidrIpv4"] = rule["CidrIpv4"]
    account.ec2.modify_security_group_rules(
        GroupId=network.group,
        SecurityGroupRules=[{"SecurityGroupRuleId": rule_id, "SecurityGroupRule": changed}],
    )
    assert description() == "changed"
    revoke = getattr(account.ec2, f"revoke_security_group_{direction}")
    revoke(GroupId=network.group, SecurityGroupRuleIds=[rule_id])


def test_an_endpoint_moves_to_another_security_group(account: Account, network: Network) -> None:
    """As the API's reference has it: AddSecurityGroupIds and RemoveSecurityGroupIds of
    https://docs.aws.amazon.com/AWSEC2/latest/APIReference/API_ModifyVpcEndpoint.html"""
    ec2 = account.ec2
    (subnet,) = ec2.describe_subnets(SubnetIds=[network.subnet])["Subnets"]
    made = ec2.create_vpc_endpoint(
        VpcId=subnet["VpcId"],
        VpcEndpointType="Interface",
        ServiceName="com.amazonaws.us-east-1.logs",
        SubnetIds=[network.subnet],
        SecurityGroupIds=[network.default_group],
    )["VpcEndpoint"]["VpcEndpointId"]
    ec2.modify_vpc_endpoint(
        VpcEndpointId=made,
        AddSecurityGroupIds=[network.group],
        RemoveSecurityGroupIds=[network.default_group],
    )
    (found,) = ec2.describe_vpc_endpoints(VpcEndpointIds=[made])["VpcEndpoints"]
    assert [group["GroupId"] for group in found["Groups"]] == [network.group]


def test_endpoint_services_are_found_by_name_and_type(client: Callable[..., Any]) -> None:
    """S3 has both types under one name, as on AWS."""
    ec2 = client("ec2")
    for name, kind in (("s3", "Gateway"), ("s3", "Interface"), ("cloudformation", "Interface")):
        filters = [
            {"Name": "service-name", "Values": [f"com.amazonaws.us-east-1.{name}", "no.such"]},
            {"Name": "service-type", "Values": [kind]},
        ]
        (found,) = ec2.describe_vpc_endpoint_services(Filters=filters)["ServiceDetails"]
        assert found["ServiceName"] == f"com.amazonaws.us-east-1.{name}"
        assert found["ServiceType"] == [{"ServiceType": kind}]
        assert "us-east-1a" in found["AvailabilityZones"]


def test_a_kms_key_is_made_and_used(client: Callable[..., Any]) -> None:
    kms = client("kms")
    key = kms.create_key()["KeyMetadata"]
    assert re.fullmatch("[a-f0-9]{64}", key["CurrentKeyMaterialId"])
    secret = kms.encrypt(KeyId=key["KeyId"], Plaintext=b"secret")["CiphertextBlob"]
    assert kms.decrypt(CiphertextBlob=secret)["Plaintext"] == b"secret"


@pytest.fixture
def changed_emulator(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[LocalCloud]:
    """An emulator of a release that has lost what is mended."""
    (tmp_path / "sitecustomize.py").write_text(
        "import localstack.services.kms.models as kms\n"
        "import moto.ec2.models.security_groups as groups\n"
        "del kms.KmsKey.generate_key_material_id\n"
        "del groups.SecurityGroupBackend.modify_security_group_rules\n"
    )
    monkeypatch.setenv("PYTHONPATH", str(tmp_path))
    cloud = LocalCloud(tmp_path / "cloud")
    yield cloud
    cloud.down()


def test_a_mend_whose_place_is_gone_is_left_out_and_the_log_says_so(
    changed_emulator: LocalCloud,
) -> None:
    assert changed_emulator.up(free_port())
    log = changed_emulator.log.read_text()
    assert "not applied, since the emulator has changed: _create_keys_on_python_3_11" in log
    assert "not applied, since the emulator has changed: _change_rules_without_ports" in log
    assert "_keep_descriptions_of_rules" not in log


def test_logs_are_filtered_by_the_prefix_of_their_stream_and_sorted(
    account: Account, client: Callable[..., Any]
) -> None:
    logs = client("logs", account=account.id)
    logs.create_log_group(logGroupName="g")
    now = int(time.time() * 1000)
    for stream, message, at in (("a/1", "third", 3), ("a/2", "first", 1), ("ab/1", "second", 2)):
        names = {"logGroupName": "g", "logStreamName": stream}
        logs.create_log_stream(**names)
        logs.put_log_events(**names, logEvents=[{"timestamp": now + at, "message": message}])

    def messages(**asked: str) -> list[str]:
        answer = logs.filter_log_events(logGroupName="g", **asked)
        return [event["message"] for event in answer["events"]]

    assert messages(logStreamNamePrefix="a/") == ["first", "third"]
    assert messages(logStreamNamePrefix="c") == []
    assert messages() == ["first", "second", "third"]


def test_a_lifecycle_rule_in_the_older_form_keeps_its_prefix(
    client: Callable[..., Any], name: str
) -> None:
    """`Prefix` beside `Status` instead of in `Filter`, as AWS still takes and returns it."""
    s3 = client("s3")
    s3.create_bucket(Bucket=name)
    rule = {"ID": "old", "Status": "Enabled", "Prefix": "tmp/", "Expiration": {"Days": 3}}
    s3.put_bucket_lifecycle_configuration(Bucket=name, LifecycleConfiguration={"Rules": [rule]})
    assert s3.get_bucket_lifecycle_configuration(Bucket=name)["Rules"] == [rule]
