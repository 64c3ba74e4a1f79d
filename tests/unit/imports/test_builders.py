"""What a resource brings along and what a deployment changes of it; no Terraform, and moto's AWS.

tests/imports asks LocalStack more of the same. Refusals of AWS are stubbed: moto refuses nothing.
"""

import getpass
import json
from collections.abc import Sequence
from typing import Any

import pytest
from botocore.stub import Stubber

from tests.roles import TRUST
from tests.unit.imports.conftest import WithValues, https, only_vpc
from tests.unit.remote_state.conftest import Team
from tools.errors import UserError
from tools.imports import (
    buckets,
    encryption,
    endpoint_policies,
    endpoints,
    notebooks,
    roles,
    security_groups,
)
from tools.imports.destination import Destination
from tools.imports.notebooks import Shared
from tools.imports.request import AWS_MANAGED_KEY, SSE_S3
from tools.layout.stack import ENDPOINTS, GROUPS

KEY = "arn:aws:kms:us-east-1:123456789012:key/1234abcd-12ab-34cd-56ef-1234567890ab"
BOUNDARY = "arn:aws:iam::123456789012:policy/boundary"
ROLE = "arn:aws:iam::123456789012:role/acme-notebook"


def rules(**default: str) -> Any:
    """What S3 answers of a bucket with this default encryption."""
    return {"Rules": [{"ApplyServerSideEncryptionByDefault": default}]}


# https://docs.aws.amazon.com/AmazonS3/latest/API/API_ServerSideEncryptionByDefault.html
@pytest.mark.parametrize(
    ("configuration", "current"),
    [
        (None, SSE_S3),
        (rules(SSEAlgorithm="AES256"), SSE_S3),
        (rules(SSEAlgorithm="aws:kms"), AWS_MANAGED_KEY),
        (rules(SSEAlgorithm="aws:kms", KMSMasterKeyID="alias/aws/s3"), AWS_MANAGED_KEY),
        (rules(SSEAlgorithm="aws:kms", KMSMasterKeyID=KEY), KEY),
    ],
)
def test_what_encrypts_a_bucket_is_told_by_its_default(
    destination: Destination, configuration: Any, current: str
) -> None:
    assert encryption.describe(destination, "b", configuration).current_key == current


def test_a_key_that_may_not_be_looked_up_is_called_as_the_bucket_calls_it(
    destination: Destination,
) -> None:
    configuration = rules(SSEAlgorithm="aws:kms", KMSMasterKeyID="alias/theirs")
    with Stubber(destination.cloud.client("kms")) as kms:
        kms.add_client_error("describe_key", "AccessDeniedException")
        assert encryption.describe(destination, "b", configuration).current_key == "alias/theirs"


def test_a_bucket_that_may_not_be_read_is_not_known_to_send_logs(destination: Destination) -> None:
    with Stubber(destination.cloud.client("s3")) as s3:
        s3.add_client_error("get_bucket_logging", "AccessDenied")
        assert buckets.log_buckets(destination, ["theirs"]) == set()


ALL = {"Effect": "Allow", "Principal": "*", "Action": "*", "Resource": "*"}


def settle(
    destination: Destination, *statements: Any, service: str = "ec2"
) -> tuple[dict[str, Any], list[str]]:
    endpoint = {
        "VpcEndpointId": "vpce-0a1b2c3d",
        "ServiceName": f"com.amazonaws.us-east-1.{service}",
        "PolicyDocument": json.dumps({"Version": "2008-10-17", "Statement": statements}),
    }
    return endpoint_policies.settle(destination, endpoint, service)


