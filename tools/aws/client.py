"""Requests to AWS or to the local cloud, and their errors in a user's words."""

from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from functools import lru_cache
from typing import Any
from urllib.parse import urlsplit

from tools.aws.sessions import explain_settings, session_without_settings, settings_error
from tools.errors import UserError

# botocore's own is 3 attempts, too few for a listing of many pages while others use the same API:
# https://docs.aws.amazon.com/sdkref/latest/guide/feature-retry-behavior.html
_ATTEMPTS = 6
_HURRIED_SECONDS = 4

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

    @property
    def partition(self) -> str:
        """The partition of AWS, such as aws or aws-cn."""
        return self.arn.split(":")[1]


class RequestError(UserError):
    """AWS refused a request: `code` is its name of the error, `reason` its message."""

    def __init__(self, message: str, code: str, reason: str) -> None:
        super().__init__(message)
        self.code = code
        self.reason = reason


@dataclass(frozen=True)
class Cloud:
    """A region of AWS, or of the local cloud at `endpoint`.

    In its methods `what` says the request in words for an error message: `list the notebooks`.
    They raise UserError if AWS cannot be asked, and RequestError if it refuses the request. With
    `is_hurried` a request is tried once, for some seconds.
    """

    region: str
    endpoint: str | None = None
    is_hurried: bool = False

    def __str__(self) -> str:
        return (
            f"the local cloud, region {self.region}" if self.endpoint else f"region {self.region}"
        )

    def client(self, service: str) -> Any:
        """Returns the client of `service`; it repeats throttled requests, and threads share it."""
        return shared_client(service, self.region, self.endpoint, self.is_hurried)

    def call(self, what: str, service: str, operation: str, **arguments: Any) -> Any:
        """Returns what AWS answers to an operation."""
        with asking(self, what):
            return getattr(self.client(service), operation)(**arguments)

    def find(self, what: str, service: str, operation: str, **arguments: Any) -> Any:
        """Returns what AWS answers to an operation, or None if what it names does not exist."""
        try:
            return self.call(what, service, operation, **arguments)
        except RequestError as error:
            if is_missing(error):
                return None
            raise

    def items(
        self, what: str, service: str, operation: str, key: str, **arguments: Any
    ) -> Iterator[Any]:
        """Returns the items under `key` of an answer's pages, each fetched when it is needed."""
        with asking(self, what):
            for page in self.client(service).get_paginator(operation).paginate(**arguments):
                yield from page.get(key, [])

    def describe_ec2(
        self, what: str, operation: str, key: str, filters: Mapping[str, str]
    ) -> list[Any]:
        """Returns the items under `key` of what EC2 describes; `filters` is name to value."""
        by_name = [{"Name": name, "Values": [value]} for name, value in filters.items()]
        return list(self.items(what, "ec2", operation, key, Filters=by_name))

    def identity(self) -> Identity:
        """Returns whose credentials AWS sees."""
        caller = self.call("ask whose credentials these are", "sts", "get_caller_identity")
        return Identity(caller["Account"], caller["Arn"])


@contextmanager
def asking(cloud: Cloud, what: str) -> Iterator[None]:
    """Turns botocore's exceptions within the block into ours.

    Raises RequestError for a request that AWS refuses, and UserError without credentials, without
    a network, or for settings that botocore cannot use.
    """
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
        raise _request_error(error, cloud, what) from None
    except BotoCoreError as error:
        raise UserError(f"cannot {what} in {cloud}: {error}") from None
    except (FileNotFoundError, PermissionError, ValueError) as error:  # of a credential_process
        raise settings_error(error) from None


