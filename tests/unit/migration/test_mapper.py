"""What becomes of an old deployment's resources, from small states."""

import re
from collections.abc import Sequence
from typing import Any

import pytest

from tools.errors import UserError
from tools.migration import network
from tools.migration.legacy import Resource
from tools.migration.mapper import map_resources
from tools.migration.mapping import (
    Choices,
    EarlierMigration,
    LegacyMapping,
    MappedResource,
    MappingScope,
)

ACCOUNT = "123456789012"
REGION = "eu-west-1"
ROLE = f"arn:aws:iam::{ACCOUNT}:role/ml"
KEY = f"arn:aws:kms:{REGION}:{ACCOUNT}:key/0a1b2c3d-0000-4000-8000-000000000000"


def one(address: str, trouble: str = "", **attributes: Any) -> Resource:
    kind = next(part for part in address.split(".") if part.startswith("aws_"))
    return Resource(address, kind, attributes, trouble)


def bucket(address: str, name: str, **more: Any) -> Resource:
    return one(f"aws_s3_bucket.{address}", bucket=name, region=REGION, **more)


def role(address: str, name: str, **more: Any) -> Resource:
    arn = f"arn:aws:iam::{ACCOUNT}:role/{name}"
    return one(f"aws_iam_role.{address}", name=name, id=name, arn=arn, **more)


def notebook(name: str, **more: Any) -> Resource:
    plain = {
        "role_arn": ROLE,
        "security_groups": ["sg-00000001"],
        "subnet_id": "subnet-00000001",
        "kms_key_id": "",
        "arn": f"arn:aws:sagemaker:{REGION}:{ACCOUNT}:notebook-instance/{name}",
    }
    address = f'module.notebook["{name}"].aws_sagemaker_notebook_instance.this'
    return one(address, name=name, id=name, **{**plain, **more})


def group(number: int, vpc: str = "vpc-00000001", **more: Any) -> Resource:
    id = f"sg-{number:08}"
    arn = f"arn:aws:ec2:{REGION}:{ACCOUNT}:security-group/{id}"
    return one(f"aws_security_group.g{number}", id=id, arn=arn, vpc_id=vpc, **more)


def endpoint(
    address: str, service: str, groups: Sequence[str] = (), vpc: str = "vpc-00000001", **more: Any
) -> Resource:
    values = {
        "arn": f"arn:aws:ec2:{REGION}:{ACCOUNT}:vpc-endpoint/vpce-{address}",
        "service_name": service,
        "vpc_endpoint_type": "Interface",
        "security_group_ids": list(groups),
        "vpc_id": vpc,
    }
    return one(f"aws_vpc_endpoint.{address}", **{**values, **more})


def map_all(
    *resources: Resource,
    state_bucket: str = "",
    earlier: EarlierMigration | None = None,
    **choices: Any,
) -> LegacyMapping:
    earlier = earlier or EarlierMigration()
    scope = MappingScope(REGION, ACCOUNT, Choices(**choices), state_bucket, earlier)
    return map_resources(resources, scope)


def rows(*resources: Resource, **choices: Any) -> dict[str, MappedResource]:
    return {row.address: row for row in map_all(*resources, **choices).rows}


def dispositions(*resources: Resource, **choices: Any) -> dict[str, str]:
    return {address: row.disposition for address, row in rows(*resources, **choices).items()}


def purposes(*names: str, **choices: Any) -> dict[str, str]:
    buckets = [bucket(f"b{number}", name) for number, name in enumerate(names)]
    found = map_all(*buckets, **choices)
    return {row.resource.text("bucket"): row.key for row in found.rows}


def test_a_bucket_s_purpose_is_told_by_its_name() -> None:
    assert purposes("acme-ml-training-data", "acme-ml-model-artifacts", "acme-ml-scratch.tmp") == {
        "acme-ml-training-data": "datasets",
        "acme-ml-model-artifacts": "models",
        "acme-ml-scratch.tmp": "scratch-tmp",
    }


def test_one_bucket_has_a_purpose_and_the_others_have_their_own() -> None:
    found = purposes("x-data", "x-datasets", "x-metadata", "x-2024")
    assert found == {
        "x-data": "data",
        "x-datasets": "datasets",
        "x-metadata": "metadata",
        "x-2024": "bucket-2024",
    }


def test_tags_tell_where_the_name_does_not() -> None:
    tagged = bucket("a", "acme-7f3a", tags={"Purpose": "Model store"})
    assert rows(tagged, bucket("b", "acme-91bc"))["aws_s3_bucket.a"].key == "models"


