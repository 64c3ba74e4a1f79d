"""Clients of AWS or of the local cloud, and their errors in a user's words."""

import os
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from functools import cached_property, lru_cache
from typing import Any
from urllib.parse import urlsplit

from tools.errors import UserError

# botocore's own is 3 attempts, too few for a listing of many pages while others use the same API:
# https://docs.aws.amazon.com/sdkref/latest/guide/feature-retry-behavior.html
_ATTEMPTS = 6

# https://docs.aws.amazon.com/STS/latest/APIReference/CommonErrors.html; services have names besides
_EXPIRED = {"ExpiredToken", "ExpiredTokenException", "RequestExpired", "TokenRefreshRequired"}
_THROTTLED = {
    "Throttling",
    "ThrottlingException",
    "TooManyRequestsException",
    "RequestLimitExceeded",
}
_REFUSED = {"InvalidClientTokenId", "UnrecognizedClientException", "SignatureDoesNotMatch"}


@dataclass(frozen=True)
class Identity:
    """Who the credentials belong to: a 12-digit account and an ARN."""

    account: str
    arn: str


@dataclass(frozen=True)
class Cloud:
    """Where a client leads: to a region of AWS, or to the local cloud at `endpoint`."""

    region: str
    endpoint: str | None = None

    def __str__(self) -> str:
        return (
            f"the local cloud, region {self.region}" if self.endpoint else f"region {self.region}"
        )

    def client(self, service: str) -> Any:
        """A client that waits and asks again where AWS throttles it; threads may share it."""
        if service not in self._clients:
            self._clients[service] = _client(service, self.region, self.endpoint)
        return self._clients[service]

    @cached_property
    def _clients(self) -> dict[str, Any]:
        return {}  # each takes a tenth of a second to make, and a handshake with AWS


@contextmanager
def asking(cloud: Cloud, what: str) -> Iterator[None]:
    """Turns botocore's exceptions into a UserError; `what` is asked, such as `list notebooks`."""
    from botocore.exceptions import (
        BotoCoreError,
        ClientError,
        ConnectionError,
        HTTPClientError,
        NoCredentialsError,
        SSOError,
        TokenRetrievalError,
    )

    try:
        yield
    except NoCredentialsError:
        raise UserError(
            "no AWS credentials found; run `aws configure`, or try `make demo`, which needs none"
        ) from None
    except (SSOError, TokenRetrievalError) as error:
        raise UserError(
            f"AWS's session has ended ({error}); sign in again: aws sso login"
        ) from None
    except (ConnectionError, HTTPClientError) as error:
        reason = " ".join(str(error).split())
        raise UserError(f"cannot {what} in {cloud}: no network to it ({reason})") from None
    except ClientError as error:
        raise UserError(_refusal(error, cloud, what)) from None
    except BotoCoreError as error:
        raise UserError(f"cannot {what} in {cloud}: {error}") from None


def code(error: BaseException | None) -> str:
    """AWS's name of an error, such as ValidationException; empty where it is none of AWS's."""
    response = getattr(error, "response", {})
    return str(response.get("Error", {}).get("Code", ""))


def _refusal(error: Any, cloud: Cloud, what: str) -> str:
    reason = str(error.response["Error"].get("Message") or error)
    if code(error) in _EXPIRED:
        return f"AWS's session has expired ({reason}); sign in again, then repeat"
    if code(error) in _REFUSED:
        return f"AWS refuses the credentials: {reason}"
    if code(error) in _THROTTLED:
        attempts = error.response.get("ResponseMetadata", {}).get("RetryAttempts", 0) + 1
        return (
            f"cannot {what} in {cloud}: AWS throttled it {attempts} times in a row ({reason}); "
            "repeat it later, or allow more attempts: AWS_MAX_ATTEMPTS"
        )
    return f"cannot {what} in {cloud}: {code(error)}: {reason}"


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
    with asking(Cloud(region), "ask whose credentials these are"):
        answer = _client("sts", region).get_caller_identity()
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


