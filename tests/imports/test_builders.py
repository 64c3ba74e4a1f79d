"""What would take a thing, or why nothing can; asked of the emulator, without Terraform."""

import base64
import json
import secrets
import shutil
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from tests.cli.conftest import Checkout, attach, user_env
from tests.roles import TRUST
from tests.trees import copy_repository
from tools.context import Context
from tools.errors import UserError
from tools.imports import buckets, endpoints, notebooks, roles, scan, security_groups
from tools.imports.destination import Destination
from tools.imports.inventory import Inventory
from tools.imports.notebooks import Shared
from tools.imports.request import combine
from tools.layout.stack import ENDPOINTS, GROUPS, IAM, S3
from tools.localcloud.process import Running
from tools.runs.session import Session
from tools.terraform.binary import Terraform

AWS = Callable[..., Any]
KEY = "arn:aws:kms:us-east-1:000000000000:key/1234abcd-12ab-34cd-56ef-1234567890ab"
BOUNDARY = "arn:aws:iam::000000000000:policy/boundary"


@pytest.fixture
def name() -> str:
    return f"t{secrets.token_hex(5)}"


@pytest.fixture
def destination_with(
    tmp_path: Path, terraform: Terraform, local_cloud: Running
) -> Callable[..., Destination]:
    """The local cloud's copy, with values in the stacks' files: `iam="reserve_users = true"`."""

    attached = Checkout(copy_repository(tmp_path / "repository"), user_env(terraform))
    attach(attached, local_cloud)

    def make(**texts: str) -> Destination:
        common = 'project = "acme"\nregion = "us-east-1"\n'
        (attached.root / "common.auto.tfvars").write_text(common)
        for stack, text in texts.items():
            folder = attached.root / "shared-infra" / stack.replace("_", "-")
            (folder / "terraform.tfvars").write_text(f"{text}\n")
        return Destination.open(Session.open(Context(attached.root, attached.env), local=True))

    return make


@pytest.fixture
def destination(destination_with: Callable[..., Destination]) -> Destination:
    return destination_with()


@pytest.fixture
def vpc(client: AWS) -> str:
    return str(client("ec2").create_vpc(CidrBlock="10.30.0.0/16")["Vpc"]["VpcId"])


@pytest.fixture
def subnet(client: AWS, vpc: str) -> str:
    made = client("ec2").create_subnet(VpcId=vpc, CidrBlock="10.30.0.0/24")
    return str(made["Subnet"]["SubnetId"])


@pytest.fixture
def role(client: AWS, name: str) -> str:
    made = client("iam").create_role(RoleName=name, AssumeRolePolicyDocument=json.dumps(TRUST))
    return str(made["Role"]["Arn"])


def kinds(imports: Any) -> set[str]:
    return {one.address.split("[")[0].split(".")[0] for one in imports}


def test_a_repository_without_a_stack_that_takes_things_is_refused(
    destination_with: Callable[..., Destination], destination: Destination
) -> None:
    working_copy = destination.records.repository.root
    shutil.rmtree(working_copy.parents[2] / IAM)
    with pytest.raises(UserError, match="this repository has no shared-infra/iam, which resources"):
        destination_with()


def test_buckets_that_no_stack_can_take(destination: Destination, client: AWS, name: str) -> None:
    with pytest.raises(UserError, match="does not exist, or belongs to another account; to list"):
        buckets.request_bucket(destination, name, "datasets")
    client("s3", account="210987654321").create_bucket(Bucket=f"{name}-theirs")
    with pytest.raises(UserError, match="belongs to another account and cannot"):
        buckets.request_bucket(destination, f"{name}-theirs", "datasets")
    client("s3", region="eu-west-1").create_bucket(
        Bucket=f"{name}-far", CreateBucketConfiguration={"LocationConstraint": "eu-west-1"}
    )
    with pytest.raises(UserError, match="is in eu-west-1, but the stacks are in us-east-1"):
        buckets.request_bucket(destination, f"{name}-far", "datasets")
    with pytest.raises(UserError, match="'All data' is not a purpose"):
        buckets.request_bucket(destination, f"{name}-far", "All data")


