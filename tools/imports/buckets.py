"""A bucket that shared-infra/s3 would take, with those of its settings that exist."""

import json
import re
from collections.abc import Collection, Iterable, Mapping
from concurrent.futures import ThreadPoolExecutor
from contextlib import suppress
from typing import Any

from tools.aws.policies import as_list
from tools.errors import UserError
from tools.hcl.reading import Value
from tools.imports import inventory
from tools.imports.destination import Site, lost_tags, tags
from tools.imports.request import AWS_S3, S3, S3_S_OWN, Adoption, Encryption, Takeover

PURPOSE = re.compile(r"[a-z](-?[a-z0-9])*")  # the rule of bucket_names
_OURS = ("datasets", "models")
# AWS's services that write what is not for a notebook to change: trails, configurations, access.
_LOG_SERVICES = {
    "cloudtrail.amazonaws.com",
    "config.amazonaws.com",
    "delivery.logs.amazonaws.com",
    "logdelivery.elasticloadbalancing.amazonaws.com",
    "logging.s3.amazonaws.com",
}
_MOST_KEYS = 1000  # are looked at, a page
_REQUESTS = 8  # at once


def bucket(site: Site, name: str, purpose: str) -> Takeover:
    """The bucket called `name` as the shared one for `purpose`, such as datasets.

    Raises UserError where it does not exist, or is of another account or region.
    """
    _check(site, name, purpose)
    found = {kind: _setting(site, name, kind) for kind in _SETTINGS}
    taken = [kind for kind, address in _ADDRESSES.items() if found[kind]]
    if not site.declared(S3).get("access_log_bucket"):
        taken = [kind for kind in taken if kind != "logging"]
    addresses = ["aws_s3_bucket.shared", *(_ADDRESSES[kind] for kind in taken)]
    values: dict[str, Value] = {}
    if names_of(site).get(purpose) != name:
        values["bucket_names"] = {purpose: name}
    own_key = _own_key(site)
    declared, now = own_key or S3_S_OWN, _encrypts(site, found["encryption"])
    encryptions = [Encryption(name, now, declared)]
    if ":key/" in now and not own_key:
        values["kms_key_arn"] = now
        for other in _held(site) - {name}:
            theirs = _encrypts(site, _setting(site, other, "encryption"))
            encryptions.append(Encryption(other, theirs, declared))
    return Takeover(
        tuple(Adoption.at(S3, f'{address}["{purpose}"]', name) for address in addresses),
        {S3: values} if values else {},
        notes=tuple(_notes(site, name, found)),
        encryptions=tuple(sorted(encryptions, key=lambda one: one.bucket)),
    )


def names_of(site: Site) -> dict[str, str]:
    """The names that the stack's buckets have by its values: purpose to name."""
    declared = site.declared(S3)
    suffix = str(declared.get("bucket_suffix") or "")
    ours = {p: "-".join(filter(None, (site.project, p, suffix))) for p in _OURS}
    own = declared.get("bucket_names")
    return ours | {p: str(name) for p, name in (own if isinstance(own, dict) else {}).items()}


def purpose_of(site: Site, name: str) -> str:
    """What the bucket is for by its name. Raises UserError where that does not tell."""
    for purpose, declared in names_of(site).items():
        if declared == name:
            return purpose
    words = [purpose for purpose in _OURS if purpose in re.split(r"[.-]", name)]
    if len(words) == 1:
        return words[0]
    raise UserError(
        f"{name} does not say what it is for; add --as datasets, --as models, or another purpose, "
        "which makes it a further shared bucket"
    )