def test_the_user_s_word_on_a_bucket_goes_first() -> None:
    found = purposes("x-data", "x-raw", purposes={"x-raw": "datasets"})
    assert found == {"x-raw": "datasets", "x-data": "data"}


@pytest.mark.parametrize(
    ("given", "said"),
    [
        ({"x-data": "Data"}, "a purpose is lower-case letters"),
        ({"x-data": "datasets", "x-raw": "datasets"}, "are both to be datasets"),
        ({"x-typo": "datasets"}, "no such bucket; it has x-data, x-raw"),
    ],
)
def test_a_purpose_that_cannot_be_is_refused(given: dict[str, str], said: str) -> None:
    with pytest.raises(UserError, match=said):
        purposes("x-data", "x-raw", purposes=given)


def test_buckets_for_states_and_logs_are_no_notebook_s() -> None:
    found = rows(
        bucket("states", "states"),
        bucket("logs", "logs"),
        bucket("data", "data"),
        one("aws_s3_bucket_logging.data", bucket="data", target_bucket="logs"),
        bucket("old", "old", logging=[{"target_bucket": "old-logs"}]),  # before provider 4
        bucket("old_logs", "old-logs"),
        bucket("trail", "trail"),
        one("aws_cloudtrail.trail", s3_bucket_name="trail"),
        bucket("flow", "flow"),
        one("aws_flow_log.flow", log_destination="arn:aws:s3:::flow/vpc"),
        state_bucket="states",
    )
    assert found["aws_s3_bucket.states"].disposition == "stays"
    assert "no notebook may read" in found["aws_s3_bucket.states"].reason
    # The shared bucket goes on to log there, so that a destroy must not take it.
    assert found["aws_s3_bucket.logs"].disposition == "used"
    assert "access_log_bucket" in found["aws_s3_bucket.logs"].reason
    assert found["aws_s3_bucket.old_logs"].disposition == "used"
    for name, sender in ("trail", "aws_cloudtrail.trail"), ("flow", "aws_flow_log.flow"):
        assert found[f"aws_s3_bucket.{name}"].disposition == "stays"
        assert f"receives the logs of {sender}" in found[f"aws_s3_bucket.{name}"].reason


def test_the_role_of_most_notebooks_is_shared_and_the_other_one_named() -> None:
    other = role("other", "special")
    found = rows(
        role("ml", "ml"),
        other,
        role("ci", "ci"),
        notebook("a"),
        notebook("b"),
        notebook("c", role_arn=other.text("arn")),
        one("aws_iam_role_policy.other", role="special"),
    )
    assert (found["aws_iam_role.ml"].disposition, found["aws_iam_role.ml"].target) == (
        "imported",
        "shared-infra/iam",
    )
    assert found["aws_iam_role.other"].disposition == "used"
    assert "role_arn" in found["aws_iam_role.other"].reason
    assert found["aws_iam_role_policy.other"].disposition == "used"
    assert found["aws_iam_role.ci"].disposition == "stays"


def test_without_notebooks_the_only_role_for_sagemaker_is_shared() -> None:
    trust = '{"Statement": [{"Principal": {"Service": ["sagemaker.amazonaws.com"]}}]}'
    ours = role("ml", "ml", assume_role_policy=trust)
    assert dispositions(ours, role("ci", "ci"))["aws_iam_role.ml"] == "imported"
    second = role("ml2", "ml2", assume_role_policy=trust)
    assert set(dispositions(ours, second).values()) == {"stays"}


def test_what_belongs_to_the_role_goes_with_it() -> None:
    arn = f"arn:aws:iam::{ACCOUNT}:policy/buckets"
    attachment = {"role": "ml", "policy_arn": arn}
    assert dispositions(
        role("ml", "ml"),
        notebook("a"),
        one("aws_iam_role_policy.inline", role="ml"),
        one("aws_iam_role_policy_attachment.buckets", **attachment),
        one("aws_iam_policy_attachment.all", roles=["ci", "ml"], policy_arn="arn:aws:iam::aws:p"),
        one("aws_iam_policy.buckets", arn=arn),
        one("aws_iam_policy.unused", arn=f"{arn}-2"),
        one("aws_iam_role_policy.ci", role="ci"),
    ) == {
        "aws_iam_role.ml": "imported",
        'module.notebook["a"].aws_sagemaker_notebook_instance.this': "imported",
        "aws_iam_role_policy.inline": "inside",
        "aws_iam_role_policy_attachment.buckets": "inside",
        "aws_iam_policy_attachment.all": "inside",
        "aws_iam_policy.buckets": "used",
        "aws_iam_policy.unused": "stays",
        "aws_iam_role_policy.ci": "stays",
    }