@pytest.mark.parametrize(
    "statements",
    [
        [ALL, {**ALL, "Effect": "Deny", "Action": "ec2:RunInstances"}],
        [{**ALL, "Condition": {"StringEquals": {"aws:PrincipalAccount": "123456789012"}}}],
        [{**ALL, "Principal": {"AWS": "arn:aws:iam::123456789012:root"}}],
        [],
    ],
    ids=["two statements", "a condition", "an account", "none"],
)
def test_a_policy_that_somebody_wrote_is_kept(
    destination: Destination, statements: list[Any]
) -> None:
    policies, notes = settle(destination, *statements)
    assert json.loads(policies["ec2"])["Statement"] == statements
    assert notes == []


@pytest.mark.parametrize("everybody", ["*", {"AWS": "*"}, {"AWS": ["*"]}])
@pytest.mark.parametrize("is_refused", [False, True])
def test_a_policy_that_allows_all_is_replaced_by_the_stacks_with_a_note(
    destination: Destination, everybody: Any, is_refused: bool
) -> None:
    """AWS's form of all principals: in the IAM User Guide, "AWS JSON policy elements: Principal".

    Whether the service takes a policy may be unknown: the note then tells how to have none.
    """
    with Stubber(destination.cloud.client("ec2")) as ec2:
        if is_refused:
            ec2.add_client_error("describe_vpc_endpoint_services", "UnauthorizedOperation")
        else:
            details = {"ServiceDetails": [{"VpcEndpointPolicySupported": True}]}
            ec2.add_response("describe_vpc_endpoint_services", details)
        policies, [note] = settle(destination, {**ALL, "Principal": everybody})
    assert policies == {}
    assert 'To allow others: endpoint_policies = { "ec2" = null }' in note


def test_a_policy_that_the_stack_has_or_never_sets_is_left(destination_with: WithValues) -> None:
    destination = destination_with(vpc_endpoints="endpoint_policies = { ec2 = null }")
    assert settle(destination, ALL) == ({}, [])
    assert settle(destination, ALL, service="notebook") == ({}, [])


def make_endpoint(destination: Destination, service: str, kind: str) -> str:
    made = destination.cloud.client("ec2").create_vpc_endpoint(
        VpcId=only_vpc(destination),
        ServiceName=f"com.amazonaws.us-east-1.{service}",
        VpcEndpointType=kind,
    )
    return str(made["VpcEndpoint"]["VpcEndpointId"])


def test_a_gateway_turns_the_stacks_own_on(destination_with: WithValues) -> None:
    """A team that had turned it off, since AWS refuses a second one for the same route tables."""
    destination = destination_with(vpc_endpoints="create_s3_gateway = false")
    id = make_endpoint(destination, "s3", "Gateway")
    request = endpoints.request_endpoint(destination, id, subnets=["subnet-0a1b2c3d"])
    assert request.values[ENDPOINTS]["create_s3_gateway"] is True
    as_shipped = destination_with(vpc_endpoints="")
    request = endpoints.request_endpoint(as_shipped, id, subnets=["subnet-0a1b2c3d"])
    assert "create_s3_gateway" not in request.values[ENDPOINTS]


def deploy_groups(shipped: Team, **outputs: str) -> None:
    state = {
        "version": 4,
        "lineage": "l",
        "serial": 1,
        "outputs": {name: {"value": value, "type": "string"} for name, value in outputs.items()},
        "resources": [],
    }
    (shipped.root / GROUPS / "terraform.tfstate").write_text(json.dumps(state))


@pytest.mark.parametrize(
    ("kind", "services", "is_refused"),
    [
        ("Interface", "[]", True),
        ("Gateway", '["ec2"]', True),
        ("Gateway", "[]", False),  # nothing in the stack needs the group
    ],
)
def test_interface_endpoints_need_their_group_first(
    shipped: Team, destination_with: WithValues, kind: str, services: str, is_refused: bool
) -> None:
    deploy_groups(shipped, vpc_id="vpc-0a1b2c3d")
    destination = destination_with(vpc_endpoints=f"interface_services = {services}")
    id = make_endpoint(destination, "s3" if kind == "Gateway" else "ec2", kind)
    if is_refused:
        with pytest.raises(UserError, match=f"{GROUPS} has no security group for the endpoints"):
            endpoints.require_group(destination, id)
    else:
        endpoints.require_group(destination, id)
    deploy_groups(shipped, vpc_id="vpc-0a1b2c3d", endpoint_security_group_id="sg-0a1b2c3d")
    endpoints.require_group(destination_with(), id)


