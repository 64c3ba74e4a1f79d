"""shared-infra/security-groups, as it is planned."""

from collections.abc import Callable
from typing import Any

import pytest
import tftest

from .harness import Tree, outputs, resources

BASE = {
    "source": "shared-infra/security-groups",
    "project": "acme-ml",
    "region": "us-east-1",
    "vpc_id": "default",
}
NOTEBOOKS_TO_S3 = "aws_vpc_security_group_egress_rule.notebooks_to_s3"
NOTEBOOKS_TO_ENDPOINTS = "aws_vpc_security_group_egress_rule.notebooks_to_endpoints"
NOTEBOOKS_TO_INTERNET = "aws_vpc_security_group_egress_rule.notebooks_to_internet[0]"
ENDPOINTS_FROM_NOTEBOOKS = "aws_vpc_security_group_ingress_rule.endpoints_from_notebooks"
ENDPOINTS_FROM_VPC = "aws_vpc_security_group_ingress_rule.endpoints_from_vpc"
CENTRAL = {"egress_cidrs": ["10.20.0.0/16"], "egress_security_group_ids": ["sg-0a1b2c3d4e5f67890"]}
GROUPS = CENTRAL["egress_security_group_ids"]
VPC_RANGES = ["10.1.0.0/16", "100.64.0.0/20"]

EC2 = Any


@pytest.fixture(scope="module")
def ec2(planning: Tree, client: Callable[..., Any]) -> EC2:
    return client("ec2", account=planning.account)


@pytest.fixture(scope="module")
def other_vpc(ec2: EC2) -> str:
    """With a range that was added later, as AWS's customers do when the first is used up."""
    first, second = VPC_RANGES
    vpc = str(ec2.create_vpc(CidrBlock=first)["Vpc"]["VpcId"])
    ec2.associate_vpc_cidr_block(VpcId=vpc, CidrBlock=second)
    return vpc


@pytest.fixture(scope="module")
def plan(planning: Tree, other_vpc: str) -> tftest.TerraformPlanOutput:
    chosen = {
        **BASE,
        "allow_internet_egress": True,
        **CENTRAL,
        "security_group_names": {"endpoints": "old endpoints [1]"},
        "vpc_id": other_vpc,
    }
    closed = {**BASE, "endpoints_for_notebooks_only": True}
    calls = {"defaults": BASE, "chosen": chosen, "closed": closed}
    return planning.plan(planning.write_calls("security-groups", calls))


@pytest.fixture(scope="module")
def default_vpc(ec2: EC2) -> Any:
    (default,) = ec2.describe_vpcs(Filters=[{"Name": "is-default", "Values": ["true"]}])["Vpcs"]
    return default


def test_the_default_vpc_is_taken_by_its_name(
    plan: tftest.TerraformPlanOutput, default_vpc: Any
) -> None:
    assert outputs(plan, "defaults")["vpc_id"] == default_vpc["VpcId"]


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


def rules_of(plan: tftest.TerraformPlanOutput, call: str) -> dict[str, Any]:
    groups = {"aws_security_group.notebooks", "aws_security_group.endpoints"}
    planned = resources(plan, call)
    assert planned.keys() >= groups
    return {address: values for address, values in planned.items() if address not in groups}


def test_no_rules_but_these(plan: tftest.TerraformPlanOutput, default_vpc: Any) -> None:
    between = {NOTEBOOKS_TO_ENDPOINTS, NOTEBOOKS_TO_S3, ENDPOINTS_FROM_NOTEBOOKS}
    from_vpc = f'{ENDPOINTS_FROM_VPC}["{default_vpc["CidrBlock"]}"]'
    assert rules_of(plan, "closed").keys() == between
    assert rules_of(plan, "defaults").keys() == {*between, from_vpc}
    for address, rule in rules_of(plan, "defaults").items():
        assert [rule[key] for key in ("ip_protocol", "from_port", "to_port")] == ["tcp", 443, 443]
        expected = default_vpc["CidrBlock"] if address == from_vpc else None
        assert (rule["cidr_ipv4"], rule["cidr_ipv6"]) == (expected, None)
        assert rule["description"]


