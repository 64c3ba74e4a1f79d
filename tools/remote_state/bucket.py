"""Whether a bucket can hold states: before anything is written."""

from tools.aws.client import Cloud
from tools.aws.s3 import Objects
from tools.errors import UserError
from tools.layout.repository import PREFIX
from tools.state.backend import TABLE, Backend

ALLOW_UNVERSIONED = "--allow-unversioned"


def check(backend: Backend, endpoint: str | None, allow_unversioned: bool = False) -> None:
    """Raises UserError where states in the bucket of `backend` would not be reached, or not safe.

    `endpoint` is the local cloud's; None is AWS.
    """
    prefix = "" if backend.prefix == PREFIX else f" --prefix {backend.prefix}"
    local = " --local" if endpoint else ""
    bootstrap = f"tools state bootstrap{local} --bucket {backend.bucket}"
    objects = Objects(Cloud(backend.region, endpoint))
    found = objects.bucket(backend.bucket)
    if found is None:
        raise UserError(f"there is no bucket {backend.bucket}; make it: {bootstrap}{prefix}")
    if found.region != backend.region:
        raise UserError(
            f"bucket {backend.bucket} is in {found.region}, and the stacks read each other's "
            f"states in {backend.region}; take a bucket there"
        )
    if not found.is_versioned and not allow_unversioned:
        raise UserError(
            f"bucket {backend.bucket} keeps no older versions, so that a state that is lost or "
            "spoilt would be so for good; turn its versioning on, or take the risk: "
            f"{ALLOW_UNVERSIONED}"
        )
    if backend.has_table and not objects.has_table(backend.table):
        make = f"make it: {bootstrap} --lock {backend.locking}"
        mend = make if backend.table == TABLE else "make it, or name another in every backend.tf"
        raise UserError(f"there is no lock table {backend.table} in {backend.region}; {mend}")
    objects.check_writable(backend.bucket, f"{backend.prefix}/.write-check")