def test_rules_to_the_internet_to_ranges_and_to_groups_are_found(
    destination_with: WithValues,
) -> None:
    """The addresses are those of shared-infra/security-groups/notebooks.tf."""
    ec2 = destination_with().cloud.client("ec2")
    (vpc,) = ec2.describe_vpcs()["Vpcs"]
    group, other = (
        ec2.create_security_group(GroupName=name, Description="d", VpcId=vpc["VpcId"])["GroupId"]
        for name in ("acme-notebooks", "database")
    )
    everywhere = {"IpProtocol": "-1", "IpRanges": [{"CidrIp": "0.0.0.0/0"}]}
    ec2.revoke_security_group_egress(GroupId=group, IpPermissions=[everywhere])
    allowed = [
        https(IpRanges=[{"CidrIp": "0.0.0.0/0"}, {"CidrIp": "10.9.0.0/16"}]),
        https(UserIdGroupPairs=[{"GroupId": other}]),
    ]
    ec2.authorize_security_group_egress(GroupId=group, IpPermissions=allowed)
    destination = destination_with(
        security_groups='allow_internet_egress = true\negress_cidrs = ["10.9.0.0/16"]\n'
        f'egress_security_group_ids = ["{other}"]'
    )
    found = security_groups.request_group(destination, group, "notebooks")
    rule = "aws_vpc_security_group_egress_rule"
    assert {resource.address for resource in found.imports} == {
        "aws_security_group.notebooks",
        f"{rule}.notebooks_to_internet[0]",
        f'{rule}.notebooks_to_cidrs["10.9.0.0/16"]',
        f'{rule}.notebooks_to_groups["{other}"]',
    }
    assert len({resource.identifier for resource in found.imports}) == 4
    assert found.notes == ()


def test_a_role_without_the_boundary_of_the_stack_gets_it(destination_with: WithValues) -> None:
    destination = destination_with(iam=f'permissions_boundary_arn = "{BOUNDARY}"')
    iam = destination.cloud.client("iam")
    iam.create_role(RoleName="theirs", AssumeRolePolicyDocument=json.dumps(TRUST))
    (note,) = roles.request_role(destination, "theirs").notes
    assert note == f"role theirs: it gets the permissions boundary {BOUNDARY}"


def test_the_default_vpc_is_the_regions_or_none(destination: Destination) -> None:
    ec2 = destination.cloud.client("ec2")
    vpc = only_vpc(destination)
    other = ec2.create_vpc(CidrBlock="10.30.0.0/16")["Vpc"]["VpcId"]
    assert destination.default_vpc() == vpc != other
    for subnet in ec2.describe_subnets()["Subnets"]:
        ec2.delete_subnet(SubnetId=subnet["SubnetId"])
    ec2.delete_vpc(VpcId=vpc)
    assert destination.default_vpc() is None


def test_outputs_of_a_state_elsewhere_are_asked_of_terraform(
    shipped: Team, destination: Destination
) -> None:
    folder = shipped.root / GROUPS
    (folder / "backend.tf").write_text('terraform {\n  backend "http" {}\n}\n')
    outputs = {"vpc_id": {"value": "vpc-0a1b2c3d"}, "endpoint_security_group_id": {"value": None}}
    (folder / "terraform.tfstate.plain").write_text(json.dumps({"outputs": outputs}))
    assert destination.outputs(GROUPS) == {"vpc_id": "vpc-0a1b2c3d"}


