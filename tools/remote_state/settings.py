"""Which bucket the states are to be kept in, and how they are locked there."""

from dataclasses import dataclass, replace

from tools.aws.model import check_bucket
from tools.context import Target
from tools.errors import UserError
from tools.hcl import reading
from tools.hcl.reading import VALUES
from tools.layout.repository import PREFIX, Repository
from tools.layout.stack import Stack
from tools.state import backend
from tools.state.backend import ROOT, Backend
from tools.state.place import STATE, BucketPlace, locate, no_objects


@dataclass(frozen=True)
class BackendRequest:
    """The options of `tools state bootstrap` and `enable`; None takes what is set, or a default."""

    bucket: str | None = None
    prefix: str | None = None
    locking: backend.Locking | None = None
    allow_unversioned: bool = False


def stack_settings(request: BackendRequest, target: Target) -> Backend:
    """Returns the backend of the stacks. Raises UserError if no bucket is named anywhere."""
    repository = target.repository
    current = backend.configured_backend(repository)
    bucket = request.bucket or (current.bucket if current else None) or _root_bucket(repository)
    if not bucket:
        raise UserError(
            "no bucket is set; name one with --bucket, or create it: "
            f"tools state bootstrap{target.option} --bucket NAME"
        )
    check_bucket("--bucket", bucket)
    if current and current.bucket != bucket:
        current = None
    default = backend.default_locking(target.terraform.version)
    locking = request.locking or (current.locking if current and _is_begun(repository) else default)
    prefix = request.prefix or repository.common().get("state_prefix")
    prefix = str(prefix or _root_prefix(repository) or PREFIX)
    return Backend(
        bucket, target.region, locking, prefix, current.table if current else backend.TABLE
    )


def root_settings(request: BackendRequest, target: Target) -> Backend:
    """Returns the backend of bootstrap/, the root module that creates the bucket.

    Raises UserError if the request has another prefix than the state that it has already.
    """
    prefix = _root_prefix(target.repository)
    if prefix and request.prefix not in (None, prefix):
        raise UserError(
            f"--prefix {request.prefix}: the state of {ROOT} is below {prefix}, and stays there; "
            "tools state enable takes another prefix for the stacks"
        )
    settings = stack_settings(replace(request, prefix=request.prefix or prefix), target)
    return replace(settings, table=backend.TABLE)


def _root_prefix(repository: Repository) -> str | None:
    root = Stack(repository.root, ROOT)
    place = locate(root, no_objects) if root.path.is_dir() else None
    ending = f"/{ROOT}/{STATE}"
    if isinstance(place, BucketPlace) and place.key.endswith(ending):
        return place.key.removesuffix(ending)
    return None


def _root_bucket(repository: Repository) -> str | None:
    bucket = reading.tfvars_value(repository.root / ROOT / VALUES, "bucket")
    return str(bucket) if bucket else None


def _is_begun(repository: Repository) -> bool:
    return any((stack.path / backend.FILE).is_file() for stack in repository.stacks())