def test_the_groups_most_used_are_shared() -> None:
    found = rows(
        group(1),
        group(2),
        group(3),
        group(4),
        group(5),
        notebook("a"),
        notebook("b", security_groups=["sg-00000001", "sg-00000003"]),
        endpoint("sts", f"com.amazonaws.{REGION}.sts", ["sg-00000002"]),
        endpoint("logs", f"com.amazonaws.{REGION}.logs", ["sg-00000002", "sg-00000004"]),
    )
    keys = {address.removeprefix("aws_security_group."): row for address, row in found.items()}
    assert (keys["g1"].disposition, keys["g1"].key) == ("imported", "notebooks")
    assert (keys["g2"].disposition, keys["g2"].key) == ("imported", "endpoints")
    # A notebook keeps its second group: another choice would replace it.
    assert (keys["g3"].disposition, keys["g4"].disposition, keys["g5"].disposition) == (
        "used",
        "used",
        "stays",
    )


def test_one_group_for_both_is_the_notebooks() -> None:
    found = rows(
        group(1), notebook("a"), endpoint("sts", f"com.amazonaws.{REGION}.sts", ["sg-00000001"])
    )
    assert found["aws_security_group.g1"].key == "notebooks"
    assert [row.key for row in found.values() if row.target == "shared-infra/security-groups"] == [
        "notebooks"
    ]


def test_rules_of_a_shared_group_go_with_it_and_those_that_let_it_through() -> None:
    found = dispositions(
        group(1),
        group(9),
        notebook("a"),
        one("aws_security_group_rule.a", security_group_id="sg-00000001", type="egress"),
        one("aws_vpc_security_group_ingress_rule.b", security_group_id="sg-00000001"),
        one(
            "aws_vpc_security_group_ingress_rule.c",
            security_group_id="sg-00000009",
            referenced_security_group_id="sg-00000001",
        ),
        # Of a database's group, which this deployment has not made.
        one(
            "aws_vpc_security_group_ingress_rule.d",
            security_group_id="sg-00000008",
            referenced_security_group_id="sg-00000001",
        ),
        one("aws_vpc_security_group_ingress_rule.e", security_group_id="sg-00000008"),
    )
    assert found["aws_security_group_rule.a"] == "inside"
    assert found["aws_vpc_security_group_ingress_rule.b"] == "inside"
    assert found["aws_vpc_security_group_ingress_rule.c"] == "stays"
    assert found["aws_vpc_security_group_ingress_rule.d"] == "used"
    assert found["aws_vpc_security_group_ingress_rule.e"] == "stays"


def test_endpoints_that_no_stack_makes_are_the_network_s_each_with_its_reason() -> None:
    name = f"com.amazonaws.{REGION}"
    gateway = {"vpc_endpoint_type": "Gateway"}
    found = rows(
        group(1),
        notebook("a"),
        endpoint("s3", f"{name}.s3", **gateway),
        endpoint("notebook", f"aws.sagemaker.{REGION}.notebook"),
        endpoint("sts", f"{name}.sts"),
        endpoint("sts2", f"{name}.sts"),
        endpoint("s3_interface", f"{name}.s3"),
        endpoint("dynamodb", f"{name}.dynamodb", **gateway),
        endpoint("partner", "com.amazonaws.vpce.eu-west-1.vpce-svc-0a1b2c3d"),
        endpoint("other_vpc", f"{name}.logs", vpc="vpc-00000002"),
    )
    taken = {row.key for row in found.values() if row.target == "shared-infra/vpc-endpoints"}
    assert taken == {"s3", "notebook", "sts"}
    reasons = {
        address.removeprefix("aws_vpc_endpoint."): row.reason
        for address, row in found.items()
        if row.disposition == "network"
    }
    assert "aws_vpc_endpoint.sts is for the same service" in reasons.pop("sts2")
    assert "no endpoint of type Interface for s3" in reasons.pop("s3_interface")
    assert "no endpoint of type Gateway for dynamodb" in reasons.pop("dynamodb")
    assert "vpce-svc-0a1b2c3d is not a service" in reasons.pop("partner")
    assert reasons == {}
    other = found["aws_vpc_endpoint.other_vpc"]
    assert other.disposition == "stays"
    assert "it is in vpc-00000002" in other.reason


def test_a_notebook_in_no_subnet_stays() -> None:
    row = next(iter(rows(notebook("a", subnet_id=None, security_groups=[])).values()))
    assert row.disposition == "stays"
    assert "its volume would be lost" in row.reason


