"""shared-infra/iam, as it is planned: each policy, statement by statement."""

import fnmatch
import json
from typing import Any

import botocore.session
import pytest
import tftest

from .conftest import NewTree
from .harness import Tree, resources, statements
from .permissions import expected

BASE = {"source": "shared-infra/iam", "project": "acme-ml", "region": "eu-central-1"}
BUCKET_KEY = "arn:aws:kms:eu-central-1:123456789012:key/1234abcd-12ab-34cd-56ef-1234567890ab"
OTHER_KEY = "arn:aws:kms:eu-central-1:123456789012:key/mrk-1234abcd12ab34cd56ef1234567890ab"
BOUNDARY = "arn:aws:iam::123456789012:policy/boundary"
BUCKETS = {
    "datasets": "arn:aws:s3:::acme-ml-datasets",
    "features": "arn:aws:s3:::acme-features",
    "models": "arn:aws:s3:::acme-ml-models",
}
CALLS: dict[str, dict[str, Any]] = {
    "defaults": BASE,
    "chosen": {
        **BASE,
        "bind_trust_to_account": True,
        "kms_key_arns": [OTHER_KEY],
        "permissions_boundary_arn": BOUNDARY,
    },
}
# Actions that know no resources, or whose answer no resource narrows:
# https://docs.aws.amazon.com/service-authorization/latest/reference/
WITHOUT_RESOURCES = {
    "cloudwatch:PutMetricData",
    "ec2:DescribeDhcpOptions",
    "ec2:DescribeNetworkInterfaces",
    "ec2:DescribeRouteTables",
    "ec2:DescribeSecurityGroups",
    "ec2:DescribeSubnets",
    "ec2:DescribeVpcEndpoints",
    "ec2:DescribeVpcs",
    "ecr:GetAuthorizationToken",
    "logs:DescribeLogGroups",
    "sagemaker:List*",
    "sagemaker:Search",
    "secretsmanager:ListSecrets",
}
# Actions that no operation is called like: Git's own, and those that S3 checks for operations of
# other names: https://docs.aws.amazon.com/AmazonS3/latest/userguide/using-with-s3-policy-actions.html
WITHOUT_AN_OPERATION = {
    "codecommit:GitPull",
    "codecommit:GitPush",
    "s3:GetObjectVersion",
    "s3:ListBucket",
    "s3:ListBucketMultipartUploads",
    "s3:ListBucketVersions",
    "s3:ListMultipartUploadParts",
}


@pytest.fixture(scope="module")
def account(planning: Tree) -> str:
    return planning.account


@pytest.fixture(scope="module")
def plan(planning: Tree) -> tftest.TerraformPlanOutput:
    planning.write_state("shared-infra/s3", {"bucket_arns": BUCKETS, "kms_key_arns": []})
    return planning.plan(planning.write_calls("iam", CALLS))


@pytest.fixture(scope="module")
def policies(plan: tftest.TerraformPlanOutput) -> dict[str, dict[str, dict[str, Any]]]:
    """The statements of every managed policy, by concern and Sid, with a key of the user's own."""
    return {
        address.split('"')[1]: statements(values["policy"])
        for address, values in resources(plan, "chosen").items()
        if address.startswith("aws_iam_policy.")
    }


def test_one_policy_per_concern_attached_to_the_role(plan: tftest.TerraformPlanOutput) -> None:
    planned = resources(plan, "defaults")
    concerns = {"code", "ecr", "logs", "network", "s3", "sagemaker", "secrets"}
    for kind in ("aws_iam_policy", "aws_iam_role_policy_attachment"):
        assert {name for name in planned if name.startswith(f"{kind}.")} == {
            f'{kind}.notebook["{concern}"]' for concern in concerns
        }
    assert planned['aws_iam_policy.notebook["s3"]']["name"] == "acme-ml-notebook-s3"
    assert planned["aws_iam_role.notebook"]["name"] == "acme-ml-notebook"


def test_every_statement_allows_what_its_purpose_needs_and_no_more(
    policies: dict[str, Any], account: str
) -> None:
    allowed = expected(account, "eu-central-1", "acme-ml", [*BUCKETS.values()], [OTHER_KEY])
    assert policies.keys() == allowed.keys()
    for concern, statements_of_it in allowed.items():
        assert policies[concern] == statements_of_it


def test_kms_policy_only_where_there_is_a_key(plan: tftest.TerraformPlanOutput) -> None:
    assert 'aws_iam_policy.notebook["kms"]' not in resources(plan, "defaults")
    assert 'aws_iam_policy.notebook["kms"]' in resources(plan, "chosen")


def test_the_buckets_key_is_usable_without_being_named(new_tree: NewTree) -> None:
    """And a key that is named besides is not named twice."""
    tree = new_tree()
    tree.write_state("shared-infra/s3", {"bucket_arns": BUCKETS, "kms_key_arns": [BUCKET_KEY]})
    keys = {"unnamed": [], "named": [OTHER_KEY, BUCKET_KEY]}
    calls = {call: {**BASE, "kms_key_arns": named} for call, named in keys.items()}
    plan = tree.plan(tree.write_calls("iam-keys", calls))
    usable = {
        call: statements(resources(plan, call)['aws_iam_policy.notebook["kms"]']["policy"])
        for call in keys
    }
    for sid in ("UseKeys", "GrantKeysToAwsServices"):
        assert usable["unnamed"][sid]["Resource"] == [BUCKET_KEY]
        assert usable["named"][sid]["Resource"] == [BUCKET_KEY, OTHER_KEY]