def _request_error(error: Any, cloud: Cloud, what: str) -> RequestError:
    code = str(error.response["Error"].get("Code", ""))
    reason = str(error.response["Error"].get("Message") or error)
    message = f"cannot {what} in {cloud}: {code}: {reason}"
    if code in _EXPIRED:
        message = f"AWS's session has expired ({reason}); sign in again, then repeat"
    elif code in _REFUSED:
        message = f"AWS refuses the credentials: {reason}"
    elif code in _THROTTLED:
        attempts = error.response.get("ResponseMetadata", {}).get("RetryAttempts", 0) + 1
        message = (
            f"cannot {what} in {cloud}: AWS throttled it {attempts} times in a row ({reason}); "
            "repeat it later, or allow more attempts: AWS_MAX_ATTEMPTS"
        )
    return RequestError(message, code, reason)


def is_missing(error: RequestError) -> bool:
    """Whether AWS refused a request because what it names does not exist."""
    # An answer to HEAD has no body, so that its code is the HTTP status. A bucket of another
    # account answers 403: https://docs.aws.amazon.com/AmazonS3/latest/API/API_HeadBucket.html
    if error.code in ("403", "404") or "NoSuch" in error.code or "NotFound" in error.code:
        return True
    # SageMaker has no code for it. Its answer to a name that does not exist is a
    # ValidationException: RecordNotFound, or for a lifecycle configuration "Unable to describe
    # Notebook Instance Lifecycle Config '...'. (Details: ... does not exist.)", by moto 5.1,
    # sagemaker/models.py.
    missing = "RecordNotFound" in error.reason or "does not exist" in error.reason
    return error.code == "ValidationException" and missing


def refuse_emulator(region: str) -> None:
    """Raises UserError if the user's settings send requests for AWS to this machine.

    Settings that are wrong send none: whatever uses them says so.
    """
    for service in ("s3", "sagemaker"):
        try:
            endpoint = str(Cloud(region).client(service).meta.endpoint_url)
        except UserError:
            return
        host = urlsplit(endpoint).hostname or ""
        if host == "localhost" or host.startswith("127.") or host == "::1":
            raise UserError(
                f"{service} leads to {endpoint} (AWS_ENDPOINT_URL or endpoint_url in AWS's "
                "configuration), so this would not reach AWS and leave an emulator's state here; "
                "add --local, or take the setting away: unset AWS_ENDPOINT_URL"
            )


@lru_cache(maxsize=64)
def shared_client(service: str, region: str, endpoint: str | None, is_hurried: bool) -> Any:
    """Returns the process's client: making one takes 0.1 s, and its first request a handshake.

    Threads may share a client:
    https://boto3.amazonaws.com/v1/documentation/api/latest/guide/clients.html
    Raises UserError if AWS's settings are wrong.
    """
    import boto3
    import botocore.session
    from botocore.config import Config

    hurry: dict[str, Any] = {
        "connect_timeout": _HURRIED_SECONDS,
        "read_timeout": _HURRIED_SECONDS,
        "retries": {"total_max_attempts": 1},
    }
    config = Config(**hurry) if is_hurried else None
    with explain_settings():
        if endpoint is None:
            session = botocore.session.Session()
            _be_patient(session)
            return boto3.Session(botocore_session=session).client(
                service, region_name=region, config=config
            )
        # The local cloud takes any key; the user's own and their profile must not go there.
        session = session_without_settings()
        _be_patient(session)
        local = boto3.Session("test", "test", botocore_session=session)
        direct = Config(proxies={}, **(hurry if is_hurried else {}))
        return local.client(service, region_name=region, endpoint_url=endpoint, config=direct)


def _be_patient(session: Any) -> None:
    """Sets more attempts, unless the user has set AWS_MAX_ATTEMPTS, AWS_RETRY_MODE or a profile's.

    https://docs.aws.amazon.com/sdkref/latest/guide/feature-retry-behavior.html
    """
    # botocore's default, which tries fewer kinds of errors again:
    # https://boto3.amazonaws.com/v1/documentation/api/latest/guide/retries.html
    if session.get_config_variable("retry_mode") == "legacy":
        session.set_config_variable("retry_mode", "standard")
    if session.get_config_variable("max_attempts") is None:
        session.set_config_variable("max_attempts", _ATTEMPTS)
