"""Checks that a bucket can hold states, before anything is written."""

from tools.aws.client import Cloud
from tools.aws.s3 import Objects
from tools.context import Target
from tools.errors import UserError
from tools.layout.repository import PREFIX
from tools.state.backend import TABLE, Backend

ALLOW_UNVERSIONED = "--allow-unversioned"


def check_state_bucket(settings: Backend, target: Target, allow_unversioned: bool = False) -> None:
    """Raises UserError if the bucket of `settings` could not hold states, or not safely."""
    prefix = "" if settings.prefix == PREFIX else f" --prefix {settings.prefix}"
    bootstrap = f"tools state bootstrap{target.option} --bucket {settings.bucket}"
    objects = Objects(Cloud(settings.region, target.endpoint))
    bucket = objects.bucket(settings.bucket)
    if bucket is None:
        raise UserError(f"there is no bucket {settings.bucket}; create it: {bootstrap}{prefix}")
    if bucket.region != settings.region:
        raise UserError(
            f"bucket {settings.bucket} is in {bucket.region}, but the stacks read each other's "
            f"states in {settings.region}; use a bucket in that region"
        )
    if not bucket.is_versioned and not allow_unversioned:
        raise UserError(
            f"bucket {settings.bucket} is not versioned, so a lost or corrupt state could not be "
            f"restored; turn versioning on, or accept the risk: {ALLOW_UNVERSIONED}"
        )
    if settings.has_table and not objects.has_table(settings.table):
        mend = "create it, or name another in every backend.tf"
        if settings.table == TABLE:
            mend = f"create it: {bootstrap} --lock {settings.locking}"
        raise UserError(f"there is no lock table {settings.table} in {settings.region}; {mend}")
    objects.check_writable(settings.bucket, f"{settings.prefix}/.write-check")