def test_buckets_of_logs_and_of_states_are_not_shared(
    destination: Destination, client: AWS, name: str
) -> None:
    s3 = client("s3")
    logs, states = f"{name}-logs", f"{name}-states"
    for bucket in (name, logs, states):
        s3.create_bucket(Bucket=bucket)
    to = {"LoggingEnabled": {"TargetBucket": logs, "TargetPrefix": "a/"}}
    s3.put_bucket_logging(Bucket=name, BucketLoggingStatus=to)
    s3.put_object(Bucket=states, Key="a/b/terraform.tfstate", Body=b"{}")
    with pytest.raises(UserError, match=f"{logs} receives access logs: not a shared bucket"):
        buckets.request_bucket(destination, logs, "more")
    with pytest.raises(UserError, match=f"{states} holds Terraform states: not a shared bucket"):
        buckets.request_bucket(destination, states, "more")
    found = {one.name: one for one in scan._Scan(destination, Inventory({})).buckets()}
    assert found[name].command
    assert (found[logs].why, found[logs].command) == (
        "receives access logs: not a shared bucket",
        "",
    )
    assert found[states].why == "holds Terraform states: not a shared bucket"


def test_a_bucket_to_which_a_service_writes_logs_is_not_shared(
    destination: Destination, client: AWS, name: str
) -> None:
    for bucket, service in ("trail", "cloudtrail"), ("data", "sagemaker"):
        client("s3").create_bucket(Bucket=f"{name}-{bucket}")
        allow = {
            "Effect": "Allow",
            "Principal": {"Service": f"{service}.amazonaws.com"},
            "Action": "s3:PutObject",
            "Resource": f"arn:aws:s3:::{name}-{bucket}/*",
        }
        policy = json.dumps({"Version": "2012-10-17", "Statement": [allow]})
        client("s3").put_bucket_policy(Bucket=f"{name}-{bucket}", Policy=policy)
    with pytest.raises(UserError, match=r"receives what cloudtrail\.amazonaws\.com writes"):
        buckets.request_bucket(destination, f"{name}-trail", "more")
    found = {one.name: one for one in scan._Scan(destination, Inventory({})).buckets()}
    assert found[f"{name}-trail"].command == ""
    assert found[f"{name}-data"].command


def test_an_acl_that_lets_others_in_has_to_go_first(
    destination: Destination, client: AWS, name: str
) -> None:
    for bucket, acl in (f"{name}-open", "public-read"), (f"{name}-own", "private"):
        client("s3").create_bucket(Bucket=bucket, ObjectOwnership="BucketOwnerPreferred")
        client("s3").delete_public_access_block(Bucket=bucket)
        client("s3").put_bucket_acl(Bucket=bucket, ACL=acl)
    command = f"aws s3api put-bucket-acl --bucket {name}-open --acl private"
    assert command in "\n".join(buckets.request_bucket(destination, f"{name}-open", "more").notes)
    own = "\n".join(buckets.request_bucket(destination, f"{name}-own", "more").notes)
    assert "ACLs will be turned off" in own
    assert "put-bucket-acl" not in own


def test_what_a_bucket_is_for_is_asked_where_its_name_does_not_tell(
    destination_with: Callable[..., Destination],
) -> None:
    destination = destination_with(
        s3='bucket_suffix = "x7"\nbucket_names = { features = "acme-f" }'
    )
    for bucket, purpose in {
        "acme-models-x7": "models",
        "acme-f": "features",
        "old.datasets": "datasets",
    }.items():
        assert buckets.guess_purpose(destination, bucket) == purpose
    for bucket in ("acme-data", "datasets-and-models"):
        with pytest.raises(UserError, match="add --as datasets, --as models, or another purpose"):
            buckets.guess_purpose(destination, bucket)
    with pytest.raises(UserError, match="already has acme-f as features; add --as features"):
        buckets.request_bucket(destination, "acme-f", "datasets")


