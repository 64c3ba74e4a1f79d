"""Objects in S3 buckets, and the lock table of states beside them."""

from dataclasses import dataclass
from datetime import datetime

from tools.aws.client import code, shared_client, unreachable
from tools.errors import UserError


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
            answer = shared_client("s3", self.region, self.endpoint).get_object(
                Bucket=bucket, Key=key, **which
            )
            content: bytes = answer["Body"].read()
            return content
        except Exception as error:
            if code(error) == "NoSuchKey":
                return None
            raise unreachable(f"s3://{bucket}/{key}", error) from None

    def versions(self, bucket: str, key: str) -> list[Version]:
        """Every version of one object, the newest first; deletions are versions too."""
        pages = shared_client("s3", self.region, self.endpoint).get_paginator(
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
            raise unreachable(f"s3://{bucket}/{key}", error) from None
        found.sort(key=lambda one: one[:2], reverse=True)  # times are in whole seconds
        return [Version(one["VersionId"], when, one.get("Size")) for when, _, one in found]

    def bucket(self, name: str) -> Bucket | None:
        """The bucket, None where there is none; raises UserError for one of another account.

        https://docs.aws.amazon.com/AmazonS3/latest/userguide/bucket-owner-condition.html
        """
        client = shared_client("s3", self.region, self.endpoint)
        try:
            account = shared_client("sts", self.region, self.endpoint).get_caller_identity()
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
            raise unreachable(f"s3://{name}", error) from None
        region = head["ResponseMetadata"]["HTTPHeaders"].get("x-amz-bucket-region", self.region)
        return Bucket(name, region, versioning.get("Status") == "Enabled")

    def check_writable(self, bucket: str, key: str) -> None:
        """Writes the object `key` and takes it away; raises UserError where that is refused."""
        client = shared_client("s3", self.region, self.endpoint)
        try:
            written = client.put_object(Bucket=bucket, Key=key, Body=b"")
            version = {"VersionId": written["VersionId"]} if written.get("VersionId") else {}
            client.delete_object(Bucket=bucket, Key=key, **version)
        except Exception as error:
            raise unreachable(f"s3://{bucket}/{key}", error) from None

    def lock_item(self, table: str, path: str) -> str | None:
        """The note of the lock on the state `path` (<bucket>/<key>), None where there is none.

        https://developer.hashicorp.com/terraform/language/backend/s3#dynamodb-state-locking
        """
        client = shared_client("dynamodb", self.region, self.endpoint)
        try:
            found = client.get_item(
                TableName=table, Key={"LockID": {"S": path}}, ConsistentRead=True
            )
        except Exception as error:
            raise unreachable(f"the lock table {table}", error) from None
        return str(found["Item"]["Info"]["S"]) if "Info" in found.get("Item", {}) else None

    def forget_checksum(self, table: str, path: str) -> None:
        """Takes away what Terraform notes in a lock table of the state `path`, which is gone.

        It would refuse another state there, as one that is not whole yet.
        """
        client = shared_client("dynamodb", self.region, self.endpoint)
        try:
            client.delete_item(TableName=table, Key={"LockID": {"S": f"{path}-md5"}})
        except Exception as error:
            raise unreachable(f"the lock table {table}", error) from None

    def has_table(self, name: str) -> bool:
        """Whether there is a DynamoDB table of this name."""
        client = shared_client("dynamodb", self.region, self.endpoint)
        try:
            client.describe_table(TableName=name)
        except Exception as error:
            if code(error) == "ResourceNotFoundException":
                return False
            raise unreachable(f"the lock table {name}", error) from None
        return True

    def put(self, bucket: str, key: str, content: bytes) -> None:
        """Writes, or replaces, the object."""
        client = shared_client("s3", self.region, self.endpoint)
        try:
            client.put_object(Bucket=bucket, Key=key, Body=content)
        except Exception as error:
            raise unreachable(f"s3://{bucket}/{key}", error) from None

    def create(self, bucket: str, key: str, content: bytes) -> None:
        """Writes an object that is not there yet, encrypted by S3's own key.

        https://docs.aws.amazon.com/AmazonS3/latest/userguide/conditional-writes.html
        """
        client = shared_client("s3", self.region, self.endpoint)
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
            raise unreachable(f"s3://{bucket}/{key}", error) from None

    def delete(self, bucket: str, key: str) -> None:
        """Harmless where there is no such object."""
        client = shared_client("s3", self.region, self.endpoint)
        try:
            client.delete_object(Bucket=bucket, Key=key)
        except Exception as error:
            raise unreachable(f"s3://{bucket}/{key}", error) from None

    def holds_any(self, bucket: str) -> bool:
        """Whether an object, or an older version of one, is in the bucket; no where there is none.

        https://docs.aws.amazon.com/AmazonS3/latest/userguide/delete-bucket.html
        """
        client = shared_client("s3", self.region, self.endpoint)
        try:
            found = client.list_object_versions(Bucket=bucket, MaxKeys=1)
        except Exception as error:
            if code(error) == "NoSuchBucket":
                return False
            raise unreachable(f"s3://{bucket}", error) from None
        return bool(found.get("Versions") or found.get("DeleteMarkers"))

    def keys(self, bucket: str, prefix: str) -> list[str]:
        """Every key that begins with `prefix`."""
        pages = shared_client("s3", self.region, self.endpoint).get_paginator("list_objects_v2")
        try:
            return [
                found["Key"]
                for page in pages.paginate(Bucket=bucket, Prefix=prefix)
                for found in page.get("Contents", [])
            ]
        except Exception as error:
            raise unreachable(f"s3://{bucket}/{prefix}", error) from None
