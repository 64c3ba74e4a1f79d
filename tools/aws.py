"""The only user of boto3."""

import os
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import datetime
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


@dataclass(frozen=True)
class Bucket:
    """A bucket of these credentials' account; `is_versioned` while versions are made."""

    name: str
    region: str
    is_versioned: bool


@dataclass(frozen=True)
class Version:
    """A version of an object; `size` in bytes, None for a deletion."""

    id: str
    modified: datetime
    size: int | None


@dataclass(frozen=True)
class Objects:
    """Buckets and their objects, and lock tables, in one region.

    Raises UserError where AWS does not answer as asked.
    """

    region: str
    endpoint: str | None = None

    def get(self, bucket: str, key: str, version: str | None = None) -> bytes | None:
        """The content, or None where there is no such object; of an older `version`, its own."""
        which = {"VersionId": version} if version else {}
        try:
            answer = _shared_client("s3", self.region, self.endpoint).get_object(
                Bucket=bucket, Key=key, **which
            )
            content: bytes = answer["Body"].read()
            return content
        except Exception as error:
            if code(error) == "NoSuchKey":
                return None
            raise _unreachable(f"s3://{bucket}/{key}", error) from None

    def versions(self, bucket: str, key: str) -> list[Version]:
        """Every version of one object, the newest first; deletions are versions too."""
        pages = _shared_client("s3", self.region, self.endpoint).get_paginator(
            "list_object_versions"
        )
        try:
            found = [
                (one["LastModified"], one["IsLatest"], one)
                for page in pages.paginate(Bucket=bucket, Prefix=key)
                for one in (*page.get("Versions", []), *page.get("DeleteMarkers", []))
                if one["Key"] == key
            ]
        except Exception as error:
            raise _unreachable(f"s3://{bucket}/{key}", error) from None
        found.sort(key=lambda one: one[:2], reverse=True)  # times are in whole seconds
        return [Version(one["VersionId"], when, one.get("Size")) for when, _, one in found]

    def bucket(self, name: str) -> Bucket | None:
        """The bucket, None where there is none; raises UserError for one of another account.

        https://docs.aws.amazon.com/AmazonS3/latest/userguide/bucket-owner-condition.html
        """
        client = _shared_client("s3", self.region, self.endpoint)
        try:
            account = _shared_client("sts", self.region, self.endpoint).get_caller_identity()
            owner = str(account["Account"])
            head = client.head_bucket(Bucket=name, ExpectedBucketOwner=owner)
            versioning = client.get_bucket_versioning(Bucket=name, ExpectedBucketOwner=owner)
        except Exception as error:
            if code(error) in ("404", "NoSuchBucket"):
                return None
            if code(error) in ("403", "AccessDenied"):
                raise UserError(
                    f"bucket {name} is another account's, or these credentials may not use it "
                    "(s3:ListBucket and s3:GetBucketVersioning)"
                ) from None
            raise _unreachable(f"s3://{name}", error) from None
        region = head["ResponseMetadata"]["HTTPHeaders"].get("x-amz-bucket-region", self.region)
        return Bucket(name, region, versioning.get("Status") == "Enabled")

    def check_writable(self, bucket: str, key: str) -> None:
        """Writes the object `key` and takes it away; raises UserError where that is refused."""
        client = _shared_client("s3", self.region, self.endpoint)
        try:
            written = client.put_object(Bucket=bucket, Key=key, Body=b"")
            version = {"VersionId": written["VersionId"]} if written.get("VersionId") else {}
            client.delete_object(Bucket=bucket, Key=key, **version)
        except Exception as error:
            raise _unreachable(f"s3://{bucket}/{key}", error) from None

    def lock_item(self, table: str, path: str) -> str | None:
        """The note of the lock on the state `path` (<bucket>/<key>), None where there is none.

        https://developer.hashicorp.com/terraform/language/backend/s3#dynamodb-state-locking
        """
        client = _shared_client("dynamodb", self.region, self.endpoint)
        try:
            found = client.get_item(
                TableName=table, Key={"LockID": {"S": path}}, ConsistentRead=True
            )
        except Exception as error:
            raise _unreachable(f"the lock table {table}", error) from None
        return str(found["Item"]["Info"]["S"]) if "Info" in found.get("Item", {}) else None

    def forget_checksum(self, table: str, path: str) -> None:
        """Takes away what Terraform notes in a lock table of the state `path`, which is gone.

        It would refuse another state there, as one that is not whole yet.
        """
        client = _shared_client("dynamodb", self.region, self.endpoint)
        try:
            client.delete_item(TableName=table, Key={"LockID": {"S": f"{path}-md5"}})
        except Exception as error:
            raise _unreachable(f"the lock table {table}", error) from None

    def has_table(self, name: str) -> bool:
        """Whether there is a DynamoDB table of this name."""
        client = _shared_client("dynamodb", self.region, self.endpoint)
        try:
            client.describe_table(TableName=name)
        except Exception as error:
            if code(error) == "ResourceNotFoundException":
                return False
            raise _unreachable(f"the lock table {name}", error) from None
        return True

    def put(self, bucket: str, key: str, content: bytes) -> None:
        """Writes, or replaces, the object."""
        client = _shared_client("s3", self.region, self.endpoint)
        try:
            client.put_object(Bucket=bucket, Key=key, Body=content)
        except Exception as error:
            raise _unreachable(f"s3://{bucket}/{key}", error) from None

    def create(self, bucket: str, key: str, content: bytes) -> None:
        """Writes an object that is not there yet, encrypted by S3's own key.

        https://docs.aws.amazon.com/AmazonS3/latest/userguide/conditional-writes.html
        """
        client = _shared_client("s3", self.region, self.endpoint)
        try:
            client.put_object(
                Bucket=bucket,
                Key=key,
                Body=content,
                ContentType="application/json",
                IfNoneMatch="*",
                ServerSideEncryption="AES256",
            )
        except Exception as error:
            if code(error) in ("PreconditionFailed", "ConditionalRequestConflict"):
                raise UserError(f"s3://{bucket}/{key} has been written by somebody else") from None
            raise _unreachable(f"s3://{bucket}/{key}", error) from None

    def delete(self, bucket: str, key: str) -> None:
        """Harmless where there is no such object."""
        client = _shared_client("s3", self.region, self.endpoint)
        try:
            client.delete_object(Bucket=bucket, Key=key)
        except Exception as error:
            raise _unreachable(f"s3://{bucket}/{key}", error) from None

    def holds_any(self, bucket: str) -> bool:
        """Whether an object, or an older version of one, is in the bucket; no where there is none.

        https://docs.aws.amazon.com/AmazonS3/latest/userguide/delete-bucket.html
        """
        client = _shared_client("s3", self.region, self.endpoint)
        try:
            found = client.list_object_versions(Bucket=bucket, MaxKeys=1)
        except Exception as error:
            if code(error) == "NoSuchBucket":
                return False
            raise _unreachable(f"s3://{bucket}", error) from None
        return bool(found.get("Versions") or found.get("DeleteMarkers"))

    def keys(self, bucket: str, prefix: str) -> list[str]:
        """Every key that begins with `prefix`."""
        pages = _shared_client("s3", self.region, self.endpoint).get_paginator("list_objects_v2")
        try:
            return [
                found["Key"]
                for page in pages.paginate(Bucket=bucket, Prefix=prefix)
                for found in page.get("Contents", [])
            ]
        except Exception as error:
            raise _unreachable(f"s3://{bucket}/{prefix}", error) from None