def test_a_bucket_brings_its_key_and_leaves_its_logs(
    destination: Destination, client: AWS, name: str
) -> None:
    s3 = client("s3")
    for bucket in (name, f"{name}-logs", f"{name}-more"):
        s3.create_bucket(Bucket=bucket)
    by_key = {"SSEAlgorithm": "aws:kms", "KMSMasterKeyID": KEY}
    s3.put_bucket_encryption(
        Bucket=name,
        ServerSideEncryptionConfiguration={
            "Rules": [{"ApplyServerSideEncryptionByDefault": by_key}]
        },
    )
    logs = {"LoggingEnabled": {"TargetBucket": f"{name}-logs", "TargetPrefix": "a/"}}
    s3.put_bucket_logging(Bucket=name, BucketLoggingStatus=logs)
    s3.put_bucket_tagging(Bucket=name, Tagging={"TagSet": [{"Key": "Team", "Value": "x"}]})
    found = buckets.request_bucket(destination, name, "features")
    assert found.values == {S3: {"bucket_names": {"features": name}, "kms_key_arn": KEY}}
    assert "aws_s3_bucket_logging" not in kinds(found.imports)
    assert "aws_s3_bucket_policy" not in kinds(found.imports)
    assert f"{name}: its access logs still go to {name}-logs, unmanaged" in found.notes
    assert f"{name} loses its tags Team: the stack sets its own" in found.notes
    # The key is the whole stack's, and so that of what is taken with it.
    plain = buckets.request_bucket(destination, f"{name}-more", "models")
    notes = "\n".join(combine([found, plain]).notes)
    assert f"{name}-more: new objects will be encrypted with {KEY} instead of S3's own" in notes
    assert f"{name}: new objects" not in notes
    assert f"everyone who uses its buckets needs {KEY}" in notes


@pytest.mark.parametrize("by", ["id", "alias"])
def test_a_key_that_s3_names_otherwise_is_found(
    destination: Destination, client: AWS, name: str, by: str
) -> None:
    key = client("kms").create_key()["KeyMetadata"]
    client("kms").create_alias(AliasName=f"alias/{name}", TargetKeyId=key["KeyId"])
    named = {"id": key["KeyId"], "alias": f"alias/{name}"}[by]
    by_key = {"SSEAlgorithm": "aws:kms", "KMSMasterKeyID": named}
    default = {"Rules": [{"ApplyServerSideEncryptionByDefault": by_key}]}
    client("s3").create_bucket(Bucket=name)
    client("s3").put_bucket_encryption(Bucket=name, ServerSideEncryptionConfiguration=default)
    assert (
        buckets.request_bucket(destination, name, "features").values[S3]["kms_key_arn"]
        == key["Arn"]
    )


def test_a_key_that_is_taken_becomes_that_of_the_buckets_that_are_there(
    destination: Destination, client: AWS, name: str
) -> None:
    for bucket in (name, f"{name}-there"):
        client("s3").create_bucket(Bucket=bucket)
    by_key = {"SSEAlgorithm": "aws:kms", "KMSMasterKeyID": KEY}
    default = {"Rules": [{"ApplyServerSideEncryptionByDefault": by_key}]}
    client("s3").put_bucket_encryption(Bucket=name, ServerSideEncryptionConfiguration=default)
    (destination.stack(S3).path / "terraform.tfstate").write_text(state_of(f"{name}-there"))
    notes = "\n".join(combine([buckets.request_bucket(destination, name, "features")]).notes)
    assert f"{name}-there: new objects will be encrypted with {KEY} instead of S3's own" in notes


def state_of(bucket: str) -> str:
    """The state of shared-infra/s3 with this one as datasets."""
    datasets = {
        "mode": "managed",
        "type": "aws_s3_bucket",
        "name": "shared",
        "provider": 'provider["registry.terraform.io/hashicorp/aws"]',
        "instances": [{"index_key": "datasets", "attributes": {"id": bucket, "bucket": bucket}}],
    }
    whole = {"version": 4, "terraform_version": "1.0.0", "serial": 1, "lineage": "l"}
    return json.dumps({**whole, "outputs": {}, "resources": [datasets]})


