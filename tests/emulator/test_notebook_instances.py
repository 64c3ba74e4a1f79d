"""Notebook instances, asked for through boto3."""

from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from typing import Any

import pytest
from botocore.exceptions import ClientError

from .conftest import Account, Network, trust

Refused = Callable[..., str]
Create = Callable[..., str]
Wait = Callable[[str], dict[str, Any]]

PASSING_AND_FINAL = {
    "create": ("Pending", "InService"),
    "stop_notebook_instance": ("Stopping", "Stopped"),
    "update_notebook_instance": ("Updating", "Stopped"),
    "start_notebook_instance": ("Pending", "InService"),
}


def statuses_until(sagemaker: Any, name: str, final: str) -> list[str]:
    """Each status that the instance is seen in, once, up to `final`."""
    seen: list[str] = []
    while not seen or seen[-1] != final:
        now = sagemaker.describe_notebook_instance(NotebookInstanceName=name)
        if now["NotebookInstanceStatus"] not in seen:
            seen.append(now["NotebookInstanceStatus"])
    return seen


def test_a_new_instance_has_the_defaults_of_aws(
    sagemaker: Any, create: Create, name: str, account: Account, in_service: Wait
) -> None:
    arn = create()
    found = in_service(name)
    assert arn == found["NotebookInstanceArn"]
    assert arn == f"arn:aws:sagemaker:us-east-1:{account.id}:notebook-instance/{name}"
    assert found["RoleArn"] == account.role
    assert found["VolumeSizeInGB"] == 5
    assert found["DirectInternetAccess"] == "Enabled"
    assert found["RootAccess"] == "Enabled"
    assert found["PlatformIdentifier"] == "notebook-al2023-v1"
    imds = found["InstanceMetadataServiceConfiguration"]
    assert imds == {"MinimumInstanceMetadataServiceVersion": "1"}
    assert found["SecurityGroups"] == []
    assert "NetworkInterfaceId" not in found
    label, rest = found["Url"].split(".", 1)
    assert rest == "notebook.us-east-1.sagemaker.aws"
    assert label[: len(name) + 1] == f"{name}-"
    assert len(label) == len(name) + 5


def test_what_was_asked_for_is_what_is_described(
    sagemaker: Any, create: Create, name: str, network: Network
) -> None:
    config, repository = f"{name}-config", f"{name}-repository"
    sagemaker.create_notebook_instance_lifecycle_config(NotebookInstanceLifecycleConfigName=config)
    sagemaker.create_code_repository(
        CodeRepositoryName=repository, GitConfig={"RepositoryUrl": "https://example.com/r.git"}
    )
    asked: dict[str, Any] = {
        "InstanceType": "ml.m5.xlarge",
        "SubnetId": network.subnet,
        "KmsKeyId": "alias/notebooks",
        "DirectInternetAccess": "Disabled",
        "VolumeSizeInGB": 64,
        "DefaultCodeRepository": repository,
        "AdditionalCodeRepositories": ["https://example.com/other.git"],
        "RootAccess": "Disabled",
        "PlatformIdentifier": "notebook-al2-v3",
        "InstanceMetadataServiceConfiguration": {"MinimumInstanceMetadataServiceVersion": "2"},
    }
    create(**asked, SecurityGroupIds=[network.group], LifecycleConfigName=config)
    found = sagemaker.describe_notebook_instance(NotebookInstanceName=name)
    assert {member: found[member] for member in asked} == asked
    assert found["SecurityGroups"] == [network.group]
    assert found["NotebookInstanceLifecycleConfigName"] == config


def test_statuses_move_as_on_aws(sagemaker: Any, create: Create, name: str) -> None:
    unseen = set(PASSING_AND_FINAL)
    for number in range(100):  # on a busy machine a passing status may be over before it is seen
        instance = f"{name}-{number}"
        for operation, (passing, final) in PASSING_AND_FINAL.items():
            if operation == "create":
                create(NotebookInstanceName=instance)
            else:
                getattr(sagemaker, operation)(NotebookInstanceName=instance)
            seen = statuses_until(sagemaker, instance, final)
            assert seen in ([passing, final], [final])
            if seen[0] == passing:
                unseen.discard(operation)
        if not unseen:
            break
    assert unseen == set()


