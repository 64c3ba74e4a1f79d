"""shared-infra/s3, as it is planned."""

import json
from collections.abc import Callable
from typing import Any

import pytest
import tftest

from .conftest import NewTree
from .harness import Tree, outputs, resources, statements

BASE = {"source": "shared-infra/s3", "project": "acme-ml", "region": "us-east-1"}
KEY = "arn:aws:kms:us-east-1:123456789012:key/1234abcd-12ab-34cd-56ef-1234567890ab"
ENDPOINT = "vpce-0a1b2c3d4e5f67890"
DEPLOYER = "arn:aws:iam::123456789012:role/deployer"
CALLS: dict[str, dict[str, Any]] = {
    "defaults": BASE,
    "chosen": {
        **BASE,
        "abort_incomplete_upload_days": 3,
        "access_log_bucket": "acme-logs",
        "bucket_names": {"models": "our-old-bucket", "features": "acme-features"},
        "bucket_suffix": "x7",
        "force_destroy": True,
        "kms_key_arn": KEY,
        "log_groups": ["/aws/sagemaker/TrainingJobs"],
        "log_retention_days": 30,
        "only_through_vpc_endpoints": {
            "endpoint_ids": [ENDPOINT],
            "except_principal_arns": [DEPLOYER],
        },
        "noncurrent_version_expiration_days": 10,
        "transitions": [
            {"days": 30, "storage_class": "STANDARD_IA"},
            {"days": 180, "storage_class": "DEEP_ARCHIVE"},
        ],
    },
    "keyed": {**BASE, "create_kms_key": True},
    "logged": {**BASE, "log_groups": ["/aws/sagemaker/NotebookInstances"]},
}


@pytest.fixture(scope="module")
def plan(planning: Tree) -> tftest.TerraformPlanOutput:
    return planning.plan(planning.write_calls("s3", CALLS))


@pytest.fixture(scope="module")
def by_default(plan: tftest.TerraformPlanOutput) -> dict[str, dict[str, Any]]:
    return resources(plan, "defaults")


@pytest.fixture(scope="module")
def chosen(plan: tftest.TerraformPlanOutput) -> dict[str, dict[str, Any]]:
    return resources(plan, "chosen")


def of_type(planned: dict[str, dict[str, Any]], kind: str) -> dict[str, dict[str, Any]]:
    """The resources of one type, by the purpose of their bucket."""
    return {
        address.split('"')[1] if '"' in address else address.split(".")[1]: values
        for address, values in planned.items()
        if address.startswith(f"{kind}.")
    }


def test_buckets_are_named_for_the_project(plan: tftest.TerraformPlanOutput) -> None:
    names = {"datasets": "acme-ml-datasets", "models": "acme-ml-models"}
    planned = of_type(resources(plan, "defaults"), "aws_s3_bucket")
    assert {purpose: bucket["bucket"] for purpose, bucket in planned.items()} == names
    assert outputs(plan, "defaults")["bucket_names"] == names
    assert outputs(plan, "defaults")["datasets_bucket_name"] == "acme-ml-datasets"
    assert outputs(plan, "defaults")["models_bucket_name"] == "acme-ml-models"


def test_suffix_given_names_and_further_buckets(plan: tftest.TerraformPlanOutput) -> None:
    assert outputs(plan, "chosen")["bucket_names"] == {
        "datasets": "acme-ml-datasets-x7",
        "features": "acme-features",
        "models": "our-old-bucket",
    }


@pytest.mark.parametrize("call", CALLS)
def test_every_bucket_is_versioned_private_and_owned(
    plan: tftest.TerraformPlanOutput, call: str
) -> None:
    planned = resources(plan, call)
    buckets = of_type(planned, "aws_s3_bucket").keys()
    versioning = of_type(planned, "aws_s3_bucket_versioning")
    blocks = of_type(planned, "aws_s3_bucket_public_access_block")
    ownership = of_type(planned, "aws_s3_bucket_ownership_controls")
    assert buckets == versioning.keys() == blocks.keys() == ownership.keys()
    for purpose in buckets:
        assert versioning[purpose]["versioning_configuration"][0]["status"] == "Enabled"
        assert [
            blocks[purpose][setting]
            for setting in (
                "block_public_acls",
                "block_public_policy",
                "ignore_public_acls",
                "restrict_public_buckets",
            )
        ] == [True] * 4
        assert ownership[purpose]["rule"] == [{"object_ownership": "BucketOwnerEnforced"}]


