"""What was made by hand becomes the stacks', one by one, and stays what it is."""

import json
import re
import signal
from collections.abc import Callable
from functools import partial
from typing import Any

import pytest

from tests.cli.conftest import Checkout
from tests.imports.monolith import ON_START, REGION, Monolith
from tools.hcl import reading, writing

AWS = Callable[..., Any]
# Of somebody's AWS account: what is written for the local cloud must neither be it nor replace it.
OWN_VALUES = 'vpc_id = "vpc-0a1b2c3d4e5f67890" # the team\'s\n'


def imports(checkout: Checkout, *arguments: str, code: int = 0) -> str:
    done = checkout.tools("import", *arguments, "--local")
    assert done.returncode == code, done.stderr
    return done.stderr


def work(checkout: Checkout, stack: str) -> Any:
    return checkout.root / ".tools/local/workspace" / stack


def values(checkout: Checkout, stack: str) -> dict[str, Any]:
    return dict(reading.read_tfvars(work(checkout, stack) / "terraform.tfvars"))


def held(checkout: Checkout, stack: str) -> set[str]:
    """What the state holds, as type.name."""
    state = json.loads((work(checkout, stack) / "terraform.tfstate").read_text())
    found = (one for one in state["resources"] if one["mode"] == "managed" and one["instances"])
    return {f"{one['type']}.{one['name']}" for one in found}


def scanned(checkout: Checkout, monolith: Monolith) -> dict[str, dict[str, str]]:
    """The candidates that the monolith has, by name: the cloud holds other tests' things too."""
    done = checkout.tools("import", "--scan", "--local", "--json")
    assert done.returncode == 0, done.stderr
    own = {
        *monolith.instances,
        monolith.data,
        monolith.models,
        monolith.role,
        monolith.notebooks_group,
        monolith.endpoints_group,
        monolith.gateway,
        monolith.interface,
    }
    return {one["name"]: one for one in json.loads(done.stdout) if one["name"] in own}


def identities(monolith: Monolith, client: AWS) -> dict[str, Any]:
    """What must not change: ids, and when each thing was made."""
    sagemaker, iam, ec2 = client("sagemaker"), client("iam"), client("ec2")
    role = iam.get_role(RoleName=monolith.role)["Role"]
    groups = [monolith.notebooks_group, monolith.endpoints_group]
    links = [monolith.gateway, monolith.interface]
    described = [
        sagemaker.describe_notebook_instance(NotebookInstanceName=name)
        for name in monolith.instances
    ]
    return {
        "role": (role["RoleId"], role["Arn"]),
        "groups": {
            one["GroupId"]: (one["GroupName"], one["Description"])
            for one in ec2.describe_security_groups(GroupIds=groups)["SecurityGroups"]
        },
        "endpoints": {
            one["VpcEndpointId"]: one["ServiceName"]
            for one in ec2.describe_vpc_endpoints(VpcEndpointIds=links)["VpcEndpoints"]
        },
        "notebooks": [
            (
                one["NotebookInstanceArn"],
                one["CreationTime"],
                one["SubnetId"],
                one["VolumeSizeInGB"],
                one["IpAddressType"],
                one["PlatformIdentifier"],
            )
            for one in described
        ],
        "buckets": {
            one["Name"]: one["CreationDate"]
            for one in client("s3").list_buckets()["Buckets"]
            if one["Name"].startswith(monolith.name)
        },
    }


def objects(monolith: Monolith, client: AWS) -> dict[str, list[tuple[str, str]]]:
    """Every version of every object."""
    s3 = client("s3")
    return {
        bucket: [
            (one["Key"], s3.get_object(**_version(bucket, one))["Body"].read())
            for one in s3.list_object_versions(Bucket=bucket)["Versions"]
        ]
        for bucket in (monolith.data, monolith.models)
    }


def _version(bucket: str, one: Any) -> dict[str, str]:
    found = {"Bucket": bucket, "Key": one["Key"], "VersionId": one["VersionId"]}
    return {key: value for key, value in found.items() if value != "null"}


@pytest.fixture(scope="module")
def client(client: AWS) -> AWS:
    """Clients of the monolith's region."""
    return partial(client, region=REGION)


@pytest.fixture(scope="module")
def before(monolith: Monolith, client: AWS) -> tuple[Any, Any]:
    return identities(monolith, client), objects(monolith, client)


# The tests below are one story, in their order: pytest keeps to that within a module.