def _check(site: Site, name: str, purpose: str) -> None:
    if not PURPOSE.fullmatch(purpose):
        raise UserError(
            f"{purpose!r} is no purpose: it takes lower-case letters, digits and single hyphens"
        )
    for other, declared in names_of(site).items():
        if declared == name and other != purpose:
            raise UserError(f"{S3} has {name} as {other} already; add --as {other}")
    ours = {one["Name"]: one["BucketRegion"] for one in every(site)}
    if name not in ours:
        there = site.ask(f"look for bucket {name}", "s3", "head_bucket", Bucket=name)
        whose = (
            "is another account's, which no stack here can take"
            if there
            else "does not exist, or is another account's"
        )
        scan = f"tools import{site.option} --scan"
        raise UserError(f"bucket {name} {whose}; to see which there are: {scan}")
    if ours[name] != site.cloud.region:
        raise UserError(
            f"bucket {name} lies in {ours[name]}, and the stacks are in {site.cloud.region}: it "
            "cannot move, so copy its objects into a shared bucket (aws s3 sync)"
        )
    if why := why_not_shared(site, name, receiving_logs(site, ours)):
        raise UserError(f"bucket {name} {why}, since all notebooks may write to those")


def every(site: Site) -> list[Any]:
    """The account's buckets, as S3 lists them, each with its region.

    https://docs.aws.amazon.com/AmazonS3/latest/API/API_ListBuckets.html
    """
    pages = {"PageSize": 1000}  # asked for no page, S3 says no regions
    return site.every("list the buckets", "s3", "list_buckets", "Buckets", PaginationConfig=pages)


def why_not_shared(site: Site, name: str, receiving: Collection[str]) -> str:
    """Why the bucket must not be every notebook's to write, empty where nothing says so."""
    if name in receiving:
        return "receives access logs: not a shared bucket"
    about = f"look for states in bucket {name}"
    listed = site.ask(about, "s3", "list_objects_v2", Bucket=name, MaxKeys=_MOST_KEYS) or {}
    keys = [one["Key"] for one in listed.get("Contents", [])]
    is_ours = name == site.records.repository.common().get("state_bucket")
    if is_ours or any(key.endswith(".tfstate") for key in keys):
        return "holds Terraform states: not a shared bucket"
    if writers := sorted(_LOG_SERVICES.intersection(_services(_setting(site, name, "policy")))):
        return f"receives what {', '.join(writers)} writes: not a shared bucket"
    return ""


def _services(policy: str | None) -> set[str]:
    """AWS's services that a policy allows something."""
    return {
        service
        for statement in as_list(json.loads(policy).get("Statement", []) if policy else [])
        if statement.get("Effect") == "Allow" and isinstance(statement.get("Principal"), dict)
        for service in as_list(statement["Principal"].get("Service", []))
    }


def receiving_logs(site: Site, names: Iterable[str]) -> set[str]:
    """The buckets to which one of `names` sends its access logs, as far as AWS tells us."""

    def target(name: str) -> str | None:
        with suppress(UserError):  # another region's, or one that we must not read
            logging = _setting(site, name, "logging") or {}
            there = logging.get("TargetBucket")
            return str(there) if there and there != name else None
        return None

    with ThreadPoolExecutor(_REQUESTS) as pool:
        return set(filter(None, pool.map(target, names)))


# What is read of each: the operation and the part of its answer.
_SETTINGS: Mapping[str, tuple[str, str]] = {
    "versioning": ("get_bucket_versioning", "Status"),
    "encryption": ("get_bucket_encryption", "ServerSideEncryptionConfiguration"),
    "access": ("get_public_access_block", "PublicAccessBlockConfiguration"),
    "ownership": ("get_bucket_ownership_controls", "OwnershipControls"),
    "policy": ("get_bucket_policy", "Policy"),
    "lifecycle": ("get_bucket_lifecycle_configuration", "Rules"),
    "logging": ("get_bucket_logging", "LoggingEnabled"),
    "tags": ("get_bucket_tagging", "TagSet"),
}
# What takes each.
_ADDRESSES: Mapping[str, str] = {
    "versioning": "aws_s3_bucket_versioning.shared",
    "encryption": "aws_s3_bucket_server_side_encryption_configuration.shared",
    "access": "aws_s3_bucket_public_access_block.shared",
    "ownership": "aws_s3_bucket_ownership_controls.shared",
    "policy": "aws_s3_bucket_policy.tls_only",
    "lifecycle": "aws_s3_bucket_lifecycle_configuration.shared",
    "logging": "aws_s3_bucket_logging.shared",
}


