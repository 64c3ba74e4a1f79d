"""shared-infra/iam, as it is planned: each policy, statement by statement."""

import fnmatch
import json
from typing import Any

import botocore.session
import pytest
import tftest

from .conftest import NewTree
from .harness import Tree, outputs, resources, statements
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
    "guarded": {
        **BASE,
        "guardrail": {
            "instance_types": ["ml.t3.*"],
            "subnet_ids": ["subnet-0a1b2c3d4e5f67890"],
            "volume_kms_key_arns": [OTHER_KEY],
        },
    },
    "chosen": {
        **BASE,
        "bind_trust_to_account": True,
        "kms_key_arns": [OTHER_KEY],
        "permissions_boundary_arn": BOUNDARY,
    },
    "named": {**BASE, "role_name": "old-role", "role_path": "/ml/old/"},
}
LONGEST: dict[str, Any] = {
    **BASE,
    "guardrail": {
        "instance_types": [f"ml.{family}.*" for family in ("t3", "m5", "m7i", "g5", "g6")],
        "subnet_ids": [f"subnet-0a1b2c3d4e5f6789{n}" for n in range(6)],
        "volume_kms_key_arns": [BUCKET_KEY, OTHER_KEY],
    },
    "guardrail_except_principal_arns": [
        "arn:aws:iam::123456789012:role/a-deployer-of-the-shared-infrastructure",
    ],
    "kms_key_arns": [OTHER_KEY],
    "reserve_users": True,
    "project": "a-project-of-thirty-two-letters0",
    "region": "ap-southeast-2",
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
def plans(
    planning: Tree, plan: tftest.TerraformPlanOutput
) -> dict[str, tftest.TerraformPlanOutput]:
    """The plan that each call is in: another project or region is another provider's settings."""
    longest = planning.plan(planning.write_calls("iam-longest", {"longest": LONGEST}))
    return {**dict.fromkeys(CALLS, plan), "longest": longest}


@pytest.fixture(scope="module")
def policies(plan: tftest.TerraformPlanOutput) -> dict[str, dict[str, dict[str, Any]]]:
    """The statements of every managed policy, by concern and Sid, with a key of the user's own."""
    return {
        address.split('"')[1]: statements(values["policy"])
        for address, values in resources(plan, "chosen").items()
        if address.startswith("aws_iam_policy.notebook")
    }


def test_one_policy_per_concern_attached_to_the_role(plan: tftest.TerraformPlanOutput) -> None:
    planned = resources(plan, "defaults")
    concerns = {"code", "ecr", "logs", "network", "s3", "sagemaker", "secrets"}
    for kind in ("aws_iam_policy", "aws_iam_role_policy_attachment"):
        assert {name for name in planned if name.startswith(f"{kind}.notebook")} == {
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


def test_a_role_that_exists_keeps_its_name_and_path(plan: tftest.TerraformPlanOutput) -> None:
    role = resources(plan, "named")["aws_iam_role.notebook"]
    assert (role["name"], role["path"]) == ("old-role", "/ml/old/")
    unnamed = resources(plan, "defaults")["aws_iam_role.notebook"]
    assert (unnamed["name"], unnamed["path"]) == ("acme-ml-notebook", "/")
    # Its policies are the project's all the same: their names are how the guardrail knows them.
    policy = resources(plan, "named")['aws_iam_policy.notebook["s3"]']
    assert policy["name"] == "acme-ml-notebook-s3"


def test_the_guardrail_keeps_the_shared_role_whatever_its_name(
    plan: tftest.TerraformPlanOutput, account: str
) -> None:
    isolated = [
        f"arn:aws:iam::{account}:role/acme-ml-notebook-*",
        f"arn:aws:iam::{account}:role/*/acme-ml-notebook-*",
    ]
    for call, name in {"defaults": "acme-ml-notebook", "named": "ml/old/old-role"}.items():
        kept = statements(outputs(plan, call)["guardrail_policy"])
        assert kept["KeepTheSharedRole"]["Resource"] == [f"arn:aws:iam::{account}:role/{name}"]
        assert kept["BoundTheNotebooksRoles"]["Resource"] == sorted(isolated)


def test_permissions_boundary(plan: tftest.TerraformPlanOutput) -> None:
    assert resources(plan, "defaults")["aws_iam_role.notebook"]["permissions_boundary"] is None
    assert resources(plan, "chosen")["aws_iam_role.notebook"]["permissions_boundary"] == BOUNDARY


def test_tags(plan: tftest.TerraformPlanOutput) -> None:
    assert resources(plan, "defaults")["aws_iam_role.notebook"]["tags_all"] == {
        "Project": "acme-ml",
        "ManagedBy": "terraform",
        "Stack": "iam",  # the root is calls/iam here
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


def characters(policy: str) -> int:
    """As AWS counts them: https://docs.aws.amazon.com/IAM/latest/UserGuide/reference_iam-quotas.html"""
    return len("".join(json.dumps(json.loads(policy)).split()))


@pytest.mark.parametrize("call", ["chosen", "longest"])
def test_policies_fit(plans: dict[str, tftest.TerraformPlanOutput], call: str) -> None:
    planned = resources(plans[call], call)
    attached = [name for name in planned if name.startswith("aws_iam_role_policy_attachment.")]
    assert len(attached) <= 10
    texts = [v["policy"] for name, v in planned.items() if name.startswith("aws_iam_policy.")]
    assert len(texts) == len(attached) + 2  # the boundaries of isolated roles and of schedules
    assert max(map(characters, texts)) <= 6144


def test_an_isolated_role_is_made_of_all_that_reaches_no_other_notebook(
    plan: tftest.TerraformPlanOutput,
) -> None:
    """Its ARNs are known after the apply alone: tests/iam sees the applied role."""
    assert "aws_iam_policy.isolation[0]" in resources(plan, "defaults")
    assert outputs(plan, "defaults")["isolation"]["bind_trust_to_account"] is False


def test_more_buckets_than_a_boundary_holds_make_none(new_tree: NewTree) -> None:
    """The shared role goes on, and isolation is refused where it is asked for."""
    tree = new_tree()
    many = {
        f"b{n}": f"arn:aws:s3:::{'a-bucket-with-a-name-of-50-characters':a<49}{n}" for n in range(9)
    }
    tree.write_state("shared-infra/s3", {"bucket_arns": many, "kms_key_arns": []})
    plan = tree.plan(tree.write_calls("iam-many", {"many": BASE}))
    assert "aws_iam_policy.isolation[0]" not in resources(plan, "many")
    assert outputs(plan, "many").get("isolation") is None


@pytest.mark.parametrize("call", ["defaults", "guarded", "longest"])
def test_the_guardrail_fits_a_role_and_a_service_control_policy(
    plans: dict[str, tftest.TerraformPlanOutput], call: str
) -> None:
    """As it is given, since the API of Organizations counts white space:
    https://docs.aws.amazon.com/organizations/latest/userguide/orgs_reference_limits.html"""
    guardrail = outputs(plans[call], call)["guardrail_policy"]
    assert len(guardrail) <= 5120
    for statement in json.loads(guardrail)["Statement"]:
        assert statement["Effect"] == "Deny"
        assert not statement.keys() & {"Principal", "NotPrincipal"}


def test_the_guardrail_bounds_what_it_is_told(plan: tftest.TerraformPlanOutput) -> None:
    by_choice = {"OnlyInTheseSubnets", "OnlyTheseInstanceTypes", "OnlyVolumesWithTheseKeys"}
    by_default = statements(outputs(plan, "defaults")["guardrail_policy"]).keys()
    guarded = statements(outputs(plan, "guarded")["guardrail_policy"]).keys()
    assert guarded - by_default == by_choice
    assert guarded & by_choice == by_choice


ANY: dict[str, Any] = {"instance_types": [], "subnet_ids": [], "volume_kms_key_arns": []}
REFUSED: dict[str, tuple[dict[str, Any], str]] = {
    "key_alias": ({"kms_key_arns": ["alias/key"]}, "The kms_key_arns must be ARNs"),
    "guardrail_type": (
        {"guardrail": {**ANY, "instance_types": ["t3.medium"]}},
        "The guardrail's instance_types must be SageMaker's",
    ),
    "guardrail_subnet": (
        {"guardrail": {**ANY, "subnet_ids": ["private"]}},
        "The guardrail's subnet_ids must be IDs of subnets",
    ),
    "guardrail_key": (
        {"guardrail": {**ANY, "volume_kms_key_arns": ["alias/key"]}},
        "volume_kms_key_arns must be keys",
    ),
    "boundary_name": (
        {"permissions_boundary_arn": "boundary"},
        "The permissions_boundary_arn must be null or a policy's ARN",
    ),
    "role_arn": ({"role_name": BOUNDARY}, "The role_name must be null, or 1 to 64 letters"),
    "role_path": ({"role_path": "ml"}, "The role_path must begin and end with a slash"),
}


@pytest.fixture(scope="module")
def refusals(planning: Tree) -> dict[str, list[str]]:
    calls = {call: BASE | bad for call, (bad, _) in REFUSED.items()}
    return planning.refusals(planning.write_calls("iam-refused", calls))


@pytest.mark.parametrize("call", REFUSED)
def test_bad_values_are_refused(refusals: dict[str, list[str]], call: str) -> None:
    (refusal,) = refusals[call]
    assert REFUSED[call][1] in refusal