@dataclass(frozen=True)
class Existing:
    """Looks resources up by name: each method returns what `terraform import` takes, or None.

    Import identifiers: the Import section of each resource in the AWS provider's documentation.
    """

    region: str
    endpoint: str | None = None

    def bucket(self, name: str) -> str | None:
        """One that these credentials may list; another account's is not told from none."""
        client = _shared_client("s3", self.region, self.endpoint)
        return name if _answer(client.head_bucket, Bucket=name) else None

    def role(self, name: str) -> str | None:
        client = _shared_client("iam", self.region, self.endpoint)
        return name if _answer(client.get_role, RoleName=name) else None

    def policy(self, name: str, path: str) -> str | None:
        client = _shared_client("iam", self.region, self.endpoint)
        account = _shared_client("sts", self.region, self.endpoint).get_caller_identity()
        arn = (
            f"{account['Arn'].split(':sts:')[0].split(':iam:')[0]}:iam::{account['Account']}:policy"
        )
        found = _answer(client.get_policy, PolicyArn=f"{arn}{path}{name}")
        return str(found["Policy"]["Arn"]) if found else None

    def log_group(self, name: str) -> str | None:
        client = _shared_client("logs", self.region, self.endpoint)
        found = _answer(client.describe_log_groups, logGroupNamePrefix=name)
        names = [group["logGroupName"] for group in found["logGroups"]] if found else []
        return name if name in names else None

    def kms_alias(self, name: str) -> str | None:
        client = _shared_client("kms", self.region, self.endpoint)
        return name if _answer(client.describe_key, KeyId=name) else None

    def schedule_group(self, name: str) -> str | None:
        client = _shared_client("scheduler", self.region, self.endpoint)
        return name if _answer(client.get_schedule_group, Name=name) else None

    def schedule(self, group: str | None, name: str) -> str | None:
        group = group or "default"
        client = _shared_client("scheduler", self.region, self.endpoint)
        return (
            f"{group}/{name}" if _answer(client.get_schedule, GroupName=group, Name=name) else None
        )

    def notebook(self, name: str) -> str | None:
        client = _shared_client("sagemaker", self.region, self.endpoint)
        found = _answer(client.describe_notebook_instance, NotebookInstanceName=name)
        return name if found else None

    def lifecycle_configuration(self, name: str) -> str | None:
        client = _shared_client("sagemaker", self.region, self.endpoint)
        found = _answer(
            client.describe_notebook_instance_lifecycle_config,
            NotebookInstanceLifecycleConfigName=name,
        )
        return name if found else None

    def security_group(self, name: str, vpc: str) -> str | None:
        client = _shared_client("ec2", self.region, self.endpoint)
        filters = {"group-name": name, "vpc-id": vpc}
        found = _answer(client.describe_security_groups, Filters=_filters(filters))
        groups = found["SecurityGroups"] if found else []
        return str(groups[0]["GroupId"]) if len(groups) == 1 else None

    def security_group_rule(self, egress: bool, values: Mapping[str, Any]) -> str | None:
        """The rule of a group with the same protocol, ports and other side as `values`."""
        if not values.get("security_group_id"):
            return None  # of a group that does not exist either
        client = _shared_client("ec2", self.region, self.endpoint)
        filters = _filters({"group-id": values["security_group_id"]})
        found = _answer(client.describe_security_group_rules, Filters=filters)
        wanted = (
            egress,
            values["ip_protocol"],
            -1 if values.get("from_port") is None else values["from_port"],
            -1 if values.get("to_port") is None else values["to_port"],
            values.get("cidr_ipv4"),
            values.get("cidr_ipv6"),
            values.get("prefix_list_id"),
            values.get("referenced_security_group_id"),
        )
        for rule in found["SecurityGroupRules"] if found else []:
            there = (
                rule["IsEgress"],
                rule["IpProtocol"],
                rule.get("FromPort", -1),
                rule.get("ToPort", -1),
                rule.get("CidrIpv4"),
                rule.get("CidrIpv6"),
                rule.get("PrefixListId"),
                rule.get("ReferencedGroupInfo", {}).get("GroupId"),
            )
            if there == wanted:
                return str(rule["SecurityGroupRuleId"])
        return None

    def vpc_endpoint(self, service: str, vpc: str) -> str | None:
        """The only one of its service in the VPC."""
        client = _shared_client("ec2", self.region, self.endpoint)
        filters = {"service-name": service, "vpc-id": vpc}
        found = _answer(client.describe_vpc_endpoints, Filters=_filters(filters))
        endpoints = [e for e in found["VpcEndpoints"] if e["State"] != "deleted"] if found else []
        return str(endpoints[0]["VpcEndpointId"]) if len(endpoints) == 1 else None


