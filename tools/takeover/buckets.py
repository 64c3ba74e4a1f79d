"""A bucket that shared-infra/s3 would take, with those of its settings that exist."""

import json
import re
from collections.abc import Collection, Iterable, Mapping
from concurrent.futures import ThreadPoolExecutor
from contextlib import suppress
from typing import Any

from tools.access import listed
from tools.errors import UserError
from tools.hcl import Value
from tools.takeover import held
from tools.takeover.parts import S3, Adoption, Encryption, Takeover
from tools.takeover.site import Site, lost_tags, tags

PURPOSE = re.compile(r"[a-z](-?[a-z0-9])*")  # the rule of bucket_names
_OURS = ("datasets", "models")
_S3_S_OWN = "S3's own keys"
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
    key, own_key = _key(found["encryption"]), _own_key(site)
    declared = own_key or _S3_S_OWN
    encryptions = [Encryption(name, _encrypts(found["encryption"]), declared)]
    if key and not own_key:
        values["kms_key_arn"] = key
        for other in _held(site) - {name}:
            now = _encrypts(_setting(site, other, "encryption"))
            encryptions.append(Encryption(other, now, declared))
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
    ours = site.ask(f"list the buckets to find {name}", "s3", "list_buckets")["Buckets"]
    if name not in {one["Name"] for one in ours}:
        there = site.ask(f"look for bucket {name}", "s3", "head_bucket", Bucket=name)
        whose = "is another account's, which no stack here can take" if there else "does not exist"
        scan = f"tools import{site.option} --scan"
        raise UserError(f"bucket {name} {whose}; to see which there are: {scan}")
    if (there := region(site, name)) != site.cloud.region:
        raise UserError(
            f"bucket {name} lies in {there}, and the stacks are in {site.cloud.region}: it cannot "
            "move, so copy its objects into a shared bucket (aws s3 sync)"
        )

    if why := why_not_shared(site, name, receiving_logs(site, [one["Name"] for one in ours])):
        raise UserError(f"bucket {name} {why}, since all notebooks may write to those")


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
    return ""


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


def region(site: Site, name: str) -> str:
    """Where a bucket of this account lies.

    https://docs.aws.amazon.com/AmazonS3/latest/API/API_GetBucketLocation.html
    """
    where = site.ask(f"ask where bucket {name} lies", "s3", "get_bucket_location", Bucket=name)
    said = (where or {}).get("LocationConstraint") or "us-east-1"
    return "eu-west-1" if said == "EU" else str(said)


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


def _key(encryption: Any) -> str | None:
    """The KMS key that encrypts by default, where it is named by its ARN; an alias is none."""
    for rule in (encryption or {}).get("Rules", []):
        key = rule.get("ApplyServerSideEncryptionByDefault", {}).get("KMSMasterKeyID")
        if key and ":key/" in key:
            return str(key)
    return None


def _encrypts(encryption: Any) -> str:
    """What encrypts by default, in words or as the key's ARN or alias."""
    for rule in (encryption or {}).get("Rules", []):
        default = rule.get("ApplyServerSideEncryptionByDefault", {})
        if default.get("SSEAlgorithm", "AES256") != "AES256":
            return str(default.get("KMSMasterKeyID") or "the key aws/s3")
    return _S3_S_OWN


def _own_key(site: Site) -> str | None:
    """The stack's own key, in words or as an ARN."""
    declared = site.declared(S3)
    if declared.get("create_kms_key"):
        made = site.outputs(S3).get("kms_key_arns")
        return str(made[0]) if made else "a key of its own"
    return str(declared["kms_key_arn"] or "") or None


def _held(site: Site) -> set[str]:
    """The shared buckets that the stack has."""
    there = held.read(site.records, [site.stack(S3)]).stacks[S3]
    kind = "aws_s3_bucket"
    return {id for address, (type, id) in there.items() if type == kind and ".shared[" in address}


def _notes(site: Site, name: str, found: Mapping[str, Any]) -> list[str]:
    """What the bucket has that the stack changes, and what stays as it is."""
    notes = []
    if found["policy"]:
        sids = [
            str(statement.get("Sid") or "one without a Sid")
            for statement in listed(json.loads(found["policy"]).get("Statement", []))
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
    if not found["access"] or not all(found["access"].values()):
        notes.append(f"{name}: public access will be blocked")
    return notes + lost_tags(name, tags(found["tags"] or []))
