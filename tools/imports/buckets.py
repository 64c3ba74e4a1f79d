"""A bucket to import into shared-infra/s3, with those of its settings that exist."""

import json
import re
from collections.abc import Collection, Iterable, Mapping
from concurrent.futures import ThreadPoolExecutor
from contextlib import suppress
from typing import Any

from tools.aws.policies import as_list
from tools.errors import UserError
from tools.hcl.reading import Value
from tools.imports import encryption, inventory
from tools.imports.destination import Destination, note_lost_tags, parse_tags
from tools.imports.request import ImportRequest, ResourceImport
from tools.layout.stack import S3
from tools.state.addresses import STANDARD_PURPOSES, bucket_address

PURPOSE = re.compile(r"[a-z](-?[a-z0-9])*")  # the rule of bucket_names
_PAGE = 1000  # buckets or keys, the most that S3 lists at once
_REQUESTS = 8  # at once

# AWS's services that write what no notebook may change: trails, configurations, access logs.
_LOG_SERVICES = {
    "cloudtrail.amazonaws.com",
    "config.amazonaws.com",
    "delivery.logs.amazonaws.com",
    "logdelivery.elasticloadbalancing.amazonaws.com",
    "logging.s3.amazonaws.com",
}
# A bucket's settings: the operation that reads one, the part of its answer, the stack's resource.
_SETTINGS: Mapping[str, tuple[str, str, str]] = {
    "versioning": ("get_bucket_versioning", "Status", "versioning.shared"),
    "encryption": (
        "get_bucket_encryption",
        "ServerSideEncryptionConfiguration",
        "server_side_encryption_configuration.shared",
    ),
    "access": (
        "get_public_access_block",
        "PublicAccessBlockConfiguration",
        "public_access_block.shared",
    ),
    "ownership": (
        "get_bucket_ownership_controls",
        "OwnershipControls",
        "ownership_controls.shared",
    ),
    "policy": ("get_bucket_policy", "Policy", "policy.tls_only"),
    "lifecycle": ("get_bucket_lifecycle_configuration", "Rules", "lifecycle_configuration.shared"),
    "logging": ("get_bucket_logging", "LoggingEnabled", "logging.shared"),
    "tags": ("get_bucket_tagging", "TagSet", ""),
}


def request_bucket(destination: Destination, name: str, purpose: str) -> ImportRequest:
    """Requests the bucket called `name` as the shared one for `purpose`, such as datasets.

    Raises UserError if it does not exist, is in another account or region, or must not be shared.
    """
    _check(destination, name, purpose)
    settings = {kind: _setting(destination, name, kind) for kind in _SETTINGS}
    resources = {kind: part for kind, (_, _, part) in _SETTINGS.items() if part and settings[kind]}
    if not destination.declared(S3).get("access_log_bucket"):
        resources.pop("logging", None)
    settings_of = (f'aws_s3_bucket_{part}["{purpose}"]' for part in resources.values())
    addresses = (bucket_address(purpose), *settings_of)
    values: dict[str, Value] = {}
    if names_by_purpose(destination).get(purpose) != name:
        values["bucket_names"] = {purpose: name}
    encryptions = [encryption.describe(destination, name, settings["encryption"])]
    key = encryptions[0].current_key
    if ":key/" in key and not encryption.stack_key(destination):
        values["kms_key_arn"] = key
        for other in _imported_buckets(destination) - {name}:
            rules = _setting(destination, other, "encryption")
            encryptions.append(encryption.describe(destination, other, rules))
    return ImportRequest(
        tuple(ResourceImport.at(S3, address, name) for address in addresses),
        {S3: values} if values else {},
        notes=tuple(_notes(destination, name, settings)),
        encryptions=tuple(sorted(encryptions, key=lambda e: e.bucket)),
    )


def names_by_purpose(destination: Destination) -> dict[str, str]:
    """Returns the names that the stack's values give its buckets."""
    suffix = str(destination.declared(S3).get("bucket_suffix") or "")
    standard = {
        purpose: "-".join(filter(None, (destination.project, purpose, suffix)))
        for purpose in STANDARD_PURPOSES
    }
    return standard | dict(destination.declared_map(S3, "bucket_names"))


def guess_purpose(destination: Destination, name: str) -> str:
    """Returns what a bucket is for, from its name. Raises UserError if that does not tell."""
    for purpose, declared_name in names_by_purpose(destination).items():
        if declared_name == name:
            return purpose
    words = [purpose for purpose in STANDARD_PURPOSES if purpose in re.split(r"[.-]", name)]
    if len(words) == 1:
        return words[0]
    raise UserError(
        f"the name {name} does not tell what the bucket is for; add --as datasets, --as models, "
        "or another purpose, which makes it a further shared bucket"
    )


def _check(destination: Destination, name: str, purpose: str) -> None:
    if not PURPOSE.fullmatch(purpose):
        raise UserError(
            f"{purpose!r} is not a purpose: use lower-case letters, digits and single hyphens"
        )
    for other, declared_name in names_by_purpose(destination).items():
        if declared_name == name and other != purpose:
            raise UserError(f"{S3} already has {name} as {other}; add --as {other}")
    regions = {bucket["Name"]: bucket["BucketRegion"] for bucket in list_buckets(destination)}
    if name not in regions:
        answer = destination.ask(f"look for bucket {name}", "s3", "head_bucket", Bucket=name)
        whose = (
            "belongs to another account and cannot be imported"
            if answer
            else "does not exist, or belongs to another account"
        )
        scan = f"tools import{destination.option} --scan"
        raise UserError(f"bucket {name} {whose}; to list what can be imported: {scan}")
    if regions[name] != destination.cloud.region:
        raise UserError(
            f"bucket {name} is in {regions[name]}, but the stacks are in "
            f"{destination.cloud.region}: a bucket cannot move, so copy its objects into a shared "
            "bucket (aws s3 sync)"
        )
    if reason := refusal(destination, name, log_buckets(destination, regions)):
        raise UserError(f"bucket {name} {reason}, since every notebook may write to a shared one")


