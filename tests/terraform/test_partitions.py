"""The roots planned for China and for AWS GovCloud, and the same project in a second region.

Planned alone: nobody here has deployed there. The emulator serves every region of another partition
as us-east-1 (LocalStack 4.13.1, localstack/aws/handlers/region.py), so that the provider is told to
take the partition from the region, and security-groups, which looks for the region's prefix list of
S3, is not planned.
What must hold comes from AWS: ARNs (https://docs.aws.amazon.com/IAM/latest/UserGuide/reference-arns.html),
the names of endpoint services as AWS lists them in cn-north-1 (https://github.com/aws/aws-cdk/issues/25329)
and names that IAM and S3 take once in an account (docs/regions.md).
"""

import json
import re
from collections.abc import Callable
from typing import Any

import pytest
import tftest

from tools.terraform.binary import Terraform

from .conftest import NewTree
from .harness import outputs, resources, statements

BEIJING, GOVCLOUD = "cn-north-1", "us-gov-west-1"
PARTITIONS = {"china": "aws-cn", "gov": "aws-us-gov"}
# Without them the provider believes the ARN of the caller, which the emulator has of us-east-1.
NO_QUESTIONS = ("skip_credentials_validation", "skip_requesting_account_id")
LOGS = ["/aws/sagemaker/NotebookInstances"]
ISOLATED = {
    "name": "nlp",
    "instance_type": "ml.t3.medium",
    "subnet_id": "subnet-0a1b2c3d4e5f67890",
    "security_group_ids": ["sg-0a1b2c3d4e5f67890"],
    "isolation": {
        "bind_trust_to_account": True,
        "bucket_arns": ["arn:aws-cn:s3:::acme-ml-datasets"],
        "permissions_boundary_arn": "arn:aws-cn:iam::123456789012:policy/boundary",
        "policy_arns": {},
        "project": "acme-ml",
    },
}


def root(stack: str, region: str, **values: Any) -> dict[str, Any]:
    return {"source": f"shared-infra/{stack}", "project": "acme-ml", "region": region, **values}


@pytest.fixture(scope="module")
def plan(
    new_tree: NewTree, terraform: Terraform, client: Callable[..., Any]
) -> tftest.TerraformPlanOutput:
    tree = new_tree(terraform)  # a kept provider takes one configuration at a time
    for file in tree.root.glob("shared-infra/*/*.tf"):
        begins = 'provider "aws" {\n'
        skips = "".join(f"  {argument} = true\n" for argument in NO_QUESTIONS)
        file.write_text(file.read_text().replace(begins, begins + skips))
    ec2 = client("ec2", account=tree.account)
    (vpc,) = ec2.describe_vpcs(Filters=[{"Name": "is-default", "Values": ["true"]}])["Vpcs"]
    upstream = {"vpc_id": vpc["VpcId"], "endpoint_security_group_id": "sg-0a1b2c3d4e5f67890"}
    tree.write_state("shared-infra/security-groups", upstream)
    tree.write_state("shared-infra/s3", {"bucket_arns": {}, "kms_key_arns": []})
    services = ["sagemaker.api", "sagemaker.runtime", "ec2", "sts", "logs", "notebook"]
    calls: dict[str, dict[str, Any]] = {
        "china_s3": root("s3", BEIJING, create_kms_key=True, log_groups=LOGS),
        "china_iam": root("iam", BEIJING),
        "china_endpoints": root("vpc-endpoints", BEIJING, interface_services=services),
        "china_notebook": {
            "source": "modules/sagemaker-notebook",
            "providers": {"aws": "aws.china"},
            **ISOLATED,
        },
        "gov_s3": root("s3", GOVCLOUD, create_kms_key=True),
        "gov_iam": root("iam", GOVCLOUD),
        "first_s3": root("s3", "us-east-1"),
        "first_iam": root("iam", "us-east-1", monthly_budget_usd=1, budget_emails=["a@b.example"]),
        "second_s3": root("s3", "eu-west-1", bucket_suffix="eu-west-1"),
        "second_iam": root(
            "iam",
            "eu-west-1",
            name_suffix="eu-west-1",
            monthly_budget_usd=1,
            budget_emails=["a@b.example"],
        ),
    }
    stack = tree.write_calls("partitions", calls)
    china = {"alias": "china", "region": BEIJING, **dict.fromkeys(NO_QUESTIONS, True)}
    provider = {"provider": {"aws": china}}
    (tree.root / stack / "provider.tf.json").write_text(json.dumps(provider))
    return tree.plan(stack)


