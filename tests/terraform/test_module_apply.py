"""modules/sagemaker-notebook against the emulator: apply, update in place, destroy."""

import json
from collections.abc import Callable
from typing import Any

from .chain import AwsClient, clients
from .conftest import NewTree
from .harness import Chain

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

    def describe() -> Any:
        return aws("sagemaker").describe_notebook_instance(NotebookInstanceName="n")

    def describe_script() -> Any:
        return aws("sagemaker").describe_notebook_instance_lifecycle_config(
            NotebookInstanceLifecycleConfigName="n"
        )

    with Chain(tree) as chain:
        stack = tree.write_calls("module-apply", {"this": small})
        chain.apply(stack)
        assert tree.changes(stack) == {}
        assert tree.outputs(stack)["this"] == {
            "arn": describe()["NotebookInstanceArn"],
            "id": "n",
            "lifecycle_configuration_arn": describe_script()["NotebookInstanceLifecycleConfigArn"],
            "lifecycle_configuration_name": "n",
            "name": "n",
            "network_interface_id": describe()["NetworkInterfaceId"],
            "url": describe()["Url"],
        }

        tree.write_calls("module-apply", {"this": large})
        assert tree.changes(stack) == {notebook: "update"}
        chain.apply(stack)
        assert tree.changes(stack) == {}
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