def test_a_notebook_s_own_things_are_told_by_their_names() -> None:
    lifecycle = "aws_sagemaker_notebook_instance_lifecycle_configuration"
    found = dispositions(
        notebook("a", lifecycle_config_name="start", default_code_repository="code"),
        one(f"{lifecycle}.start", name="start", id="start"),
        one(f"{lifecycle}.other", name="other", id="other"),
        one("aws_sagemaker_code_repository.code", code_repository_name="code", id="code"),
        one("aws_sagemaker_code_repository.other", code_repository_name="x", id="x"),
    )
    assert found[f"{lifecycle}.start"] == "inside"
    assert found[f"{lifecycle}.other"] == "stays"
    assert found["aws_sagemaker_code_repository.code"] == "used"
    assert found["aws_sagemaker_code_repository.other"] == "stays"


def test_a_bucket_s_settings_and_objects_go_with_it() -> None:
    found = dispositions(
        bucket("data", "data"),
        bucket("left", "left"),
        one("aws_s3_bucket_versioning.data", bucket="data"),
        one("aws_s3_bucket_policy.data", bucket="data"),
        one('aws_s3_object.seed["a.csv"]', bucket="data", key="a.csv"),
        one("aws_s3_bucket_object.old", bucket="data", key="b.csv"),
        one("aws_s3_object.left", bucket="left", key="a.csv"),
        leave=["aws_s3_bucket.left"],
    )
    assert [address for address, disposition in found.items() if disposition == "stays"] == [
        "aws_s3_bucket.left",
        "aws_s3_object.left",
    ]
    assert found['aws_s3_object.seed["a.csv"]'] == "inside"


def test_whatever_of_s3_names_an_imported_bucket_goes_with_it() -> None:
    arn = f"arn:aws:s3:{REGION}:{ACCOUNT}:accesspoint/a"
    parts = (
        one("aws_s3_access_point.a", bucket="data", arn=arn, id=f"{ACCOUNT}:a"),
        one("aws_s3control_access_point_policy.a", access_point_arn=arn),
        one("aws_s3control_bucket_lifecycle_configuration.a", bucket="arn:aws:s3:::data"),
        one("aws_s3_of_tomorrow.a", bucket_name="data"),
    )
    others = (
        bucket("left", "left"),
        one("aws_s3_access_point.left", bucket="left"),
        one("aws_lambda_function.f", bucket="data"),
    )
    data = bucket("data", "data", arn="arn:aws:s3:::data")
    found = dispositions(data, *parts, *others, leave=["aws_s3_bucket.left"])
    assert {found[one.address] for one in parts} == {"inside"}
    assert {found[one.address] for one in others} == {"stays"}


def test_the_key_that_encrypts_what_is_imported_is_in_use() -> None:
    other = KEY.replace("0a1b", "ffff")
    found = dispositions(
        notebook("a", kms_key_id=KEY),
        one("aws_kms_key.volumes", arn=KEY, key_id=KEY.split("/")[1]),
        one("aws_kms_alias.volumes", target_key_id=KEY.split("/")[1], name="alias/volumes"),
        one("aws_kms_key.other", arn=other, key_id=other.split("/")[1]),
    )
    assert found["aws_kms_key.volumes"] == "used"
    assert found["aws_kms_alias.volumes"] == "used"


def test_every_key_is_let_go_since_no_state_says_what_is_encrypted_with_it() -> None:
    theirs = KEY.replace(ACCOUNT, "999999999999").replace("0a1b", "eeee")
    found = rows(
        bucket("data", "data"),
        one("aws_kms_key.k", arn=KEY, key_id=KEY.split("/")[1]),
        one("aws_kms_alias.k", target_key_id=KEY.split("/")[1], name="alias/k"),
        one("aws_kms_key_policy.k", key_id=KEY.split("/")[1]),
        one("aws_kms_grant.k", key_id=KEY.split("/")[1]),
        one("aws_kms_replica_key.theirs", arn=theirs),
        one("aws_kms_key.unwanted", arn=KEY.replace("0a1b", "dddd")),
        leave=["aws_kms_key.unwanted"],
    )
    keys = {address: row for address, row in found.items() if address.startswith("aws_kms_")}
    assert keys.pop("aws_kms_key.unwanted").disposition == "stays"
    assert {row.disposition for row in keys.values()} == {"used"}
    assert keys.pop("aws_kms_replica_key.theirs").reason == "it is in account 999999999999"
    assert all("data may be encrypted with it" in row.reason for row in keys.values())