def test_a_deleted_instance_passes_through_deleting_and_is_gone(
    sagemaker: Any, create: Create, name: str, in_service: Wait, stopped: Wait
) -> None:
    create()
    in_service(name)
    sagemaker.stop_notebook_instance(NotebookInstanceName=name)
    stopped(name)
    sagemaker.delete_notebook_instance(NotebookInstanceName=name)
    sagemaker.get_waiter("notebook_instance_deleted").wait(
        NotebookInstanceName=name, WaiterConfig={"Delay": 0.1, "MaxAttempts": 300}
    )
    assert sagemaker.list_notebook_instances(NameContains=name)["NotebookInstances"] == []
    create()


def test_an_update_changes_what_it_names_and_nothing_else(
    sagemaker: Any, create: Create, name: str, in_service: Wait, stopped: Wait
) -> None:
    create(VolumeSizeInGB=10, RootAccess="Disabled")
    before = in_service(name)
    sagemaker.stop_notebook_instance(NotebookInstanceName=name)
    stopped(name)
    sagemaker.update_notebook_instance(
        NotebookInstanceName=name, InstanceType="ml.m5.2xlarge", VolumeSizeInGB=20
    )
    after = stopped(name)
    changed = {key for key in before if key != "ResponseMetadata" and before[key] != after[key]}
    moved = {"NotebookInstanceStatus", "LastModifiedTime"}
    assert changed == {"InstanceType", "VolumeSizeInGB"} | moved
    assert (after["InstanceType"], after["VolumeSizeInGB"]) == ("ml.m5.2xlarge", 20)


def test_an_update_takes_away_what_it_disassociates(
    sagemaker: Any, create: Create, name: str, in_service: Wait, stopped: Wait
) -> None:
    sagemaker.create_notebook_instance_lifecycle_config(NotebookInstanceLifecycleConfigName=name)
    create(
        LifecycleConfigName=name,
        DefaultCodeRepository="https://example.com/a.git",
        AdditionalCodeRepositories=["https://example.com/b.git"],
        AcceleratorTypes=["ml.eia1.medium"],
    )
    in_service(name)
    sagemaker.stop_notebook_instance(NotebookInstanceName=name)
    stopped(name)
    sagemaker.update_notebook_instance(
        NotebookInstanceName=name,
        DisassociateLifecycleConfig=True,
        DisassociateDefaultCodeRepository=True,
        DisassociateAdditionalCodeRepositories=True,
        DisassociateAcceleratorTypes=True,
    )
    found = stopped(name)
    for member in (
        "NotebookInstanceLifecycleConfigName",
        "DefaultCodeRepository",
        "AdditionalCodeRepositories",
        "AcceleratorTypes",
    ):
        assert member not in found


def test_setting_and_disassociating_at_once_is_refused(
    sagemaker: Any, create: Create, name: str, in_service: Wait, stopped: Wait, refused: Refused
) -> None:
    create()
    message = refused(
        sagemaker.update_notebook_instance,
        NotebookInstanceName=name,
        DefaultCodeRepository="https://example.com/a.git",
        DisassociateDefaultCodeRepository=True,
    )
    assert "DefaultCodeRepository" in message


def test_operations_in_the_wrong_status_are_refused(
    sagemaker: Any, create: Create, name: str, in_service: Wait, stopped: Wait, refused: Refused
) -> None:
    arn = create()
    in_service(name)
    for operation, allowed, to in (
        (sagemaker.start_notebook_instance, "Stopped, Failed", "Pending"),
        (sagemaker.delete_notebook_instance, "Stopped, Failed", "Deleting"),
        (sagemaker.update_notebook_instance, "Stopped, Failed", "Updating"),
    ):
        assert refused(operation, NotebookInstanceName=name) == (
            f"Status (InService) not in ([{allowed}]). Unable to transition to ({to}) for "
            f"Notebook Instance ({arn})."
        )
    sagemaker.stop_notebook_instance(NotebookInstanceName=name)
    stopped(name)
    assert refused(sagemaker.stop_notebook_instance, NotebookInstanceName=name) == (
        "Status (Stopped) not in ([InService]). Unable to transition to (Stopping) for "
        f"Notebook Instance ({arn})."
    )
    message = refused(sagemaker.create_presigned_notebook_instance_url, NotebookInstanceName=name)
    assert message.startswith("Status (Stopped) not in ([InService]).")


