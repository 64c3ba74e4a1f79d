"""shared-infra/security-groups, as it is planned."""

from collections.abc import Callable
from typing import Any

import pytest
import tftest

from .harness import Tree, outputs, resources

BASE = {"source": "shared-infra/security-groups", "project": "acme-ml", "region": "us-east-1"}
NOTEBOOKS_TO_S3 = "aws_vpc_security_group_egress_rule.notebooks_to_s3"
NOTEBOOKS_TO_ENDPOINTS = "aws_vpc_security_group_egress_rule.notebooks_to_endpoints"
NOTEBOOKS_TO_INTERNET = "aws_vpc_security_group_egress_rule.notebooks_to_internet[0]"
ENDPOINTS_FROM_NOTEBOOKS = "aws_vpc_security_group_ingress_rule.endpoints_from_notebooks"
ENDPOINTS_FROM_CLIENTS = "aws_vpc_security_group_ingress_rule.endpoints_from_clients"
CLIENTS = ["sg-0a1b2c3d4e5f67890", "sg-0f1e2d3c4b5a69788"]

EC2 = Any


@pytest.fixture(scope="module")
def ec2(planning: Tree, client: Callable[..., Any]) -> EC2:
    return client("ec2", account=planning.account)


@pytest.fixture(scope="module")
def other_vpc(ec2: EC2) -> str:
    return str(ec2.create_vpc(CidrBlock="10.1.0.0/16")["Vpc"]["VpcId"])


@pytest.fixture(scope="module")
def plan(planning: Tree, other_vpc: str) -> tftest.TerraformPlanOutput:
    chosen = {
        **BASE,
        "allow_internet_egress": True,
        "endpoint_client_security_group_ids": CLIENTS,
        "security_group_names": {"endpoints": "old endpoints [1]"},
        "vpc_id": other_vpc,
    }
    return planning.plan(
        planning.write_calls("security-groups", {"defaults": BASE, "chosen": chosen})
    )


def test_without_a_vpc_it_is_the_default_one(plan: tftest.TerraformPlanOutput, ec2: EC2) -> None:
    only_default = [{"Name": "is-default", "Values": ["true"]}]
    (default,) = ec2.describe_vpcs(Filters=only_default)["Vpcs"]
    assert outputs(plan, "defaults")["vpc_id"] == default["VpcId"]


def test_groups_in_the_chosen_vpc(plan: tftest.TerraformPlanOutput, other_vpc: str) -> None:
    assert outputs(plan, "chosen")["vpc_id"] == other_vpc
    for group in ("notebooks", "endpoints"):
        assert resources(plan, "chosen")[f"aws_security_group.{group}"]["vpc_id"] == other_vpc


def test_groups_are_called_after_the_project_unless_they_have_a_name(
    plan: tftest.TerraformPlanOutput,
) -> None:
    names = {
        call: [
            (values["name"], values["tags"]["Name"])
            for group in ("notebooks", "endpoints")
            for values in [resources(plan, call)[f"aws_security_group.{group}"]]
        ]
        for call in ("defaults", "chosen")
    }
    assert names == {
        "defaults": [("acme-ml-notebooks",) * 2, ("acme-ml-endpoints",) * 2],
        "chosen": [("acme-ml-notebooks",) * 2, ("old endpoints [1]",) * 2],
    }


def test_no_rules_but_these(plan: tftest.TerraformPlanOutput) -> None:
    planned = resources(plan, "defaults")
    rules = {NOTEBOOKS_TO_ENDPOINTS, NOTEBOOKS_TO_S3, ENDPOINTS_FROM_NOTEBOOKS}
    assert planned.keys() == rules | {
        "aws_security_group.notebooks",
        "aws_security_group.endpoints",
    }
    for rule in rules:
        ports = [planned[rule][key] for key in ("ip_protocol", "from_port", "to_port")]
        assert ports == ["tcp", 443, 443]
        assert planned[rule]["cidr_ipv4"] is None
        assert planned[rule]["cidr_ipv6"] is None
        assert planned[rule]["description"]