def _setting(site: Site, name: str, kind: str) -> Any:
    operation, part = _SETTINGS[kind]
    answer = site.ask(f"read the {kind} of bucket {name}", "s3", operation, Bucket=name)
    return answer.get(part) if answer else None


def _encrypts(site: Site, encryption: Any) -> str:
    """What encrypts by default, in words or as the key's ARN.

    A key that S3 names otherwise, and that KMS does not tell us, is left as S3 names it.
    """
    for rule in (encryption or {}).get("Rules", []):
        default = rule.get("ApplyServerSideEncryptionByDefault", {})
        if default.get("SSEAlgorithm", "AES256") != "AES256":
            key = str(default.get("KMSMasterKeyID") or "")
            return _arn_of(site, key) if key and not key.endswith("alias/aws/s3") else AWS_S3
    return S3_S_OWN


def _arn_of(site: Site, key: str) -> str:
    if ":key/" in key:
        return key
    with suppress(UserError):
        found = site.ask(f"look for key {key}", "kms", "describe_key", KeyId=key)
        return str(found["KeyMetadata"]["Arn"]) if found else key
    return key


def _own_key(site: Site) -> str | None:
    """The stack's own key, in words or as an ARN."""
    declared = site.declared(S3)
    if declared.get("create_kms_key"):
        made = site.outputs(S3).get("kms_key_arns")
        return str(made[0]) if made else "a key of its own"
    return str(declared["kms_key_arn"] or "") or None


def _held(site: Site) -> set[str]:
    """The shared buckets that the stack has."""
    there = inventory.read(site.records, [site.stack(S3)]).stacks[S3]
    kind = "aws_s3_bucket"
    return {id for address, (type, id) in there.items() if type == kind and ".shared[" in address}


def _notes(site: Site, name: str, found: Mapping[str, Any]) -> list[str]:
    """What the bucket has that the stack changes, and what stays as it is."""
    notes = []
    if found["policy"]:
        sids = [
            str(statement.get("Sid") or "one without a Sid")
            for statement in as_list(json.loads(found["policy"]).get("Statement", []))
        ]
        notes.append(f"{name}: its policy ({', '.join(sids)}) gives way to the stack's")
    if found["lifecycle"]:
        rules = [str(rule.get("ID") or "one without an ID") for rule in found["lifecycle"]]
        notes.append(f"{name}: its lifecycle rules ({', '.join(rules)}) give way to the stack's")
    else:
        notes.append(
            f"{name}: replaced and deleted versions of its objects will go after "
            f"{site.declared(S3).get('noncurrent_version_expiration_days')} days, as in the stack"
        )
    if found["versioning"] != "Enabled":
        notes.append(f"{name}: versioning will be turned on")
    if found["logging"] and not site.declared(S3).get("access_log_bucket"):
        target = found["logging"].get("TargetBucket")
        notes.append(f"{name}: its access logs go on to {target}, unmanaged")
    ownership = [
        rule.get("ObjectOwnership") for rule in (found["ownership"] or {}).get("Rules", [])
    ]
    if ownership != ["BucketOwnerEnforced"]:
        notes.append(f"{name}: ACLs end, the account owns every object")
        notes += _others(site, name)
    if not found["access"] or not all(found["access"].values()):
        notes.append(f"{name}: public access will be blocked")
    return notes + lost_tags(name, tags(found["tags"] or []))


def _others(site: Site, name: str) -> list[str]:
    """A note where the bucket's ACL lets others in, with which S3 ends no ACLs.

    https://docs.aws.amazon.com/AmazonS3/latest/userguide/object-ownership-error-responses.html
    """
    acl = site.ask(f"read the ACL of bucket {name}", "s3", "get_bucket_acl", Bucket=name)
    if not acl or all(one["Grantee"].get("ID") == acl["Owner"]["ID"] for one in acl["Grants"]):
        return []
    return [
        f"{name}: its ACL lets others in, and S3 refuses the deployment until it does not: aws "
        f"s3api put-bucket-acl --bucket {name} --acl private"
    ]