@pytest.mark.parametrize(
    "operation",
    [
        "describe_notebook_instance",
        "start_notebook_instance",
        "stop_notebook_instance",
        "update_notebook_instance",
        "delete_notebook_instance",
        "create_presigned_notebook_instance_url",
    ],
)
def test_a_missing_instance_is_refused(sagemaker: Any, operation: str, refused: Refused) -> None:
    message = refused(getattr(sagemaker, operation), NotebookInstanceName="not-there")
    assert "RecordNotFound" in message  # Terraform's provider looks for this word


def test_a_name_can_be_used_once(create: Create, name: str, refused: Refused) -> None:
    arn = create()
    for again in (name, name.upper()):
        message = refused(create, NotebookInstanceName=again)
        assert message == f"Cannot create a duplicate Notebook Instance ({arn})"


def test_accounts_and_regions_are_apart(
    client: Callable[..., Any], create: Create, name: str, account: Account
) -> None:
    create()
    for elsewhere in (
        client("sagemaker", region="eu-west-1", account=account.id),
        client("sagemaker", account="999999999999"),
    ):
        with pytest.raises(ClientError, match="RecordNotFound"):
            elsewhere.describe_notebook_instance(NotebookInstanceName=name)


def test_a_role_that_does_not_exist_is_refused(
    create: Create, account: Account, refused: Refused
) -> None:
    for arn in (
        f"arn:aws:iam::{account.id}:role/ml/nobody",
        account.role.replace("/ml/", "/"),
        account.role.replace(account.id, "999999999999"),
    ):
        assert refused(create, RoleArn=arn).startswith(f"Could not assume role {arn}.")


def test_a_role_that_sagemaker_may_not_assume_is_refused(
    create: Create, account: Account, refused: Refused
) -> None:
    role = account.iam.create_role(
        RoleName="for-ec2", AssumeRolePolicyDocument=trust("ec2.amazonaws.com")
    )["Role"]["Arn"]
    assert refused(create, RoleArn=role).startswith(f"Could not assume role {role}.")


def test_an_update_to_a_role_that_does_not_exist_is_refused(
    sagemaker: Any, create: Create, name: str, account: Account, refused: Refused
) -> None:
    create()
    arn = f"arn:aws:iam::{account.id}:role/nobody"
    message = refused(sagemaker.update_notebook_instance, NotebookInstanceName=name, RoleArn=arn)
    assert message.startswith(f"Could not assume role {arn}.")


def test_an_unknown_subnet_is_refused(create: Create, refused: Refused) -> None:
    assert "subnet-0123456789abcdef0" in refused(create, SubnetId="subnet-0123456789abcdef0")


def test_an_unknown_security_group_is_refused(
    create: Create, network: Network, refused: Refused
) -> None:
    group = "sg-0123456789abcdef0"
    assert group in refused(create, SubnetId=network.subnet, SecurityGroupIds=[group])


def test_a_security_group_of_another_vpc_is_refused_and_leaves_no_interface(
    account: Account, create: Create, name: str, network: Network, refused: Refused
) -> None:
    groups = [network.group, network.foreign_group]
    message = refused(create, SubnetId=network.subnet, SecurityGroupIds=groups)
    assert network.foreign_group in message
    assert network.subnet in message
    assert interfaces(account, name) == []


def test_no_internet_access_needs_a_subnet(create: Create, refused: Refused) -> None:
    assert "SubnetId" in refused(create, DirectInternetAccess="Disabled")


def test_security_groups_need_a_subnet(create: Create, network: Network, refused: Refused) -> None:
    assert "SubnetId" in refused(create, SecurityGroupIds=[network.group])


def interfaces(account: Account, name: str) -> list[dict[str, Any]]:
    filters = [{"Name": "description", "Values": [f"*{name}*"]}]
    found: list[dict[str, Any]] = account.ec2.describe_network_interfaces(Filters=filters)[
        "NetworkInterfaces"
    ]
    return found


def test_an_instance_in_a_subnet_has_a_network_interface_for_as_long_as_it_exists(
    account: Account,
    sagemaker: Any,
    create: Create,
    name: str,
    network: Network,
    in_service: Wait,
    stopped: Wait,
) -> None:
    create(SubnetId=network.subnet, SecurityGroupIds=[network.group])
    interface = in_service(name)["NetworkInterfaceId"]
    [found] = account.ec2.describe_network_interfaces(NetworkInterfaceIds=[interface])[
        "NetworkInterfaces"
    ]
    assert found["SubnetId"] == network.subnet
    assert [group["GroupId"] for group in found["Groups"]] == [network.group]
    sagemaker.stop_notebook_instance(NotebookInstanceName=name)
    assert stopped(name)["NetworkInterfaceId"] == interface
    sagemaker.delete_notebook_instance(NotebookInstanceName=name)
    assert interfaces(account, name) == []


