"""Objects in S3 buckets, and the lock tables of states beside them."""

from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime

from tools.aws.client import Cloud, RequestError, asking
from tools.errors import UserError


@dataclass(frozen=True)
class Bucket:
    """A bucket of the credentials' account; `is_versioned` if S3 keeps older versions now."""

    name: str
    region: str
    is_versioned: bool


@dataclass(frozen=True)
class Version:
    """A version of an object; `size` in bytes, None for a deletion."""

    id: str
    modified: datetime
    size: int | None


def in_regions_of(endpoint: str | None) -> Callable[[str], "Objects"]:
    """Returns a function from a region to its objects, in AWS or the local cloud at `endpoint`."""
    return lambda region: Objects(Cloud(region, endpoint))


@dataclass(frozen=True)
class Objects:
    """Buckets, their objects, and lock tables, in the region of a cloud.

    Every method raises UserError if AWS cannot be asked or refuses the request.
    """

    cloud: Cloud

    def get(self, bucket: str, key: str, version: str | None = None) -> bytes | None:
        """Returns an object's content, or that of its `version`; None if it does not exist."""
        arguments = {"VersionId": version} if version else {}
        try:
            with asking(self.cloud, f"read s3://{bucket}/{key}"):
                client = self.cloud.client("s3")
                answer = client.get_object(Bucket=bucket, Key=key, **arguments)
                content: bytes = answer["Body"].read()
        except RequestError as error:
            if error.code == "NoSuchKey":
                return None
            raise
        return content

    def put(self, bucket: str, key: str, content: bytes) -> None:
        """Writes or replaces an object."""
        what = f"write s3://{bucket}/{key}"
        self.cloud.call(what, "s3", "put_object", Bucket=bucket, Key=key, Body=content)

    def create(self, bucket: str, key: str, content: bytes) -> None:
        """Writes an object that must not exist yet, encrypted with S3's own key.

        Raises UserError if somebody else has written it.
        https://docs.aws.amazon.com/AmazonS3/latest/userguide/conditional-writes.html
        """
        try:
            self.cloud.call(
                f"write s3://{bucket}/{key}",
                "s3",
                "put_object",
                Bucket=bucket,
                Key=key,
                Body=content,
                ContentType="application/json",
                IfNoneMatch="*",
                ServerSideEncryption="AES256",
            )
        except RequestError as error:
            if error.code in ("PreconditionFailed", "ConditionalRequestConflict"):
                raise UserError(f"s3://{bucket}/{key} has been written by somebody else") from None
            raise

    def delete(self, bucket: str, key: str) -> None:
        """Deletes an object if it exists."""
        what = f"delete s3://{bucket}/{key}"
        self.cloud.call(what, "s3", "delete_object", Bucket=bucket, Key=key)

    def keys(self, bucket: str, prefix: str) -> list[str]:
        """Every key that begins with `prefix`."""
        return list(self.sizes(bucket, prefix))

    def sizes(self, bucket: str, prefix: str) -> dict[str, int]:
        """The size in bytes of every object whose key begins with `prefix`, by key."""
        what = f"list s3://{bucket}/{prefix}"
        arguments = {"Bucket": bucket, "Prefix": prefix}
        objects = self.cloud.items(what, "s3", "list_objects_v2", "Contents", **arguments)
        return {item["Key"]: int(item["Size"]) for item in objects}

    def versions(self, bucket: str, key: str) -> list[Version]:
        """Every version of one object, the newest first; a deletion is a version too."""
        with asking(self.cloud, f"list the versions of s3://{bucket}/{key}"):
            pages = self.cloud.client("s3").get_paginator("list_object_versions")
            versions = [
                version
                for page in pages.paginate(Bucket=bucket, Prefix=key)
                for version in (*page.get("Versions", []), *page.get("DeleteMarkers", []))
                if version["Key"] == key
            ]
        # S3's times are in whole seconds: of several versions in one, IsLatest marks the newest.
        # https://docs.aws.amazon.com/AmazonS3/latest/API/API_ListObjectVersions.html
        versions.sort(key=lambda item: (item["LastModified"], item["IsLatest"]), reverse=True)
        return [Version(i["VersionId"], i["LastModified"], i.get("Size")) for i in versions]

    def bucket(self, name: str) -> Bucket | None:
        """The bucket, or None if it does not exist; raises UserError if another account has it.

        https://docs.aws.amazon.com/AmazonS3/latest/userguide/bucket-owner-condition.html
        """
        what = f"read the settings of s3://{name}"
        arguments = {"Bucket": name, "ExpectedBucketOwner": self.cloud.identity().account}
        try:
            head = self.cloud.call(what, "s3", "head_bucket", **arguments)
            versioning = self.cloud.call(what, "s3", "get_bucket_versioning", **arguments)
        except RequestError as error:
            if error.code in ("404", "NoSuchBucket"):
                return None
            if error.code in ("403", "AccessDenied"):
                raise UserError(
                    f"bucket {name} is another account's, or these credentials may not use it "
                    "(s3:ListBucket and s3:GetBucketVersioning)"
                ) from None
            raise
        headers = head["ResponseMetadata"]["HTTPHeaders"]
        region = headers.get("x-amz-bucket-region", self.cloud.region)
        return Bucket(name, region, versioning.get("Status") == "Enabled")

    def holds_any(self, bucket: str) -> bool:
        """Whether the bucket exists and holds an object or an older version of one.

        https://docs.aws.amazon.com/AmazonS3/latest/userguide/delete-bucket.html
        """
        what = f"list the versions in s3://{bucket}"
        arguments = {"Bucket": bucket, "MaxKeys": 1}
        page = self.cloud.find(what, "s3", "list_object_versions", **arguments) or {}
        return bool(page.get("Versions") or page.get("DeleteMarkers"))

    def check_writable(self, bucket: str, key: str) -> None:
        """Writes the object `key` and deletes it; raises UserError if AWS refuses that."""
        what = f"write and delete s3://{bucket}/{key}"
        arguments = {"Bucket": bucket, "Key": key}
        written = self.cloud.call(what, "s3", "put_object", **arguments, Body=b"")
        version_argument = {"VersionId": written["VersionId"]} if written.get("VersionId") else {}
        self.cloud.call(what, "s3", "delete_object", **arguments, **version_argument)

    def has_table(self, name: str) -> bool:
        """Whether there is a DynamoDB table of this name."""
        what = f"look for the lock table {name}"
        return self.cloud.find(what, "dynamodb", "describe_table", TableName=name) is not None

    def lock_item(self, table: str, path: str) -> str | None:
        """The note of the lock on the state `path` (<bucket>/<key>), or None if it is not locked.

        https://developer.hashicorp.com/terraform/language/backend/s3#dynamodb-state-locking
        """
        answer = self.cloud.call(
            f"read the lock table {table}",
            "dynamodb",
            "get_item",
            TableName=table,
            Key={"LockID": {"S": path}},
            ConsistentRead=True,
        )
        item = answer.get("Item", {})
        return str(item["Info"]["S"]) if "Info" in item else None

    def forget_checksum(self, table: str, path: str) -> None:
        """Deletes the checksum that a lock table keeps of the state `path`, which is deleted.

        Terraform compares it with the state that it reads, and would refuse the next state there
        (backend "s3", https://developer.hashicorp.com/terraform/language/backend/s3).
        """
        what = f"write the lock table {table}"
        item_key = {"LockID": {"S": f"{path}-md5"}}
        self.cloud.call(what, "dynamodb", "delete_item", TableName=table, Key=item_key)