def test_plain_http_and_other_accounts_are_denied_on_bucket_and_objects(
    by_default: dict[str, Any], planning: Tree
) -> None:
    policies = of_type(by_default, "aws_s3_bucket_policy")
    assert policies.keys() == {"datasets", "models"}
    denied = {
        "Effect": "Deny",
        "Principal": "*",
        "Action": ["s3:*"],
        "Resource": ["arn:aws:s3:::acme-ml-models", "arn:aws:s3:::acme-ml-models/*"],
    }
    assert statements(policies["models"]["policy"]) == {
        "DenyPlainHttp": {
            "Sid": "DenyPlainHttp",
            **denied,
            "Condition": {"Bool": {"aws:SecureTransport": "false"}},
        },
        "DenyOtherAccounts": {
            "Sid": "DenyOtherAccounts",
            **denied,
            "Condition": {
                "StringNotEquals": {"aws:PrincipalAccount": planning.account},
                "BoolIfExists": {"aws:PrincipalIsAWSService": "false"},
            },
        },
    }


def test_the_endpoints_bound_what_is_in_a_bucket_and_not_its_settings(
    chosen: dict[str, Any],
) -> None:
    """A HeadBucket of Terraform needs s3:ListBucket: its role is excepted."""
    policy = of_type(chosen, "aws_s3_bucket_policy")["models"]["policy"]
    bound = statements(policy)["DenyWaysAroundTheEndpoints"]
    assert bound["Condition"]["StringNotEquals"] == {"aws:SourceVpce": ENDPOINT}
    assert bound["Condition"]["ArnNotLike"] == {"aws:PrincipalArn": DEPLOYER}
    assert not [action for action in bound["Action"] if "Policy" in action or action == "s3:*"]


def test_a_key_is_made_on_request_with_rotation(plan: tftest.TerraformPlanOutput) -> None:
    for call in ("defaults", "chosen"):
        assert not [name for name in resources(plan, call) if name.startswith("aws_kms_")]
    made = resources(plan, "keyed")
    assert made["aws_kms_key.shared[0]"]["enable_key_rotation"] is True
    assert made["aws_kms_alias.shared[0]"]["name"] == "alias/acme-ml"
    encryption = of_type(made, "aws_s3_bucket_server_side_encryption_configuration")
    for rules in encryption.values():
        (default,) = rules["rule"][0]["apply_server_side_encryption_by_default"]
        assert default["sse_algorithm"] == "aws:kms"


def test_log_groups_have_an_end_and_the_key(plan: tftest.TerraformPlanOutput) -> None:
    assert of_type(resources(plan, "defaults"), "aws_cloudwatch_log_group") == {}
    (group,) = of_type(resources(plan, "chosen"), "aws_cloudwatch_log_group").values()
    assert (group["name"], group["retention_in_days"]) == ("/aws/sagemaker/TrainingJobs", 30)
    assert group["kms_key_id"] == KEY
    (unencrypted,) = of_type(resources(plan, "logged"), "aws_cloudwatch_log_group").values()
    assert (unencrypted["retention_in_days"], unencrypted["kms_key_id"]) == (365, None)


@pytest.mark.parametrize(
    ("call", "algorithm", "key"), [("defaults", "AES256", ""), ("chosen", "aws:kms", KEY)]
)
def test_encryption(plan: tftest.TerraformPlanOutput, call: str, algorithm: str, key: str) -> None:
    planned = of_type(resources(plan, call), "aws_s3_bucket_server_side_encryption_configuration")
    assert planned.keys() == of_type(resources(plan, call), "aws_s3_bucket").keys()
    for bucket in planned.values():
        (rule,) = bucket["rule"]
        (default,) = rule["apply_server_side_encryption_by_default"]
        assert rule["bucket_key_enabled"] is True
        assert default["sse_algorithm"] == algorithm
        assert (default["kms_master_key_id"] or "") == key