def test_a_key_of_the_stack_stays_and_logs_that_are_its_own_are_taken(
    destination_with: Callable[..., Destination], client: AWS, name: str
) -> None:
    for bucket in (name, f"{name}-logs"):
        client("s3").create_bucket(Bucket=bucket)
    logs = {"LoggingEnabled": {"TargetBucket": f"{name}-logs", "TargetPrefix": "a/"}}
    client("s3").put_bucket_logging(Bucket=name, BucketLoggingStatus=logs)
    destination = destination_with(s3="create_kms_key = true")
    # Values that name something of an account are none in the local cloud; so this stands in.
    destination._declared[S3] = {**destination.declared(S3), "access_log_bucket": f"{name}-logs"}
    found = buckets.request_bucket(destination, name, "datasets")
    assert found.values == {S3: {"bucket_names": {"datasets": name}}}
    assert "aws_s3_bucket_logging" in kinds(found.imports)
    (note,) = [note for note in combine([found]).notes if "encrypted" in note]
    assert "with a key of its own instead of S3's own keys, older ones stay with S3's" in note


def test_roles_that_no_stack_can_take(destination: Destination, client: AWS, name: str) -> None:
    with pytest.raises(UserError, match=f"role {name} does not exist"):
        roles.request_role(destination, name)
    client("iam").create_service_linked_role(AWSServiceName="autoscaling.amazonaws.com")
    with pytest.raises(UserError, match="belongs to an AWS service"):
        roles.request_role(destination, "AWSServiceRoleForAutoScaling")


def test_a_role_brings_its_boundary_and_keeps_its_policies(
    destination: Destination, client: AWS, name: str
) -> None:
    iam = client("iam")
    allow = {"Effect": "Allow", "Action": "s3:ListAllMyBuckets", "Resource": "*"}
    allows = json.dumps({"Version": "2012-10-17", "Statement": [allow]})
    iam.create_role(
        RoleName=name,
        AssumeRolePolicyDocument=json.dumps(TRUST),
        PermissionsBoundary=BOUNDARY,
        MaxSessionDuration=7200,
        Tags=[{"Key": "Team", "Value": "x"}],
    )
    for policy in ("pass-itself", "by-hand"):
        iam.put_role_policy(RoleName=name, PolicyName=policy, PolicyDocument=allows)
    managed = iam.create_policy(PolicyName=f"{name}-more", PolicyDocument=allows)["Policy"]["Arn"]
    iam.attach_role_policy(RoleName=name, PolicyArn=managed)
    found = roles.request_role(destination, name)
    assert {one.address: one.identifier for one in found.imports} == {
        "aws_iam_role.notebook": name,
        "aws_iam_role_policy.pass_itself": f"{name}:pass-itself",
    }
    assert found.values == {IAM: {"role_name": name, "permissions_boundary_arn": BOUNDARY}}
    notes = "\n".join(found.notes)
    assert f"its policies by-hand, {name}-more stay, unmanaged" in notes
    assert "its sessions will last at most one hour" in notes
    assert "loses its tags Team" in notes
    assert "trust policy" not in notes


def test_groups_that_no_stack_can_take(
    destination_with: Callable[..., Destination], client: AWS, vpc: str
) -> None:
    destination = destination_with()
    with pytest.raises(UserError, match="'web' is not a security group's id"):
        security_groups.request_group(destination, "web", "notebooks")
    with pytest.raises(UserError, match="there is no security group sg-00000000"):
        security_groups.request_group(destination, "sg-00000000", "notebooks")
    of_vpc = [{"Name": "vpc-id", "Values": [vpc]}]
    (default,) = client("ec2").describe_security_groups(Filters=of_vpc)["SecurityGroups"]
    with pytest.raises(UserError, match="the VPC's default group"):
        security_groups.request_group(destination, default["GroupId"], "notebooks")
    made = client("ec2").create_security_group(GroupName="g", Description="d", VpcId=vpc)
    destination._declared[GROUPS] = {
        **destination.declared(GROUPS),
        "vpc_id": "vpc-0a1b2c3d4e5f67890",
    }
    with pytest.raises(UserError, match=f"is in {vpc}, but the stacks are in vpc-0a1b2c3d"):
        security_groups.request_group(destination, made["GroupId"], "notebooks")