def test_a_scan_names_the_stack_and_the_command(
    receiving: Checkout, monolith: Monolith, before: tuple[Any, Any]
) -> None:
    (receiving.root / "shared-infra/security-groups/terraform.tfvars").write_text(OWN_VALUES)
    found = scanned(receiving, monolith)
    commands = {name: one["command"] for name, one in found.items()}
    assert commands[monolith.data] == f"tools import bucket {monolith.data} --as PURPOSE --local"
    assert commands[monolith.models] == f"tools import bucket {monolith.models} --as models --local"
    assert commands[monolith.role] == f"tools import role {monolith.role} --local"
    for name in monolith.instances:
        assert found[name]["stack"] == f"notebooks/{name}"
    assert found[monolith.role]["stack"] == "shared-infra/iam"
    assert found[monolith.notebooks_group]["command"].endswith("--as notebooks --local")


def test_what_has_to_be_there_first_is_said(receiving: Checkout, monolith: Monolith) -> None:
    said = imports(receiving, "notebook", monolith.instances[0], code=1)
    assert "are not deployed yet; deploy first: tools deploy --local shared-infra/s3" in said
    said = imports(receiving, "endpoint", monolith.gateway, code=1)
    assert "deploy first: tools deploy --local shared-infra/security-groups" in said
    said = imports(receiving, "role", monolith.role, code=1)
    assert "deploy first: tools deploy --local shared-infra/s3" in said


def test_an_import_that_is_interrupted_goes_on(receiving: Checkout, monolith: Monolith) -> None:
    process = receiving.start("import", "bucket", monolith.data, "--as", "datasets", "--local")
    assert process.stdout
    said = ""
    for line in process.stdout:
        said += line
        if "importing aws_s3_bucket_versioning" in line:
            break
    process.send_signal(signal.SIGINT)
    said += process.stdout.read()
    assert process.wait() == 130, said
    assert "the stack's policy replaces its own (KeepIt)" in said
    assert "the stack's lifecycle rules replace its own (old-logs-go)" in said
    assert "aws_s3_bucket.datasets" in held(receiving, "shared-infra/s3")
    assert "aws_s3_bucket_policy.tls_only" not in held(receiving, "shared-infra/s3")

    again = imports(receiving, "bucket", monolith.data, "--as", "datasets")
    assert "importing aws_s3_bucket.datasets" not in again
    assert held(receiving, "shared-infra/s3") >= {
        "aws_s3_bucket.datasets",
        "aws_s3_bucket_versioning.shared",
        "aws_s3_bucket_policy.tls_only",
        "aws_s3_bucket_lifecycle_configuration.shared",
    }


def test_a_bucket_is_taken_with_its_name(receiving: Checkout, monolith: Monolith) -> None:
    said = imports(receiving, "bucket", monolith.models)
    assert "versioning will be turned on" in said
    assert values(receiving, "shared-infra/s3") == {
        "bucket_names": {"datasets": monolith.data, "models": monolith.models}
    }
    assert f"{monolith.models} is already in the state" in imports(
        receiving, "bucket", monolith.models
    )
    taken = imports(receiving, "bucket", monolith.models, "--as", "datasets", code=1)
    assert "add --as models" in taken


def test_a_role_keeps_name_and_path(receiving: Checkout, monolith: Monolith) -> None:
    said = imports(receiving, "role", monolith.role)
    assert "the stack's trust policy replaces its own" in said
    expected = {"role_name": monolith.role, "role_path": "/ml/"}
    assert values(receiving, "shared-infra/iam") == expected


def test_groups_are_taken_with_the_rules_that_are_alike(
    receiving: Checkout, monolith: Monolith
) -> None:
    imports(receiving, "security-group", monolith.notebooks_group, "--as", "notebooks")
    said = imports(receiving, "security-group", monolith.endpoints_group, "--as", "endpoints")
    assert "stay, unmanaged: everything out to 0.0.0.0/0; tcp 443 in from 192.0.2.0/24" in said
    assert held(receiving, "shared-infra/security-groups") == {
        "aws_security_group.notebooks",
        "aws_security_group.endpoints",
        "aws_vpc_security_group_ingress_rule.endpoints_from_notebooks",
    }
    assert values(receiving, "shared-infra/security-groups") == {
        "vpc_id": monolith.vpc,
        "security_group_names": {
            "notebooks": f"{monolith.name}-instances",
            "endpoints": f"{monolith.name}-links",
        },
    }
    own = receiving.root / "shared-infra/security-groups/terraform.tfvars"
    assert own.read_text() == OWN_VALUES