def test_the_role_learns_of_the_key(plan: tftest.TerraformPlanOutput) -> None:
    assert outputs(plan, "defaults")["kms_key_arns"] == []
    assert outputs(plan, "chosen")["kms_key_arns"] == [KEY]


def lifecycle_rules(planned: dict[str, dict[str, Any]], purpose: str) -> dict[str, Any]:
    configuration = of_type(planned, "aws_s3_bucket_lifecycle_configuration")[purpose]
    assert all(rule["status"] == "Enabled" for rule in configuration["rule"])
    return {rule["id"]: rule for rule in configuration["rule"]}


def test_old_versions_and_unfinished_uploads_expire(by_default: dict[str, Any]) -> None:
    for purpose in ("datasets", "models"):
        rules = lifecycle_rules(by_default, purpose)
        assert rules.keys() == {"expire-noncurrent-versions", "abort-incomplete-uploads"}
        versions = rules["expire-noncurrent-versions"]
        assert versions["noncurrent_version_expiration"][0]["noncurrent_days"] == 90
        assert versions["expiration"][0]["expired_object_delete_marker"] is True
        uploads = rules["abort-incomplete-uploads"]["abort_incomplete_multipart_upload"]
        assert uploads == [{"days_after_initiation": 7}]


def test_chosen_lifecycle(chosen: dict[str, Any]) -> None:
    rules = lifecycle_rules(chosen, "features")
    versions = rules["expire-noncurrent-versions"]["noncurrent_version_expiration"]
    assert versions[0]["noncurrent_days"] == 10
    uploads = rules["abort-incomplete-uploads"]["abort_incomplete_multipart_upload"]
    assert uploads == [{"days_after_initiation": 3}]
    transitions = rules["move-to-cheaper-storage"]["transition"]
    assert {(move["days"], move["storage_class"]) for move in transitions} == {
        (30, "STANDARD_IA"),
        (180, "DEEP_ARCHIVE"),
    }


@pytest.mark.parametrize(("call", "forced"), [("defaults", False), ("chosen", True)])
def test_full_buckets_are_destroyed_only_on_request(
    plan: tftest.TerraformPlanOutput, call: str, forced: bool
) -> None:
    buckets = of_type(resources(plan, call), "aws_s3_bucket")
    assert {bucket["force_destroy"] for bucket in buckets.values()} == {forced}


def test_access_logs_go_to_the_chosen_bucket(
    by_default: dict[str, Any], chosen: dict[str, Any]
) -> None:
    assert of_type(by_default, "aws_s3_bucket_logging") == {}
    logging = of_type(chosen, "aws_s3_bucket_logging")
    assert logging["models"]["target_bucket"] == "acme-logs"
    assert logging["models"]["target_prefix"] == "our-old-bucket/"
    assert logging.keys() == {"datasets", "features", "models"}


def test_tags(by_default: dict[str, Any]) -> None:
    assert of_type(by_default, "aws_s3_bucket")["datasets"]["tags_all"] == {
        "Project": "acme-ml",
        "ManagedBy": "terraform",
        "Stack": "s3",  # the root is calls/s3 here
    }