def test_the_network_in_use_is_found_as_far_as_it_leads() -> None:
    subnet, table = "subnet-00000001", "rtb-00000001"
    found = dispositions(
        notebook("a"),
        group(1),
        one("aws_vpc.main", id="vpc-00000001"),
        one("aws_subnet.used", id=subnet, vpc_id="vpc-00000001"),
        one("aws_subnet.other", id="subnet-00000009", vpc_id="vpc-00000001"),
        one("aws_subnet.public", id="subnet-00000002", vpc_id="vpc-00000001"),
        one("aws_route_table.used", id=table, vpc_id="vpc-00000001"),
        one("aws_route_table_association.used", subnet_id=subnet, route_table_id=table),
        one("aws_route.out", route_table_id=table, nat_gateway_id="nat-00000001"),
        one(
            "aws_nat_gateway.out",
            id="nat-00000001",
            subnet_id="subnet-00000002",
            allocation_id="eipalloc-00000001",
        ),
        one("aws_eip.out", id="eipalloc-00000001"),
        one("aws_route_table.other", id="rtb-00000009", vpc_id="vpc-00000001"),
    )
    assert {address for address, disposition in found.items() if disposition == "network"} == {
        "aws_vpc.main",
        "aws_subnet.used",
        "aws_subnet.public",
        "aws_route_table.used",
        "aws_route_table_association.used",
        "aws_route.out",
        "aws_nat_gateway.out",
        "aws_eip.out",
    }
    assert found["aws_subnet.other"] == found["aws_route_table.other"] == "stays"


def test_parts_of_what_somebody_else_made_are_in_use_where_notebooks_name_it() -> None:
    """The old state has a role and a group from outside, by a data source or a variable."""
    policy = f"arn:aws:iam::{ACCOUNT}:policy/p"
    found = dispositions(
        notebook("a", role_arn=f"arn:aws:iam::{ACCOUNT}:role/service-role/ml"),
        one("aws_iam_policy.p", arn=policy, name="p"),
        one("aws_iam_role_policy_attachment.p", role="ml", policy_arn=policy),
        one("aws_iam_role_policy.inline", role="ml", name="inline"),
        one("aws_iam_role_policy_attachment.other", role="other", policy_arn="arn:aws:iam::a:b"),
        one("aws_security_group_rule.out", security_group_id="sg-00000001", type="egress"),
        one("aws_security_group_rule.other", security_group_id="sg-00000009", type="egress"),
        one("aws_s3_bucket_policy.ml", bucket="ml"),  # a name that a role has, too
        one("aws_route_table_association.a", subnet_id="subnet-00000001", route_table_id="rtb-1"),
    )
    assert {address for address, disposition in found.items() if disposition == "stays"} == {
        "aws_iam_role_policy_attachment.other",
        "aws_security_group_rule.other",
        "aws_s3_bucket_policy.ml",
    }
    assert found["aws_route_table_association.a"] == "network"
    assert found["aws_iam_policy.p"] == "used"


def test_routes_of_the_vpc_s_own_table_lead_to_its_gateway() -> None:
    found = dispositions(
        notebook("a"),
        one("aws_subnet.a", id="subnet-00000001", vpc_id="vpc-00000001"),
        one("aws_subnet.public", id="subnet-00000002", vpc_id="vpc-00000001"),
        one("aws_vpc.a", id="vpc-00000001", main_route_table_id="rtb-00000001"),
        one("aws_route.a", route_table_id="rtb-00000001", nat_gateway_id="nat-00000001"),
        one("aws_nat_gateway.a", id="nat-00000001", subnet_id="subnet-00000002"),
        one("aws_ec2_transit_gateway_vpc_attachment.a", subnet_ids=["subnet-00000001"]),
    )
    assert {address for address, disposition in found.items() if disposition != "network"} == {
        notebook("a").address
    }


def test_what_lets_a_bucket_s_notifications_through_is_in_use() -> None:
    arn = f"arn:aws:sqs:{REGION}:{ACCOUNT}:q"
    function = f"arn:aws:lambda:{REGION}:{ACCOUNT}:function:f"
    found = dispositions(
        bucket("a", "x-data"),
        one(
            "aws_s3_bucket_notification.a",
            bucket="x-data",
            queue=[{"queue_arn": arn}],
            lambda_function=[{"lambda_function_arn": function}],
        ),
        one("aws_sqs_queue.q", id="https://q", arn=arn),
        one("aws_sqs_queue_policy.q", queue_url="https://q"),
        one("aws_lambda_function.f", function_name="f", arn=function),
        one("aws_lambda_permission.f", function_name="f"),
        one("aws_lambda_permission.g", function_name="g"),
    )
    kept = {address for address, disposition in found.items() if disposition == "used"}
    assert kept == {
        "aws_sqs_queue.q",
        "aws_sqs_queue_policy.q",
        "aws_lambda_function.f",
        "aws_lambda_permission.f",
    }
    assert found["aws_lambda_permission.g"] == "stays"