def make_notebook(
    destination: Destination, name: str, groups: Sequence[str] = ("sg-0a1b2c3d",), **more: Any
) -> Any:
    """A notebook in a subnet; what SageMaker says of it."""
    ec2 = destination.cloud.client("ec2")
    subnet = ec2.describe_subnets()["Subnets"][0]["SubnetId"]
    sagemaker = destination.cloud.client("sagemaker")
    sagemaker.create_notebook_instance(
        NotebookInstanceName=name,
        InstanceType="ml.t3.medium",
        RoleArn=ROLE,
        SubnetId=subnet,
        SecurityGroupIds=[*groups],
        DirectInternetAccess="Disabled",
        VolumeSizeInGB=20,
        **more,
    )
    return sagemaker.describe_notebook_instance(NotebookInstanceName=name)


def declare(shipped: Team, directory: str, *lines: str) -> None:
    """The notebook-dev of the repository, in another directory and with other values."""
    folder = shipped.root / "notebooks" / directory
    (shipped.root / "notebooks/notebook-dev").rename(folder)
    base = ('owner = "o"', 'purpose = "p"', 'environment = "dev"', 'instance_type = "ml.t3.medium"')
    (folder / "terraform.tfvars").write_text("\n".join((*base, *lines, "")))


def test_a_notebook_has_one_directory(shipped: Team, destination: Destination) -> None:
    declare(shipped, "team", 'name = "nlp"')
    make_notebook(destination, "nlp")
    with pytest.raises(UserError, match="notebooks/team is already for notebook nlp; use that dir"):
        notebooks.request_notebook(destination, "nlp", Shared(), "other")


def test_a_login_name_is_asked_for_only_if_neither_option_nor_tag_gives_an_owner(
    destination: Destination, monkeypatch: pytest.MonkeyPatch
) -> None:
    def no_login_name() -> str:
        raise KeyError("getpwuid(): uid not found: 54321")

    monkeypatch.setattr(getpass, "getuser", no_login_name)
    make_notebook(destination, "nlp")
    make_notebook(destination, "tagged", Tags=[{"Key": "Owner", "Value": "bob"}])
    for name, options, owner in (("nlp", {"owner": "alice"}, "alice"), ("tagged", {}, "bob")):
        request = notebooks.request_notebook(destination, name, Shared(), None, options)
        assert request.notebooks[0].values["owner"] == owner
    with pytest.raises(UserError, match=r"^nlp: no owner is given .*--owner"):
        notebooks.request_notebook(destination, "nlp", Shared())


@pytest.mark.parametrize(
    ("line", "key", "complaint"),
    [
        (f'kms_key_id = "{KEY}"', {}, "kms_key_id is set, and it has none"),
        ("", {"KmsKeyId": KEY}, f"kms_key_id is not, and it has {KEY}"),
        (f'kms_key_id = "{KEY}"', {"KmsKeyId": KEY}, ""),
        ("use_shared_kms_key = true", {"KmsKeyId": KEY}, ""),  # which key that is, a plan says
    ],
)
def test_a_key_that_would_replace_the_instance_is_refused(
    shipped: Team, destination: Destination, line: str, key: dict[str, str], complaint: str
) -> None:
    """A new KmsKeyId forces a new instance: the provider's aws_sagemaker_notebook_instance."""
    instance = make_notebook(destination, "nlp", **key)
    declare(
        shipped,
        "nlp",
        line,
        "volume_size = 20",
        "direct_internet_access = false",
        f'subnet_id = "{instance["SubnetId"]}"',
        'security_group_ids = ["sg-0a1b2c3d"]',
    )
    if complaint:
        with pytest.raises(UserError, match="would replace notebook nlp, whose volume would") as no:
            notebooks.request_notebook(destination, "nlp", Shared())
        assert complaint in str(no.value)
    else:
        request = notebooks.request_notebook(destination, "nlp", Shared())
        assert request.notebooks == ()
        assert request.notes[-1] == "notebooks/nlp exists already, and stays as it is"
