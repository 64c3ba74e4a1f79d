"""Starts that fail because a tag says so, and what AWS tells of them."""

from collections.abc import Callable
from typing import Any

import pytest
from botocore.exceptions import ClientError

Create = Callable[..., str]
Wait = Callable[[str], dict[str, Any]]
TAG = "emulator:start"


def fail_at(value: str) -> list[dict[str, str]]:
    return [{"Key": TAG, "Value": value}]


@pytest.fixture
def failed(sagemaker: Any) -> Wait:
    def wait(name: str) -> dict[str, Any]:
        while True:
            found: dict[str, Any] = sagemaker.describe_notebook_instance(NotebookInstanceName=name)
            if found["NotebookInstanceStatus"] != "Pending":
                return found

    return wait


@pytest.mark.parametrize(
    ("why", "said"),
    [("capacity", "Insufficient notebook instance capacity"), ("script", "took longer than 5")],
)
def test_a_start_fails_with_its_reason_and_again_until_the_tag_is_gone(
    sagemaker: Any, create: Create, name: str, failed: Wait, in_service: Wait, why: str, said: str
) -> None:
    arn = create(Tags=fail_at(why))
    found = failed(name)
    assert found["NotebookInstanceStatus"] == "Failed"
    assert said in found["FailureReason"]
    (listed,) = sagemaker.list_notebook_instances(StatusEquals="Failed", NameContains=name)[
        "NotebookInstances"
    ]
    assert listed["NotebookInstanceName"] == name
    sagemaker.start_notebook_instance(NotebookInstanceName=name)
    pending = sagemaker.describe_notebook_instance(NotebookInstanceName=name)
    if pending["NotebookInstanceStatus"] == "Pending":
        assert "FailureReason" not in pending
    assert failed(name)["NotebookInstanceStatus"] == "Failed"
    sagemaker.delete_tags(ResourceArn=arn, TagKeys=[TAG])
    sagemaker.start_notebook_instance(NotebookInstanceName=name)
    assert "FailureReason" not in in_service(name)


def test_another_type_helps_where_only_one_has_no_capacity(
    sagemaker: Any, create: Create, name: str, failed: Wait, in_service: Wait, stopped: Wait
) -> None:
    create(InstanceType="ml.m5.xlarge", VolumeSizeInGB=9, Tags=fail_at("capacity ml.m5.xlarge"))
    assert failed(name)["NotebookInstanceStatus"] == "Failed"
    with pytest.raises(ClientError, match=r"Status \(Failed\) not in \(\[InService\]\)"):
        sagemaker.stop_notebook_instance(NotebookInstanceName=name)
    sagemaker.update_notebook_instance(NotebookInstanceName=name, InstanceType="ml.m5.2xlarge")
    stopped(name)
    sagemaker.start_notebook_instance(NotebookInstanceName=name)
    assert in_service(name)["VolumeSizeInGB"] == 9


def test_a_quota_refuses_the_request_itself(
    sagemaker: Any, create: Create, name: str, in_service: Wait, stopped: Wait
) -> None:
    with pytest.raises(ClientError) as refused:
        create(Tags=fail_at("quota"))
    assert refused.value.response["Error"]["Code"] == "ResourceLimitExceeded"
    arn = create()
    in_service(name)
    sagemaker.stop_notebook_instance(NotebookInstanceName=name)
    stopped(name)
    sagemaker.add_tags(ResourceArn=arn, Tags=fail_at("quota ml.t3.medium"))
    with pytest.raises(ClientError, match=r"'ml\.t3\.medium for notebook instance usage' is 0"):
        sagemaker.start_notebook_instance(NotebookInstanceName=name)
    found = sagemaker.describe_notebook_instance(NotebookInstanceName=name)
    assert found["NotebookInstanceStatus"] == "Stopped"


def test_regions_have_notebooks_of_their_own(
    client: Callable[..., Any], account: Any, create: Create, name: str
) -> None:
    """By one name in each, as a layout with a provider for each region has them."""
    create()
    far = client("sagemaker", region="eu-west-3", account=account.id)
    assert far.list_notebook_instances()["NotebookInstances"] == []
    made = far.create_notebook_instance(
        NotebookInstanceName=name,
        InstanceType="ml.t3.large",
        RoleArn=account.role,
        IpAddressType="dualstack",
    )
    assert made["NotebookInstanceArn"].split(":")[3] == "eu-west-3"
    described = far.describe_notebook_instance(NotebookInstanceName=name)
    assert (described["InstanceType"], described["IpAddressType"]) == ("ml.t3.large", "dualstack")
    here = account.sagemaker.describe_notebook_instance(NotebookInstanceName=name)
    assert (here["InstanceType"], here["IpAddressType"]) == ("ml.t3.medium", "ipv4")


def test_every_member_of_the_answer_is_there_where_aws_has_a_value(
    sagemaker: Any, create: Create, name: str, failed: Wait
) -> None:
    """The oracle is botocore's model: what it has and no instance here shows is named."""
    create(Tags=fail_at("capacity"))
    model = sagemaker.meta.service_model.operation_model("DescribeNotebookInstance")
    described = failed(name)
    only_if_given = {
        "AcceleratorTypes",
        "AdditionalCodeRepositories",
        "DefaultCodeRepository",
        "KmsKeyId",
        "NetworkInterfaceId",
        "NotebookInstanceLifecycleConfigName",
        "SubnetId",
    }
    assert set(model.output_shape.members) - described.keys() == only_if_given