def test_the_group_of_the_notebooks_logs_is_in_use() -> None:
    logs = "/aws/sagemaker/NotebookInstances"
    resources = [one("aws_cloudwatch_log_group.n", name=logs), one("aws_cloudwatch_log_group.x")]
    found = dispositions(notebook("a"), *resources)
    assert found["aws_cloudwatch_log_group.n"] == "used"
    assert found["aws_cloudwatch_log_group.x"] == "stays"
    assert set(dispositions(*resources).values()) == {"stays"}


def test_a_type_that_nobody_here_knows_is_in_use_where_something_imported_names_it() -> None:
    arn = f"arn:aws:lambda:{REGION}:{ACCOUNT}:function:f"
    named = [{"lambda_function_arn": arn}]
    found = rows(
        bucket("data", "data"),
        one("aws_s3_bucket_notification.data", bucket="data", lambda_function=named),
        one("aws_lambda_function.f", arn=arn),
        one("aws_lambda_function.g", arn=f"{arn}2"),
    )
    assert found["aws_lambda_function.f"].disposition == "used"
    assert "aws_s3_bucket_notification.data names it" in found["aws_lambda_function.f"].reason
    assert found["aws_lambda_function.g"].disposition == "stays"
    assert "no stack here has aws_lambda_function" in found["aws_lambda_function.g"].reason


def test_what_the_user_leaves_stays_and_is_let_go_where_it_is_in_use() -> None:
    found = dispositions(
        role("ml", "ml"),
        notebook("a"),
        notebook("b"),
        leave=["aws_iam_role.ml", 'module.notebook["b"].*'],
    )
    assert found["aws_iam_role.ml"] == "used"  # by a, which is imported
    assert found['module.notebook["b"].aws_sagemaker_notebook_instance.this'] == "stays"
    with pytest.raises(UserError, match="no such address"):
        dispositions(role("ml", "ml"), leave=["aws_iam_role.mll"])


def test_another_account_or_region_is_refused_as_a_whole_and_let_go_in_part() -> None:
    there = notebook("a", arn="arn:aws:sagemaker:us-west-2:123456789012:notebook-instance/a")
    with pytest.raises(UserError, match=r"is in region us-west-2, but .* says eu-west-1"):
        dispositions(there)
    theirs = one("aws_iam_role.x", name="x", arn="arn:aws:iam::999999999999:role/x")
    with pytest.raises(UserError, match="account 999999999999, but these credentials are for 12"):
        dispositions(theirs)
    mixed = rows(there, theirs, notebook("b"), role("ml", "ml"))
    assert mixed["aws_iam_role.x"].reason == "it is in account 999999999999"
    assert mixed[there.address].reason == "it is in region us-west-2"
    # A destroy of the old deployment would take its volume.
    assert {mixed[address].disposition for address in ("aws_iam_role.x", there.address)} == {"used"}


def test_what_is_in_another_region_goes_with_its_parts_and_needs() -> None:
    arn = "arn:aws:sagemaker:us-west-2:123456789012:notebook-instance/far"
    far = notebook("far", arn=arn, subnet_id="subnet-000000ff", lifecycle_config_name="start")
    lifecycle = "aws_sagemaker_notebook_instance_lifecycle_configuration.start"
    found = dispositions(
        far,
        notebook("near"),
        role("ml", "ml"),
        one(lifecycle, name="start", id="start"),
        one("aws_subnet.far", id="subnet-000000ff", vpc_id="vpc-000000ff"),
        one("aws_vpc.far", id="vpc-000000ff"),
        one("aws_s3_bucket.far", bucket="far", region="us-west-2"),
        one("aws_s3_bucket_versioning.far", bucket="far"),
        one("aws_dynamodb_table.far", arn="arn:aws:dynamodb:us-west-2:123456789012:table/t"),
    )
    assert found == {
        far.address: "used",
        'module.notebook["near"].aws_sagemaker_notebook_instance.this': "imported",
        "aws_iam_role.ml": "imported",
        lifecycle: "used",
        "aws_subnet.far": "network",
        "aws_vpc.far": "network",
        "aws_s3_bucket.far": "used",
        "aws_s3_bucket_versioning.far": "used",
        "aws_dynamodb_table.far": "stays",
    }
    assert dispositions(far, notebook("near"), leave=[far.address])[far.address] == "stays"