def _filters(values: Mapping[str, str]) -> list[dict[str, object]]:
    return [{"Name": name, "Values": [value]} for name, value in values.items()]


def _answer(operation: Callable[..., Any], **arguments: Any) -> Any:
    """What `operation` answers, or None where there is no such thing."""
    try:
        return operation(**arguments)
    except Exception as error:
        if _is_missing(error):
            return None
        raise _unreachable(getattr(operation, "__name__", "AWS"), error) from None


def answer(cloud: Cloud, what: str, service: str, operation: str, **arguments: Any) -> Any:
    """What AWS answers, or None where there is no such thing; `what` is asked, in words.

    Raises UserError where it cannot be asked.
    """
    with asking(cloud, what):
        try:
            return getattr(cloud.client(service), operation)(**arguments)
        except Exception as error:
            if _is_missing(error):
                return None
            raise


def every(
    cloud: Cloud, what: str, service: str, operation: str, key: str, **arguments: Any
) -> list[Any]:
    """The items called `key` of every page that AWS answers; as `answer`."""
    with asking(cloud, what):
        pages = cloud.client(service).get_paginator(operation).paginate(**arguments)
        return [item for page in pages for item in page.get(key, [])]


def _is_missing(error: Exception) -> bool:
    said = code(error)
    missing = "NoSuch" in said or "NotFound" in said or said in ("404", "403")
    return missing or (said == "ValidationException" and "RecordNotFound" in str(error))


def _unreachable(what: str, error: Exception) -> Exception:
    """A UserError for what AWS's client raised; any other error as it is."""
    from botocore.exceptions import BotoCoreError, ClientError

    if isinstance(error, ClientError | BotoCoreError):
        return UserError(f"cannot reach {what}: {error}")
    return error


@lru_cache(maxsize=64)
def _shared_client(service: str, region: str, endpoint: str | None) -> Any:
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