def test_sagemaker_alone_assumes_the_role(plan: tftest.TerraformPlanOutput, account: str) -> None:
    expected = {
        "Sid": "SageMakerAssumesTheRole",
        "Effect": "Allow",
        "Action": ["sts:AssumeRole"],
        "Principal": {"Service": "sagemaker.amazonaws.com"},
    }
    role = resources(plan, "defaults")["aws_iam_role.notebook"]
    assert statements(role["assume_role_policy"]) == {"SageMakerAssumesTheRole": expected}
    bound = resources(plan, "chosen")["aws_iam_role.notebook"]
    assert statements(bound["assume_role_policy"]) == {
        "SageMakerAssumesTheRole": {
            **expected,
            "Condition": {"StringEquals": {"aws:SourceAccount": account}},
        }
    }


def test_permissions_boundary(plan: tftest.TerraformPlanOutput) -> None:
    assert resources(plan, "defaults")["aws_iam_role.notebook"]["permissions_boundary"] is None
    assert resources(plan, "chosen")["aws_iam_role.notebook"]["permissions_boundary"] == BOUNDARY


def test_tags(plan: tftest.TerraformPlanOutput) -> None:
    assert resources(plan, "defaults")["aws_iam_role.notebook"]["tags_all"] == {
        "Project": "acme-ml",
        "ManagedBy": "terraform",
        "Stack": "shared-infra/iam",
    }


def test_versions_cannot_be_deleted(policies: dict[str, Any]) -> None:
    actions = {action for found in policies["s3"].values() for action in found["Action"]}
    assert not {action for action in actions if "Version" in action and "Delete" in action}
    assert "s3:*" not in actions


def test_a_notebook_cannot_change_the_tags_that_say_who_may_stop_it(
    policies: dict[str, Any],
) -> None:
    tagging = policies["sagemaker"]["TagWhatItMakes"]
    assert tagging["Action"] == ["sagemaker:AddTags", "sagemaker:DeleteTags"]
    assert not [arn for arn in tagging["Resource"] if "notebook" in arn or arn.endswith(":*")]


def test_star_only_where_aws_knows_no_resources(policies: dict[str, Any]) -> None:
    everywhere = {
        action
        for found in policies.values()
        for statement in found.values()
        if "*" in statement["Resource"]
        for action in statement["Action"]
    }
    assert everywhere == WITHOUT_RESOURCES


def test_no_statement_allows_all_actions_of_a_service(policies: dict[str, Any]) -> None:
    actions = {
        action
        for found in policies.values()
        for statement in found.values()
        for action in statement["Action"]
    }
    wildcards = {action for action in actions if "*" in action}
    assert wildcards == {"sagemaker:List*", "kms:GenerateDataKey*", "kms:ReEncrypt*"}


@pytest.mark.parametrize(
    ("prefix", "services"),
    [
        ("cloudwatch", ["cloudwatch"]),
        ("codecommit", ["codecommit"]),
        ("ec2", ["ec2"]),
        ("ecr", ["ecr"]),
        ("kms", ["kms"]),
        ("logs", ["logs"]),
        ("s3", ["s3"]),
        ("sagemaker", ["sagemaker", "sagemaker-metrics", "sagemaker-runtime"]),
        ("secretsmanager", ["secretsmanager"]),
    ],
)
def test_actions_exist(policies: dict[str, Any], prefix: str, services: list[str]) -> None:
    session = botocore.session.get_session()
    operations = {
        f"{prefix}:{operation}"
        for service in services
        for operation in session.get_service_model(service).operation_names
    }
    operations |= WITHOUT_AN_OPERATION
    used = {
        action
        for found in policies.values()
        for statement in found.values()
        for action in statement["Action"]
        if action.startswith(f"{prefix}:")
    }
    assert used
    assert [action for action in used if not fnmatch.filter(operations, action)] == []


def test_policies_fit(plan: tftest.TerraformPlanOutput) -> None:
    """https://docs.aws.amazon.com/IAM/latest/UserGuide/reference_iam-quotas.html"""
    planned = resources(plan, "chosen")
    texts = [v["policy"] for name, v in planned.items() if name.startswith("aws_iam_policy.")]
    assert len(texts) <= 10
    assert max(len("".join(json.dumps(json.loads(text)).split())) for text in texts) <= 6144


REFUSED: dict[str, tuple[dict[str, Any], str]] = {
    "key_alias": ({"kms_key_arns": ["alias/key"]}, "The kms_key_arns must be ARNs"),
    "boundary_name": (
        {"permissions_boundary_arn": "boundary"},
        "The permissions_boundary_arn must be the ARN",
    ),
    "project_long": ({"project": "a" * 33}, "must be 2 to 32 lower-case letters"),
    "region_name": ({"region": "Frankfurt"}, "an AWS region's name, such as us-east-1"),
    "state_bucket_short": ({"state_bucket": "ab"}, "must be an S3 bucket's name"),
}


@pytest.fixture(scope="module")
def refusals(planning: Tree) -> dict[str, list[str]]:
    calls = {call: BASE | bad for call, (bad, _) in REFUSED.items()}
    return planning.refusals(planning.write_calls("iam-refused", calls))


@pytest.mark.parametrize("call", REFUSED)
def test_bad_values_are_refused(refusals: dict[str, list[str]], call: str) -> None:
    (refusal,) = refusals[call]
    assert REFUSED[call][1] in refusal