def test_rules_link_the_groups(plan: tftest.TerraformPlanOutput) -> None:
    """The groups have no IDs yet: what the rules refer to stands in the configuration."""
    called = plan.configuration["root_module"]["module_calls"]["defaults"]["module"]["resources"]
    rules = {rule["address"]: rule["expressions"] for rule in called}

    def ends(address: str) -> tuple[str, str]:
        owner = rules[address]["security_group_id"]["references"]
        other = rules[address]["referenced_security_group_id"]["references"]
        return owner[-1], other[-1]

    notebooks, endpoints = "aws_security_group.notebooks", "aws_security_group.endpoints"
    assert ends(NOTEBOOKS_TO_ENDPOINTS) == (notebooks, endpoints)
    assert ends(ENDPOINTS_FROM_NOTEBOOKS) == (endpoints, notebooks)
    assert ends(ENDPOINTS_FROM_CLIENTS) == (endpoints, "each.value")


def test_other_workloads_reach_the_endpoints_by_https_only_when_named(
    plan: tftest.TerraformPlanOutput,
) -> None:
    """That there is none by default is what test_no_rules_but_these says."""
    ingress = {
        address: [
            values[key]
            for key in ("ip_protocol", "from_port", "to_port", "referenced_security_group_id")
        ]
        for address, values in resources(plan, "chosen").items()
        if address.startswith(ENDPOINTS_FROM_CLIENTS)
    }
    assert ingress == {
        f'{ENDPOINTS_FROM_CLIENTS}["{group}"]': ["tcp", 443, 443, group] for group in CLIENTS
    }


def test_s3_by_its_prefix_list(plan: tftest.TerraformPlanOutput, ec2: EC2) -> None:
    of_s3 = [{"Name": "prefix-list-name", "Values": ["com.amazonaws.us-east-1.s3"]}]
    (prefix_list,) = ec2.describe_managed_prefix_lists(Filters=of_s3)["PrefixLists"]
    planned = resources(plan, "defaults")[NOTEBOOKS_TO_S3]
    assert planned["prefix_list_id"] == prefix_list["PrefixListId"]


def test_internet_by_https_only_on_request(plan: tftest.TerraformPlanOutput) -> None:
    assert NOTEBOOKS_TO_INTERNET not in resources(plan, "defaults")
    rule = resources(plan, "chosen")[NOTEBOOKS_TO_INTERNET]
    assert [rule[key] for key in ("ip_protocol", "from_port", "to_port", "cidr_ipv4")] == [
        "tcp",
        443,
        443,
        "0.0.0.0/0",
    ]


def test_tags(plan: tftest.TerraformPlanOutput) -> None:
    assert resources(plan, "defaults")["aws_security_group.notebooks"]["tags_all"] == {
        "Name": "acme-ml-notebooks",
        "Project": "acme-ml",
        "ManagedBy": "terraform",
        "Stack": "security-groups",  # the root is calls/security-groups here
    }


REFUSED: dict[str, tuple[dict[str, Any], str]] = {
    "client_name": (
        {"endpoint_client_security_group_ids": ["default"]},
        "The endpoint_client_security_group_ids must be IDs of security groups",
    ),
    "group_purpose": (
        {"security_group_names": {"clients": "old"}},
        "The keys of security_group_names must be notebooks or endpoints",
    ),
    "group_id": (
        {"security_group_names": {"notebooks": "sg-0a1b2c3d4e5f67890"}},
        "The values of security_group_names must be names of security groups",
    ),
    "vpc_name": ({"vpc_id": "main"}, "The vpc_id must be a VPC's ID"),
}


@pytest.fixture(scope="module")
def refusals(planning: Tree) -> dict[str, list[str]]:
    calls = {call: BASE | bad for call, (bad, _) in REFUSED.items()}
    return planning.refusals(planning.write_calls("security-groups-refused", calls))


@pytest.mark.parametrize("call", REFUSED)
def test_bad_values_are_refused(refusals: dict[str, list[str]], call: str) -> None:
    (refusal,) = refusals[call]
    assert REFUSED[call][1] in refusal
