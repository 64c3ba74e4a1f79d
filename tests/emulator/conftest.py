"""An account of its own for each module, with what a notebook instance needs."""

import json
import secrets
import uuid
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import pytest
from botocore.exceptions import ClientError


@dataclass(frozen=True)
class Network:
    subnet: str
    group: str
    default_group: str
    foreign_group: str


@dataclass(frozen=True)
class Account:
    """Clients of an account that nobody else uses, and the ARN of a role that SageMaker assumes."""

    id: str
    sagemaker: Any
    iam: Any
    ec2: Any
    role: str


def trust(service: str) -> str:
    statement = {
        "Effect": "Allow",
        "Principal": {"Service": service},
        "Action": "sts:AssumeRole",
    }
    return json.dumps({"Version": "2012-10-17", "Statement": [statement]})


@pytest.fixture(scope="module")
def account(client: Callable[..., Any]) -> Account:
    return new_account(client)


@pytest.fixture
def empty_account(client: Callable[..., Any]) -> Account:
    return new_account(client)


def new_account(client: Callable[..., Any]) -> Account:
    number = str(100_000_000_000 + secrets.randbelow(800_000_000_000))
    iam = client("iam", account=number)
    role = iam.create_role(
        RoleName="notebooks",
        Path="/ml/",
        AssumeRolePolicyDocument=trust("sagemaker.amazonaws.com"),
    )
    return Account(
        number,
        client("sagemaker", account=number),
        iam,
        client("ec2", account=number),
        role["Role"]["Arn"],
    )


@pytest.fixture
def sagemaker(account: Account) -> Any:
    return account.sagemaker


@pytest.fixture(scope="module")
def network(account: Account) -> Network:
    def make_vpc(block: str) -> tuple[str, str, str]:
        vpc = account.ec2.create_vpc(CidrBlock=block)["Vpc"]["VpcId"]
        group = account.ec2.create_security_group(
            GroupName="notebooks", Description="notebooks", VpcId=vpc
        )
        groups = account.ec2.describe_security_groups(
            Filters=[
                {"Name": "vpc-id", "Values": [vpc]},
                {"Name": "group-name", "Values": ["default"]},
            ]
        )
        return vpc, group["GroupId"], groups["SecurityGroups"][0]["GroupId"]

    vpc, group, default_group = make_vpc("10.1.0.0/16")
    subnet = account.ec2.create_subnet(VpcId=vpc, CidrBlock="10.1.0.0/24")["Subnet"]["SubnetId"]
    return Network(subnet, group, default_group, make_vpc("10.2.0.0/16")[1])


@pytest.fixture
def name() -> str:
    return f"nb-{uuid.uuid4().hex[:12]}"


@pytest.fixture
def create(account: Account, name: str) -> Callable[..., str]:
    """Creates a notebook instance called `name`, with the arguments given besides; its ARN."""

    def make(**arguments: Any) -> str:
        complete = {
            "NotebookInstanceName": name,
            "InstanceType": "ml.t3.medium",
            "RoleArn": account.role,
            **arguments,
        }
        arn: str = account.sagemaker.create_notebook_instance(**complete)["NotebookInstanceArn"]
        return arn

    return make


@pytest.fixture
def refused() -> Callable[..., str]:
    """Calls a function that must be refused with a ValidationException; its message."""

    def call(function: Callable[..., Any], **arguments: Any) -> str:
        with pytest.raises(ClientError) as caught:
            function(**arguments)
        error = caught.value.response
        assert error["ResponseMetadata"]["HTTPStatusCode"] == 400
        assert error["Error"]["Code"] == "ValidationException"
        return str(error["Error"]["Message"])

    return call


@pytest.fixture
def in_service(account: Account) -> Callable[[str], dict[str, Any]]:
    return waiting(account, "notebook_instance_in_service")


@pytest.fixture
def stopped(account: Account) -> Callable[[str], dict[str, Any]]:
    return waiting(account, "notebook_instance_stopped")


def waiting(account: Account, waiter: str) -> Callable[[str], dict[str, Any]]:
    """Waits for the instance to get there; what it is by then."""

    def wait(name: str) -> dict[str, Any]:
        config = {"Delay": 0.1, "MaxAttempts": 300}
        account.sagemaker.get_waiter(waiter).wait(NotebookInstanceName=name, WaiterConfig=config)
        found: dict[str, Any] = account.sagemaker.describe_notebook_instance(
            NotebookInstanceName=name
        )
        return found

    return wait