def test_the_group_of_the_vpc_is_used_where_none_is_given(
    sagemaker: Any, create: Create, name: str, network: Network
) -> None:
    create(SubnetId=network.subnet)
    found = sagemaker.describe_notebook_instance(NotebookInstanceName=name)
    assert found["SecurityGroups"] == [network.default_group]


@pytest.mark.parametrize(
    "argument",
    [
        {"LifecycleConfigName": "not-there"},
        {"DefaultCodeRepository": "not-there"},
        {"AdditionalCodeRepositories": ["https://example.com/r.git", "not-there"]},
    ],
)
def test_an_unknown_configuration_or_repository_is_refused(
    sagemaker: Any,
    create: Create,
    name: str,
    argument: dict[str, Any],
    in_service: Wait,
    stopped: Wait,
    refused: Refused,
) -> None:
    assert "not-there" in refused(create, **argument)
    create()
    in_service(name)
    sagemaker.stop_notebook_instance(NotebookInstanceName=name)
    stopped(name)
    update = sagemaker.update_notebook_instance
    assert "not-there" in refused(update, NotebookInstanceName=name, **argument)


def test_a_volume_does_not_shrink(
    sagemaker: Any, create: Create, name: str, in_service: Wait, stopped: Wait, refused: Refused
) -> None:
    create(VolumeSizeInGB=10)
    in_service(name)
    sagemaker.stop_notebook_instance(NotebookInstanceName=name)
    stopped(name)
    update = sagemaker.update_notebook_instance
    assert "decreased" in refused(update, NotebookInstanceName=name, VolumeSizeInGB=9)
    assert stopped(name)["VolumeSizeInGB"] == 10


def test_a_presigned_url_opens_the_instance_and_is_new_each_time(
    sagemaker: Any, create: Create, name: str, in_service: Wait
) -> None:
    create()
    url = in_service(name)["Url"]
    urls = {
        sagemaker.create_presigned_notebook_instance_url(NotebookInstanceName=name)["AuthorizedUrl"]
        for _ in range(2)
    }
    assert len(urls) == 2
    assert all(found.startswith(f"https://{url}?authToken=") for found in urls)


def at_once(times: int, function: Callable[..., Any], **arguments: Any) -> list[str]:
    """Calls a function in as many threads: `done` or the error's text for each."""

    def attempt(_: int) -> str:
        try:
            function(**arguments)
        except ClientError as error:
            return str(error)
        return "done"

    with ThreadPoolExecutor(times) as threads:
        return list(threads.map(attempt, range(times)))


def test_of_many_requests_for_one_name_one_succeeds(
    account: Account, sagemaker: Any, create: Create, name: str, network: Network
) -> None:
    answers = at_once(16, create, SubnetId=network.subnet)
    assert answers.count("done") == 1
    assert sum("duplicate" in answer for answer in answers) == 15
    assert len(interfaces(account, name)) == 1


def test_of_many_stops_one_succeeds(
    sagemaker: Any, create: Create, name: str, in_service: Wait
) -> None:
    create()
    in_service(name)

    answers = at_once(16, sagemaker.stop_notebook_instance, NotebookInstanceName=name)
    assert answers.count("done") == 1
    assert sum("not in ([InService])" in answer for answer in answers) == 15


def test_many_instances_live_their_lives_at_once(
    empty_account: Account,
) -> None:
    sagemaker = empty_account.sagemaker

    def live(number: int) -> None:
        name = f"nb-{number}"
        sagemaker.create_notebook_instance(
            NotebookInstanceName=name, InstanceType="ml.t3.medium", RoleArn=empty_account.role
        )
        statuses_until(sagemaker, name, "InService")
        sagemaker.stop_notebook_instance(NotebookInstanceName=name)
        statuses_until(sagemaker, name, "Stopped")
        sagemaker.delete_notebook_instance(NotebookInstanceName=name)

    with ThreadPoolExecutor(12) as threads:
        list(threads.map(live, range(24)))
    left = sagemaker.list_notebook_instances(MaxResults=100)["NotebookInstances"]
    assert {found["NotebookInstanceStatus"] for found in left} <= {"Deleting"}