def list_buckets(destination: Destination) -> list[Any]:
    """Returns the account's buckets, as S3 lists them, each with its region.

    https://docs.aws.amazon.com/AmazonS3/latest/API/API_ListBuckets.html
    """
    # S3 leaves out the regions unless the request has a parameter, such as the size of a page:
    # https://docs.aws.amazon.com/AmazonS3/latest/API/API_Bucket.html
    paging = {"PageSize": _PAGE}
    what = "list the buckets"
    return destination.ask_pages(what, "s3", "list_buckets", "Buckets", PaginationConfig=paging)


def refusal(destination: Destination, name: str, logs: Collection[str]) -> str:
    """Returns why notebooks must not write to a bucket, empty if nothing speaks against it.

    `logs` are the buckets that receive access logs.
    """
    if name in logs:
        return "receives access logs: not a shared bucket"
    what = f"look for states in bucket {name}"
    answer = destination.ask(what, "s3", "list_objects_v2", Bucket=name, MaxKeys=_PAGE) or {}
    keys = [entry["Key"] for entry in answer.get("Contents", [])]
    is_state_bucket = name == destination.records.repository.common().get("state_bucket")
    if is_state_bucket or any(key.endswith(".tfstate") for key in keys):
        return "holds Terraform states: not a shared bucket"
    policy = _setting(destination, name, "policy")
    if writers := sorted(_LOG_SERVICES.intersection(_allowed_services(policy))):
        return f"receives what {', '.join(writers)} writes: not a shared bucket"
    return ""


def _allowed_services(policy: str | None) -> set[str]:
    """AWS's services that a policy allows something."""
    return {
        service
        for statement in _statements(policy)
        if statement.get("Effect") == "Allow" and isinstance(statement.get("Principal"), dict)
        for service in as_list(statement["Principal"].get("Service", []))
    }


def _statements(policy: str | None) -> list[Any]:
    return as_list(json.loads(policy).get("Statement", [])) if policy else []


def log_buckets(destination: Destination, names: Iterable[str]) -> set[str]:
    """Returns the buckets to which one of `names` sends its access logs, as far as AWS tells."""

    def target(name: str) -> str | None:
        with suppress(UserError):  # in another region, or one that these credentials cannot read
            logging = _setting(destination, name, "logging") or {}
            bucket = logging.get("TargetBucket")
            return str(bucket) if bucket and bucket != name else None
        return None

    with ThreadPoolExecutor(_REQUESTS) as pool:
        return set(filter(None, pool.map(target, names)))


def _setting(destination: Destination, name: str, kind: str) -> Any:
    operation, part, _ = _SETTINGS[kind]
    answer = destination.ask(f"read the {kind} of bucket {name}", "s3", operation, Bucket=name)
    return answer.get(part) if answer else None


def _imported_buckets(destination: Destination) -> set[str]:
    """The shared buckets in the stack's state."""
    managed = inventory.read(destination.records, [destination.stack(S3)])
    resources = managed.resources_by_stack[S3].values()
    return {identifier for type, identifier in resources if type == "aws_s3_bucket"}


def _notes(destination: Destination, name: str, settings: Mapping[str, Any]) -> list[str]:
    """Notes on what the stack changes of the bucket, and on what stays as it is."""
    declared_values = destination.declared(S3)
    notes = []
    if settings["policy"]:
        statements = _statements(settings["policy"])
        sids = [str(statement.get("Sid") or "one without a Sid") for statement in statements]
        notes.append(f"{name}: the stack's policy replaces its own ({', '.join(sids)})")
    if settings["lifecycle"]:
        rules = [str(rule.get("ID") or "one without an ID") for rule in settings["lifecycle"]]
        notes.append(f"{name}: the stack's lifecycle rules replace its own ({', '.join(rules)})")
    else:
        notes.append(
            f"{name}: replaced and deleted versions of its objects will be deleted after "
            f"{declared_values.get('noncurrent_version_expiration_days')} days, as the stack says"
        )
    if settings["versioning"] != "Enabled":
        notes.append(f"{name}: versioning will be turned on")
    if settings["logging"] and not declared_values.get("access_log_bucket"):
        target = settings["logging"].get("TargetBucket")
        notes.append(f"{name}: its access logs still go to {target}, unmanaged")
    ownership = (settings["ownership"] or {}).get("Rules", [])
    if [rule.get("ObjectOwnership") for rule in ownership] != ["BucketOwnerEnforced"]:
        notes.append(f"{name}: ACLs will be turned off; the account owns every object")
        notes += _acl_notes(destination, name)
    if not settings["access"] or not all(settings["access"].values()):
        notes.append(f"{name}: public access will be blocked")
    return notes + note_lost_tags(name, parse_tags(settings["tags"] or []))


def _acl_notes(destination: Destination, name: str) -> list[str]:
    """A note if the bucket's ACL lets others in: S3 then refuses to turn ACLs off.

    https://docs.aws.amazon.com/AmazonS3/latest/userguide/object-ownership-error-responses.html
    """
    what = f"read the ACL of bucket {name}"
    acl = destination.ask(what, "s3", "get_bucket_acl", Bucket=name)
    if not acl or all(grant["Grantee"].get("ID") == acl["Owner"]["ID"] for grant in acl["Grants"]):
        return []
    return [
        f"{name}: its ACL lets others in, and S3 refuses the deployment until that ends: aws "
        f"s3api put-bucket-acl --bucket {name} --acl private"
    ]
