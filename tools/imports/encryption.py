"""What encrypts the objects of a bucket to import, and what the stack would change about that."""

from contextlib import suppress
from typing import Any

from tools.errors import UserError
from tools.imports.destination import Destination
from tools.imports.request import AWS_MANAGED_KEY, SSE_S3, Encryption
from tools.layout.stack import S3


def describe(destination: Destination, bucket: str, configuration: Any) -> Encryption:
    """Returns what encrypts new objects; `configuration` is what S3 answers for the bucket."""
    return Encryption(
        bucket, _default_key(destination, configuration), stack_key(destination) or SSE_S3
    )


def stack_key(destination: Destination) -> str | None:
    """Returns the stack's own KMS key, in words or as an ARN; None if it has none."""
    declared = destination.declared(S3)
    if declared.get("create_kms_key"):
        arns = destination.outputs(S3).get("kms_key_arns")
        return str(arns[0]) if arns else "a key of its own"
    return str(declared["kms_key_arn"] or "") or None


def _default_key(destination: Destination, configuration: Any) -> str:
    """What encrypts by default, in words or as the key's ARN.

    A bucket may name its key by id or alias; if KMS does not tell the ARN, that name is returned.
    """
    for rule in (configuration or {}).get("Rules", []):
        default = rule.get("ApplyServerSideEncryptionByDefault", {})
        if default.get("SSEAlgorithm", "AES256") != "AES256":
            key = str(default.get("KMSMasterKeyID") or "")
            if not key or key.endswith("alias/aws/s3"):
                return AWS_MANAGED_KEY
            return key if ":key/" in key else _arn(destination, key)
    return SSE_S3


def _arn(destination: Destination, key: str) -> str:
    with suppress(UserError):
        answer = destination.ask(f"look for key {key}", "kms", "describe_key", KeyId=key)
        return str(answer["KeyMetadata"]["Arn"]) if answer else key
    return key
