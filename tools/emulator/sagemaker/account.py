"""What a notebook instance uses of the emulator's other services: its role and its network."""

import logging
from typing import Any

from botocore.exceptions import ClientError
from localstack.aws.api import RequestContext
from localstack.aws.connect import connect_to

from .errors import ValidationError

LOG = logging.getLogger(__name__)

_PRINCIPAL = "sagemaker.amazonaws.com"


def require_role(context: RequestContext, arn: str) -> None:
    """Raises ValidationError where SageMaker could not assume the role.

    https://docs.aws.amazon.com/sagemaker/latest/APIReference/API_CreateNotebookInstance.html
    """
    try:
        role = _client(context, "iam").get_role(RoleName=arn.rsplit("/", 1)[-1])["Role"]
    except ClientError:
        role = None
    if role is None or role["Arn"] != arn or not _trusts_sagemaker(role):
        raise ValidationError(
            f"Could not assume role {arn}. Please ensure that the role exists and allows "
            f"principal '{_PRINCIPAL}' to assume the role."
        )


def create_network_interface(
    context: RequestContext, notebook: str, subnet: str, groups: list[str]
) -> tuple[str, list[str]]:
    """The id of a new interface in the subnet, and its groups: the VPC's own where none is given.

    Raises ValidationError for a subnet or a group that does not exist, and for one of another
    VPC than the subnet's.
    """
    ec2 = _client(context, "ec2")
    try:
        vpc = ec2.describe_subnets(SubnetIds=[subnet])["Subnets"][0]["VpcId"]
        if groups:
            _require_groups_of(ec2, vpc, subnet, groups)
        interface = ec2.create_network_interface(
            SubnetId=subnet,
            Description=f"SageMaker notebook instance {notebook}",
            **({"Groups": groups} if groups else {}),
        )["NetworkInterface"]
    except ClientError as error:
        raise ValidationError(error.response["Error"]["Message"]) from None
    return interface["NetworkInterfaceId"], [group["GroupId"] for group in interface["Groups"]]


def delete_network_interface(context: RequestContext, interface: str) -> None:
    """Deletes the interface; the log says so if EC2 refuses that."""
    try:
        _client(context, "ec2").delete_network_interface(NetworkInterfaceId=interface)
    except ClientError as error:
        LOG.warning("the network interface %s is left: %s", interface, error)


def _require_groups_of(ec2: Any, vpc: str, subnet: str, groups: list[str]) -> None:
    for group in ec2.describe_security_groups(GroupIds=groups)["SecurityGroups"]:
        if group["VpcId"] != vpc:
            raise ValidationError(
                f"Security group {group['GroupId']} and subnet {subnet} belong to different "
                "networks."
            )


def _trusts_sagemaker(role: dict[str, Any]) -> bool:
    statements = role["AssumeRolePolicyDocument"].get("Statement", [])
    for statement in statements if isinstance(statements, list) else [statements]:
        principal = statement.get("Principal", {})
        trusted = principal if isinstance(principal, str) else principal.get("Service", [])
        names = [trusted] if isinstance(trusted, str) else trusted
        if statement.get("Effect") == "Allow" and ("*" in names or _PRINCIPAL in names):
            return True
    return False


def _client(context: RequestContext, service: str) -> Any:
    factory = connect_to(aws_access_key_id=context.account_id, region_name=context.region)
    return getattr(factory, service)