def test_a_secret_of_a_repository_in_use_goes_with_its_versions() -> None:
    arn = f"arn:aws:secretsmanager:{REGION}:{ACCOUNT}:secret:git-AbCdEf"
    found = dispositions(
        notebook("a", default_code_repository="code"),
        one(
            "aws_sagemaker_code_repository.code",
            code_repository_name="code",
            git_config=[{"secret_arn": arn}],
        ),
        one("aws_secretsmanager_secret.git", arn=arn, id=arn),
        one("aws_secretsmanager_secret_version.git", secret_id=arn, arn=arn, id=f"{arn}|v"),
        one("aws_secretsmanager_secret.other", arn=f"{arn}x", id=f"{arn}x"),
    )
    assert found["aws_secretsmanager_secret.git"] == "used"
    assert found["aws_secretsmanager_secret_version.git"] == "used"
    assert found["aws_secretsmanager_secret.other"] == "stays"


def test_what_is_not_whole_is_not_imported() -> None:
    broken = one("aws_s3_bucket.data", "it is tainted", bucket="data", region=REGION)
    with pytest.raises(UserError, match=r"aws_s3_bucket.data: it is tainted; finish that first"):
        dispositions(broken)
    assert dispositions(broken, leave=["aws_s3_bucket.data"]) == {"aws_s3_bucket.data": "stays"}
    unknown = one("aws_lambda_function.f", "it is tainted", arn="arn:aws:lambda:::function:f")
    stays = rows(unknown)["aws_lambda_function.f"]
    assert stays.disposition == "stays"
    assert stays.reason.endswith("; it is tainted")


def test_what_an_earlier_script_let_go_is_let_go_again_whatever_has_become_of_its_witness() -> None:
    earlier = EarlierMigration(
        "s.sh",
        {
            "aws_iam_policy.p": "used",
            "aws_iam_policy.unused": "stays",
            "aws_s3_bucket.data": "imported",
            "aws_subnet.a": "network",
            "aws_vpc_endpoint.second": "network",
        },
    )
    name = f"com.amazonaws.{REGION}.sts"
    found = rows(
        bucket("data", "data"),
        one("aws_iam_policy.p", arn=f"arn:aws:iam::{ACCOUNT}:policy/p"),
        one("aws_iam_policy.unused", arn=f"arn:aws:iam::{ACCOUNT}:policy/unused"),
        one("aws_subnet.a", id="subnet-00000001", vpc_id="vpc-00000001"),
        one("aws_vpc.main", id="vpc-00000001"),
        endpoint("second", name),
        leave=["aws_s3_bucket.data"],
        earlier=earlier,
    )
    assert {address: row.disposition for address, row in found.items()} == {
        "aws_s3_bucket.data": "used",  # the stack here has it, whatever --leave says
        "aws_iam_policy.p": "used",
        "aws_iam_policy.unused": "stays",
        "aws_subnet.a": "network",
        "aws_vpc.main": "network",
        "aws_vpc_endpoint.second": "network",
    }
    assert "s.sh" in found["aws_iam_policy.p"].reason


def test_what_an_earlier_script_lists_as_not_taken_is_not_shared_with_all() -> None:
    """Such as a bucket of access logs whose logging is out of the state already."""
    earlier_dispositions: dict[str, Any] = {
        "aws_s3_bucket.logs": "used",
        "aws_iam_role.other": "used",
    }
    resources = (
        bucket("logs", "logs"),
        role("other", "special"),
        notebook("c", role_arn=f"arn:aws:iam::{ACCOUNT}:role/special"),
    )
    earlier = EarlierMigration("s.sh", earlier_dispositions)
    found = rows(*resources, earlier=earlier)
    assert (
        found["aws_s3_bucket.logs"].disposition == found["aws_iam_role.other"].disposition == "used"
    )
    asked = rows(*resources, earlier=earlier, purposes={"logs": "logs"})
    assert asked["aws_s3_bucket.logs"].disposition == "imported"


def test_without_the_earlier_script_what_may_be_shared_is_let_go() -> None:
    here = [Resource("shared-infra/iam aws_iam_role.notebook", "aws_iam_role", {"name": "ml"})]
    resources = (
        one("aws_iam_policy.p", arn=f"arn:aws:iam::{ACCOUNT}:policy/p"),
        role("other", "special"),
        one("aws_iam_role_policy.other", role="special"),
        one("aws_iam_role_policy.late", role="ml"),
        group(3),
        one("aws_subnet.a", id="subnet-00000001"),
        one("aws_lambda_function.f", arn="arn:aws:lambda:::function:f"),
    )
    assert dispositions(
        *resources, earlier=EarlierMigration(managed_here=here), leave=["aws_security_group.g3"]
    ) == {
        "aws_iam_policy.p": "used",
        "aws_iam_role.other": "used",
        "aws_iam_role_policy.other": "used",
        "aws_iam_role_policy.late": "inside",
        "aws_security_group.g3": "stays",
        "aws_subnet.a": "network",
        "aws_lambda_function.f": "stays",
    }
    assert set(dispositions(*resources).values()) == {"stays"}