def test_rules_between_two_groups_are_found_where_both_are_taken(
    destination: Destination, client: AWS, vpc: str
) -> None:
    ec2 = client("ec2")
    ids = [
        ec2.create_security_group(GroupName=name, Description="d", VpcId=vpc)["GroupId"]
        for name in ("acme-notebooks", "acme-endpoints")
    ]
    https = {"IpProtocol": "tcp", "FromPort": 443, "ToPort": 443}
    there = [{**https, "UserIdGroupPairs": [{"GroupId": ids[1]}]}]
    ec2.authorize_security_group_egress(GroupId=ids[0], IpPermissions=there)
    (block,) = [found["CidrBlock"] for found in ec2.describe_vpcs(VpcIds=[vpc])["Vpcs"]]
    from_vpc = [{**https, "IpRanges": [{"CidrIp": block}]}]
    ec2.authorize_security_group_ingress(GroupId=ids[1], IpPermissions=from_vpc)
    alone = security_groups.request_group(destination, ids[0], "notebooks")
    assert [one.address for one in alone.imports] == ["aws_security_group.notebooks"]
    both = security_groups.request_group(destination, ids[0], "notebooks", other=ids[1])
    assert [one.address for one in both.imports] == [
        "aws_security_group.notebooks",
        "aws_vpc_security_group_egress_rule.notebooks_to_endpoints",
        f'aws_vpc_security_group_ingress_rule.endpoints_from_vpc["{block}"]',
    ]
    assert both.values == {GROUPS: {"vpc_id": vpc}}  # the name is what the stack gives


def test_endpoints_that_no_stack_can_take(destination: Destination, client: AWS, vpc: str) -> None:
    with pytest.raises(UserError, match="'s3' is not an endpoint's id"):
        endpoints.request_endpoint(destination, "s3")
    with pytest.raises(UserError, match="there is no endpoint vpce-00000000"):
        endpoints.request_endpoint(destination, "vpce-00000000")
    made = client("ec2").create_vpc_endpoint(
        VpcId=vpc, ServiceName="com.amazonaws.us-east-1.dynamodb", VpcEndpointType="Gateway"
    )
    with pytest.raises(UserError, match="of type Gateway for com"):
        endpoints.request_endpoint(destination, made["VpcEndpoint"]["VpcEndpointId"])


def test_an_endpoint_that_was_made_without_a_type_is_a_gateway(
    destination: Destination, client: AWS, vpc: str, subnet: str
) -> None:
    destination._declared[ENDPOINTS] = {**destination.declared(ENDPOINTS), "subnet_ids": [subnet]}
    made = client("ec2").create_vpc_endpoint(VpcId=vpc, ServiceName="com.amazonaws.us-east-1.s3")[
        "VpcEndpoint"
    ]
    found = endpoints.request_endpoint(destination, made["VpcEndpointId"])
    assert [one.address for one in found.imports] == ["aws_vpc_endpoint.s3[0]"]
    described = {**made, "State": "available"}
    described.pop("VpcEndpointType", None)
    (candidate,) = scan._Scan(destination, Inventory({})).endpoints([described])
    assert candidate.command.startswith(f"tools import endpoint {made['VpcEndpointId']}")


def test_an_endpoint_keeps_its_policy_and_its_names(
    destination: Destination, client: AWS, vpc: str, subnet: str
) -> None:
    policy = json.dumps(
        {
            "Version": "2012-10-17",
            "Statement": [
                {"Effect": "Allow", "Principal": "*", "Action": "logs:Put*", "Resource": "*"}
            ],
        }
    )
    made = client("ec2").create_vpc_endpoint(
        VpcId=vpc,
        ServiceName="com.amazonaws.us-east-1.logs",
        VpcEndpointType="Interface",
        SubnetIds=[subnet],
        PrivateDnsEnabled=False,
        PolicyDocument=policy,
    )
    found = endpoints.request_endpoint(destination, made["VpcEndpoint"]["VpcEndpointId"])
    assert found.values == {
        GROUPS: {"vpc_id": vpc},
        ENDPOINTS: {
            "interface_services": ["logs"],
            "private_dns_enabled": False,
            "subnet_ids": [subnet],
            "endpoint_policies": {"logs": policy},
        },
    }
    assert "the stack's security group (made first) replaces" in "\n".join(found.notes)