def test_every_range_of_the_vpc_reaches_the_endpoints(plan: tftest.TerraformPlanOutput) -> None:
    """With private DNS they stand in for their services in the whole VPC."""
    admitted = {
        address: rule["cidr_ipv4"]
        for address, rule in rules_of(plan, "chosen").items()
        if address.startswith(ENDPOINTS_FROM_VPC)
    }
    assert admitted == {f'{ENDPOINTS_FROM_VPC}["{range}"]': range for range in VPC_RANGES}


def test_notebooks_reach_what_is_named_besides(plan: tftest.TerraformPlanOutput) -> None:
    prefix = "aws_vpc_security_group_egress_rule.notebooks_to"
    rules = rules_of(plan, "chosen")
    keys = ("ip_protocol", "from_port", "to_port", "cidr_ipv4", "referenced_security_group_id")
    found = {
        name: [rules[f'{prefix}_{name}["{other}"]'][key] for key in keys]
        for name, (other,) in (("cidrs", CENTRAL["egress_cidrs"]), ("groups", GROUPS))
    }
    assert found == {
        "cidrs": ["tcp", 443, 443, "10.20.0.0/16", None],
        "groups": ["tcp", 443, 443, None, *GROUPS],
    }


def test_rules_link_the_groups(plan: tftest.TerraformPlanOutput) -> None:
    """The groups have no IDs yet: what the rules refer to stands in the configuration."""
    called = plan.configuration["root_module"]["module_calls"]["defaults"]["module"]["resources"]
    rules = {rule["address"]: rule.get("expressions", {}) for rule in called}

    def ends(address: str) -> tuple[str, str]:
        owner = rules[address]["security_group_id"]["references"]
        other = rules[address]["referenced_security_group_id"]["references"]
        return owner[-1], other[-1]

    notebooks, endpoints = "aws_security_group.notebooks", "aws_security_group.endpoints"
    assert ends(NOTEBOOKS_TO_ENDPOINTS) == (notebooks, endpoints)
    assert ends(ENDPOINTS_FROM_NOTEBOOKS) == (endpoints, notebooks)


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
    "egress_group_name": (
        {"egress_security_group_ids": ["default"]},
        "The egress_security_group_ids must be IDs of security groups",
    ),
    "egress_address": ({"egress_cidrs": ["10.20.0.1"]}, "must be IPv4 address ranges"),
    "egress_version_6": ({"egress_cidrs": ["fd00::/64"]}, "must be IPv4 address ranges"),
    "egress_internet": ({"egress_cidrs": ["0.0.0.0/0"]}, "there is allow_internet_egress"),
    "group_purpose": (
        {"security_group_names": {"clients": "old"}},
        "The keys of security_group_names must be notebooks or endpoints",
    ),
    "group_id": (
        {"security_group_names": {"notebooks": "sg-0a1b2c3d4e5f67890"}},
        "The values of security_group_names must be names of security groups",
    ),
    "group_characters": (
        {"security_group_names": {"endpoints": "old|endpoints"}},
        "The values of security_group_names are 1 to 255 letters, digits, spaces or",
    ),
    "vpc_name": ({"vpc_id": "main"}, "The vpc_id must be a VPC's ID"),
    "vpc_null": ({"vpc_id": None}, 'or to "default" for the region\'s default VPC'),
    "vpc_empty": ({"vpc_id": ""}, 'or to "default" for the region\'s default VPC'),
}


@pytest.fixture(scope="module")
def refusals(planning: Tree) -> dict[str, list[str]]:
    calls = {call: BASE | bad for call, (bad, _) in REFUSED.items()}
    return planning.refusals(planning.write_calls("security-groups-refused", calls))


@pytest.mark.parametrize("call", REFUSED)
def test_bad_values_are_refused(refusals: dict[str, list[str]], call: str) -> None:
    (refusal,) = refusals[call]
    assert REFUSED[call][1] in refusal