def test_a_bucket_that_exists_is_taken_over_by_an_import(
    new_tree: NewTree, client: Callable[..., Any]
) -> None:
    """By the address that the layout gives it; a state with an older one is not planned."""
    tree = new_tree()
    name = f"old-{tree.account}"
    s3 = client("s3", account=tree.account)
    s3.create_bucket(Bucket=name)
    stack = "shared-infra/s3"
    values = {"bucket_names": {"datasets": name, "features": f"further-{tree.account}"}}
    (tree.root / stack / "old.auto.tfvars.json").write_text(json.dumps(values))
    tree.import_existing(stack, "aws_s3_bucket.datasets", name)
    planned = tree.changes(stack)
    assert planned["aws_s3_bucket.datasets"] == "update"  # its tags
    for created in (
        "aws_s3_bucket.models",
        'aws_s3_bucket.further["features"]',
        'aws_s3_bucket_policy.tls_only["datasets"]',
        'aws_s3_bucket_policy.tls_only["features"]',
    ):
        assert planned[created] == "create"

    former = 'aws_s3_bucket.shared["datasets"]'
    tree.move_in_state(stack, "aws_s3_bucket.datasets", former)
    with pytest.raises(tftest.TerraformTestError) as refused:
        tree.changes(stack)
    said = str(refused.value).replace("\\", "")  # of the JSON, and of a text in a tuple
    assert f"Resource {former} has lifecycle.prevent_destroy set" in said
    s3.delete_bucket(Bucket=name)


REFUSED: dict[str, tuple[dict[str, Any], str]] = {
    "abort_zero": ({"abort_incomplete_upload_days": 0}, "must be a whole number of 1 or more"),
    "log_bucket_upper_case": ({"access_log_bucket": "Logs"}, "must be null or a bucket's name"),
    "endpoint_name": (
        {
            "only_through_vpc_endpoints": {
                "endpoint_ids": ["s3"],
                "except_principal_arns": [DEPLOYER],
            }
        },
        "The endpoint_ids must be one ID of an S3 endpoint",
    ),
    "everybody_locked_out": (
        {"only_through_vpc_endpoints": {"endpoint_ids": [ENDPOINT], "except_principal_arns": []}},
        "must name the role or user that runs Terraform",
    ),
    "log_group_elsewhere": ({"log_groups": ["/aws/lambda/x"]}, "The log_groups are SageMaker's"),
    "retention_odd": ({"log_retention_days": 31}, "must be a number that CloudWatch takes"),
    "name_short": ({"bucket_names": {"models": "ab"}}, "must be S3 bucket names: 3 to 63"),
    "purpose_spaced": ({"bucket_names": {"my data": "abc"}}, "of bucket_names are purposes"),
    "suffix_long": ({"bucket_suffix": "x" * 22}, "at most 21 lower-case letters"),
    "suffix_hyphen": ({"bucket_suffix": "x-"}, "at most 21 lower-case letters"),
    "suffix_alias": ({"bucket_suffix": "x-s3alias"}, "S3 keeps -s3alias and -an for itself"),
    "suffix_namespace": ({"bucket_suffix": "an"}, "S3 keeps -s3alias and -an for itself"),
    "name_lambda": ({"bucket_names": {"models": "a--ol-s3"}}, "a name that S3 keeps for itself"),
    "name_address": (
        {"bucket_names": {"models": "192.168.5.4"}},
        "a name that S3 keeps for itself",
    ),
    "key_alias": ({"kms_key_arn": "alias/key"}, "no alias."),
    "versions_half_day": ({"noncurrent_version_expiration_days": 1.5}, "a whole number of 1"),
    "class_unknown": (
        {"transitions": [{"days": 30, "storage_class": "COLD"}]},
        "is one of STANDARD_IA, INTELLIGENT_TIERING",
    ),
    "class_too_early": (
        {"transitions": [{"days": 29, "storage_class": "STANDARD_IA"}]},
        "from 30 for STANDARD_IA",
    ),
}


@pytest.fixture(scope="module")
def refusals(planning: Tree) -> dict[str, list[str]]:
    calls = {call: BASE | bad for call, (bad, _) in REFUSED.items()}
    return planning.refusals(planning.write_calls("s3-refused", calls))


@pytest.mark.parametrize("call", REFUSED)
def test_bad_values_are_refused(refusals: dict[str, list[str]], call: str) -> None:
    (refusal,) = refusals[call]
    assert REFUSED[call][1] in refusal


def test_two_keys_are_refused(planning: Tree) -> None:
    calls = {"two_keys": {**BASE, "create_kms_key": True, "kms_key_arn": KEY}}
    refusals = planning.refusals(planning.write_calls("s3-two-keys", calls))
    assert "take one of them back" in " ".join(" ".join(refusals["kms"]).split())