def test_endpoints_join_those_that_are_there_by_default(
    receiving: Checkout, monolith: Monolith
) -> None:
    assert {monolith.gateway, monolith.interface} < scanned(receiving, monolith).keys()
    said = imports(receiving, "endpoint", monolith.gateway, code=1)
    assert "set the notebooks' subnets first" in said
    imports(receiving, "endpoint", monolith.interface)
    imports(receiving, "endpoint", monolith.gateway)
    found = values(receiving, "shared-infra/vpc-endpoints")
    assert set(found.pop("subnet_ids")) == set(monolith.subnets)
    assert found == {
        "route_table_ids": [monolith.route_table],
        "interface_services": ["sagemaker.api", "sagemaker.runtime", "ec2", "logs"],
    }


def test_a_notebook_gets_a_directory_with_its_values_and_scripts(
    receiving: Checkout, monolith: Monolith
) -> None:
    first, second = monolith.instances
    imports(receiving, "notebook", first, "--purpose", "NLP")
    said = imports(receiving, "notebook", second, "--directory", "reports", "--owner", "bea")
    assert "it keeps its IP addresses (dualstack)" in said
    found = values(receiving, f"notebooks/{first}")
    assert (found["purpose"], found["volume_size"], found["idle_stop_minutes"]) == ("NLP", 7, 0)
    assert (work(receiving, f"notebooks/{first}") / found["on_start_file"]).read_bytes() == ON_START
    assert not {"role_arn", "security_group_ids", "direct_internet_access", "name"} & set(found)
    assert f"{second} is already in the state of notebooks/reports" in imports(
        receiving, "notebook", second
    )
    found = values(receiving, "notebooks/reports")
    assert found["name"] == second
    assert (found["owner"], found["environment"]) == ("bea", "prod")
    assert found["tags"] == {"CostCenter": "42"}
    assert (found["direct_internet_access"], found["root_access"]) == (True, True)


def test_a_scan_leaves_out_a_group_that_is_gone(
    receiving: Checkout, monolith: Monolith, client: AWS
) -> None:
    """On AWS it goes between two answers; here an endpoint names one that never was."""
    ec2 = client("ec2")
    group = f"sg-{monolith.name}-gone"
    link = ec2.create_vpc_endpoint(
        VpcId=monolith.vpc,
        VpcEndpointType="Interface",
        ServiceName=f"com.amazonaws.{REGION}.sts",
        SubnetIds=[monolith.subnets[0]],
        SecurityGroupIds=[group],
    )["VpcEndpoint"]["VpcEndpointId"]
    done = receiving.tools("import", "--scan", "--local", "--json")
    ec2.delete_vpc_endpoints(VpcEndpointIds=[link])
    assert done.returncode == 0, done.stderr
    names = {one["name"] for one in json.loads(done.stdout)}
    assert link in names
    assert group not in names


def test_nothing_is_left_to_take(receiving: Checkout, monolith: Monolith) -> None:
    assert scanned(receiving, monolith) == {}


def test_what_would_be_replaced_is_refused_or_said(receiving: Checkout, monolith: Monolith) -> None:
    directory = work(receiving, "notebooks/reports")
    right = (directory / "terraform.tfvars").read_text()
    state = (directory / "terraform.tfstate").read_bytes()
    wrong = writing.assign(right, {"subnet_id": monolith.subnets[0]})
    (directory / "terraform.tfvars").write_text(wrong)
    (directory / "terraform.tfstate").unlink()
    command = ("notebook", monolith.instances[1], "--directory", "reports")
    said = imports(receiving, *command, code=1)
    assert "and would replace notebook" in said
    assert f'subnet_id is "{monolith.subnets[0]}", and it has' in said
    assert not (directory / "terraform.tfstate").exists()

    # What its values do not say is seen in the plan alone.
    (directory / "terraform.tfvars").write_text(right)
    main = (directory / "main.tf").read_text()
    other = re.sub(r"(\bsubnet_id += )coalesce.*", rf'\1"{monolith.subnets[0]}"', main)
    (directory / "main.tf").write_text(other)
    said = imports(receiving, *command, code=1)
    assert "notebooks/reports exists already, and stays as it is" in said
    assert "would replace module.notebook.aws_sagemaker_notebook_instance.this" in said
    (directory / "main.tf").write_text(main)
    (directory / "terraform.tfstate").write_bytes(state)


def test_a_deployment_keeps_what_it_was(
    receiving: Checkout, monolith: Monolith, client: AWS, before: tuple[Any, Any]
) -> None:
    assert (identities(monolith, client), objects(monolith, client)) == before
    done = receiving.tools("deploy", "--local")
    assert done.returncode == 0, done.stderr
    assert (identities(monolith, client), objects(monolith, client)) == before
    again = receiving.tools("plan", "--local", "--refresh", "--detailed-exitcode")
    assert again.returncode == 0, again.stdout + again.stderr
