"""The only user of boto3."""

from dataclasses import dataclass
from typing import Any
from urllib.parse import urlsplit

from tools.errors import UserError


@dataclass(frozen=True)
class Identity:
    """Who the credentials belong to: a 12-digit account and an ARN."""

    account: str
    arn: str


def refuse_emulator(region: str) -> None:
    """Raises UserError where the user's settings lead AWS's clients to this machine."""
    for service in ("s3", "sagemaker"):
        endpoint = str(_client(service, region).meta.endpoint_url)
        host = urlsplit(endpoint).hostname or ""
        if host == "localhost" or host.startswith("127.") or host == "::1":
            raise UserError(
                f"{service} leads to {endpoint} (AWS_ENDPOINT_URL or endpoint_url in AWS's "
                "configuration), so this would not reach AWS and leave an emulator's state here; "
                "add --local, or take the setting away: unset AWS_ENDPOINT_URL"
            )


def identity(region: str) -> Identity:
    """Whose credentials AWS sees. Raises UserError where there are none or AWS refuses them."""
    from botocore.exceptions import BotoCoreError, ClientError, NoCredentialsError

    try:
        answer = _client("sts", region).get_caller_identity()
    except NoCredentialsError:
        raise UserError(
            "no AWS credentials found; run `aws configure`, or try `make demo`, which needs none"
        ) from None
    except ClientError as error:
        reason = error.response["Error"]["Message"]
        raise UserError(f"AWS refuses the credentials: {reason}") from None
    except BotoCoreError as error:
        raise UserError(f"cannot ask AWS whose credentials these are: {error}") from None
    return Identity(answer["Account"], answer["Arn"])


def notebook_statuses(region: str, endpoint: str | None = None) -> dict[str, str]:
    """Every notebook instance of the account and region: name to status.

    `endpoint` is the local cloud's; AWS answers where it is None.
    """
    pages = _client("sagemaker", region, endpoint).get_paginator("list_notebook_instances")
    return {
        notebook["NotebookInstanceName"]: notebook["NotebookInstanceStatus"]
        for page in pages.paginate()
        for notebook in page["NotebookInstances"]
    }


def _client(service: str, region: str, endpoint: str | None = None) -> Any:
    import boto3

    if endpoint is None:
        return boto3.Session().client(service, region_name=region)
    # The local cloud takes any key; the user's own must not go there.
    session = boto3.Session("test", "test", region_name=region)
    return session.client(service, endpoint_url=endpoint)