def test_a_tie_is_told_with_what_decides_it_otherwise() -> None:
    """And what it names to be typed decides it."""
    notebooks = notebook("a"), notebook("b", role_arn=f"{ROLE}2", security_groups=["sg-00000002"])
    roles = role("m1", "ml"), role("m2", "ml2")
    endpoints = (
        endpoint("sts", f"com.amazonaws.{REGION}.sts", ["sg-00000003"]),
        endpoint("logs", f"com.amazonaws.{REGION}.logs", ["sg-00000004"]),
        endpoint("logs2", f"com.amazonaws.{REGION}.logs", ["sg-00000003", "sg-00000004"]),
    )
    groups = [group(number) for number in (1, 2, 3, 4)]
    everything = (*notebooks, *roles, *endpoints, *groups)
    found = rows(*everything)
    told = {row.key or row.target: row for row in found.values() if "--leave '" in row.reason}
    assert {name: row.address for name, row in told.items() if row.disposition == "imported"} == {
        "shared-infra/iam": "aws_iam_role.m1",
        "notebooks": "aws_security_group.g1",
        "endpoints": "aws_security_group.g3",
    }
    assert "aws_security_group.g2" in told["notebooks"].reason
    leave = re.findall(r"--leave '([^']+)'", " ".join(row.reason for row in found.values()))
    assert len(leave) == 4  # the endpoint for logs, too
    other = rows(*everything, leave=leave)
    assert {row.address for row in other.values() if row.disposition == "imported"} == {
        "aws_iam_role.m2",
        "aws_security_group.g2",
        "aws_security_group.g4",
        "aws_vpc_endpoint.sts",
        "aws_vpc_endpoint.logs2",
        *(row.address for row in rows(*notebooks).values()),
    }


def test_no_tie_is_told_where_the_counts_differ() -> None:
    found = rows(role("m1", "ml"), role("m2", "ml2"), notebook("a"), group(1), group(2))
    assert not any("--leave" in row.reason for row in found.values())


def test_buckets_of_which_the_alphabet_chooses_one_are_told() -> None:
    found = rows(bucket("a", "x-data"), bucket("b", "y-data"), bucket("c", "z-models"))
    assert "y-data could be datasets as well" in found["aws_s3_bucket.a"].reason
    assert found["aws_s3_bucket.a"].reason.endswith("--bucket y-data=datasets")
    assert found["aws_s3_bucket.c"].reason == ""
    assert purposes("x-data", "y-data", purposes={"y-data": "datasets"})["y-data"] == "datasets"


def test_endpoints_in_two_vpcs_as_many_in_each_are_told() -> None:
    found = rows(
        endpoint("a", f"com.amazonaws.{REGION}.sts"),
        endpoint("b", f"com.amazonaws.{REGION}.sts", vpc="vpc-00000002"),
    )
    assert found["aws_vpc_endpoint.b"].disposition == "stays"
    assert "--leave those of vpc-00000001" in found["aws_vpc_endpoint.b"].reason


def test_what_aws_made_itself_is_said_to_be_only_forgotten() -> None:
    found = rows(
        one("aws_default_vpc.d", id="vpc-00000001"),
        one("aws_default_subnet.d", id="subnet-00000001", vpc_id="vpc-00000001"),
        one("aws_subnet.s", id="subnet-00000002", vpc_id="vpc-00000001"),
        group(1),
        notebook("a"),
    )
    assert "only forgets it" in found["aws_default_vpc.d"].reason
    assert "only forgets it" in found["aws_default_subnet.d"].reason
    assert "forgets" not in found["aws_subnet.s"].reason


def test_subnets_with_as_many_notebooks_are_said_to_be_equal() -> None:
    """The order decides what new notebooks get, and nobody may change it later."""
    three = (notebook("a", subnet_id="subnet-00000002"), notebook("b"), group(1))
    assert network.preferred_subnets(map_all(*three)) == ["subnet-00000001"]
    (note,) = network.note_tie(map_all(*three))
    assert "new notebooks get subnet-00000001: as many are in subnet-00000002," in note
    assert "set subnet_ids in shared-infra/vpc-endpoints/terraform.tfvars before" in note
    more = map_all(*three, notebook("c", subnet_id="subnet-00000002"))
    assert network.preferred_subnets(more) == ["subnet-00000002"]
    assert network.note_tie(more) == []
