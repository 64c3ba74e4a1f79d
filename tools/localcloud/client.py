"""How terraform, aws and boto3 reach the local cloud: the environment that they run in."""

import ipaddress
import os
from collections.abc import Mapping
from urllib.parse import urlsplit

from tools.errors import UserError
from tools.localcloud.ports import HOST

REGION = "us-east-1"


def redirect(env: Mapping[str, str], endpoint: str, region: str = REGION) -> dict[str, str]:
    """The variables `env` changed so that their process reaches `endpoint`, and no AWS account."""
    unset = variables_to_unset(env)
    kept = {name: value for name, value in env.items() if name not in unset}
    return {**kept, **environment(endpoint, region, env)}


def environment(
    endpoint: str, region: str = REGION, env: Mapping[str, str] = os.environ
) -> dict[str, str]:
    """The variables with which terraform, aws and boto3 reach `endpoint`, and nothing else.

    They are for a process that has those of `env`, whose NO_PROXY is kept. Raises UserError if the
    endpoint's host is a name instead of an IP address.
    """
    # S3 clients put the bucket before a host's name (bucket.localhost), which no name server knows:
    # https://docs.aws.amazon.com/AmazonS3/latest/userguide/VirtualHosting.html
    host = urlsplit(endpoint).hostname or ""
    try:
        ipaddress.ip_address(host)
    except ValueError:
        raise UserError(
            f"the endpoint {endpoint} has no IP address as its host; use http://{HOST}:<port>"
        ) from None
    return {
        "AWS_ACCESS_KEY_ID": "test",
        "AWS_SECRET_ACCESS_KEY": "test",
        "AWS_ENDPOINT_URL": endpoint,
        "AWS_REGION": region,
        # boto3 reads no other variable for the region:
        # https://boto3.amazonaws.com/v1/documentation/api/latest/guide/configuration.html
        "AWS_DEFAULT_REGION": region,
        "AWS_CONFIG_FILE": os.devnull,
        "AWS_SHARED_CREDENTIALS_FILE": os.devnull,
        "AWS_EC2_METADATA_DISABLED": "true",
        "AWS_MAX_ATTEMPTS": "3",
        "AWS_PAGER": "",
        "CHECKPOINT_DISABLE": "1",
        "NO_PROXY": ",".join(filter(None, (host, env.get("NO_PROXY") or env.get("no_proxy")))),
    }


def variables_to_unset(env: Mapping[str, str]) -> list[str]:
    """The variables of `env` that would lead a client away from the local cloud, sorted.

    They are all AWS_* that `environment` does not set, such as AWS_PROFILE, AWS_SESSION_TOKEN,
    AWS_ENDPOINT_URL_S3 and AWS_CA_BUNDLE (which fails if the file is missing), and `no_proxy`,
    which some programs prefer to NO_PROXY.
    """
    ours = environment(f"http://{HOST}:1", env=env)
    return sorted(
        name for name in env if name not in ours and (name.startswith("AWS_") or name == "no_proxy")
    )


def variables_set(env: Mapping[str, str]) -> list[str]:
    """The variables of `env` that are as `environment` sets them, sorted; none of the user's own.

    NO_PROXY is left: it may have held the local cloud's host before.
    """
    try:
        ours = environment(env["AWS_ENDPOINT_URL"], env.get("AWS_REGION", REGION), env={})
    except (KeyError, UserError):
        return []
    del ours["NO_PROXY"]
    return sorted(name for name, value in ours.items() if env.get(name) == value)