def answer(cloud: Cloud, what: str, service: str, operation: str, **arguments: Any) -> Any:
    """What AWS answers, or None where there is no such thing; `what` is asked, in words.

    Raises UserError where it cannot be asked.
    """
    with asking(cloud, what):
        try:
            return getattr(cloud.client(service), operation)(**arguments)
        except Exception as error:
            if is_missing(error):
                return None
            raise


def every(
    cloud: Cloud, what: str, service: str, operation: str, key: str, **arguments: Any
) -> list[Any]:
    """The items called `key` of every page that AWS answers; as `answer`."""
    with asking(cloud, what):
        pages = cloud.client(service).get_paginator(operation).paginate(**arguments)
        return [item for page in pages for item in page.get(key, [])]


def is_missing(error: Exception) -> bool:
    said = code(error)
    missing = "NoSuch" in said or "NotFound" in said or said in ("404", "403")
    return missing or (said == "ValidationException" and "RecordNotFound" in str(error))


def unreachable(what: str, error: Exception) -> Exception:
    """A UserError for what AWS's client raised; any other error as it is."""
    from botocore.exceptions import BotoCoreError, ClientError

    if isinstance(error, ClientError | BotoCoreError):
        return UserError(f"cannot reach {what}: {error}")
    return error


@lru_cache(maxsize=64)
def shared_client(service: str, region: str, endpoint: str | None) -> Any:
    """A client is safe to share between threads, and takes a tenth of a second to make."""
    return _client(service, region, endpoint)


def price_list(cloud: Cloud) -> Callable[[str, Mapping[str, str]], Iterator[str]]:
    """Asks the Price List API: a service code and attributes to the products, as JSON texts.

    Iterating raises UserError where AWS cannot be asked.
    https://docs.aws.amazon.com/aws-cost-management/latest/APIReference/API_pricing_GetProducts.html
    """

    def products(service: str, about: Mapping[str, str]) -> Iterator[str]:
        filters = [{"Type": "TERM_MATCH", "Field": k, "Value": v} for k, v in about.items()]
        with asking(cloud, "ask for prices"):
            pages = cloud.client("pricing").get_paginator("get_products")
            for page in pages.paginate(ServiceCode=service, Filters=filters):
                yield from page["PriceList"]

    return products


def _client(service: str, region: str, endpoint: str | None = None) -> Any:
    import boto3
    import botocore.session
    from botocore.config import Config
    from botocore.exceptions import BotoCoreError

    if endpoint is None:
        session = botocore.session.Session()
        try:
            _be_patient(session)
            return boto3.Session(botocore_session=session).client(service, region_name=region)
        except BotoCoreError as error:  # a profile that does not exist, a file that does not parse
            raise UserError(f"AWS's settings are wrong: {error}; mend AWS_* or ~/.aws") from None
    # The local cloud takes any key; the user's own and their profile must not go there.
    session = botocore.session.Session(session_vars=_NOBODYS)
    _be_patient(session)
    local = boto3.Session("test", "test", botocore_session=session)
    direct = Config(proxies={})
    return local.client(service, region_name=region, endpoint_url=endpoint, config=direct)


# Where botocore looks for a setting: its name in a profile, its variable, its default, its type.
_NOBODYS = {
    "config_file": (None, None, os.devnull, None),
    "credentials_file": (None, None, os.devnull, None),
    "profile": (None, None, None, None),
}


def _be_patient(session: Any) -> None:
    """What the user has set (AWS_MAX_ATTEMPTS, AWS_RETRY_MODE or in a profile) stays."""
    if session.get_config_variable("retry_mode") == "legacy":  # botocore's default
        session.set_config_variable("retry_mode", "standard")
    if session.get_config_variable("max_attempts") is None:
        session.set_config_variable("max_attempts", _ATTEMPTS)