def test_an_endpoint_that_takes_no_policy_gets_none(
    destination: Destination, client: AWS, vpc: str, subnet: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Every service of the emulator takes one, so that the answer about it stands in."""
    ask = Destination.ask

    def answer(self: Destination, what: str, service: str, operation: str, **arguments: Any) -> Any:
        if operation == "describe_vpc_endpoint_services":
            assert arguments == {"ServiceNames": ["com.amazonaws.us-east-1.sts"]}
            return {"ServiceDetails": [{"VpcEndpointPolicySupported": False}]}
        return ask(self, what, service, operation, **arguments)

    monkeypatch.setattr(Destination, "ask", answer)
    made = client("ec2").create_vpc_endpoint(
        VpcId=vpc,
        ServiceName="com.amazonaws.us-east-1.sts",
        VpcEndpointType="Interface",
        SubnetIds=[subnet],
    )
    found = endpoints.request_endpoint(destination, made["VpcEndpoint"]["VpcEndpointId"])
    assert found.values[ENDPOINTS]["endpoint_policies"] == {"sts": None}
    assert "allows every request" not in "\n".join(found.notes)


def test_an_endpoint_of_an_aws_service_is_left_to_it(destination: Destination) -> None:
    found = {
        "VpcEndpointId": "vpce-0a1b2c3d",
        "VpcEndpointType": "Interface",
        "ServiceName": "com.amazonaws.us-east-1.sts",
        "RequesterManaged": True,
    }
    (candidate,) = scan._Scan(destination, Inventory({})).endpoints([found])
    assert candidate.why == "vpce-0a1b2c3d belongs to an AWS service, and only that can change it"


def test_the_way_to_the_notebooks_has_a_name_of_its_own(destination: Destination) -> None:
    found = {
        "VpcEndpointId": "vpce-00000000",
        "VpcEndpointType": "Interface",
        "ServiceName": "aws.sagemaker.us-east-1.notebook",
    }
    assert endpoints.short_name(destination, found) == "notebook"
    with pytest.raises(UserError, match="in its region"):
        endpoints.short_name(destination, {**found, "ServiceName": "com.amazonaws.eu-west-1.sts"})


def test_notebooks_that_nothing_can_take(
    destination: Destination, client: AWS, name: str, role: str, subnet: str
) -> None:
    with pytest.raises(UserError, match=f"there is no notebook {name}"):
        notebooks.request_notebook(destination, name, Shared())
    instance = {"InstanceType": "ml.t3.medium", "RoleArn": role}
    client("sagemaker").create_notebook_instance(NotebookInstanceName=name, **instance)
    with pytest.raises(UserError, match="in no VPC"):
        notebooks.request_notebook(destination, name, Shared())
    # The emulator's never fail.
    failed = {"NotebookInstanceStatus": "Failed", "SubnetId": subnet, "FailureReason": "no room"}
    with pytest.raises(UserError, match=r"is Failed: .*\(no room\)"):
        notebooks.check(destination, name, failed)


def make_notebook(client: AWS, name: str, role: str, subnet: str, **more: Any) -> None:
    sagemaker = client("sagemaker")
    sagemaker.create_notebook_instance(
        NotebookInstanceName=name,
        RoleArn=role,
        SubnetId=subnet,
        **{"InstanceType": "ml.t3.medium", **more},
    )


def script(client: AWS, name: str, content: bytes) -> None:
    client("sagemaker").create_notebook_instance_lifecycle_config(
        NotebookInstanceLifecycleConfigName=name,
        OnCreate=[{"Content": base64.b64encode(content).decode()}],
    )


def test_a_notebook_says_only_what_the_shared_stacks_would_not_give(
    destination: Destination, client: AWS, name: str, role: str, vpc: str, subnet: str
) -> None:
    group = client("ec2").create_security_group(GroupName="g", Description="d", VpcId=vpc)[
        "GroupId"
    ]
    script(client, name, b"echo once")
    make_notebook(
        client,
        name,
        role,
        subnet,
        SecurityGroupIds=[group],
        LifecycleConfigName=name,
        DefaultCodeRepository="https://example.org/r.git",
        Tags=[{"Key": "Notebook", "Value": "x"}, {"Key": "project", "Value": "y"}],
    )
    found = notebooks.request_notebook(destination, name, Shared(role, subnet, group))
    (taken,) = found.notebooks
    assert found.values == {}
    assert {one.address.split(".")[2] for one in found.imports} == {
        "aws_sagemaker_notebook_instance",
        # It has the name that the module gives its own.
        "aws_sagemaker_notebook_instance_lifecycle_configuration",
    }
    assert taken.scripts == {"on-create.sh": b"echo once"}
    assert not {"role_arn", "subnet_id", "security_group_ids", "tags", "name"} & set(taken.values)
    assert taken.values["default_code_repository"] == "https://example.org/r.git"
    assert "loses its tag Notebook" in "\n".join(found.notes)
    other = notebooks.request_notebook(destination, name, Shared(), directory="other")
    # The endpoints admit the VPC, and with it every group of a notebook.
    assert other.values == {}
    assert "endpoints_for_notebooks_only" not in "\n".join(other.notes)
    closed = {**destination.declared(GROUPS), "endpoints_for_notebooks_only": True}
    destination._declared[GROUPS] = closed
    shut_out = notebooks.request_notebook(destination, name, Shared(), directory="other")
    assert f"the endpoints do not admit its groups ({group})" in "\n".join(shut_out.notes)
    theirs = notebooks.request_notebook(destination, name, Shared(role, subnet, group))
    assert "do not admit" not in "\n".join(theirs.notes)
    unknown = other.notebooks[0].values
    assert {key: unknown[key] for key in ("role_arn", "subnet_id", "security_group_ids")} == {
        "role_arn": role,
        "subnet_id": subnet,
        "security_group_ids": [group],
    }


def test_a_notebook_on_a_retired_platform_says_so_first_and_stays_manageable(
    destination: Destination, client: AWS, name: str, role: str, subnet: str
) -> None:
    """The module refuses the type of a new notebook, and the platform of any."""
    old = {"PlatformIdentifier": "notebook-al2-v2", "InstanceType": "ml.p3.2xlarge"}
    make_notebook(client, name, role, subnet, **old)
    found = notebooks.request_notebook(destination, name, Shared(role, subnet))
    (taken,) = found.notebooks
    assert taken.values["keep_retired_instance_type"] is True
    assert "platform_identifier" not in taken.values
    assert "AWS does not start it again" in found.notes[0]
    assert f"update-notebook-instance --notebook-instance-name {name}" in found.notes[0]


def test_a_script_that_is_no_text_is_refused(
    destination: Destination, client: AWS, name: str, role: str, subnet: str
) -> None:
    script(client, f"{name}-setup", b"\xff\xfe")
    make_notebook(client, name, role, subnet, LifecycleConfigName=f"{name}-setup")
    with pytest.raises(UserError, match=f"OnCreate of lifecycle configuration {name}-setup is not"):
        notebooks.request_notebook(destination, name, Shared())


def test_a_directory_of_another_notebook_is_refused(
    destination: Destination, client: AWS, name: str, role: str, subnet: str
) -> None:
    make_notebook(client, name, role, subnet)
    with pytest.raises(UserError, match="notebooks/notebook-dev exists already, for notebook n"):
        notebooks.request_notebook(destination, name, Shared(), directory="notebook-dev")
    with pytest.raises(UserError, match="is not a name for a notebook"):
        notebooks.request_notebook(destination, name, Shared(), directory="../up")
