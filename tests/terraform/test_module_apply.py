"""modules/sagemaker-notebook against the emulator: apply, update in place, destroy."""

import json
from collections.abc import Callable
from typing import Any

import pytest
from botocore.exceptions import ClientError

from .chain import AwsClient, clients
from .conftest import NewTree
from .harness import Chain, statements

TRUST = {
    "Version": "2012-10-17",
    "Statement": [
        {
            "Effect": "Allow",
            "Principal": {"Service": "sagemaker.amazonaws.com"},
            "Action": "sts:AssumeRole",
        }
    ],
}


def test_a_notebook_is_updated_in_place(new_tree: NewTree, client: Callable[..., Any]) -> None:
    tree = new_tree()
    aws = clients(tree, client)
    arguments = {"source": "modules/sagemaker-notebook", "name": "n", **place(aws)}
    notebook = "module.this.aws_sagemaker_notebook_instance.this"
    script = "module.this.aws_sagemaker_notebook_instance_lifecycle_configuration.this[0]"
    small = {**arguments, "instance_type": "ml.t3.medium", "volume_size": 5}
    large = {**arguments, "instance_type": "ml.m5.xlarge", "volume_size": 10}
    at_work = {"schedule_start": "08:00", "schedule_stop": "19:00", "schedule_timezone": "CET"}

    def describe() -> Any:
        return aws("sagemaker").describe_notebook_instance(NotebookInstanceName="n")

    def describe_script() -> Any:
        return aws("sagemaker").describe_notebook_instance_lifecycle_config(
            NotebookInstanceLifecycleConfigName="n"
        )

    with Chain(tree) as chain:
        stack = tree.write_calls("module-apply", {"this": {**small, **at_work}})
        chain.apply(stack)
        assert tree.changes(stack) == {}
        made = tree.outputs(stack)["this"]
        assert json.loads(made.pop("open_policy"))["Statement"] == [
            {
                "Sid": "OpenThisNotebook",
                "Effect": "Allow",
                "Action": "sagemaker:CreatePresignedNotebookInstanceUrl",
                "Resource": describe()["NotebookInstanceArn"],
            }
        ]
        # tests/autostop/test_lifecycle.py holds it against what AWS takes.
        assert made.pop("lifecycle_script_room").keys() == {"on_create", "on_start"}
        assert made == {
            "arn": describe()["NotebookInstanceArn"],
            "id": "n",
            "lifecycle_configuration_arn": describe_script()["NotebookInstanceLifecycleConfigArn"],
            "lifecycle_configuration_name": "n",
            "name": "n",
            "network_interface_id": describe()["NetworkInterfaceId"],
            "role_arn": describe()["RoleArn"],
            "schedules": {"start": "cron(0 8 ? * MON-FRI *)", "stop": "cron(0 19 * * ? *)"},
            "url": describe()["Url"],
        }

        role = check_schedules(aws, describe()["NotebookInstanceArn"])

        tree.write_calls("module-apply", {"this": large})
        changes = tree.changes(stack)
        assert changes.pop(notebook) == "update"
        assert changes.pop("output.this") == "update"
        assert set(changes.values()) == {"delete"}
        assert all("schedule" in address for address in changes)
        chain.apply(stack)
        assert tree.changes(stack) == {}
        with pytest.raises(ClientError, match="NoSuchEntity"):
            aws("iam").get_role(RoleName=role)
        assert describe()["InstanceType"] == "ml.m5.xlarge"
        assert describe()["VolumeSizeInGB"] == 10
        assert describe()["NotebookInstanceStatus"] == "InService"

        tree.write_calls("module-apply", {"this": {**large, "idle_stop_minutes": 0}})
        assert tree.changes(stack) == {
            notebook: "update",
            script: "delete",
            "output.this": "update",
        }
        chain.apply(stack)
        assert tree.changes(stack) == {}
        assert "NotebookInstanceLifecycleConfigName" not in describe()

        tree.write_calls("module-apply", {"this": {**large, "volume_size": 5}})
        assert tree.changes(stack)[notebook] == "replace"
    assert tree.resources(stack) == []
    assert aws("sagemaker").list_notebook_instances()["NotebookInstances"] == []


def check_schedules(aws: AwsClient, notebook: str) -> str:
    """What starts and stops the notebook "n", and that it may nothing else; the role's name."""
    scheduler, iam = aws("scheduler"), aws("iam")
    found = {
        verb: scheduler.get_schedule(GroupName="n", Name=verb)["Target"]
        for verb in ("start", "stop")
    }
    for verb, target in found.items():
        assert target["Arn"] == f"arn:aws:scheduler:::aws-sdk:sagemaker:{verb}NotebookInstance"
        assert json.loads(target["Input"]) == {"NotebookInstanceName": "n"}
        # The default goes on for a day, and would stop the notebook at any hour of the next.
        assert target["RetryPolicy"]["MaximumEventAgeInSeconds"] == 300
    (role_arn,) = {target["RoleArn"] for target in found.values()}
    role = role_arn.rsplit("/", 1)[1]
    policy = iam.get_role_policy(RoleName=role, PolicyName="start-and-stop-one-notebook")
    allowed = statements(json.dumps(policy["PolicyDocument"]))
    # What AWS asks of whoever starts a notebook in a VPC, without a key:
    # https://docs.aws.amazon.com/sagemaker/latest/dg/api-permissions-reference.html
    assert {action for found in allowed.values() for action in found["Action"]} == {
        "ec2:CreateNetworkInterface",
        "ec2:DescribeNetworkInterfaces",
        "ec2:DescribeSecurityGroups",
        "ec2:DescribeSubnets",
        "ec2:DescribeVpcs",
        "iam:PassRole",
        "sagemaker:StartNotebookInstance",
        "sagemaker:StopNotebookInstance",
    }
    assert allowed["StartAndStopThisNotebook"]["Resource"] == [notebook]
    assert allowed["PassItsRole"]["Resource"] == [f"arn:aws:iam::{notebook.split(':')[4]}:role/n"]
    assert allowed["PassItsRole"]["Condition"] == {
        "StringEquals": {"iam:PassedToService": "sagemaker.amazonaws.com"}
    }
    in_vpc = [arn.split(":")[5].split("/")[0] for arn in allowed["PlugItIntoTheVpc"]["Resource"]]
    assert in_vpc == ["network-interface", "security-group", "subnet"]
    assert iam.list_attached_role_policies(RoleName=role)["AttachedPolicies"] == []
    (trust,) = iam.get_role(RoleName=role)["Role"]["AssumeRolePolicyDocument"]["Statement"]
    assert trust["Principal"] == {"Service": "scheduler.amazonaws.com"}
    group = scheduler.get_schedule_group(Name="n")["Arn"]
    assert trust["Condition"]["ArnEquals"] == {"aws:SourceArn": group}
    assert trust["Condition"]["StringEquals"] == {"aws:SourceAccount": notebook.split(":")[4]}
    return role


def place(aws: AwsClient) -> dict[str, Any]:
    """A role, a subnet and a security group for a notebook."""
    role = aws("iam").create_role(RoleName="n", AssumeRolePolicyDocument=json.dumps(TRUST))["Role"]
    subnet = aws("ec2").describe_subnets()["Subnets"][0]
    groups = aws("ec2").describe_security_groups()["SecurityGroups"]
    return {
        "role_arn": role["Arn"],
        "subnet_id": subnet["SubnetId"],
        "security_group_ids": [g["GroupId"] for g in groups if g["VpcId"] == subnet["VpcId"]],
    }