CALLS = ["china_s3", "china_iam", "china_notebook", "gov_s3", "gov_iam"]


@pytest.mark.parametrize("call", CALLS)
def test_no_arn_is_of_another_partition(plan: tftest.TerraformPlanOutput, call: str) -> None:
    planned = json.dumps([resources(plan, call), outputs(plan, call)])
    partitions = set(re.findall(r"\barn:([a-z-]+):", planned))
    assert partitions == {PARTITIONS[call.partition("_")[0]]}


def test_endpoint_services_are_called_as_in_china(plan: tftest.TerraformPlanOutput) -> None:
    planned = resources(plan, "china_endpoints")
    names = {v["service_name"] for name, v in planned.items() if "aws_vpc_endpoint." in name}
    assert names == {
        "com.amazonaws.cn-north-1.s3",
        "com.amazonaws.cn-north-1.logs",
        "aws.sagemaker.cn-north-1.notebook",
        "cn.com.amazonaws.cn-north-1.ec2",
        "cn.com.amazonaws.cn-north-1.sagemaker.api",
        "cn.com.amazonaws.cn-north-1.sagemaker.runtime",
        "cn.com.amazonaws.cn-north-1.sts",
    }


@pytest.mark.parametrize(
    ("call", "service"),
    [
        ("china_s3", "logs.cn-north-1.amazonaws.com.cn"),
        ("gov_s3", "logs.us-gov-west-1.amazonaws.com"),
    ],
)
def test_the_key_lets_the_partition_s_logs_use_it(
    plan: tftest.TerraformPlanOutput, call: str, service: str
) -> None:
    policy = resources(plan, call)["aws_kms_key.shared[0]"]["policy"]
    assert statements(policy)["EncryptSageMakersLogs"]["Principal"] == {"Service": service}


# Types whose names are an account's or the world's, and the argument that is the name.
GLOBAL = {
    "aws_budgets_budget": "name",
    "aws_iam_policy": "name",
    "aws_iam_role": "name",
    "aws_s3_bucket": "bucket",
}


def global_names(plan: tftest.TerraformPlanOutput, region: str) -> set[str]:
    planned = {**resources(plan, f"{region}_s3"), **resources(plan, f"{region}_iam")}
    return {
        values[GLOBAL[kind]]
        for address, values in planned.items()
        if (kind := address.partition(".")[0]) in GLOBAL
    }


def test_a_second_region_takes_no_name_of_the_first(plan: tftest.TerraformPlanOutput) -> None:
    first, second = global_names(plan, "first"), global_names(plan, "second")
    assert {"acme-ml-datasets", "acme-ml-notebook", "acme-ml-monthly"} <= first
    assert len(second) == len(first)
    assert not first & second


def test_a_guardrail_binds_no_role_of_the_other_region(plan: tftest.TerraformPlanOutput) -> None:
    """A role of the second region would need the boundary of the first, which it cannot have."""
    guardrail = outputs(plan, "first_iam")["guardrail_policy"]
    (pattern, _) = statements(guardrail)["BoundTheNotebooksRoles"]["Resource"]
    beginning = pattern.rpartition("/")[2].removesuffix("*")
    assert beginning == "acme-ml-notebook-"
    assert not [name for name in global_names(plan, "second") if name.startswith(beginning)]
